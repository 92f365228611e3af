//! Watches of whatever carries calls.

use async_trait::async_trait;
use etcd_errors::{Error, ErrorKind};

use crate::{
    op::WatchCreate,
    service::{CallOptions, Watch, WatchHandle},
    transport::caller::Caller,
};

/// The Watch service of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct RemoteWatch {
    caller: Caller,
}

impl RemoteWatch {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller }
    }
}

#[async_trait]
impl Watch for RemoteWatch {
    async fn watch(&self, op: WatchCreate, _options: CallOptions) -> Result<WatchHandle, Error> {
        op.validate()?;
        self.caller.channel().pool().check_alive()?;
        Err(Error::new(ErrorKind::Unsupported, "watches are to come"))
    }
}
