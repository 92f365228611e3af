//! AlarmDisarmAll: ends every alarm, one by one.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{Alarm, ResponseHeader};

/// Lists the alarms of all members and ends each, within one deadline.
///
/// An alarm raised meanwhile stays. Dropping the future leaves the outcome unknown.
///
/// ```
/// use etcd_client_core::AlarmDisarmAll;
///
/// let disarm = AlarmDisarmAll::new();
/// # let _ = disarm;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AlarmDisarmAll does nothing until it is awaited"]
pub struct AlarmDisarmAll<B = Unbound> {
    pub(super) spec: AlarmDisarmAllSpec,
    pub(super) binding: B,
}

/// What an [`AlarmDisarmAll`] asks for: nothing but that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlarmDisarmAllSpec {}

bindable!(AlarmDisarmAll, AlarmDisarmAllSpec => AlarmDisarmAllResponse, MaintenanceBound: Maintenance.alarm_disarm_all);

impl AlarmDisarmAll {
    /// Ends every alarm.
    pub fn new() -> Self {
        AlarmDisarmAllSpec {}.into()
    }
}

impl<B> AlarmDisarmAll<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to an [`AlarmDisarmAll`]: what became of each alarm that was listed.
#[derive(Clone, Debug, Default)]
#[must_use = "some alarms may still be raised"]
#[non_exhaustive]
pub struct AlarmDisarmAllResponse {
    /// Who listed the alarms; servers before 3.5 do not say.
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
    /// Why; its outcome says whether the alarm may be disarmed all the same.
    pub error: Error,
}

impl AlarmDisarmAllResponse {
    /// An answer to which nothing has happened yet.
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

    /// The answer where every alarm was disarmed, else the first failure.
    ///
    /// # Errors
    /// That of the first alarm that could not be disarmed.
    pub fn into_result(self) -> Result<Self, Error> {
        match self.failed.first() {
            None => Ok(self),
            Some(failure) => Err(failure.error.clone()),
        }
    }
}

impl AlarmFailure {
    /// A failure.
    pub fn new(alarm: Alarm, error: Error) -> Self {
        Self { alarm, error }
    }
}
