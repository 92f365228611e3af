//! The choice among connections.

#[path = "../../../src/transport/balance/pick.rs"]
#[allow(dead_code, unreachable_pub)]
pub(crate) mod pick;
