//! Conversions for cluster members.

use std::collections::HashSet;

use etcd_errors::{Error, ErrorKind, ErrorTopic};
use etcd_proto::etcdserverpb as pb;

use crate::{
    cluster::{
        MemberAdd, MemberAddResponse, MemberList, MemberListResponse, MemberPromote, MemberPromoteResponse,
        MemberRemove, MemberRemoveResponse, MemberUpdate, MemberUpdateResponse,
    },
    request::header::{Effect, answers, convert, protocol, required},
    types::{Member, MemberId},
};

answers!(pb:
    MemberAddResponse,
    MemberRemoveResponse,
    MemberUpdateResponse,
    MemberListResponse,
    MemberPromoteResponse,
);

pub(crate) fn member_list_request(list: MemberList) -> pb::MemberListRequest {
    pb::MemberListRequest { linearizable: !list.serializable }
}

pub(crate) fn member_list_response(response: pb::MemberListResponse) -> Result<MemberListResponse, Error> {
    let header = response.header.map(convert).ok_or_else(listed_by_proxy)?;
    Ok(MemberListResponse::new(header, members(response.members, Effect::Reads)?))
}

/// Returns the error for a member list without a header.
///
/// Members always send a header. etcd's gRPC proxy, unless its `--advertise-client-url` is empty, returns a list of
/// proxies instead of members, without a header or ids (`clusterProxy.MemberList` in etcd's
/// `server/proxy/grpcproxy/cluster.go`).
pub(crate) fn listed_by_proxy() -> Error {
    let text = "a gRPC proxy listed its own addresses instead of the cluster's members: \
                connect to the members, or start the proxy with --advertise-client-url=\"\"";
    Error::new(ErrorKind::Unsupported, text).with_topic(ErrorTopic::GrpcProxy)
}

pub(crate) fn member_add_request(add: MemberAdd) -> pb::MemberAddRequest {
    pb::MemberAddRequest { peer_ur_ls: add.peer_urls, is_learner: add.is_learner }
}

/// Converts the response. `learner` is true if the request was to add a learner.
pub(crate) fn member_add_response(
    response: pb::MemberAddResponse,
    learner: bool,
) -> Result<MemberAddResponse, Error> {
    let header = required(response.header, Effect::Writes)?;
    let Some(added) = response.member.map(member) else {
        return Err(protocol("the response does not contain the new member", Effect::Writes));
    };
    if added.is_learner != learner {
        let text = if learner {
            "the new member is a voter although a learner was requested"
        } else {
            "the new member is a learner although a voter was requested"
        };
        return Err(protocol(text, Effect::Writes));
    }
    let members = members(response.members, Effect::Writes)?;
    if !members.iter().any(|other| other.id == added.id) {
        return Err(protocol("the member list does not contain the new member", Effect::Writes));
    }
    Ok(MemberAddResponse::new(header, added, members))
}

pub(crate) fn member_remove_request(remove: MemberRemove) -> pb::MemberRemoveRequest {
    pb::MemberRemoveRequest { id: remove.id.get() }
}

pub(crate) fn member_remove_response(
    response: pb::MemberRemoveResponse,
    removed: MemberId,
) -> Result<MemberRemoveResponse, Error> {
    let header = required(response.header, Effect::Writes)?;
    let members = members(response.members, Effect::Writes)?;
    if members.iter().any(|left| left.id == removed) {
        return Err(protocol("the member list still contains the removed member", Effect::Writes));
    }
    Ok(MemberRemoveResponse::new(header, members))
}

pub(crate) fn member_update_request(update: MemberUpdate) -> pb::MemberUpdateRequest {
    pb::MemberUpdateRequest { id: update.id.get(), peer_ur_ls: update.peer_urls }
}

pub(crate) fn member_update_response(
    response: pb::MemberUpdateResponse,
) -> Result<MemberUpdateResponse, Error> {
    let header = required(response.header, Effect::Writes)?;
    Ok(MemberUpdateResponse::new(header, members(response.members, Effect::Writes)?))
}

pub(crate) fn member_promote_request(promote: MemberPromote) -> pb::MemberPromoteRequest {
    pb::MemberPromoteRequest { id: promote.id.get() }
}

pub(crate) fn member_promote_response(
    response: pb::MemberPromoteResponse,
    promoted: MemberId,
) -> Result<MemberPromoteResponse, Error> {
    let header = required(response.header, Effect::Writes)?;
    let members = members(response.members, Effect::Writes)?;
    if members.iter().any(|member| member.id == promoted && member.is_learner) {
        return Err(protocol("the promoted member is still a learner", Effect::Writes));
    }
    Ok(MemberPromoteResponse::new(header, members))
}

