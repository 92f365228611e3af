//! The server's Lock service over a channel or a caller-supplied service.

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    lock::{LockService, ServerLock, ServerLockResponse, ServerUnlock, ServerUnlockResponse, codec},
    request::CallOptions,
    transport::{
        call::unary::Call,
        caller::Caller,
        grpc::method::{Method, with_operation},
    },
};

/// The Lock service of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct RemoteLock {
    caller: Caller,
}

impl RemoteLock {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller }
    }
}

#[async_trait]
impl LockService for RemoteLock {
    async fn lock(&self, op: ServerLock, options: CallOptions) -> Result<ServerLockResponse, Error> {
        with_operation(Method::Lock, op.validate(self.caller.channel().limits()))?;
        let expected = op.key();
        let request = codec::lock_request(op);
        let call = Call::new(Method::Lock, &options);
        self.caller.unary(call, &request, |response| codec::lock_response(response, &expected)).await
    }

    async fn unlock(&self, op: ServerUnlock, options: CallOptions) -> Result<ServerUnlockResponse, Error> {
        with_operation(Method::Unlock, op.validate(self.caller.channel().limits()))?;
        let request = codec::unlock_request(op);
        self.caller.unary(Call::new(Method::Unlock, &options), &request, codec::unlock_response).await
    }
}
