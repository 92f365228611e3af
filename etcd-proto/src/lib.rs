//! The etcd v3 API as Rust messages, with optional [tonic] client stubs and server traits.
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
//! This crate does no I/O. It is checked-in code generated from the protos of etcd 3.7, which servers from 3.4
//! on understand: there is no build script, and neither a build nor the documentation needs `protoc`.
//!
//! # Features
//!
//! | feature | default | what it adds | what it brings |
//! |---|---|---|---|
//! | `client` | no | a stub a service, such as `etcdserverpb::kv_client::KvClient`, over any tonic `GrpcService` | tonic without a transport |
//! | `server` | no | a trait and a tower service a service, such as `etcdserverpb::kv_server::{Kv, KvServer}`, for mocks and proxies | tonic without a transport |
//!
//! Without features there are only messages, and the only dependency is `prost`. The stubs have
//! no `connect`: choose a transport, for example tonic's own `Channel`, and hand it to `KvClient::new`.
//!
//! # What to know about the messages
//!
//! - Every `bytes` field is a [`prost::bytes::Bytes`]. Decoding from `Bytes` copies no key and no value; in exchange a
//!   small field keeps the whole buffer alive that it was decoded from.
//! - Enums are open: a field is an `i32`, and a number that this version does not know survives decoding and
//!   encoding. The getter of the same name (`event.r#type()`) gives the enum, and its default for such a number.
//! - `Debug` prints no passwords and tokens (`<redacted>`) and no stored values (`<N bytes>`), however deep they
//!   are nested. It does print keys and the names of users and roles.
//!
//! [tonic]: https://docs.rs/tonic
#![cfg_attr(docsrs, feature(doc_cfg))]

#[rustfmt::skip]
mod generated;
mod redacted_debug;

pub use generated::{authpb, etcdserverpb, grpc_health_v1, mvccpb, v3electionpb, v3lockpb};

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
