//! The basic types of the etcd API: keys, values, revisions, ids, headers and key-value pairs. They are plain data,
//! without operations, I/O or encoding.

mod alarm;
mod auth_revision;
mod byte_string;
mod endpoint;
mod endpoint_text;
mod event;
mod header;
mod ids;
mod key;
mod key_value;
mod lease_id;
mod member;
mod prefix;
mod revision;
mod secret;
mod value;

pub use alarm::{Alarm, AlarmType};
pub use auth_revision::AuthRevision;
pub use endpoint::{Address, Endpoint, Security};
pub use endpoint_text::EndpointText;
pub(crate) use endpoint_text::without_user;
pub use event::{Event, EventType};
pub use header::ResponseHeader;
pub use ids::{ClusterId, MemberId};
pub use key::Key;
pub use key_value::KeyValue;
pub use lease_id::{LeaseId, ParseLeaseIdError};
pub use member::Member;
pub use prefix::prefix_range_end;
pub use revision::{Revision, Version};
pub use secret::Secret;
pub use value::Value;
