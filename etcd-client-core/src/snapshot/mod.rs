//! Snapshots: the database of one member, verified by its SHA-256.
//!
//! [`Client::snapshot`](crate::Client::snapshot) returns a [`Snapshot`], which saves to a file, copies to a writer or opens a
//! [`SnapshotStream`].
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! let saved = client.snapshot().save_to("backup.db").await?;
//! println!("{} bytes, SHA-256 {}", saved.bytes, saved.sha256);
//! # Ok(())
//! # }
//! ```

pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod file;
pub(crate) mod remote;
pub(crate) mod stream;
pub(crate) mod write;

pub use client::Snapshot;
pub(crate) use stream::OnProgress;
pub use stream::{SnapshotDigest, SnapshotProgress, SnapshotStream, SnapshotSummary};
