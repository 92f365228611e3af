//! The watch service in a namespace.

use async_trait::async_trait;
use etcd_errors::Error;

use crate::{
    namespace::Namespace,
    request::CallOptions,
    watch::{Watch, WatchService, WatchStream},
};

#[deny(clippy::missing_trait_methods, reason = "a default method would bypass the prefix")]
#[async_trait]
impl<S: WatchService> WatchService for Namespace<S> {
    async fn watch(&self, mut op: Watch, options: CallOptions) -> Result<WatchStream, Error> {
        op.validate().map_err(|error| error.with_operation("watch"))?;
        self.prefix.add_to_watch(&mut op);
        let watch = self.inner.watch(op, options).await?;
        let prefix = self.prefix.clone();
        Ok(watch.map_events(move |mut event| {
            prefix.strip_event(&mut event).map_err(|error| error.with_operation("watch"))?;
            Ok(Some(event))
        }))
    }
}
