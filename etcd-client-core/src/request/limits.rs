//! The limits on the size of a request, checked before it is sent.

/// The limits of the servers, checked before a request is sent.
///
/// The defaults are etcd's. Raise them together with the flags of the server.
///
/// # Examples
/// ```
/// use etcd_client_core::request::Limits;
///
/// let limits = Limits::default().max_txn_ops(1024);
/// assert_eq!(limits.max_txn_ops, 1024);
/// assert_eq!(limits.max_request_bytes, 1_572_864);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum number of conditions, and of operations in each branch, of a Txn. For a nested Txn the limit is
    /// reduced by the longest list of the outer one. The default is 128: etcd's `--max-txn-ops`, `DefaultMaxTxnOps` in
    /// server/embed/config.go.
    pub max_txn_ops: usize,
    /// The maximum encoded size of a request that writes. Reads are exempt. The default is 1.5 MiB: etcd's
    /// `--max-request-bytes`, `DefaultMaxRequestBytes` in server/embed/config.go.
    pub max_request_bytes: usize,
    /// The maximum encoded size of any request. The default is 2 MiB: a server's gRPC limit is `--max-request-bytes`
    /// plus 512 KiB, `grpcOverheadBytes` in server/etcdserver/api/v3rpc/grpc.go.
    #[doc(alias = "MaxCallSendMsgSize")]
    pub max_send_bytes: usize,
    /// The maximum encoded size of a response. The default is `i32::MAX`, the most a server sends: `maxSendBytes` in
    /// the same file.
    #[doc(alias = "MaxCallRecvMsgSize")]
    pub max_receive_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_txn_ops: 128,
            max_request_bytes: 1_572_864,
            max_send_bytes: 2 * 1024 * 1024,
            max_receive_bytes: i32::MAX as usize,
        }
    }
}

impl Limits {
    /// Sets the maximum number of conditions, and of operations in each branch, of a Txn.
    #[must_use = "returns the changed limits"]
    pub fn max_txn_ops(mut self, ops: usize) -> Self {
        self.max_txn_ops = ops;
        self
    }

    /// Sets the maximum encoded size of a request that writes, in bytes.
    #[must_use = "returns the changed limits"]
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// Sets the maximum encoded size of any request, in bytes.
    #[doc(alias = "MaxCallSendMsgSize")]
    #[must_use = "returns the changed limits"]
    pub fn max_send_bytes(mut self, bytes: usize) -> Self {
        self.max_send_bytes = bytes;
        self
    }

    /// Sets the maximum encoded size of a response, in bytes.
    #[doc(alias = "MaxCallRecvMsgSize")]
    #[must_use = "returns the changed limits"]
    pub fn max_receive_bytes(mut self, bytes: usize) -> Self {
        self.max_receive_bytes = bytes;
        self
    }
}
