//! The messages of the etcd v3 API, with optional [tonic] client stubs and server traits.
//!
//! ```
//! use etcd_proto::etcdserverpb::RangeRequest;
//! use prost::Message;
//!
//! let request = RangeRequest { key: "jobs/".into(), range_end: "jobs0".into(), limit: 10, ..Default::default() };
//! let wire = request.encode_to_vec();
//! assert_eq!(RangeRequest::decode(wire.as_slice())?, request);
//! # Ok::<(), prost::DecodeError>(())
//! ```
//!
//! This crate does no I/O. Its code is generated from the protos of etcd 3.7, which servers since 3.4 understand, and
//! checked in. There is no build script, and neither a build nor the documentation needs `protoc`.
//!
//! # Features
//!
//! | feature | default | adds | dependencies |
//! |---|---|---|---|
//! | `client` | no | a stub for each service, such as `etcdserverpb::kv_client::KvClient`, over any tonic `GrpcService` | tonic without a transport |
//! | `server` | no | a trait and a tower service for each service, such as `etcdserverpb::kv_server::{Kv, KvServer}`, for mocks and proxies | tonic without a transport |
//!
//! Without features, the crate contains the messages and depends on `prost` only. The stubs have no `connect` method:
//! pass a transport, such as tonic's own `Channel`, to `KvClient::new`.
//!
//! # Messages
//!
//! - Every `bytes` field is a [`prost::bytes::Bytes`]. Decoding from `Bytes` copies no key and no value. In exchange, a
//!   small field keeps the whole buffer alive that it was decoded from.
//! - Enums are open: a field is an `i32`, and a number that this version does not know survives decoding and
//!   encoding. The getter of the same name (`event.r#type()`) returns the enum, or its default for an unknown number.
//! - `Debug` prints no passwords and tokens (`<redacted>`) and no stored values (`<N bytes>`), at any depth. It prints
//!   keys and the names of users and roles.
//!
//! [tonic]: https://docs.rs/tonic
#![cfg_attr(docsrs, feature(doc_cfg))]

#[rustfmt::skip]
mod generated;
mod redacted_debug;

pub use generated::{authpb, etcdserverpb, grpc_health_v1, mvccpb, v3electionpb, v3lockpb};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
