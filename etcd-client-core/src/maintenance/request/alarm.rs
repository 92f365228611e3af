//! Alarms, and the requests that list and disarm them.

use etcd_errors::Error;

use crate::{
    maintenance::MaintenanceService,
    request::{Unbound, bound::bindable},
    types::{Invalid, MemberId, ResponseHeader},
};

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

/// Lists the alarms of all members.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::AlarmList;
///
/// let list = AlarmList::new();
/// # let _ = list;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AlarmList does nothing until it is awaited"]
pub struct AlarmList<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(AlarmList {} => AlarmListResponse, MaintenanceService.alarm_list);

impl AlarmList {
    /// Creates a request that lists all alarms.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

/// The response to an [`AlarmList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlarmListResponse {
    /// The header of the response; `None` from servers before 3.5.
    pub header: Option<ResponseHeader>,
    /// The alarms, in no particular order.
    pub alarms: Vec<Alarm>,
}

impl AlarmListResponse {
    /// Creates a response.
    pub fn new(header: Option<ResponseHeader>, alarms: Vec<Alarm>) -> Self {
        Self { header, alarms }
    }
}

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

/// Lists the alarms of all members and disarms each of them, within one deadline.
///
/// An alarm that is raised after the listing stays raised.
///
/// # Cancel safety
/// The outcome is unknown if the future is dropped after it was polled.
///
/// # Examples
/// ```
/// use etcd_client_core::maintenance::AlarmDisarmAll;
///
/// let disarm = AlarmDisarmAll::new();
/// # let _ = disarm;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AlarmDisarmAll does nothing until it is awaited"]
pub struct AlarmDisarmAll<B = Unbound> {
    pub(crate) binding: B,
}

bindable!(AlarmDisarmAll {} => AlarmDisarmAllResponse, MaintenanceService.alarm_disarm_all);

impl AlarmDisarmAll {
    /// Creates a request that disarms every alarm.
    pub fn new() -> Self {
        Self { binding: Unbound }
    }
}

/// The response to an [`AlarmDisarmAll`]: the alarms that were disarmed, and those that could not be.
#[derive(Clone, Debug, Default)]
#[must_use = "some alarms may still be raised"]
#[non_exhaustive]
pub struct AlarmDisarmAllResponse {
    /// The header of the listing; `None` from servers before 3.5.
    pub header: Option<ResponseHeader>,
    /// The alarms that are no longer raised.
    pub disarmed: Vec<Alarm>,
    /// The alarms that may still be raised.
    pub failed: Vec<AlarmFailure>,
}

/// An alarm that could not be disarmed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AlarmFailure {
    /// The alarm.
    pub alarm: Alarm,
    /// The error. If its outcome is unknown, the alarm may be disarmed nevertheless.
    pub error: Error,
}

impl AlarmDisarmAllResponse {
    /// Creates a response without any alarms.
    pub fn new(header: Option<ResponseHeader>) -> Self {
        Self { header, disarmed: Vec::new(), failed: Vec::new() }
    }

    /// Sets the alarms that are no longer raised.
    pub fn with_disarmed(mut self, disarmed: Vec<Alarm>) -> Self {
        self.disarmed = disarmed;
        self
    }

    /// Sets the alarms that may still be raised.
    pub fn with_failed(mut self, failed: Vec<AlarmFailure>) -> Self {
        self.failed = failed;
        self
    }

    /// Returns the response if every alarm was disarmed, and the first failure otherwise.
    ///
    /// # Errors
    /// Returns the error of the first alarm that could not be disarmed.
    pub fn into_result(self) -> Result<Self, Error> {
        match self.failed.first() {
            None => Ok(self),
            Some(failure) => Err(failure.error.clone()),
        }
    }
}

impl AlarmFailure {
    /// Creates a failure.
    pub fn new(alarm: Alarm, error: Error) -> Self {
        Self { alarm, error }
    }
}
