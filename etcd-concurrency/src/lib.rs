//! etcd-concurrency
