//! AlarmDisarm: disarms an alarm.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Invalid, Limits, Unbound};
use crate::model::{Alarm, AlarmType, MemberId, ResponseHeader};

/// Disarms an alarm of one member. Do this after its cause has been fixed.
///
/// Disarming an alarm that is not raised is not an error; the response is then empty.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
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

/// The parameters of an [`AlarmDisarm`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlarmDisarmSpec {
    /// The member that raised the alarm.
    pub member: MemberId,
    /// The kind of the alarm.
    pub kind: AlarmType,
}

bindable!(AlarmDisarm, AlarmDisarmSpec => AlarmDisarmResponse, MaintenanceBound: Maintenance.alarm_disarm);

impl AlarmDisarm {
    /// Creates a request that disarms the alarm of this kind that `member` raised.
    pub fn new(member: MemberId, kind: AlarmType) -> Self {
        AlarmDisarmSpec { member, kind }.into()
    }
}

impl<B> AlarmDisarm<B> {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if this client does not know the kind of the alarm. The number of such a kind is never sent.
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

/// The response to an [`AlarmDisarm`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlarmDisarmResponse {
    /// The header of the response; `None` from servers before 3.5.
    pub header: Option<ResponseHeader>,
    /// The disarmed alarm, or nothing if it was not raised.
    pub alarms: Vec<Alarm>,
}

impl AlarmDisarmResponse {
    /// Creates a response.
    pub fn new(header: Option<ResponseHeader>, alarms: Vec<Alarm>) -> Self {
        Self { header, alarms }
    }
}
