//! Documents of the repository, for rustdoc to check.
//!
//! `cargo doc` fails on a Rust path of `docs/parity.md` that does not exist, and `cargo test --doc` on a program of the
//! README that does not compile.

/// The Rust paths of `docs/parity.md` as links, which `build.rs` writes.
#[cfg(all(doc, feature = "documents"))]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/parity.md"))]
pub mod parity {}

#[cfg(all(doctest, feature = "documents"))]
#[doc = include_str!("../../README.md")]
struct Readme;
