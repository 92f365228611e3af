//! TODO-HEADER lock::request

pub(crate) mod lock;
pub(crate) mod unlock;
