//! AlarmList: the alarms there are.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Limits, Unbound};
use crate::model::{Alarm, ResponseHeader};

/// Lists the alarms of all members.
///
/// ```
/// use etcd_client_core::AlarmList;
///
/// let list = AlarmList::new();
/// # let _ = list;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an AlarmList does nothing until it is awaited"]
pub struct AlarmList<B = Unbound> {
    pub(super) spec: AlarmListSpec,
    pub(super) binding: B,
}

/// What an [`AlarmList`] asks for: nothing but the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlarmListSpec {}

bindable!(AlarmList, AlarmListSpec => AlarmListResponse, MaintenanceBound: Maintenance.alarm_list);

impl AlarmList {
    /// Lists all alarms.
    pub fn new() -> Self {
        AlarmListSpec {}.into()
    }
}

impl<B> AlarmList<B> {
    /// What a client checks before it sends anything: there is nothing to get wrong.
    ///
    /// # Errors
    /// None.
    pub fn validate(&self, _limits: &Limits) -> Result<(), Error> {
        Ok(())
    }
}

/// The answer to an [`AlarmList`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlarmListResponse {
    /// Who answered; servers before 3.5 do not say.
    pub header: Option<ResponseHeader>,
    /// The alarms, in no particular order.
    pub alarms: Vec<Alarm>,
}

impl AlarmListResponse {
    /// An answer.
    pub fn new(header: Option<ResponseHeader>, alarms: Vec<Alarm>) -> Self {
        Self { header, alarms }
    }
}
