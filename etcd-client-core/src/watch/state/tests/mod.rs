//! Tests of the state machine against a model of a store, a server and its defects, and with each rule broken once.

pub(crate) mod cases;
pub(crate) mod model;
pub(crate) mod random;
