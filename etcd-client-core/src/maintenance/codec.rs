//! Conversions for maintenance.

use etcd_errors::Error;
use etcd_proto::etcdserverpb as pb;

use crate::{
    maintenance::{
        Alarm, AlarmDisarm, AlarmDisarmResponse, AlarmList, AlarmListResponse, AlarmType, DbSizeQuota,
        Defragment, DefragmentResponse, Downgrade, DowngradeAction, DowngradeInfo, DowngradeResponse, Hash,
        HashKv, HashKvResponse, HashResponse, MoveLeader, MoveLeaderResponse, Status, StatusResponse,
    },
    request::header::{Effect, answers, convert, protocol, required},
    types::{Endpoint, MemberId, Revision},
};

answers!(pb:
    AlarmResponse,
    StatusResponse,
    DefragmentResponse,
    HashResponse,
    HashKvResponse,
    MoveLeaderResponse,
    DowngradeResponse,
);

pub(crate) fn alarm_list_request(_list: AlarmList) -> pb::AlarmRequest {
    pb::AlarmRequest { action: pb::alarm_request::AlarmAction::Get.into(), member_id: 0, alarm: 0 }
}

pub(crate) fn alarm_list_response(response: pb::AlarmResponse) -> Result<AlarmListResponse, Error> {
    let alarms = alarms(response.alarms, Effect::Reads)?;
    Ok(AlarmListResponse::new(response.header.map(convert), alarms))
}

pub(crate) fn alarm_disarm_request(disarm: AlarmDisarm) -> pb::AlarmRequest {
    let alarm = match disarm.kind {
        AlarmType::NoSpace => pb::AlarmType::Nospace,
        AlarmType::Corrupt => pb::AlarmType::Corrupt,
        // Unreachable: validation rejects this kind, because no alarm has the type NONE.
        AlarmType::Other(_) => pb::AlarmType::None,
    };
    pb::AlarmRequest {
        action: pb::alarm_request::AlarmAction::Deactivate.into(),
        member_id: disarm.member.get(),
        alarm: alarm.into(),
    }
}

pub(crate) fn alarm_disarm_response(
    response: pb::AlarmResponse,
    asked: Alarm,
) -> Result<AlarmDisarmResponse, Error> {
    let alarms = alarms(response.alarms, Effect::Writes)?;
    if alarms.iter().any(|alarm| *alarm != asked) {
        return Err(protocol("the response lists a disarmed alarm that was not requested", Effect::Writes));
    }
    Ok(AlarmDisarmResponse::new(response.header.map(convert), alarms))
}

pub(crate) fn status_request(status: Status) -> (Result<Endpoint, Error>, pb::StatusRequest) {
    (status.endpoint, pb::StatusRequest {})
}

pub(crate) fn status_response(response: pb::StatusResponse) -> Result<StatusResponse, Error> {
    let header = required(response.header, Effect::Reads)?;
    if header.member_id == 0 {
        return Err(protocol("the status has no member id", Effect::Reads));
    }
    let mut status = StatusResponse::new(header, response.version);
    status.db_size = count(response.db_size);
    status.db_size_in_use = count(response.db_size_in_use);
    status.db_size_quota = quota(response.db_size_quota);
    status.leader = (response.leader != 0).then(|| MemberId::new(response.leader));
    status.is_learner = response.is_learner;
    status.raft_term = response.raft_term;
    status.raft_index = response.raft_index;
    status.raft_applied_index = response.raft_applied_index;
    status.errors = response.errors;
    status.storage_version = Some(response.storage_version).filter(|version| !version.is_empty());
    status.downgrade = response.downgrade_info.map(downgrade_info);
    Ok(status)
}

pub(crate) fn defragment_request(defragment: Defragment) -> (Result<Endpoint, Error>, pb::DefragmentRequest) {
    (defragment.endpoint, pb::DefragmentRequest {})
}

pub(crate) fn defragment_response(response: pb::DefragmentResponse) -> Result<DefragmentResponse, Error> {
    Ok(DefragmentResponse::new(response.header.map(convert)))
}

pub(crate) fn hash_request(hash: Hash) -> (Result<Endpoint, Error>, pb::HashRequest) {
    (hash.endpoint, pb::HashRequest {})
}

pub(crate) fn hash_response(response: pb::HashResponse) -> Result<HashResponse, Error> {
    Ok(HashResponse::new(required(response.header, Effect::Reads)?, response.hash))
}

pub(crate) fn hash_kv_request(hash: HashKv) -> (Result<Endpoint, Error>, pb::HashKvRequest) {
    (hash.endpoint, pb::HashKvRequest { revision: hash.revision.get() })
}

