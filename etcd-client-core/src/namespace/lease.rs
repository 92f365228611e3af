//! The lease service in a namespace: all leases of the store, but only the keys of the namespace.

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    lease::{
        LeaseGrant, LeaseGrantResponse, LeaseKeepAlive, LeaseKeepAliveOnce, LeaseKeepAliveResponse,
        LeaseKeeper, LeaseList, LeaseListResponse, LeaseRevoke, LeaseRevokeResponse, LeaseService,
        LeaseTimeToLive, LeaseTimeToLiveResponse,
    },
    namespace::Namespace,
    request::CallOptions,
};

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the prefix")]
#[async_trait]
impl<S: LeaseService> LeaseService for Namespace<S> {
    async fn grant(&self, op: LeaseGrant, options: CallOptions) -> Result<LeaseGrantResponse, Error> {
        self.inner.grant(op, options).await
    }

    async fn revoke(&self, op: LeaseRevoke, options: CallOptions) -> Result<LeaseRevokeResponse, Error> {
        self.inner.revoke(op, options).await
    }

    async fn time_to_live(
        &self,
        op: LeaseTimeToLive,
        options: CallOptions,
    ) -> Result<LeaseTimeToLiveResponse, Error> {
        let mut response = self.inner.time_to_live(op, options).await?;
        response.keys = response.keys.iter().filter_map(|key| self.prefix.strip(key)).collect();
        Ok(response)
    }

    async fn list(&self, op: LeaseList, options: CallOptions) -> Result<LeaseListResponse, Error> {
        self.inner.list(op, options).await
    }

    async fn keep_alive_once(
        &self,
        op: LeaseKeepAliveOnce,
        options: CallOptions,
    ) -> Result<LeaseKeepAliveResponse, Error> {
        self.inner.keep_alive_once(op, options).await
    }

    async fn keep_alive(&self, op: LeaseKeepAlive, options: CallOptions) -> Result<LeaseKeeper, Error> {
        self.inner.keep_alive(op, options).await
    }
}
