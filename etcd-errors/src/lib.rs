//! etcd-errors
