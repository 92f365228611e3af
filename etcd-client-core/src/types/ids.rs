//! The ids of a cluster and of its members.

use std::fmt;

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
