//! ci/testkit
