//! The etcd v3 client: keys, transactions, watches and leases over a transport whose failover nobody notices.
//!
//! ```no_run
//! use etcd_client_core::{Client, Code, Compare, Outcome, Put};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), etcd_client_core::Error> {
//! let client = Client::builder(["http://10.0.0.1:2379", "http://10.0.0.2:2379", "http://10.0.0.3:2379"]).build()?;
//!
//! client.put("config/limit", "10").await?;
//! let limits = client.get("config/").prefix().await?;
//! println!("{} keys at revision {}", limits.count, limits.header.revision);
//!
//! let txn = client.txn().when(Compare::value("config/limit").equal("10")).then(Put::new("config/limit", "20"));
//! match txn.await {
//!     Ok(response) => println!("changed: {}", response.succeeded()),
//!     Err(error) if error.code() == Some(Code::PermissionDenied) => println!("not ours to change"),
//!     Err(error) if error.outcome() == Outcome::Unknown => println!("changed at most once: read it back"),
//!     Err(error) => eprintln!("{}", error.report()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to start
//!
//! - [`Client`] and its [`builder`](Client::builder): connecting, deadlines, limits, closing.
//!   [`password`](ClientBuilder::password), [`token`](ClientBuilder::token) or a [`TokenProvider`] where auth is on.
//! - [`Get`], [`Put`], [`Delete`], [`Txn`], [`Compact`]: one struct for each operation. A client's method gives one that is awaited;
//!   `new` gives one that goes into a [`Txn`] or to [`Client::execute`].
//! - [`Get::pages`]: long ranges at one revision, in flat memory.
//! - [`Client::watch`]: what changes, across the loss of members. [`Cache`] keeps a range in memory up to date, for reads that cost
//!   the members nothing or next to nothing; [`Mirror`] leads a copy elsewhere.
//! - [`Client::with_namespace`]: the same client with all of its keys under a prefix.
//! - [`Client::lease`]: leases that keys are attached to.
//! - [`Client::server_lock`] and [`Client::server_election`]: locks and elections that the members wait for.
//! - [`Client::auth`]: users, roles and their permissions.
//! - [`Client::cluster`] and [`Client::maintenance`]: the members, and what keeps them in order.
//! - [`Client::snapshot`]: the database of a member, verified, into a file or a writer.
//! - [`Error`]: its kind, etcd's [`Code`], the [`Outcome`] of a write, and a report to act on.
//! - [`Kv`], [`Lease`], [`Cluster`], [`Maintenance`], [`Auth`], [`LockService`] and [`ElectionService`]: the services as traits, for decorators and mocks.
//! - [`Balance`]: how calls are shared among members; [`CallOptions`]: what one call does differently.
//! - [`Client::endpoint_states`]: which endpoint is ready, suspect or down, since when, and why. [`observe`]: what is told to
//!   observers, `tracing` and `metrics`.
//! - [`tonic`]: any generated stub on this client's connections.
//!
//! # What holds for every call
//!
//! - Nothing that is invalid is sent: the error names the field.
//! - One deadline (5 s by default) covers connecting, every attempt, every wait and the decoding.
//! - A member that hangs is left by reads within 3 s and by new calls at once when it is found out; one that is dead costs no
//!   call while another lives.
//! - Reads are sent again until the deadline; a write is sent again only when it was definitely not processed, so that it is
//!   applied at most once. Where it may have been applied the error says [`Outcome::Unknown`].
//! - A future can be dropped at any time; nothing is left behind but, possibly, the write.
//!
//! # TLS
//!
//! Endpoints with `https://` or `unixs:` are spoken to through rustls, set up with `Tls` and `ClientBuilder::tls`.
//!
//! | feature | brings |
//! |---|---|
//! | `tls-ring` (default) | TLS with the cryptography of ring |
//! | `tls-aws-lc` | TLS with that of aws-lc, where `tls-ring` is off |
//! | `tls-native-roots` | the authorities that the operating system trusts, beside either |
//!
//! # Other features
//!
//! | feature | brings |
//! |---|---|
//! | `srv` | `Discovery`: endpoints from DNS SRV records |
//! | `proxy` | `HttpProxy`: members behind an HTTP CONNECT proxy |
//! | `naming` | `naming`: where the instances of a service are, as Go's `naming/endpoints` keeps it |
//! | `tower` | `naming::tower`: the same for the balancers of tower and tonic |
//! | `metrics` | `MetricsObserver`: counters and histograms for the `metrics` crate |
//!
//! # Runtime
//!
//! The client runs on tokio: build and use it inside a runtime with time and I/O enabled. A call outside of one, or after the one
//! it was built on has ended, is an error and no panic.

mod client;
mod decorator;
mod helper;
mod mechanism;
mod model;
mod op;
mod remote;
mod service;
mod transport;
mod wire;

