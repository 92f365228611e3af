//! The server's locks in a namespace. The name of a lock is the prefix of its keys.

use async_trait::async_trait;
use etcd_errors::{Error, Outcome};

use crate::{
    lock::{LockService, ServerLock, ServerLockResponse, ServerUnlock, ServerUnlockResponse},
    namespace::{Namespace, kv::NO_LIMITS},
    request::CallOptions,
};

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the prefix")]
#[async_trait]
impl<S: LockService> LockService for Namespace<S> {
    async fn lock(&self, mut op: ServerLock, options: CallOptions) -> Result<ServerLockResponse, Error> {
        self.prefix.add_to(&mut op.name);
        let mut response = self.inner.lock(op, options).await?;
        let stripped = self.prefix.strip_from(&mut response.key, Outcome::Unknown);
        stripped.map_err(|error| error.with_operation("lock"))?;
        Ok(response)
    }

    async fn unlock(
        &self,
        mut op: ServerUnlock,
        options: CallOptions,
    ) -> Result<ServerUnlockResponse, Error> {
        op.validate(&NO_LIMITS).map_err(|error| error.with_operation("unlock"))?;
        self.prefix.add_to(&mut op.key);
        self.inner.unlock(op, options).await
    }
}
