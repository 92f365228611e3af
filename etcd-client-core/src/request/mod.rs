//! Parts that all requests share: the binding to a service, the options of a call, and the limits.
//!
//! A request is plain data. `Put::new` returns a `Put<Unbound>`; `client.put` returns a `Put<Bound<…>>`, which holds its service
//! and its [`CallOptions`] and can be awaited. Each bound request has a setter for every option of a call.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use std::time::Duration;
//! use etcd_client_core::request::RetryPolicy;
//!
//! client.put("greeting", "hello").timeout(Duration::from_secs(1)).retry(RetryPolicy::Never).await?;
//! # Ok(())
//! # }
//! ```

pub(crate) mod bound;
pub(crate) mod call_options;
pub(crate) mod header;
pub(crate) mod history_pin;
pub(crate) mod limits;

pub use bound::{Bound, Unbound};
pub use call_options::{CallOptions, RetryPolicy, Timeout};
pub(crate) use history_pin::HistoryPin;
pub use limits::Limits;
