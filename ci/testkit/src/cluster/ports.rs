//! Picks free loopback ports.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
};

use anyhow::{Context as _, bail};

/// Below this, other services are likely to live.
const LOWEST: u16 = 10_240;

/// The number of ports from which a random choice makes sense.
const ENOUGH: u16 = 4_096;

const PICKS: usize = 200;

/// The source of ports: requested ones first, even if they are in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Ports {
    pub(super) first: Vec<u16>,
}

impl Ports {
    /// Returns a port that was just free.
    ///
    /// It lies below the range of outgoing connections, so that none of those takes the port of a member that is down
    /// for a while.
    pub(super) fn pick(&mut self) -> anyhow::Result<u16> {
        if let Some(port) = self.first.pop() {
            return Ok(port);
        }
        let Some(range) = below_ephemeral() else { return any() };
        for _ in 0..PICKS {
            let port = fastrand::u16(range.clone());
            if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(port);
            }
        }
        bail!("no free port in {range:?} after {PICKS} picks")
    }
}

fn below_ephemeral() -> Option<Range<u16>> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let end: u16 = text.split_whitespace().next()?.parse().ok()?;
    (end.checked_sub(LOWEST)? >= ENOUGH).then_some(LOWEST..end)
}

fn any() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("binding a free port")?;
    Ok(listener.local_addr().context("reading the bound port")?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_are_free_and_differ() {
        let mut ports = Ports::default();
        let first = ports.pick().unwrap();
        let _held = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(first, ports.pick().unwrap());
        assert_ne!(any().unwrap(), 0);
    }
}
