//! Parts that every request shares: the binding to a service, the options of a call, and the limits.

pub(crate) mod answer;
pub(crate) mod bound;
pub(crate) mod call_options;
pub(crate) mod header;
pub(crate) mod history_pin;
pub(crate) mod limits;

pub use bound::{Bound, Unbound};
pub use call_options::{CallOptions, RetryPolicy, Timeout};
pub(crate) use history_pin::HistoryPin;
pub use limits::Limits;
