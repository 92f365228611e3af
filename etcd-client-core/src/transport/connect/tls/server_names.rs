//! The name that each endpoint's certificate must contain.

use std::net::IpAddr;

use etcd_errors::Error;
use rustls::pki_types::ServerName;

use crate::{
    transport::connect::tls::settings::Tls,
    types::{Address, Endpoint},
};

/// The name in etcd's own certificates for Unix sockets.
const UNIX_SOCKET: &str = "localhost";

/// The configured names. Every other endpoint uses its host.
#[derive(Debug)]
pub(crate) struct ServerNames {
    of_all: Option<ServerName<'static>>,
    of_one: Vec<(Address, ServerName<'static>)>,
}

impl ServerNames {
    pub(crate) fn new(settings: &Tls) -> Result<Self, Error> {
        let of_all = settings.server_name.as_deref().map(server_name).transpose()?;
        let of_one = settings.server_names.iter().map(|(endpoint, name)| {
            let endpoint: Endpoint = endpoint.parse()?;
            Ok((endpoint.address().clone(), server_name(name)?))
        });
        Ok(Self { of_all, of_one: of_one.collect::<Result<_, Error>>()? })
    }

    /// Returns the name for one endpoint: its own, else the general one, else its host.
    pub(crate) fn of(&self, endpoint: &Endpoint) -> Result<ServerName<'static>, Error> {
        // The last call wins, as with every setter.
        let own = self.of_one.iter().rev().find(|(address, _)| address == endpoint.address());
        if let Some(name) = own.map(|(_, name)| name).or(self.of_all.as_ref()) {
            return Ok(name.clone());
        }
        match endpoint.address() {
            Address::Tcp { host, .. } => server_name(host),
            Address::Unix { .. } => server_name(UNIX_SOCKET),
        }
    }
}

fn server_name(text: &str) -> Result<ServerName<'static>, Error> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(ServerName::from(address));
    }
    ServerName::try_from(text.to_owned()).map_err(|_| {
        let why = format!("{text:?} is neither a host name nor an IP address");
        Error::invalid_config("tls.server_name", why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(settings: &Tls, endpoint: &str) -> String {
        let endpoint = endpoint.parse().expect("an endpoint");
        ServerNames::new(settings)
            .and_then(|names| names.of(&endpoint))
            .expect("a name")
            .to_str()
            .into_owned()
    }

    #[test]
    fn the_host_unless_something_else_was_set() {
        let plain = Tls::new();
        for (endpoint, expected) in [
            ("https://etcd-0.example:2379", "etcd-0.example"),
            ("etcd_0.example", "etcd_0.example"),
            ("https://10.0.0.1", "10.0.0.1"),
            ("https://[2001:db8::1]:1", "2001:db8::1"),
            ("unixs:///run/etcd.sock", "localhost"),
        ] {
            assert_eq!(name(&plain, endpoint), expected, "{endpoint}");
        }
        let set = Tls::new()
            .server_name("all.example")
            .server_name_for("10.0.0.1:2379", "old.example")
            .server_name_for("https://10.0.0.1", "[::1]");
        assert_eq!(name(&set, "https://10.0.0.1:2379"), "::1");
        assert_eq!(name(&set, "https://10.0.0.1:2380"), "all.example");
        assert_eq!(name(&set, "unixs:///s"), "all.example");
    }

    #[test]
    fn name_that_no_certificate_can_contain_is_rejected() {
        for (settings, field) in [
            (Tls::new().server_name(""), "tls.server_name"),
            (Tls::new().server_name("a b"), "tls.server_name"),
            (Tls::new().server_name("https://a"), "tls.server_name"),
            (Tls::new().server_name_for("https://a", "b:1"), "tls.server_name"),
            (Tls::new().server_name_for("ftp://a", "b"), "endpoint"),
        ] {
            let error = ServerNames::new(&settings).expect_err("refused");
            assert_eq!(error.field(), Some(field), "{settings:?}: {error}");
        }
    }
}
