//! The members of the cluster.

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
    add::{MemberAdd, MemberAddResponse},
    list::{MemberList, MemberListResponse},
    promote::{MemberPromote, MemberPromoteResponse},
    remove::{MemberRemove, MemberRemoveResponse},
    update::{MemberUpdate, MemberUpdateResponse},
};
pub use service::ClusterService;
