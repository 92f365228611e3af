//! An alarm that a member has raised.

use super::MemberId;

/// An alarm of one member. As long as there is one, the whole cluster refuses what the alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Alarm {
    /// The member that raised it.
    pub member: MemberId,
    /// What it is about.
    pub kind: AlarmType,
}

impl Alarm {
    /// An alarm as a server would list it.
    pub const fn new(member: MemberId, kind: AlarmType) -> Self {
        Self { member, kind }
    }
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlarmType {
    /// The database has reached its quota: nothing can be written, only deleted.
    NoSpace,
    /// The members' data differs: nothing is served.
    Corrupt,
    /// One that this client does not know, by its number. It is shown and never sent.
    Other(i32),
}
