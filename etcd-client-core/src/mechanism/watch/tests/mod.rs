//! The machine against a model of a store, a server and its defects; and each rule broken once.

mod cases;
mod model;
mod random;
