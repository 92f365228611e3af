//! Recipes under random faults and late copies of their requests, judged against who held what when.
//!
//! How long, from which seed and what is kept: `etcd_testkit::run::Settings`. How many runs of late copies: [`late_copies`].

mod late_copies;
mod load;
mod locks;
mod others;
mod recipes;
mod sessions;
mod settle;
mod whole;
