//! Finds the process behind a loopback connection, and so the member that dialled. Linux only; elsewhere it finds none.

use std::fs;

use super::process::Pid;

/// The index in `pids` of the process that owns the local TCP port `port`.
pub(super) fn of(port: u16, pids: &[Option<Pid>]) -> Option<usize> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let socket = format!("socket:[{}]", inode(&table, port)?);
    pids.iter().position(|pid| pid.is_some_and(|pid| holds(pid, &socket)))
}

/// Rows read `sl local:PORT remote:PORT state queues timer retransmits uid timeout inode ...`, addresses in
/// hexadecimal.
fn inode(table: &str, port: u16) -> Option<&str> {
    let suffix = format!(":{port:04X}");
    table.lines().skip(1).find_map(|row| {
        let mut fields = row.split_whitespace().skip(1);
        let local = fields.next()?;
        local.ends_with(&suffix).then(|| fields.nth(7)).flatten()
    })
}

fn holds(pid: Pid, socket: &str) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{}/fd", pid.get())) else { return false };
    entries
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == socket))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{net, process};

    use super::*;

    #[test]
    fn the_dialler_is_found_by_its_port() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dialled = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let me: Pid = process::id().to_string().parse().unwrap();
        let port = dialled.local_addr().unwrap().port();
        assert_eq!(of(port, &[None, Some(me)]), Some(1));
        assert_eq!(of(port, &[None]), None);
    }
}
