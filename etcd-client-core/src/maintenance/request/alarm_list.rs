//! AlarmList: lists the alarms.

use crate::{
    maintenance::{Alarm, MaintenanceService},
    request::{Unbound, bound::bindable},
    types::ResponseHeader,
};

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
