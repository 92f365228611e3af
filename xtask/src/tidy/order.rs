//! The order of modules in the client crate: a module names modules below it only, and a pure file does no I/O.
//!
//! `ARCHITECTURE.md` explains the order; the tables below are what this rule checks.

use super::{
    Finding,
    paths::{Path, paths},
};
use crate::workspace::File;

/// The source folder of the crate whose modules are ordered.
const SOURCE: &str = "etcd-client-core/src/";

/// The modules of the crate root, lowest first. A module may name those on the lines above its own.
const ROOT: [&[&str]; 8] = [
    &["types", "error"],
    &["request"],
    &["transport"],
    &["kv", "txn", "watch", "lease", "auth", "cluster", "maintenance", "snapshot", "lock", "election"],
    &["namespace", "ordering", "leasing", "batch", "update"],
    &["client"],
    &["cache", "mirror", "naming", "json", "blocking", "kubernetes", "config", "bulk"],
    &["prelude"],
];

/// The modules of `transport/`, lowest first, by the same rule.
const TRANSPORT: [&[&str]; 12] = [
    &["backoff"],
    &["grpc"],
    &["connect"],
    &["endpoint"],
    &["observe"],
    &["balance", "token"],
    &["connection"],
    &["pool"],
    &["call"],
    &["stream"],
    &["stub"],
    &["caller"],
];

/// Modules that the others on their own line may name as well.
const SHARED: [&str; 3] = ["kv", "txn", "cache"];

/// Files of these names are pure: time and randomness are arguments, and I/O happens elsewhere.
const PURE_NAMES: [&str; 3] = ["state.rs", "schedule.rs", "retry.rs"];
/// Further pure files, and folders in which every file is pure.
const PURE: [&str; 25] = [
    "cache/replica/",
    "cluster/member_sync.rs",
    "json/reading.rs",
    "kv/pages/plan.rs",
    "lease/schedule/",
    "leasing/keys.rs",
    "leasing/state/",
    "snapshot/check/",
    "transport/backoff.rs",
    "transport/balance/",
    "transport/call/budget.rs",
    "transport/call/retry.rs",
    "transport/connect/address_order.rs",
    "transport/connection/atomic.rs",
    "transport/connection/complaints.rs",
    "transport/connection/history.rs",
    "transport/connection/liveness/",
    "transport/connection/ownership.rs",
    "transport/endpoint/outage.rs",
    "transport/endpoint/srv.rs",
    "transport/grpc/",
    "transport/token/rejection.rs",
    "types/version.rs",
    "update/evidence.rs",
    "watch/state/",
];
/// Paths that a pure file must not name: from their first part on, or a type's function anywhere.
const IMPURE: [&[&str]; 10] = [
    &["tokio"],
    &["std", "fs"],
    &["std", "io"],
    &["std", "thread"],
    &["std", "process"],
    &["TcpStream"],
    &["TcpListener"],
    &["UdpSocket"],
    &["Instant", "now"],
    &["SystemTime", "now"],
];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let modules: Vec<_> =
        files.iter().filter_map(|file| Some((file.path.strip_prefix(SOURCE)?, file.text.as_str()))).collect();
    let mut findings = stale(&modules);
    let wrong = modules.iter().flat_map(|(module, text)| check_file(module, text));
    findings.extend(wrong.map(|wrong| {
        let what = format!("`{}` {}", wrong.named, wrong.what);
        Finding::new("order", &format!("{SOURCE}{}", wrong.module), wrong.line, what)
    }));
    findings
}

/// A path that a file must not name.
#[derive(Debug)]
struct Wrong {
    module: String,
    line: usize,
    named: String,
    what: &'static str,
}

/// Reports pure files that do not exist, so that a renamed file stays on the list.
fn stale(modules: &[(&str, &str)]) -> Vec<Finding> {
    let missing = PURE.iter().filter(|path| !modules.iter().any(|(module, _)| module.starts_with(**path)));
    let this = "xtask/src/tidy/order.rs";
    missing
        .map(|path| Finding::new("order", this, 1, format!("`{path}` does not exist: follow its new name")))
        .collect()
}

/// Returns the paths that a file must not name.
fn check_file(module: &str, text: &str) -> Vec<Wrong> {
    let wrong = |line, named: String, what| Wrong { module: module.to_owned(), line, named, what };
    let own: Vec<_> = module.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect();
    let is_test = own.iter().any(|part| *part == "tests" || part.ends_with("_tests"));
    // The root re-exports from everywhere, and unit tests may use what is built on their module.
    if module == "lib.rs" || is_test || !module.ends_with(".rs") {
        return Vec::new();
    }
    if level(&ROOT, own[0]).is_none() {
        return vec![wrong(
            1,
            own[0].to_owned(),
            "has no place in the order: add it to xtask/src/tidy/order.rs",
        )];
    }
    let paths = match paths(module, text) {
        Ok(paths) => paths,
        Err(error) => return vec![wrong(1, error.to_string(), "is not valid Rust")],
    };
    let is_pure = is_pure(module);
    let found = paths.iter().filter_map(|path| {
        let (named, what) = upward(&own, path).or_else(|| impure(path).filter(|_| is_pure))?;
        Some(wrong(path.line, named, what))
    });
    found.collect()
}

