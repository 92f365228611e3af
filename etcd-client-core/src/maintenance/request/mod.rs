//! The requests of the Maintenance service.

pub(crate) mod alarm_disarm;
pub(crate) mod alarm_disarm_all;
pub(crate) mod alarm_list;
pub(crate) mod defragment;
pub(crate) mod downgrade;
pub(crate) mod hash;
pub(crate) mod hash_kv;
pub(crate) mod move_leader;
pub(crate) mod status;
