//! The basic types of the etcd API: keys, values, revisions, ids, headers and key-value pairs.
//!
//! They are plain data, without operations, I/O or encoding.
//!
//! # Examples
//!
//! ```
//! use etcd_client_core::types::{Key, KeyRange, Revision};
//!
//! let key = Key::from("config/limit");
//! let range = KeyRange::prefix("config/");
//! assert!(Revision::new(8) > Revision::new(7));
//! # let _ = (key, range);
//! ```

pub(crate) mod invalid;
pub(crate) mod key_range;
pub(crate) mod version;

pub(crate) mod auth_revision;
pub(crate) mod byte_string;
pub(crate) mod endpoint;
pub(crate) mod event;
pub(crate) mod ids;
pub(crate) mod key;
pub(crate) mod key_value;
pub(crate) mod lease_id;
pub(crate) mod member;
pub(crate) mod prefix;
pub(crate) mod revision;
pub(crate) mod secret;
pub(crate) mod value;

pub use auth_revision::AuthRevision;
pub(crate) use endpoint::without_user;
pub use endpoint::{Address, Endpoint, Security};
pub use event::{Event, EventType};
pub use ids::{ClusterId, MemberId, ResponseHeader};
pub(crate) use invalid::Invalid;
pub use key::Key;
pub use key_range::KeyRange;
pub(crate) use key_range::range_setters;
pub use key_value::KeyValue;
pub use lease_id::{LeaseId, ParseLeaseIdError};
pub use member::Member;
pub use prefix::prefix_range_end;
pub use revision::{Revision, Version};
pub use secret::Secret;
pub use value::Value;
