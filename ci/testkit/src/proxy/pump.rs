//! Moves the bytes of one direction, with the fault that is set for it.

use std::{future::pending, io, time::Duration};

use bytes::{Buf as _, Bytes};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::tcp::{ReadHalf, WriteHalf},
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Connection, Direction, Fault,
    control::{Control, Lane},
    held::{self, Arrival, Sender},
};

/// The most that is read at a time.
const PIECE: usize = 16 * 1024;

/// The number of times per second at which a throttled direction gets its share.
const SHARES: u64 = 20;

/// A direction ended otherwise than in order: the connection is to be reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The sender reset it, or the reset is a fault: at once.
    Reset,
    /// The receiver is gone. Bytes that it sent before are still in flight in the other direction.
    ReceiverGone,
}

/// Carries one direction until FIN or RST has arrived.
pub(super) async fn run(
    connection: &Connection,
    direction: Direction,
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
) -> Result<(), Broken> {
    let (sender, pieces) = held::channel();
    let intake = Intake::new(connection, direction).run(from, sender);
    tokio::try_join!(intake, deliver(connection, direction, pieces, to)).map(drop)
}

/// Takes from the sender and decides what arrives.
struct Intake<'c> {
    connection: &'c Connection,
    direction: Direction,
    orders: watch::Receiver<Control>,
    lane: Lane,
    /// Bytes since the order came.
    since: u64,
    /// Set if bytes were dropped, so that later bytes make no sense.
    lost: bool,
    /// The time at which a throttled direction may be read again.
    next_read: Instant,
}

impl<'c> Intake<'c> {
    fn new(connection: &'c Connection, direction: Direction) -> Self {
        let orders = connection.orders();
        let lane = orders.borrow().lane(direction);
        Self { connection, direction, orders, lane, since: 0, lost: false, next_read: Instant::now() }
    }

    async fn run(mut self, mut from: ReadHalf<'_>, sender: Sender) -> Result<(), Broken> {
        let mut sender = Some(sender);
        let mut buffer = vec![0; PIECE];
        loop {
            self.ready().await?;
            if self.lane.finished {
                sender = None;
            }
            let limit = self.limit();
            let read = tokio::select! {
                biased;
                _ = self.orders.changed() => continue,
                read = from.read(&mut buffer[..limit]) => read,
            };
            // A fault that was set in the meantime applies to these bytes.
            self.ready().await?;
            match read {
                Ok(1..) => {}
                // The kernel reports a reset once: if a write got it, a read ends as after a FIN.
                Ok(0) if self.connection.is_sender_gone(self.direction) => {
                    return self.end(Err(io::ErrorKind::ConnectionReset.into()), sender).await;
                }
                ended => return self.end(ended, sender).await,
            }
            let bytes = &mut buffer[..read.unwrap_or_default()];
            self.connection.count_read(self.direction, bytes.len());
            if let Some(sender) = sender.as_ref().filter(|_| !self.lane.finished) {
                self.hand_on(bytes, sender).await?;
            }
        }
    }