/// Converts a member list. It must have at least one member, the one that responds, and no two members may share an
/// id.
fn members(members: Vec<pb::Member>, effect: Effect) -> Result<Vec<Member>, Error> {
    if members.is_empty() {
        return Err(protocol("the member list is empty", effect));
    }
    let mut ids = HashSet::with_capacity(members.len());
    if members.iter().any(|member| member.id == 0) {
        return Err(protocol("a member in the member list has no id", effect));
    }
    if !members.iter().all(|member| ids.insert(member.id)) {
        return Err(protocol("two members in the member list have the same id", effect));
    }
    Ok(members.into_iter().map(member).collect())
}

fn member(member: pb::Member) -> Member {
    let converted = Member::new(MemberId::new(member.id))
        .with_name(member.name)
        .with_peer_urls(member.peer_ur_ls)
        .with_client_urls(member.client_ur_ls);
    if member.is_learner { converted.learner() } else { converted }
}

#[cfg(test)]
mod tests {
    use etcd_errors::{ErrorKind, Outcome};

    use super::*;

    fn header() -> Option<pb::ResponseHeader> {
        Some(pb::ResponseHeader { cluster_id: 1, member_id: 2, revision: 0, raft_term: 4 })
    }

    fn pb_member(id: u64) -> pb::Member {
        pb::Member { id, ..Default::default() }
    }

    fn list(members: Vec<pb::Member>) -> Result<MemberListResponse, Error> {
        member_list_response(pb::MemberListResponse { header: header(), members })
    }

    fn assert_protocol<T: std::fmt::Debug>(answer: Result<T, Error>, outcome: Outcome) {
        let error = answer.expect_err("hostile");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Protocol, outcome), "{error}");
    }

    #[test]
    fn requests_are_encoded() {
        assert!(member_list_request(MemberList::new()).linearizable);
        assert!(!member_list_request(MemberList::new().serializable()).linearizable);
        let add = member_add_request(MemberAdd::new(["http://a:1", "http://b:1"]).learner());
        assert_eq!((add.peer_ur_ls.len(), add.is_learner), (2, true));
        let update = member_update_request(MemberUpdate::new(MemberId::new(7), ["http://a:1"]));
        assert_eq!((update.id, update.peer_ur_ls), (7, vec!["http://a:1".to_owned()]));
        assert_eq!(member_remove_request(MemberRemove::new(MemberId::new(7))).id, 7);
        assert_eq!(member_promote_request(MemberPromote::new(MemberId::new(7))).id, 7);
    }

    #[test]
    fn member_fields_are_kept() {
        let odd = pb::Member {
            id: u64::MAX,
            name: "a\u{1b}[2J\0".into(),
            peer_ur_ls: vec![String::new(), "\n".into()],
            client_ur_ls: vec!["http://a:1".into(); 5000],
            is_learner: true,
        };
        let members = list(vec![odd, pb_member(1)]).expect("strange, but possible").members;
        assert_eq!(members[0].client_urls.len(), 5000);
        assert!(members[0].is_learner && members[0].is_started() && !members[1].is_started());
        assert!(!format!("{members:?}").contains(['\u{1b}', '\0', '\n']), "shown escaped");
    }

    #[test]
    fn impossible_member_lists_are_rejected() {
        for members in [vec![], vec![pb_member(0)], vec![pb_member(1), pb_member(0)], vec![pb_member(1); 2]] {
            assert_protocol(list(members.clone()), Outcome::NotApplied);
            let update = pb::MemberUpdateResponse { header: header(), members };
            assert_protocol(member_update_response(update), Outcome::Unknown);
        }
    }

    #[test]
    fn list_of_proxies_is_unsupported() {
        let proxies = pb::MemberListResponse { header: None, members: vec![pb_member(0)] };
        let error = member_list_response(proxies).expect_err("no members");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Unsupported, Outcome::NotApplied), "{error}");
    }

    #[test]
    fn an_answer_fits_its_request() {
        let members = vec![pb_member(1), pb::Member { is_learner: true, ..pb_member(2) }];
        let add = |member, members: &[pb::Member]| {
            let response = pb::MemberAddResponse { header: header(), member, members: members.to_vec() };
            member_add_response(response, true)
        };
        assert_eq!(add(Some(members[1].clone()), &members).expect("added").member.id, 2);
        assert_protocol(add(None, &members), Outcome::Unknown);
        assert_protocol(add(Some(members[0].clone()), &members), Outcome::Unknown);
        assert_protocol(add(Some(members[1].clone()), &members[..1]), Outcome::Unknown);

        let remove = |id| {
            let response = pb::MemberRemoveResponse { header: header(), members: members.clone() };
            member_remove_response(response, MemberId::new(id))
        };
        assert_eq!(remove(3).expect("removed").members.len(), 2);
        assert_protocol(remove(2), Outcome::Unknown);

        let promote = |id| {
            let response = pb::MemberPromoteResponse { header: header(), members: members.clone() };
            member_promote_response(response, MemberId::new(id))
        };
        assert_eq!(promote(1).expect("promoted").members.len(), 2);
        assert_protocol(promote(2), Outcome::Unknown);
    }
}
