//! The requests of the Lease service.

pub(crate) mod grant;
pub(crate) mod grant_kept;
pub(crate) mod keep_alive;
pub(crate) mod keep_alive_once;
pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod time_to_live;