pub use client::{
    AuthAdmin, Client, ClientBuilder, ClusterHandle, HealingEvent, HealingLease, HealingLeaseBuilder, Leases,
    MaintenanceHandle, Page, Pages, ServerElections, ServerLocks, Snapshot,
};
pub use decorator::Namespace;
pub use etcd_errors::{Attempt, Code, Error, ErrorKind, GrpcCode, Outcome};
#[cfg(feature = "naming")]
pub use helper::naming;
pub use helper::{
    Cache, CacheBuilder, CacheChange, CacheChanges, CacheCounters, CacheSnapshot, CacheStatus, Mirror,
};
pub use model::{
    Address, Alarm, AlarmType, AuthRevision, ClusterId, Endpoint, EndpointText, Event, EventType, Key,
    KeyValue, LeaseId, Member, MemberId, ParseLeaseIdError, ResponseHeader, Revision, Secret, Security,
    Value, Version, prefix_range_end,
};
pub use op::{
    Access, AlarmDisarm, AlarmDisarmAll, AlarmDisarmAllResponse, AlarmDisarmAllSpec, AlarmDisarmResponse,
    AlarmDisarmSpec, AlarmFailure, AlarmList, AlarmListResponse, AlarmListSpec, AuthBound, AuthDisable,
    AuthDisableResponse, AuthDisableSpec, AuthEnable, AuthEnableResponse, AuthEnableSpec, AuthStatus,
    AuthStatusResponse, AuthStatusSpec, Bound, ClusterBound, Compact, CompactResponse, CompactSpec, Compare,
    CompareOp, CompareOperand, CompareSubject, DbSizeQuota, Defragment, DefragmentResponse, DefragmentSpec,
    Delete, DeleteResponse, DeleteSpec, Downgrade, DowngradeAction, DowngradeInfo, DowngradeResponse,
    DowngradeSpec, ElectionBound, ElectionCampaign, ElectionCampaignResponse, ElectionCampaignSpec,
    ElectionLeader, ElectionLeaderResponse, ElectionLeaderSpec, ElectionObserve, ElectionObserveSpec,
    ElectionProclaim, ElectionProclaimResponse, ElectionProclaimSpec, ElectionResign, ElectionResignResponse,
    ElectionResignSpec, Get, GetResponse, GetSpec, HashBackend, HashBackendResponse, HashBackendSpec, HashKv,
    HashKvResponse, HashKvSpec, IntoCompares, IntoOps, KeyRange, LeaderKey, LeaseBound, LeaseGrant,
    LeaseGrantKept, LeaseGrantResponse, LeaseGrantSpec, LeaseGranted, LeaseKeepAlive, LeaseKeepAliveOnce,
    LeaseKeepAliveOnceSpec, LeaseKeepAliveResponse, LeaseKeepAliveSpec, LeaseList, LeaseListResponse,
    LeaseListSpec, LeaseRevoke, LeaseRevokeResponse, LeaseRevokeSpec, LeaseTimeToLive,
    LeaseTimeToLiveResponse, LeaseTimeToLiveSpec, Limits, LockBound, MaintenanceBound, MemberAdd,
    MemberAddResponse, MemberAddSpec, MemberList, MemberListResponse, MemberListSpec, MemberPromote,
    MemberPromoteResponse, MemberPromoteSpec, MemberRemove, MemberRemoveResponse, MemberRemoveSpec,
    MemberUpdate, MemberUpdateResponse, MemberUpdateSpec, MoveLeader, MoveLeaderResponse, MoveLeaderSpec, Op,
    OpResponse, ParseAccessError, PeerUrl, Permission, Put, PutResponse, PutSpec, RoleAdd, RoleAddResponse,
    RoleAddSpec, RoleDelete, RoleDeleteResponse, RoleDeleteSpec, RoleGet, RoleGetResponse, RoleGetSpec,
    RoleGrantPermission, RoleGrantPermissionResponse, RoleGrantPermissionSpec, RoleList, RoleListResponse,
    RoleListSpec, RoleRevokePermission, RoleRevokePermissionResponse, RoleRevokePermissionSpec, ServerLock,
    ServerLockResponse, ServerLockSpec, ServerUnlock, ServerUnlockResponse, ServerUnlockSpec, SlowReader,
    SortOrder, SortTarget, Status, StatusResponse, StatusSpec, Txn, TxnResponse, TxnSpec, Unbound, UserAdd,
    UserAddResponse, UserAddSpec, UserChangePassword, UserChangePasswordResponse, UserChangePasswordSpec,
    UserDelete, UserDeleteResponse, UserDeleteSpec, UserGet, UserGetResponse, UserGetSpec, UserGrantRole,
    UserGrantRoleResponse, UserGrantRoleSpec, UserList, UserListResponse, UserListSpec, UserRevokeRole,
    UserRevokeRoleResponse, UserRevokeRoleSpec, WatchBound, WatchCreate, WatchCreateSpec,
};
pub use service::{
    Auth, CallOptions, Cluster, ElectionService, KeptLease, KeptLeaseSender, Kv, LeaderStream, Lease,
    LeaseLost, LeaseLostReason, LeaseState, LockService, Maintenance, RangeChunk, RangeStream, Resend,
    SnapshotDigest, SnapshotProgress, SnapshotStream, SnapshotSummary, Timeout, Watch, WatchCounters,
    WatchEvents, WatchHandle, WatchResponse, WatchResponseKind, WatchSender, WatchStatus, execute,
};
#[cfg(feature = "srv")]
pub use transport::discovery::Discovery;
#[cfg(feature = "proxy")]
pub use transport::proxy::HttpProxy;
#[cfg(feature = "tls")]
pub use transport::tls::{Tls, TlsVersion, danger};
pub use transport::{
    connector::Target,
    observe,
    state::{EndpointPhase, EndpointState, EndpointStates},
    token::TokenProvider,
    tonic,
    wish::Balance,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
