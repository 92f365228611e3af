//! The error of every call, with its kind, code and outcome, from the crate `etcd-errors`.

pub use etcd_errors::{Attempt, Code, Error, ErrorKind, GrpcCode, Outcome};
