//! A queue of bytes in flight. Its bound is the number of bytes and not of pieces, which keeps the spacing of many
//! small pieces.

use std::sync::Arc;

use bytes::Bytes;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};

use super::Fault;

/// The memory of a piece in addition to its bytes, which bounds the memory of a queue of small pieces.
const OVERHEAD: usize = 64;

/// Something that arrives.
#[derive(Debug)]
pub(super) enum Arrival {
    Bytes {
        /// The earliest time of arrival.
        due: Instant,
        bytes: Bytes,
        /// Its share of the bound, until it was delivered.
        _room: OwnedSemaphorePermit,
    },
    /// The connection is reset.
    Reset { due: Instant },
}

/// The end where pieces enter. Dropping it makes FIN the last to arrive.
#[derive(Debug)]
pub(super) struct Sender {
    // Bounded by `room`.
    pieces: mpsc::UnboundedSender<Arrival>,
    room: Arc<Semaphore>,
}

/// The end where they arrive.
#[derive(Debug)]
pub(super) struct Receiver(mpsc::UnboundedReceiver<Arrival>);

pub(super) fn channel() -> (Sender, Receiver) {
    let (pieces, received) = mpsc::unbounded_channel();
    (Sender { pieces, room: Arc::new(Semaphore::new(Fault::UNDER_WAY)) }, Receiver(received))
}

impl Sender {
    /// Waits for room. `bytes` must be shorter than the bound.
    pub(super) async fn send(&self, due: Instant, bytes: Bytes) {
        let cost = u32::try_from(bytes.len() + OVERHEAD).expect("a piece is short");
        let room = Arc::clone(&self.room).acquire_many_owned(cost).await.expect("it is never closed");
        // Fails only when the receiver has failed, which ends this direction.
        let _ = self.pieces.send(Arrival::Bytes { due, bytes, _room: room });
    }

    pub(super) fn reset(&self, due: Instant) {
        let _ = self.pieces.send(Arrival::Reset { due });
    }
}

impl Receiver {
    pub(super) async fn next(&mut self) -> Option<Arrival> {
        self.0.recv().await
    }
}
