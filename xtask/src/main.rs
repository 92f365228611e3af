//! Dispatches `cargo xtask <task>`; each task is a file of its own.
fn main() {}
