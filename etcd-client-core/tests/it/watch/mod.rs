//! Watches.

mod events;
mod rig;
