//! etcd-client-core
