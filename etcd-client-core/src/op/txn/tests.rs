//! Tests of Txns: checks, duplicates, linearization.
