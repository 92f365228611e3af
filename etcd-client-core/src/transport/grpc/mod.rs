//! gRPC over HTTP/2 as pure functions on bytes and headers: message frames, statuses and timeouts.

pub(crate) mod failure;
pub(crate) mod headers;
pub(crate) mod method;
pub(crate) mod observation;

pub(crate) mod frame;
pub(crate) mod status;
pub(crate) mod timeout;
