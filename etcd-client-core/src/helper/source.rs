//! Where what is built on a client gets its pairs from.

use std::{fmt::Debug, sync::Arc};

use etcd_errors::{Error, ErrorKind};

use crate::{
    client::Client,
    service::{Kv, Watch},
};

/// A client, or services of the user's own.
pub(super) trait Source: Send + Sync + Debug {
    fn kv(&self) -> &dyn Kv;
    fn watch(&self) -> &dyn Watch;

    /// Which history the store is of: another number once another cluster or history was accepted. Services of the user's own have
    /// one.
    fn history(&self) -> u64 {
        0
    }
}

/// Whether a watch or a read failed because the store is another one than before, or was set back: nothing that was read of it can
/// be led on.
pub(super) fn lost_history(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WrongCluster | ErrorKind::RevisionRegressed)
}

impl Source for Client {
    fn kv(&self) -> &dyn Kv {
        self.kv()
    }

    fn watch(&self) -> &dyn Watch {
        self.watch_service()
    }

    fn history(&self) -> u64 {
        self.channel().history().number()
    }
}

/// Any two services that belong together.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) kv: Arc<dyn Kv>,
    pub(super) watch: Arc<dyn Watch>,
}

impl Source for Services {
    fn kv(&self) -> &dyn Kv {
        &*self.kv
    }

    fn watch(&self) -> &dyn Watch {
        &*self.watch
    }
}
