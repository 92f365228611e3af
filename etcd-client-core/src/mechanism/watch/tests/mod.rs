//! Tests of the state machine against a model of a store, a server and its defects, and with each rule broken once.

mod cases;
mod model;
mod random;
