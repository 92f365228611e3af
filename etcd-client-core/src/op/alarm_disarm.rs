//! AlarmDisarm: ends an alarm.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Invalid, Limits, Unbound};
use crate::model::{Alarm, AlarmType, MemberId, ResponseHeader};

/// Ends an alarm of one member, once what it is about has been mended.
///
/// An alarm that is not raised is no error: the answer is empty then. Dropping the future leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::{AlarmDisarm, AlarmType, MemberId};
///
/// let disarm = AlarmDisarm::new(MemberId::new(7), AlarmType::NoSpace);
/// assert_eq!(disarm.spec().member, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an AlarmDisarm does nothing until it is awaited"]
pub struct AlarmDisarm<B = Unbound> {
    pub(super) spec: AlarmDisarmSpec,
    pub(super) binding: B,
}

/// What an [`AlarmDisarm`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlarmDisarmSpec {
    /// The member that raised it.
    pub member: MemberId,
    /// What it is about.
    pub kind: AlarmType,
}

bindable!(AlarmDisarm, AlarmDisarmSpec => AlarmDisarmResponse, MaintenanceBound: Maintenance.alarm_disarm);

impl AlarmDisarm {
    /// Ends the alarm of this kind that `member` raised.
    pub fn new(member: MemberId, kind: AlarmType) -> Self {
        AlarmDisarmSpec { member, kind }.into()
    }
}

impl<B> AlarmDisarm<B> {
    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the alarm is of a kind that this client does not know: its number is never sent.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        match self.spec.kind {
            AlarmType::NoSpace | AlarmType::Corrupt => Ok(()),
            AlarmType::Other(number) => {
                let complaint = format!("is {number}, which this client does not know");
                Err(Invalid::new("kind", complaint).into())
            }
        }
    }
}

/// The answer to an [`AlarmDisarm`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlarmDisarmResponse {
    /// Who answered; servers before 3.5 do not say.
    pub header: Option<ResponseHeader>,
    /// What was disarmed: the alarm that was asked for, or nothing where it was not raised.
    pub alarms: Vec<Alarm>,
}

impl AlarmDisarmResponse {
    /// An answer.
    pub fn new(header: Option<ResponseHeader>, alarms: Vec<Alarm>) -> Self {
        Self { header, alarms }
    }
}
