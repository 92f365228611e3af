//! gRPC over HTTP/2 as pure functions over bytes and headers: message frames, statuses, timeouts.

pub(crate) mod frame;
pub(crate) mod status;
pub(crate) mod timeout;
