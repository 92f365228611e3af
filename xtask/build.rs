//! Turns the Rust paths of `docs/parity.md` into links for rustdoc.
//!
//! `src/documents.rs` includes the list as documentation, so that `cargo doc` with `-D warnings` fails on a wrong path.
#![allow(clippy::print_stdout, reason = "build scripts talk to cargo on stdout")]

use std::{collections::BTreeSet, env, fs, io, path::Path};

const PAGE: &str = "../docs/parity.md";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={PAGE}");
    let page = fs::read_to_string(PAGE)?;
    // A row in the state `not yet` names what is planned.
    let rows = page.lines().filter(|line| line.starts_with('|') && !line.contains("| not yet |"));
    let code = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let paths: BTreeSet<_> = code.filter(|path| path.starts_with("etcd_")).collect();
    let links: String = paths.into_iter().map(|path| format!("- [`{path}`]\n")).collect();
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&folder).join("parity.md"), links)
}
