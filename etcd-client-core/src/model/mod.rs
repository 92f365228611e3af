//! The nouns of the etcd API: keys, values, revisions, ids, headers and key-value pairs.
//! Plain data: no operation, no I/O, nothing of the wire.

mod byte_string;
mod endpoint;
mod header;
mod ids;
mod key;
mod key_value;
mod lease_id;
mod prefix;
mod revision;
mod value;

pub(crate) use endpoint::without_user;
pub use endpoint::{Address, Endpoint, Security};
pub use header::ResponseHeader;
pub use ids::{ClusterId, MemberId};
pub use key::Key;
pub use key_value::KeyValue;
pub use lease_id::{LeaseId, ParseLeaseIdError};
pub use prefix::prefix_range_end;
pub use revision::{Revision, Version};
pub use value::Value;
