//! Typed errors of the etcd v3 API.
//!
//! ```
//! use etcd_errors::{Code, Error, GrpcCode, Outcome};
//!
//! // What a server answers; a client built on this crate returns such an error.
//! let error = Error::from_server(GrpcCode::Unavailable, "etcdserver: request timed out").with_operation("put");
//!
//! assert_eq!(error.code(), Some(Code::Timeout));
//! assert_eq!(error.to_string(), "put: request timed out");
//! // The write may have been applied. It is not safe to make it again.
//! assert_eq!(error.outcome(), Outcome::Unknown);
//!
//! eprintln!("{}", error.report());
//! // put: request timed out
//! //   outcome  unknown: a write may have been applied, but not more than once
//! //   code     Timeout (gRPC Unavailable)
//! //   help     read back what was written before writing it again
//! ```
//!
//! - [`Code`] is which of etcd's errors an answer is, recognised by its text as etcd's own client does it.
//! - [`Outcome`] is what the error means for a write: definitely not applied, or unknown.
//! - [`ErrorKind`] is where the call failed: before it was sent, on the way, or in etcd.
//! - [`Error`] holds these, the [`Attempt`]s on each endpoint and the cause; [`Error::report`] tells it all to a person.
//!
//! By default this crate depends on `thiserror` only: no runtime, no gRPC library, no TLS.
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `tonic` | no | module `tonic`: an `Error` from a `tonic::Status` |

mod attempt;
mod code;
mod error;
mod grpc_code;
mod kind;
mod report;
mod text;
#[cfg(feature = "tonic")]
pub mod tonic;

pub use attempt::Attempt;
pub use code::Code;
pub use error::Error;
pub use grpc_code::GrpcCode;
pub use kind::{ErrorKind, Outcome};
pub use report::Report;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
