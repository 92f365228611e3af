//! The names that most programs use: `use etcd_client_core::prelude::*`.
//!
//! ```no_run
//! use etcd_client_core::prelude::*;
//!
//! # async fn example() -> Result<(), Error> {
//! let client = Client::builder(["http://127.0.0.1:2379"]).build()?;
//! client.put("greeting", "hello").await?;
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "tls")]
pub use crate::Tls;
pub use crate::{
    CallOptions, Client, Code, Compare, Delete, Error, ErrorKind, Event, EventType, Get, Key, KeyValue,
    LeaseId, Outcome, Put, Revision, Txn, Value, Watch, auth::AuthService, cluster::ClusterService,
    election::ElectionService, kv::KvService, lease::LeaseService, lock::LockService,
    maintenance::MaintenanceService, watch::WatchService,
};