/// Converts the response. A compact revision of -1 means that the store was never compacted.
pub(crate) fn hash_kv_response(response: pb::HashKvResponse) -> Result<HashKvResponse, Error> {
    let header = required(response.header, Effect::Reads)?;
    let mut answer = HashKvResponse::new(header, response.hash);
    answer.compact_revision = positive(response.compact_revision);
    answer.hash_revision = positive(response.hash_revision);
    Ok(answer)
}

pub(crate) fn move_leader_request(move_leader: MoveLeader) -> pb::MoveLeaderRequest {
    pb::MoveLeaderRequest { target_id: move_leader.to.get() }
}

pub(crate) fn move_leader_response(response: pb::MoveLeaderResponse) -> Result<MoveLeaderResponse, Error> {
    Ok(MoveLeaderResponse::new(response.header.map(convert)))
}

pub(crate) fn downgrade_request(downgrade: Downgrade) -> pb::DowngradeRequest {
    use pb::downgrade_request::DowngradeAction as Action;
    let (action, version) = match downgrade.action {
        DowngradeAction::Validate { version } => (Action::Validate, version),
        DowngradeAction::Enable { version } => (Action::Enable, version),
        DowngradeAction::Cancel => (Action::Cancel, String::new()),
    };
    pb::DowngradeRequest { action: action.into(), version }
}

/// Converts the response. `reads` is true if the request could not change anything.
pub(crate) fn downgrade_response(
    response: pb::DowngradeResponse,
    reads: bool,
) -> Result<DowngradeResponse, Error> {
    let effect = if reads { Effect::Reads } else { Effect::Writes };
    Ok(DowngradeResponse::new(required(response.header, effect)?, response.version))
}

fn alarms(alarms: Vec<pb::AlarmMember>, effect: Effect) -> Result<Vec<Alarm>, Error> {
    if alarms.iter().any(|alarm| alarm.member_id == 0) {
        return Err(protocol("an alarm in the alarm list has no member id", effect));
    }
    let alarm = |it: pb::AlarmMember| Alarm::new(MemberId::new(it.member_id), alarm_type(it.alarm));
    Ok(alarms.into_iter().map(alarm).collect())
}

fn alarm_type(number: i32) -> AlarmType {
    match pb::AlarmType::try_from(number) {
        Ok(pb::AlarmType::Nospace) => AlarmType::NoSpace,
        Ok(pb::AlarmType::Corrupt) => AlarmType::Corrupt,
        Ok(pb::AlarmType::None) | Err(_) => AlarmType::Other(number),
    }
}

/// Converts the quota. Servers without a quota send -1; servers before 3.6 omit the field.
fn quota(bytes: i64) -> Option<DbSizeQuota> {
    match u64::try_from(bytes) {
        Ok(0) => None,
        Ok(bytes) => Some(DbSizeQuota::Bytes(bytes)),
        Err(_) => Some(DbSizeQuota::Unlimited),
    }
}

fn downgrade_info(info: pb::DowngradeInfo) -> DowngradeInfo {
    let mut converted = DowngradeInfo::under_way(info.target_version);
    converted.enabled = info.enabled;
    converted
}

