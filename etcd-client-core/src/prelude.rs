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
pub use crate::transport::Tls;
pub use crate::{
    auth::AuthService,
    client::Client,
    cluster::ClusterService,
    election::ElectionService,
    error::{Code, Error, ErrorKind, Outcome},
    kv::{Delete, Get, KvService, Put},
    lease::LeaseService,
    lock::LockService,
    maintenance::MaintenanceService,
    request::CallOptions,
    txn::{Compare, Txn},
    types::{Event, EventType, Key, KeyValue, LeaseId, Revision, Value},
    watch::{Watch, WatchService},
};
