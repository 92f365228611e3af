//! The command line of a member, by version.

use std::path::Path;

use super::{Certificates, builder::Plan, setup::Setup};
use crate::Line;

/// The initial cluster state: a new cluster, or an existing one that the member joins.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    New,
    Existing,
}

/// The addresses on which a member listens.
#[derive(Clone, Debug)]
pub(super) struct Listen {
    pub(super) name: String,
    pub(super) client: u16,
    pub(super) peer: u16,
    pub(super) metrics: u16,
    /// The peer address for the other members.
    pub(super) advertised_peer: u16,
}

/// The file name of the client socket in a member's directory; etcd insists on something like a port in it.
pub(super) const SOCKET: &str = "client.sock:0";

/// The script that the reaper runs: it becomes etcd.
pub(super) fn script(etcd: &Path, dir: &Path, args: &[String]) -> String {
    let args: String = args.iter().map(|arg| format!(" {}", quote(arg))).collect();
    let (dir, etcd) = (quote(&dir.to_string_lossy()), quote(&etcd.to_string_lossy()));
    format!("cd {dir} && exec {etcd}{args} >>etcd.log 2>&1 </dev/null\n")
}

/// All arguments of the member `listen`, one of `all`.
pub(super) fn arguments(setup: &Setup, listen: &Listen, all: &[Listen], state: State) -> Vec<String> {
    let plan = &setup.plan;
    let mut args = Vec::new();
    addresses(&mut args, plan, listen, all);
    flag(&mut args, "initial-cluster-state", if matches!(state, State::New) { "new" } else { "existing" });
    flag(&mut args, "data-dir", "data");
    flag(&mut args, "logger", "zap");
    flag(&mut args, "log-level", "warn");
    args.extend(without_fsync(setup.binaries.version.line()));
    if let Some(certificates) = &setup.certificates {
        tls(&mut args, certificates, plan.mutual_tls);
    }
    if let (Some(secret), Some(ttl)) = (&setup.jwt_secret, &plan.jwt) {
        flag(
            &mut args,
            "auth-token",
            &format!("jwt,sign-method=HS256,ttl={ttl},priv-key={}", secret.display()),
        );
    }
    args.extend(plan.args.iter().cloned());
    args
}

fn without_fsync(line: Line) -> Option<String> {
    (line >= Line::V3_5).then(|| "--unsafe-no-fsync".to_owned())
}

fn addresses(args: &mut Vec<String>, plan: &Plan, listen: &Listen, all: &[Listen]) {
    let scheme = if plan.tls { "https" } else { "http" };
    let client = format!("{scheme}://127.0.0.1:{}", listen.client);
    let socket = format!("{}://{SOCKET}", if plan.tls { "unixs" } else { "unix" });
    let peer = format!("http://127.0.0.1:{}", listen.advertised_peer);
    let members: Vec<String> = all
        .iter()
        .map(|member| format!("{}=http://127.0.0.1:{}", member.name, member.advertised_peer))
        .collect();
    flag(args, "name", &listen.name);
    flag(
        args,
        "listen-client-urls",
        &if plan.unix_socket { format!("{client},{socket}") } else { client.clone() },
    );
    flag(args, "advertise-client-urls", &client);
    flag(args, "listen-peer-urls", &format!("http://127.0.0.1:{}", listen.peer));
    flag(args, "initial-advertise-peer-urls", &peer);
    flag(args, "listen-metrics-urls", &format!("http://127.0.0.1:{}", listen.metrics));
    flag(args, "initial-cluster", &members.join(","));
    flag(args, "initial-cluster-token", &format!("testkit-{}", all[0].advertised_peer));
}

fn tls(args: &mut Vec<String>, certificates: &Certificates, mutual: bool) {
    flag(args, "cert-file", &certificates.server.cert.to_string_lossy());
    flag(args, "key-file", &certificates.server.key.to_string_lossy());
    if mutual {
        flag(args, "trusted-ca-file", &certificates.ca.to_string_lossy());
        args.push("--client-cert-auth".to_owned());
    }
}

fn flag(args: &mut Vec<String>, name: &str, value: &str) {
    args.push(format!("--{name}={value}"));
}

/// A word for sh that means exactly `text`.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        let nasty = "a 'b' $c \\ `d`";
        let output =
            std::process::Command::new("sh").args(["-c", &format!("printf %s {}", quote(nasty))]).output();
        assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), nasty);
    }

    #[test]
    fn fsync_is_dropped_only_where_the_flag_exists() {
        let dropped = |line| without_fsync(line).is_some();
        assert_eq!(Line::ALL.map(dropped), [false, true, true, true]);
    }
}
