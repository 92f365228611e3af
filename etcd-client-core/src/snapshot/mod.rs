//! Snapshots of a member's database.

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
