//! An alarm that a member raised.

use crate::types::MemberId;

/// An alarm of one member. While it is raised, the whole cluster rejects the requests that the alarm affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Alarm {
    /// The member that raised the alarm.
    pub member: MemberId,
    /// The kind of the alarm.
    pub kind: AlarmType,
}

impl Alarm {
    /// Creates an alarm as a server would list it.
    pub const fn new(member: MemberId, kind: AlarmType) -> Self {
        Self { member, kind }
    }
}

/// The kind of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlarmType {
    /// The database has reached its quota. Writes are rejected; deletions are still allowed.
    NoSpace,
    /// The data of the members differs. All requests are rejected.
    Corrupt,
    /// A kind that this client does not know, by its number. It is reported but never sent.
    Other(i32),
}