fn positive(revision: i64) -> Option<Revision> {
    (revision > 0).then(|| Revision::new(revision))
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use etcd_errors::{ErrorKind, Outcome};

    use super::*;

    fn header() -> Option<pb::ResponseHeader> {
        Some(pb::ResponseHeader { cluster_id: 1, member_id: 2, revision: 3, raft_term: 4 })
    }

    fn alarm(member_id: u64, alarm: i32) -> pb::AlarmMember {
        pb::AlarmMember { member_id, alarm }
    }

    fn assert_protocol<T: std::fmt::Debug>(answer: Result<T, Error>, outcome: Outcome) {
        let error = answer.expect_err("hostile");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Protocol, outcome), "{error}");
    }

    #[test]
    fn alarms_are_listed_and_disarmed() {
        let all = pb::AlarmRequest { action: 0, member_id: 0, alarm: 0 };
        assert_eq!(alarm_list_request(AlarmList::new()), all);
        for (kind, number) in [(AlarmType::NoSpace, 1), (AlarmType::Corrupt, 2)] {
            let disarm = alarm_disarm_request(AlarmDisarm::new(MemberId::new(7), kind));
            assert_eq!(disarm, pb::AlarmRequest { action: 2, member_id: 7, alarm: number });
        }
    }

    #[test]
    fn unknown_alarms_are_kept() {
        let alarms = vec![alarm(7, 1), alarm(7, 2), alarm(7, 99), alarm(7, -1), alarm(7, 0)];
        let list = alarm_list_response(pb::AlarmResponse { header: header(), alarms }).expect("a list");
        let kinds: Vec<_> = list.alarms.iter().map(|alarm| alarm.kind).collect();
        let other = AlarmType::Other;
        assert_eq!(kinds, [AlarmType::NoSpace, AlarmType::Corrupt, other(99), other(-1), other(0)]);
    }

    #[test]
    fn impossible_alarms_are_rejected() {
        let hostile = pb::AlarmResponse { header: header(), alarms: vec![alarm(0, 1)] };
        assert_protocol(alarm_list_response(hostile.clone()), Outcome::NotApplied);
        let asked = Alarm::new(MemberId::new(7), AlarmType::NoSpace);
        assert_protocol(alarm_disarm_response(hostile, asked), Outcome::Unknown);
        for other in [alarm(8, 1), alarm(7, 2)] {
            let response = pb::AlarmResponse { header: header(), alarms: vec![other] };
            assert_protocol(alarm_disarm_response(response, asked), Outcome::Unknown);
        }
    }

    #[test]
    fn old_server_status_omits_new_fields() {
        let old = pb::StatusResponse { header: header(), version: "3.4.0".into(), ..Default::default() };
        let status = status_response(old.clone()).expect("a status");
        assert_eq!((status.db_size_quota, status.storage_version, status.downgrade), (None, None, None));
        assert_eq!(status.leader, None);
        let new = pb::StatusResponse {
            leader: 2,
            storage_version: "3.6.0".into(),
            db_size_quota: 100,
            downgrade_info: Some(pb::DowngradeInfo { enabled: true, target_version: "3.5.0".into() }),
            ..old
        };
        let status = status_response(new).expect("a status");
        assert!(status.is_leader());
        assert_eq!(status.db_size_quota, Some(DbSizeQuota::Bytes(100)));
        assert_eq!(status.storage_version.as_deref(), Some("3.6.0"));
        assert_eq!(status.downgrade, Some(DowngradeInfo::under_way("3.5.0")));
    }

    #[test]
    fn sizes_below_zero_are_zero_and_a_quota_below_zero_is_none() {
        let hostile = pb::StatusResponse {
            header: header(),
            db_size: -1,
            db_size_in_use: i64::MIN,
            db_size_quota: -1,
            ..Default::default()
        };
        let status = status_response(hostile).expect("a status");
        assert_eq!((status.db_size, status.db_size_in_use), (0, 0));
        assert_eq!(status.db_size_quota, Some(DbSizeQuota::Unlimited));
    }

    #[test]
    fn status_requires_a_member_id() {
        assert_protocol(status_response(pb::StatusResponse::default()), Outcome::NotApplied);
        let nobodys = pb::ResponseHeader { member_id: 0, ..header().expect("one") };
        let response = pb::StatusResponse { header: Some(nobodys), ..Default::default() };
        assert_protocol(status_response(response), Outcome::NotApplied);
    }

    #[test]
    fn hashes_include_their_revisions() {
        let (endpoint, request) = hash_kv_request(HashKv::new("a:1").revision(9));
        assert_eq!((endpoint.expect("valid").as_str(), request.revision), ("a:1", 9));
        let fresh = pb::HashKvResponse { header: header(), hash: 5, compact_revision: -1, hash_revision: 0 };
        let answer = hash_kv_response(fresh).expect("a hash");
        assert_eq!((answer.hash, answer.compact_revision, answer.hash_revision), (5, None, None));
        let answer = hash_kv_response(pb::HashKvResponse { compact_revision: 2, hash_revision: 3, ..fresh });
        let answer = answer.expect("a hash");
        assert_eq!((answer.compact_revision, answer.hash_revision), (Some(2.into()), Some(3.into())));
        assert_protocol(hash_kv_response(pb::HashKvResponse::default()), Outcome::NotApplied);
        assert_protocol(hash_response(pb::HashResponse::default()), Outcome::NotApplied);
    }

    #[test]
    fn downgrades() {
        for (action, number, version) in [
            (DowngradeAction::validate("3.6"), 0, "3.6"),
            (DowngradeAction::enable("3.6"), 1, "3.6"),
            (DowngradeAction::Cancel, 2, ""),
        ] {
            let request = downgrade_request(Downgrade::new(action));
            assert_eq!(request, pb::DowngradeRequest { action: number, version: version.into() });
        }
        assert_protocol(downgrade_response(pb::DowngradeResponse::default(), true), Outcome::NotApplied);
        assert_protocol(downgrade_response(pb::DowngradeResponse::default(), false), Outcome::Unknown);
    }

    #[test]
    fn some_answers_have_no_header() {
        let defragmented = defragment_response(pb::DefragmentResponse::default()).expect("an answer");
        let moved = move_leader_response(pb::MoveLeaderResponse::default()).expect("an answer");
        let alarms = alarm_list_response(pb::AlarmResponse::default()).expect("an answer");
        assert_eq!((defragmented.header, moved.header, alarms.header), (None, None, None));
    }
}
