//! Alarms, and the writes that they stop.

use std::collections::BTreeSet;

use etcd_proto::etcdserverpb::alarm_request::AlarmAction;
use etcd_proto::etcdserverpb::{AlarmMember, AlarmRequest, AlarmResponse, AlarmType};

use super::{Caller, Member};
use crate::rejection::{NO_SPACE, Rejection};

/// The alarms that are raised, as pairs of type and member.
#[derive(Debug, Clone, Default)]
pub(super) struct Alarms(BTreeSet<(i32, u64)>);

impl Alarms {
    fn is_raised(&self, alarm: AlarmType) -> bool {
        self.0.iter().any(|(kind, _)| *kind == alarm as i32)
    }

    /// Returns the alarms of a type, or all if that is `None`.
    pub(super) fn of(&self, alarm: i32) -> Vec<AlarmMember> {
        let wanted = |kind: &i32| alarm == AlarmType::None as i32 || *kind == alarm;
        let alarms = self.0.iter().filter(|(kind, _)| wanted(kind));
        alarms.map(|(kind, member)| AlarmMember { alarm: *kind, member_id: *member }).collect()
    }
}

impl Member {
    pub(crate) fn alarm(
        &mut self,
        caller: &Caller,
        request: &AlarmRequest,
    ) -> Result<AlarmResponse, Rejection> {
        let action = AlarmAction::try_from(request.action);
        if action == Ok(AlarmAction::Get) {
            self.require_token(caller)?;
        } else {
            self.require_admin(caller)?;
        }
        self.propose(request)?;
        let entry = (request.alarm, request.member_id);
        let one = AlarmMember { alarm: request.alarm, member_id: request.member_id };
        let alarms = match action {
            Ok(AlarmAction::Get) => self.alarms.of(request.alarm),
            Ok(AlarmAction::Activate) if request.alarm != AlarmType::None as i32 => {
                self.alarms.0.insert(entry);
                vec![one]
            }
            Ok(AlarmAction::Deactivate) if self.alarms.0.remove(&entry) => vec![one],
            _ => Vec::new(),
        };
        Ok(AlarmResponse { header: Some(self.header()), alarms })
    }

    /// Checks that no alarm about space is raised. It stops puts and new leases, but neither deletions nor reads.
    pub(super) fn check_space(&self) -> Result<(), Rejection> {
        if self.alarms.is_raised(AlarmType::Nospace) { Err(NO_SPACE) } else { Ok(()) }
    }
}
