//! Where what is built on a client gets its pairs from.

use std::{fmt::Debug, sync::Arc};

use crate::{
    client::Client,
    service::{Kv, Watch},
};

/// A client, or services of the user's own.
pub(super) trait Source: Send + Sync + Debug {
    fn kv(&self) -> &dyn Kv;
    fn watch(&self) -> &dyn Watch;
}

impl Source for Client {
    fn kv(&self) -> &dyn Kv {
        self.kv()
    }

    fn watch(&self) -> &dyn Watch {
        self.watch_service()
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
