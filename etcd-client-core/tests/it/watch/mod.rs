//! Watches.

mod compaction;
mod events;
mod many;
mod moves;
mod progress;
mod rig;
mod secured;
mod slow;
