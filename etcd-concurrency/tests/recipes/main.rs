//! Recipes on a model of etcd, on virtual time: what is asked, who is woken, and what is left behind.

mod model;
mod mutex;
