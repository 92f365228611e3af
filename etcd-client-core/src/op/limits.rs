//! How much one request may hold: what etcd refuses is refused before it is sent.

/// The limits of the servers, checked before a request is sent. The defaults are etcd's own; raise them
/// together with the server's flags.
///
/// ```
/// use etcd_client_core::Limits;
///
/// let limits = Limits::default().max_txn_ops(1024);
/// assert_eq!(limits.max_txn_ops, 1024);
/// assert_eq!(limits.max_request_bytes, 1_572_864);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Compares, and operations in each branch, of one Txn; nested ones draw on what their parent leaves.
    /// Default 128: etcd's `--max-txn-ops`, `DefaultMaxTxnOps` in server/embed/config.go.
    pub max_txn_ops: usize,
    /// Encoded size of a request that changes something. Default 1.5 MiB: etcd's `--max-request-bytes`,
    /// `DefaultMaxRequestBytes` in server/embed/config.go. Reads are not held to it.
    pub max_request_bytes: usize,
    /// Encoded size of any request. Default 2 MiB: a server's gRPC limit is `--max-request-bytes` plus
    /// 512 KiB, `grpcOverheadBytes` in server/etcdserver/api/v3rpc/grpc.go.
    pub max_send_bytes: usize,
    /// Encoded size of an answer. Default `i32::MAX`: all a server would send, `maxSendBytes` there.
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
    /// Sets how many compares, and operations in each branch, a Txn may hold.
    #[must_use = "returns the changed limits"]
    pub fn max_txn_ops(mut self, ops: usize) -> Self {
        self.max_txn_ops = ops;
        self
    }

    /// Sets the encoded size of a request that changes something, in bytes.
    #[must_use = "returns the changed limits"]
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes;
        self
    }

    /// Sets the encoded size of any request, in bytes.
    #[must_use = "returns the changed limits"]
    pub fn max_send_bytes(mut self, bytes: usize) -> Self {
        self.max_send_bytes = bytes;
        self
    }

    /// Sets the encoded size of an answer, in bytes.
    #[must_use = "returns the changed limits"]
    pub fn max_receive_bytes(mut self, bytes: usize) -> Self {
        self.max_receive_bytes = bytes;
        self
    }
}
