//! TODO-HEADER transport::stream

pub(crate) mod duplex;
pub(crate) mod header_check;
pub(crate) mod resumable_stream;
pub(crate) mod server;
