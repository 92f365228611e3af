//! Conversions for the messages of a snapshot.

use bytes::Bytes;
use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;

use crate::{
    request::header::{Effect, optional, protocol},
    types::ResponseHeader,
};

/// The maximum length of a version string. etcd's own are short, such as `3.6.0`.
const LONGEST_VERSION: usize = 64;

/// One message of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotPart {
    pub(crate) header: Option<ResponseHeader>,
    /// The storage version of the snapshot, which etcd sends from 3.6 on.
    pub(crate) version: Option<String>,
    pub(crate) bytes: Bytes,
    /// The number of bytes that follow, according to the member.
    pub(crate) remaining: u64,
}

pub(crate) fn snapshot_part(message: pb::SnapshotResponse) -> Result<SnapshotPart, Error> {
    let version = Some(message.version).filter(|version| !version.is_empty());
    if version.as_deref().is_some_and(|version| !is_version(version)) {
        return Err(protocol(
            "the snapshot's version is not a printable string of at most 64 bytes",
            Effect::Reads,
        ));
    }
    let header = optional(message.header);
    Ok(SnapshotPart { header, version, bytes: message.blob, remaining: message.remaining_bytes })
}

fn is_version(version: &str) -> bool {
    version.len() <= LONGEST_VERSION && version.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: &str) -> Result<Option<String>, Error> {
        let message = pb::SnapshotResponse { version: version.into(), ..Default::default() };
        snapshot_part(message).map(|part| part.version)
    }

    #[test]
    fn a_version_is_short_and_printable() {
        assert_eq!(version("").expect("none"), None);
        assert_eq!(version("3.6.0").expect("one").as_deref(), Some("3.6.0"));
        for wrong in ["3.6.0\n", " ", "é", &"3".repeat(65)] {
            assert!(version(wrong).is_err(), "{wrong:?}");
        }
    }
}
