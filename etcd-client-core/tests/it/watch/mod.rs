//! Watches.

mod compaction;
mod events;
mod moves;
mod progress;
mod rig;
mod slow;
