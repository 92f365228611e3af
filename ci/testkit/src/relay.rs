//! Helpers for relays: a thread with a runtime, and an abortive close.

use std::{thread, time::Duration};

use anyhow::Context as _;
use tokio::{net::TcpStream, runtime::Handle, sync::oneshot};

/// A runtime on a separate thread, so that a busy or ended runtime of a test does not stall it.
///
/// Dropping it drops its tasks and their sockets.
#[derive(Debug)]
pub(crate) struct Background {
    runtime: Handle,
    /// Its drop is what ends the thread.
    _owner: oneshot::Sender<()>,
}

impl Background {
    pub(crate) fn start(name: &str) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.with_context(|| format!("starting the runtime of {name}"))?;
        let handle = runtime.handle().clone();
        let (owner, ended) = oneshot::channel::<()>();
        // Nothing is ever sent: the error is the owner's end.
        let serve = move || drop(runtime.block_on(ended));
        let thread = thread::Builder::new().name(name.to_owned());
        thread.spawn(serve).with_context(|| format!("starting the thread of {name}"))?;
        Ok(Self { runtime: handle, _owner: owner })
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }
}

/// Closing then sends RST instead of FIN.
pub(crate) fn reset_on_close(stream: &TcpStream) {
    // Fails only on a socket that is gone already.
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
