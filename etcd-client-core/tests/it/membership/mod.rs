//! Clients whose endpoints change: set by the user, found in the member list, judged by their versions.

mod adoption;
mod changes;
mod following;
mod rig;
mod set_endpoints;
mod versions;
