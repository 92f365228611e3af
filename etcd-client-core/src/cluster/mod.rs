//! The members of the cluster: list, add, promote, update and remove.
//!
//! [`Client::cluster`](crate::Client::cluster) returns the [`ClusterClient`]. [`Client::sync`](crate::Client::sync) makes the
//! client use the endpoints of all members.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! for member in client.cluster().member_list().await?.members {
//!     println!("{} {}", member.id, member.name);
//! }
//! # Ok(())
//! # }
//! ```

pub(crate) mod client;
pub(crate) mod codec;
pub(crate) mod member_sync;
pub(crate) mod membership;
pub(crate) mod peer_url;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod service;

pub use client::ClusterClient;
pub use peer_url::PeerUrl;
pub use request::{
    MemberAdd, MemberAddResponse, MemberList, MemberListResponse, MemberPromote, MemberPromoteResponse,
    MemberRemove, MemberRemoveResponse, MemberUpdate, MemberUpdateResponse,
};
pub use service::ClusterService;