    /// Waits while the orders forbid to go on.
    async fn ready(&mut self) -> Result<(), Broken> {
        loop {
            self.look()?;
            match self.lane.fault {
                Some(Fault::ZeroWindow) => self.changed().await,
                Some(Fault::Throttle { .. }) if Instant::now() < self.next_read => {
                    let next_read = self.next_read;
                    tokio::select! {
                        () = self.changed() => {}
                        () = sleep_until(next_read) => {}
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn look(&mut self) -> Result<(), Broken> {
        let lane = self.orders.borrow_and_update().lane(self.direction);
        if lane.order != self.lane.order {
            self.since = 0;
        }
        self.lane = lane;
        if self.lost && !self.swallows() { Err(Broken::Reset) } else { Ok(()) }
    }

    async fn changed(&mut self) {
        // Fails only once the connection, which this borrows, is gone.
        let _ = self.orders.changed().await;
    }

    fn swallows(&self) -> bool {
        match self.lane.fault {
            Some(Fault::Blackhole) => true,
            Some(Fault::LoseLarger(_)) => self.lost,
            _ => false,
        }
    }

    fn limit(&self) -> usize {
        match self.lane.fault {
            Some(Fault::Throttle { bytes_per_second }) => {
                usize::try_from(bytes_per_second / SHARES).unwrap_or(PIECE).clamp(1, PIECE)
            }
            _ => PIECE,
        }
    }

    /// The end of the sender arrives behind what it sent, as it does on a network: FIN when the last piece was
    /// delivered, RST here.
    async fn end(mut self, ended: io::Result<usize>, sender: Option<Sender>) -> Result<(), Broken> {
        while self.swallows() {
            self.lost = true;
            self.changed().await;
            self.look()?;
        }
        if ended.is_err() {
            sender.ok_or(Broken::Reset)?.reset(self.due());
        }
        Ok(())
    }

    async fn hand_on(&mut self, bytes: &mut [u8], sender: &Sender) -> Result<(), Broken> {
        let before = self.since;
        self.since += bytes.len() as u64;
        let mut arriving = bytes.len();
        match self.lane.fault {
            Some(Fault::Blackhole) => {
                self.lost = true;
                return Ok(());
            }
            Some(Fault::LoseLarger(most)) if self.lost || bytes.len() > most => {
                self.lost = true;
                return Ok(());
            }
            Some(Fault::CutAfter(limit)) => arriving = within(limit, before, arriving),
            Some(Fault::CorruptAfter(place)) if (before..self.since).contains(&place) => {
                bytes[within(place, before, arriving)] ^= 0xff;
            }
            Some(Fault::Throttle { bytes_per_second }) => {
                let share = Duration::from_secs(arriving as u64)
                    / u32::try_from(bytes_per_second.max(1)).unwrap_or(u32::MAX);
                self.next_read = self.next_read.max(Instant::now()) + share;
            }
            _ => {}
        }
        sender.send(self.due(), Bytes::copy_from_slice(&bytes[..arriving])).await;
        if matches!(self.lane.fault, Some(Fault::CutAfter(limit)) if self.since >= limit) {
            sender.reset(Instant::now());
            // The delivery ends both.
            pending::<()>().await;
        }
        Ok(())
    }

    /// None overtakes the one before it: they wait in line.
    fn due(&self) -> Instant {
        let delay = match self.lane.fault {
            Some(Fault::Delay { by, jitter }) => {
                (by + jitter.mul_f64(2.0 * fastrand::f64())).saturating_sub(jitter)
            }
            _ => Duration::ZERO,
        };
        Instant::now() + delay
    }
}

/// Returns the position of the byte `place` in a piece of `len` bytes after `before` bytes, or `len` if it is behind.
fn within(place: u64, before: u64, len: usize) -> usize {
    usize::try_from(place.saturating_sub(before)).unwrap_or(len).min(len)
}

/// Gives the receiver what is due, and FIN at the end.
async fn deliver(
    connection: &Connection,
    direction: Direction,
    mut pieces: held::Receiver,
    mut to: WriteHalf<'_>,
) -> Result<(), Broken> {
    let mut orders = connection.orders();
    while let Some(arrival) = pieces.next().await {
        match arrival {
            Arrival::Bytes { due, mut bytes, .. } => {
                on_time(&mut orders, direction, due).await;
                while bytes.has_remaining() {
                    let written = to.write(&bytes).await.map_err(|_| {
                        connection.receiver_gone(direction);
                        Broken::ReceiverGone
                    })?;
                    connection.count_written(direction, written);
                    bytes.advance(written);
                }
            }
            Arrival::Reset { due } => {
                on_time(&mut orders, direction, due).await;
                return Err(Broken::Reset);
            }
        }
    }
    to.shutdown().await.map_err(|_| Broken::ReceiverGone)
}

/// Waits until a piece is due and not held. A piece is due if no delay is set.
async fn on_time(orders: &mut watch::Receiver<Control>, direction: Direction, due: Instant) {
    loop {
        let fault = orders.borrow_and_update().lane(direction).fault;
        match fault {
            Some(Fault::Hold) => {}
            Some(Fault::Delay { .. }) if Instant::now() < due => {}
            _ => return,
        }
        let holds = matches!(fault, Some(Fault::Hold));
        tokio::select! {
            // Fails only once the connection, which the caller borrows, is gone.
            _ = orders.changed() => {}
            () = sleep_until(due), if !holds => {}
        }
    }
}
