//! AlarmDisarm: disarms an alarm.

use etcd_errors::Error;

use crate::{
    maintenance::{Alarm, AlarmType, MaintenanceService},
    request::{Unbound, bound::bindable},
    types::{Invalid, MemberId, ResponseHeader},
};

/// Disarms an alarm of one member. Do this after its cause has been fixed.
///
/// Disarming an alarm that is not raised is not an error; the response is then empty.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::{AlarmDisarm, AlarmType};
/// use etcd_client_core::types::MemberId;
///
/// let disarm = AlarmDisarm::new(MemberId::new(7), AlarmType::NoSpace);
/// assert_eq!(disarm.member, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an AlarmDisarm does nothing until it is awaited"]
pub struct AlarmDisarm<B = Unbound> {
    /// The member that raised the alarm.
    pub member: MemberId,
    /// The kind of the alarm.
    pub kind: AlarmType,
    pub(crate) binding: B,
}

bindable!(AlarmDisarm { member, kind } => AlarmDisarmResponse, MaintenanceService.alarm_disarm);

impl AlarmDisarm {
    /// Creates a request that disarms the alarm of this kind that `member` raised.
    pub fn new(member: MemberId, kind: AlarmType) -> Self {
        Self { member, kind, binding: Unbound }
    }
}

impl AlarmDisarm {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if this client does not know the kind of the alarm. The number of such a kind is never sent.
    pub fn validate(&self) -> Result<(), Error> {
        match self.kind {
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
