//! The ids of a cluster and of its members, and the header of a response, which has both.

use std::fmt;

use crate::types::Revision;

macro_rules! id {
    ($name:ident) => {
        impl $name {
            /// Creates an id from etcd's number.
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// Returns etcd's number.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl PartialEq<u64> for $name {
            fn eq(&self, number: &u64) -> bool {
                self.0 == *number
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::LowerHex::fmt(&self.0, f)
            }
        }

        impl fmt::LowerHex for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::LowerHex::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:x})"), self.0)
            }
        }
    };
}

/// The id of a member of the cluster. Displayed in hexadecimal, like in `etcdctl member list`.
///
/// # Examples
/// ```
/// use etcd_client_core::types::MemberId;
///
/// assert_eq!(MemberId::new(0x8e9e05c52164694d).to_string(), "8e9e05c52164694d");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(u64);

id!(MemberId);

/// The id of a cluster, which is the same in the responses of all members. Displayed in hexadecimal.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(u64);

id!(ClusterId);

/// The origin of a response, and the revision of the store.
///
/// # Examples
/// ```
/// use etcd_client_core::Revision;
/// use etcd_client_core::types::{ClusterId, MemberId, ResponseHeader};
///
/// let header = ResponseHeader::new(ClusterId::new(1), MemberId::new(2), Revision::new(42), 3);
/// assert_eq!(header.revision.get(), 42);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ResponseHeader {
    /// The cluster that the response comes from.
    pub cluster_id: ClusterId,
    /// The member that the response comes from.
    pub member_id: MemberId,
    /// The revision of the store when the request was applied. For a get this is the current revision, even if it
    /// read an older one. Zero in some responses that are not about the store.
    pub revision: Revision,
    /// The raft term when the request was applied.
    pub raft_term: u64,
}

impl ResponseHeader {
    /// Creates a header as a server would send it.
    pub const fn new(cluster_id: ClusterId, member_id: MemberId, revision: Revision, raft_term: u64) -> Self {
        Self { cluster_id, member_id, revision, raft_term }
    }
}

#[cfg(test)]
mod tests {
    use crate::types::{ClusterId, MemberId};

    #[test]
    fn displays_hexadecimal() {
        assert_eq!(MemberId::from(255).to_string(), "ff");
        assert_eq!(format!("{:#x}", ClusterId::new(16)), "0x10");
        assert_eq!(format!("{:?}", ClusterId::new(16)), "ClusterId(10)");
    }
}