/// Returns the module that a path of the module `own` names if the path leads upwards.
fn upward(own: &[&str], path: &Path) -> Option<(String, &'static str)> {
    let parts: Vec<_> = path.parts.iter().map(String::as_str).collect();
    let ["crate", target, below @ ..] = &parts[..] else { return None };
    if level(&ROOT, target).is_none() {
        return Some(((*target).to_owned(), "hides the module it comes from: name the item by its module"));
    }
    let wrong = match (own, below) {
        _ if *target != own[0] => is_above(&ROOT, own[0], target).then(|| (*target).to_owned()),
        (["transport", own, ..], [below, ..]) if own != below => {
            is_above(&TRANSPORT, own, below).then(|| format!("{target}::{below}"))
        }
        _ => None,
    };
    wrong.map(|named| (named, "is above this module: move the item down, or pass it in"))
}

fn is_above(order: &[&[&str]], own: &str, target: &str) -> bool {
    // An item of `transport/mod.rs` has no place of its own.
    let (Some(from), Some(to)) = (level(order, own), level(order, target)) else { return false };
    to > from || to == from && !SHARED.contains(&target)
}

fn level(order: &[&[&str]], module: &str) -> Option<usize> {
    order.iter().position(|line| line.contains(&module))
}

fn is_pure(module: &str) -> bool {
    let name = module.rsplit('/').next().unwrap_or_default();
    PURE_NAMES.contains(&name) || PURE.iter().any(|path| module.starts_with(path))
}

fn impure(path: &Path) -> Option<(String, &'static str)> {
    let named = IMPURE.iter().find(|impure| {
        let is_type = impure[0].starts_with(char::is_uppercase);
        let mut windows = path.parts.windows(impure.len()).take(if is_type { usize::MAX } else { 1 });
        windows.any(|window| window == **impure)
    })?;
    Some((named.join("::"), "is not pure: take time and randomness as arguments, leave I/O to the caller"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(module: &str, text: &str) -> Vec<(String, usize)> {
        check_file(module, text).into_iter().map(|wrong| (wrong.named, wrong.line)).collect()
    }

    fn found(named: &str, line: usize) -> Vec<(String, usize)> {
        vec![(named.to_owned(), line)]
    }

    #[test]
    fn downward_paths_pass() {
        assert_eq!(wrong("transport/pool/mod.rs", "use crate::{request::Limits, types::Key};"), []);
        assert_eq!(wrong("watch/remote.rs", "use crate::{kv::Get, txn::Txn};"), []);
        assert_eq!(wrong("kv/get.rs", "use crate::txn::Op; use super::Sort;"), []);
        assert_eq!(wrong("lib.rs", "pub use crate::client::Client;"), []);
    }

    #[test]
    fn an_upward_path_is_reported_with_its_line() {
        assert_eq!(wrong("types/key.rs", "//! A.\nuse crate::transport::Pool;"), found("transport", 2));
        let tree = "use crate::{\n    types::Key,\n    client::A,\n};";
        assert_eq!(wrong("kv/get.rs", tree), found("client", 3));
        assert_eq!(wrong("lease/remote.rs", "fn a() -> crate::namespace::B {}"), found("namespace", 1));
        assert_eq!(wrong("client/mod.rs", "use super::cache::Cache;"), found("cache", 1));
    }

    #[test]
    fn services_do_not_name_each_other() {
        assert_eq!(wrong("watch/remote.rs", "use crate::lease::Keeper;"), found("lease", 1));
        assert_eq!(wrong("kv/get.rs", "use crate::watch::WatchService;"), found("watch", 1));
    }

    #[test]
    fn the_transport_is_ordered_too() {
        let pool = "use crate::transport::call::A;";
        assert_eq!(wrong("transport/pool/mod.rs", pool), found("transport::call", 1));
        assert_eq!(
            wrong("transport/pool/member.rs", "use super::super::stub::A;"),
            found("transport::stub", 1)
        );
        assert_eq!(wrong("transport/call/mod.rs", "use crate::transport::pool::A;"), []);
        assert_eq!(wrong("transport/mod.rs", "pub use self::stub::Channel;"), []);
    }

    #[test]
    fn root_names_and_unknown_modules_are_reported() {
        assert_eq!(wrong("types/key.rs", "use crate::Client;"), found("Client", 1));
        assert_eq!(wrong("stuff/key.rs", ""), found("stuff", 1));
    }

    #[test]
    fn tests_may_name_modules_above() {
        assert_eq!(wrong("types/tests.rs", "use crate::client::Client;"), []);
        assert_eq!(wrong("types/key.rs", "#[cfg(test)]\nmod tests {\n    use crate::client::A;\n}"), []);
    }

    #[test]
    fn a_pure_file_uses_no_clock_and_no_io() {
        let modules =
            ["watch/state/mod.rs", "lease/schedule/lease.rs", "transport/balance/pick.rs", "auth/state.rs"];
        for module in modules {
            assert_eq!(wrong(module, "use tokio::time::sleep;"), found("tokio", 1), "{module}");
            assert_eq!(
                wrong(module, "fn b() { std::time::Instant::now() }"),
                found("Instant::now", 1),
                "{module}"
            );
            assert_eq!(wrong(module, "use std::{fmt, net::TcpStream};"), found("TcpStream", 1), "{module}");
            assert_eq!(wrong(module, "use std::time::Instant;\nfn b(now: Instant) {}"), [], "{module}");
            assert_eq!(wrong(module, "#[cfg(test)]\nmod tests {\n    use std::fs;\n}"), [], "{module}");
        }
        assert_eq!(wrong("transport/pool/mod.rs", "use tokio::net::TcpStream;"), []);
    }

    #[test]
    fn a_missing_pure_file_is_reported() {
        assert_eq!(stale(&[]).len(), PURE.len());
    }
}
