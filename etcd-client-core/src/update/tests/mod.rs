//! Tests of updates: on a model of a store with lost responses and late copies, and on services with scripted answers.

mod copies;
mod machine;
mod services;
mod store;
