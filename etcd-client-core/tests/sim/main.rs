//! The client in a simulated network with virtual time: hours pass in seconds, links are cut without a firewall, and hundreds
//! of clients meet one member.
//!
//! The members are models: they speak HTTP/2 and answer gets and puts. What etcd means by an operation is tested on real etcd.

mod balance;
mod growth;
mod hung;
mod killed;
mod model;
mod notice;
mod outage;
mod severed;
mod storm;
mod world;
