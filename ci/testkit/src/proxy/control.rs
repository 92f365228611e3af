//! Commands to the pumps of a connection.

use super::{Direction, Fault};

/// The orders for one connection, or for those to come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Control {
    to_server: Lane,
    to_client: Lane,
    /// Ends the connection with RST.
    pub(super) reset: bool,
}

/// The orders for one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lane {
    pub(super) fault: Option<Fault>,
    /// Nothing more is to arrive but FIN.
    pub(super) finished: bool,
    /// The number of the command. Counting of bytes starts again with each.
    pub(super) order: u64,
}

impl Control {
    /// `direction` is one of the two.
    pub(super) fn lane(&self, direction: Direction) -> Lane {
        match direction {
            Direction::ToServer => self.to_server,
            Direction::ToClient | Direction::Both => self.to_client,
        }
    }

    pub(super) fn set(&mut self, direction: Direction, fault: Option<Fault>) {
        for lane in self.lanes(direction) {
            lane.fault = fault;
            lane.order += 1;
        }
    }

    pub(super) fn finish(&mut self, direction: Direction) {
        for lane in self.lanes(direction) {
            lane.finished = true;
        }
    }

    fn lanes(&mut self, direction: Direction) -> impl Iterator<Item = &mut Lane> {
        let lanes = [(Direction::ToServer, &mut self.to_server), (Direction::ToClient, &mut self.to_client)];
        lanes.into_iter().filter(move |(way, _)| direction.covers(*way)).map(|(_, lane)| lane)
    }
}
