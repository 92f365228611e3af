//! The thread that runs the background tasks of blocking clients, and the check for async code.

use std::{
    future::pending,
    io,
    pin::pin,
    sync::{Arc, Mutex, PoisonError, mpsc},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use etcd_errors::{Error, ErrorKind};
use tokio::{
    runtime::{Builder, Handle},
    task::consume_budget,
};

/// More polls than the budget of a task allows, which is 128 in Tokio 1.
const POLLS: usize = 256;

/// Returns the runtime of the background thread, which is started by the first call and runs until the process ends.
pub(super) fn background() -> Result<Handle, Error> {
    static BACKGROUND: Mutex<Option<Handle>> = Mutex::new(None);
    let mut background = BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*background {
        return Ok(handle.clone());
    }
    let started = start().map_err(|error| {
        Error::new(ErrorKind::Io, "the thread for blocking calls could not be started").with_source(error)
    })?;
    Ok(background.insert(started).clone())
}

fn start() -> io::Result<Handle> {
    let (sender, receiver) = mpsc::channel();
    let run = move || match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let _ = sender.send(Ok(runtime.handle().clone()));
            runtime.block_on(pending::<()>());
        }
        Err(error) => {
            let _ = sender.send(Err(error));
        }
    };
    // The runtime is built on its thread: dropping one in async code panics.
    thread::Builder::new().name("etcd-client".to_owned()).spawn(run)?;
    receiver.recv().map_err(io::Error::other)?
}

/// Runs a future on this thread, with the timers and sockets of the background thread.
///
/// `Handle::block_on` would panic where async code is not recognised, and this function does not.
pub(super) fn block_on<F: Future>(future: F) -> Result<F::Output, Error> {
    check_not_async()?;
    let handle = background()?;
    let _entered = handle.enter();
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Ok(output);
        }
        thread::park();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Returns an error if this thread is polling a future of a Tokio runtime.
fn check_not_async() -> Result<(), Error> {
    if Handle::try_current().is_err() || !has_budget() {
        return Ok(());
    }
    let text = "blocking calls cannot be made from async code: await the request, or call wait() inside of \
                tokio::task::spawn_blocking";
    Err(Error::new(ErrorKind::InvalidRequest, text))
}

/// Returns whether the thread polls a task with a budget. Tokio limits what a task may do in one poll, and removes the limit in
/// `spawn_blocking` and `block_in_place`, where blocking is allowed.
fn has_budget() -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    (0..POLLS).any(|_| pin!(consume_budget()).poll(&mut cx).is_pending())
}
