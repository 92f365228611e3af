//! Services that wrap services: they take the same operations and change what is asked for or what is answered.

mod namespace;

pub use namespace::Namespace;
