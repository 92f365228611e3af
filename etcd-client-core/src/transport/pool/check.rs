//! Checks connections because of observations on others.

use std::sync::Arc;

use crate::transport::{
    connection::{member::Member, verified::Connection},
    pool::Pool,
};

impl Pool {
    /// Probes the member's other connections after one became unresponsive, including idle ones.
    pub(crate) fn check_others(&self, unresponsive: &Connection) {
        self.each(|other| {
            if other.member.id == unresponsive.member.id && other.id != unresponsive.id {
                other.check.ask();
            }
        });
    }

    /// Probes the connection with this id, on which data is overdue.
    pub(crate) fn check(&self, id: usize) {
        self.each(|connection| {
            if connection.id == id {
                connection.check.ask();
            }
        });
    }

    /// Returns `true` if the member has another usable connection for streams.
    pub(crate) fn has_other_for_streams(&self, member: &Member, id: usize) -> bool {
        let usable = |connection: &Arc<Connection>| {
            connection.member.id == member.id && connection.id != id && connection.available_load().is_some()
        };
        self.streams.load().iter().any(usable)
    }

    fn each(&self, act: impl Fn(&Connection)) {
        for list in [&self.calls, &self.streams, &self.waits] {
            list.load().iter().for_each(|connection| act(connection));
        }
    }
}
