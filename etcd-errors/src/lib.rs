//! Typed errors of the etcd v3 API.
//!
//! ```
//! use etcd_errors::{Code, Error, GrpcCode, Outcome};
//!
//! // A server returned this error; a client built on this crate wraps it.
//! let error = Error::from_server(GrpcCode::Unavailable, "etcdserver: request timed out").with_operation("put");
//!
//! assert_eq!(error.code(), Some(Code::Timeout));
//! assert_eq!(error.to_string(), "put: request timed out");
//! // The write may have been applied, so it is not safe to retry.
//! assert_eq!(error.outcome(), Outcome::Unknown);
//!
//! eprintln!("{}", error.report());
//! // put: request timed out
//! //   outcome  unknown: a write may have been applied, but not more than once
//! //   code     Timeout (gRPC Unavailable)
//! //   help     read back what was written before writing it again
//! ```
//!
//! - [`Code`] identifies an error of etcd, by its text, as etcd's own client does.
//! - [`Outcome`] is the consequence for a write: definitely not applied, or unknown.
//! - [`ErrorKind`] is the place of the failure: before the request was sent, on the way, or in etcd.
//! - [`Error`] combines these with the [`Attempt`]s on each endpoint and the cause. [`Error::report`] shows all of it to a
//!   person.
//!
//! By default, this crate depends on `thiserror` only: no runtime, no gRPC library, no TLS.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `tonic` | no | module `tonic`: conversion from `tonic::Status` |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attempt;
mod code;
mod error;
mod grpc_code;
mod kind;
mod report;
mod text;
#[cfg(feature = "tonic")]
pub mod tonic;
mod topic;

pub use attempt::Attempt;
pub use code::Code;
pub use error::Error;
pub use grpc_code::GrpcCode;
pub use kind::{ErrorKind, Outcome};
pub use report::Report;
pub use topic::ErrorTopic;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
