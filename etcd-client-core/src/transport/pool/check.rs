//! Connections that are doubted because of what was seen on others.

use std::sync::Arc;

use super::Pool;
use crate::transport::{connection::Connection, member::Member};

impl Pool {
    /// One of a member's connections went silent: whether the others live is found out at once, idle ones included.
    pub(crate) fn check_others(&self, silent: &Connection) {
        self.each(|other| {
            if other.member.id == silent.member.id && other.id != silent.id {
                other.check.ask();
            }
        });
    }

    /// The connection with this id owes something for longer than it should.
    pub(crate) fn check(&self, id: usize) {
        self.each(|connection| {
            if connection.id == id {
                connection.check.ask();
            }
        });
    }

    /// Whether the member has a connection for streams beside the one with this id that can be used.
    pub(crate) fn has_other_for_streams(&self, member: &Member, id: usize) -> bool {
        let usable = |connection: &Arc<Connection>| {
            connection.member.id == member.id && connection.id != id && connection.load().is_some()
        };
        self.streams.load().iter().any(usable)
    }

    fn each(&self, act: impl Fn(&Connection)) {
        for list in [&self.calls, &self.streams] {
            list.load().iter().for_each(|connection| act(connection));
        }
    }
}
