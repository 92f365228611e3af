//! The RPCs that this client calls: path, name for people, class and default deadline of each.

use std::time::Duration;

use http::uri::PathAndQuery;

use crate::mechanism::retry::Class;

/// etcd itself gives up after 7 s (5 s and two election timeouts); a caller that waits longer than this learns nothing more.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// One unary RPC, or a server-streaming one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Range,
    RangeStream,
    Put,
    DeleteRange,
    Txn,
    Compact,
    LeaseGrant,
    LeaseRevoke,
    LeaseTimeToLive,
    LeaseLeases,
}

impl Method {
    pub(crate) const ALL: [Self; 10] = [
        Self::Range,
        Self::RangeStream,
        Self::Put,
        Self::DeleteRange,
        Self::Txn,
        Self::Compact,
        Self::LeaseGrant,
        Self::LeaseRevoke,
        Self::LeaseTimeToLive,
        Self::LeaseLeases,
    ];

    /// The position in [`Method::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    pub(crate) fn path(self) -> PathAndQuery {
        PathAndQuery::from_static(match self {
            Self::Range => "/etcdserverpb.KV/Range",
            Self::RangeStream => "/etcdserverpb.KV/RangeStream",
            Self::Put => "/etcdserverpb.KV/Put",
            Self::DeleteRange => "/etcdserverpb.KV/DeleteRange",
            Self::Txn => "/etcdserverpb.KV/Txn",
            Self::Compact => "/etcdserverpb.KV/Compact",
            Self::LeaseGrant => "/etcdserverpb.Lease/LeaseGrant",
            Self::LeaseRevoke => "/etcdserverpb.Lease/LeaseRevoke",
            Self::LeaseTimeToLive => "/etcdserverpb.Lease/LeaseTimeToLive",
            Self::LeaseLeases => "/etcdserverpb.Lease/LeaseLeases",
        })
    }

    /// What an error says was being done.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::Range => "get",
            Self::RangeStream => "get (stream)",
            Self::Put => "put",
            Self::DeleteRange => "delete",
            Self::Txn => "txn",
            Self::Compact => "compact",
            Self::LeaseGrant => "lease grant",
            Self::LeaseRevoke => "lease revoke",
            Self::LeaseTimeToLive => "lease time-to-live",
            Self::LeaseLeases => "lease list",
        }
    }

    /// The class where the request's content does not decide; a Txn is judged by its content.
    pub(crate) fn class(self) -> Class {
        match self {
            Self::Range | Self::RangeStream | Self::LeaseTimeToLive | Self::LeaseLeases => Class::Read,
            Self::LeaseGrant | Self::LeaseRevoke => Class::Idempotent,
            Self::Put | Self::DeleteRange | Self::Txn | Self::Compact => Class::Write,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_the_position() {
        for (position, method) in Method::ALL.into_iter().enumerate() {
            assert_eq!(method.index(), position, "{method:?}");
            assert!(method.path().as_str().starts_with("/etcdserverpb."), "{method:?}");
        }
    }
}
