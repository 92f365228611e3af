//! etcd-proto
