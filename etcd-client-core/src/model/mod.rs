//! The nouns of the etcd API: keys, values, revisions, ids, headers and key-value pairs.
//! Plain data: no operation, no I/O, nothing of the wire.

mod auth_revision;
mod byte_string;
mod endpoint;
mod header;
mod ids;
mod key;
mod key_value;
mod lease_id;
mod prefix;
mod revision;
mod secret;
mod value;

pub use auth_revision::AuthRevision;
pub(crate) use endpoint::without_user;
pub use endpoint::{Address, Endpoint, Security};
pub use header::ResponseHeader;
pub use ids::{ClusterId, MemberId};
pub use key::Key;
pub use key_value::KeyValue;
pub use lease_id::{LeaseId, ParseLeaseIdError};
pub use prefix::prefix_range_end;
pub use revision::{Revision, Version};
pub use secret::Secret;
pub use value::Value;
