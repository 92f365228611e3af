//! AlarmDisarmAll: disarms every alarm, one after another.

use etcd_errors::Error;

use crate::{
    maintenance::{Alarm, MaintenanceService},
    request::{Unbound, bound::bindable},
    types::ResponseHeader,
};

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

/// The response to an [`AlarmDisarmAll`]: what became of each alarm that was listed.
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
