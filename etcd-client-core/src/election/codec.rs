//! Conversions for the server's election service.

use etcd_errors::Error;
use etcd_proto::v3electionpb as pb;

use crate::{
    election::{
        ElectionCampaign, ElectionCampaignResponse, ElectionLeader, ElectionLeaderResponse, ElectionProclaim,
        ElectionProclaimResponse, ElectionResign, ElectionResignResponse, LeaderKey,
    },
    kv::codec::key_value,
    request::header::{Effect, answers, protocol, required},
    types::{Key, LeaseId},
};

answers!(pb: CampaignResponse, ProclaimResponse, LeaderResponse, ResignResponse);

pub(crate) fn campaign_request(campaign: ElectionCampaign) -> pb::CampaignRequest {
    pb::CampaignRequest {
        name: campaign.name.into(),
        lease: campaign.lease.get(),
        value: campaign.value.into(),
    }
}

/// Checks that the leader key belongs to the campaign. With any other key, the next proclamation would overwrite a
/// key that belongs to another client.
pub(crate) fn campaign_response(
    response: pb::CampaignResponse,
    asked: &ElectionCampaign,
) -> Result<ElectionCampaignResponse, Error> {
    let header = required(response.header, Effect::Writes)?;
    let Some(leader) = response.leader else {
        return Err(protocol("the response does not contain a leader key", Effect::Writes));
    };
    let expected = LeaderKey::new(asked.name.clone(), asked.key(), leader.rev, asked.lease);
    let same = leader.name == expected.name.as_bytes()
        && leader.key == expected.key.as_bytes()
        && LeaseId::new(leader.lease) == Some(expected.lease);
    if !same {
        return Err(protocol(
            "the leader key does not match the election name and lease of the campaign",
            Effect::Writes,
        ));
    }
    if leader.rev <= 0 {
        return Err(protocol("the leader key has no creation revision", Effect::Writes));
    }
    Ok(ElectionCampaignResponse::new(header, expected))
}

pub(crate) fn proclaim_request(proclaim: ElectionProclaim) -> pb::ProclaimRequest {
    pb::ProclaimRequest { leader: Some(leader_key(proclaim.leader)), value: proclaim.value.into() }
}

pub(crate) fn proclaim_response(response: pb::ProclaimResponse) -> Result<ElectionProclaimResponse, Error> {
    Ok(ElectionProclaimResponse::new(required(response.header, Effect::Writes)?))
}

pub(crate) fn resign_request(resign: ElectionResign) -> pb::ResignRequest {
    pb::ResignRequest { leader: Some(leader_key(resign.leader)) }
}

pub(crate) fn resign_response(response: pb::ResignResponse) -> Result<ElectionResignResponse, Error> {
    Ok(ElectionResignResponse::new(required(response.header, Effect::Writes)?))
}

pub(crate) fn leader_request(leader: ElectionLeader) -> pb::LeaderRequest {
    observe_request(leader.name)
}

pub(crate) fn observe_request(name: Key) -> pb::LeaderRequest {
    pb::LeaderRequest { name: name.into() }
}

/// Converts a response that must contain a leader of the election `name`.
pub(crate) fn leader_response(
    response: pb::LeaderResponse,
    name: &[u8],
) -> Result<ElectionLeaderResponse, Error> {
    let header = required(response.header, Effect::Reads)?;
    let Some(kv) = response.kv else {
        return Err(protocol("the response does not contain a leader", Effect::Reads));
    };
    if !kv.key.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"/")) {
        return Err(protocol("the leader key belongs to another election", Effect::Reads));
    }
    Ok(ElectionLeaderResponse::new(header, key_value(kv)))
}

fn leader_key(leader: LeaderKey) -> pb::LeaderKey {
    pb::LeaderKey {
        name: leader.name.into(),
        key: leader.key.into(),
        rev: leader.create_revision.get(),
        lease: leader.lease.get(),
    }
}

#[cfg(test)]
mod tests {
    use etcd_errors::{ErrorKind, Outcome};
    use etcd_proto::{etcdserverpb::ResponseHeader, mvccpb};

    use super::*;

    fn header() -> Option<ResponseHeader> {
        Some(ResponseHeader::default())
    }

    fn campaign() -> ElectionCampaign {
        ElectionCampaign::new("boss", LeaseId::new(0x7d).expect("not zero"), "me")
    }

    fn leader() -> pb::LeaderKey {
        pb::LeaderKey { name: "boss".into(), key: "boss/7d".into(), rev: 42, lease: 0x7d }
    }

    fn assert_protocol<T: std::fmt::Debug>(answer: Result<T, Error>, outcome: Outcome) {
        let error = answer.expect_err("hostile");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Protocol, outcome), "{error}");
    }

    #[test]
    fn won_leader_key_proclaims_and_resigns() {
        let asked = campaign();
        let request = pb::CampaignRequest { name: "boss".into(), lease: 0x7d, value: "me".into() };
        assert_eq!(campaign_request(asked.clone()), request);
        let won = pb::CampaignResponse { header: header(), leader: Some(leader()) };
        let won = campaign_response(won, &asked).expect("won");
        assert_eq!((won.leader.create_revision.get(), won.leader.lease.get()), (42, 0x7d));
        let proclaim = proclaim_request(ElectionProclaim::new(won.leader.clone(), "still me"));
        let expected = pb::ProclaimRequest { leader: Some(leader()), value: "still me".into() };
        assert_eq!(proclaim, expected);
        let resign = resign_request(ElectionResign::new(won.leader));
        assert_eq!(resign, pb::ResignRequest { leader: Some(leader()) });
    }

    #[test]
    fn foreign_leader_key_is_rejected() {
        let asked = campaign();
        let hostile = [
            None,
            Some(pb::LeaderKey { name: "other".into(), ..leader() }),
            Some(pb::LeaderKey { key: "accounts".into(), ..leader() }),
            Some(pb::LeaderKey { key: "".into(), ..leader() }),
            Some(pb::LeaderKey { lease: 0x7e, ..leader() }),
            Some(pb::LeaderKey { lease: 0, ..leader() }),
            Some(pb::LeaderKey { rev: 0, ..leader() }),
            Some(pb::LeaderKey { rev: i64::MIN, ..leader() }),
        ];
        for leader in hostile {
            let response = pb::CampaignResponse { header: header(), leader };
            assert_protocol(campaign_response(response, &asked), Outcome::Unknown);
        }
        let headless = pb::CampaignResponse { header: None, leader: Some(leader()) };
        assert_protocol(campaign_response(headless, &asked), Outcome::Unknown);
        assert_protocol(proclaim_response(pb::ProclaimResponse::default()), Outcome::Unknown);
        assert_protocol(resign_response(pb::ResignResponse::default()), Outcome::Unknown);
    }

    #[test]
    fn a_leader_is_one_of_the_election() {
        let kv = |key: &'static str| mvccpb::KeyValue { key: key.into(), ..Default::default() };
        let answer = |kv| leader_response(pb::LeaderResponse { header: header(), kv }, b"boss");
        assert_eq!(answer(Some(kv("boss/7d"))).expect("one").kv.key, "boss/7d");
        for hostile in [None, Some(kv("")), Some(kv("boss")), Some(kv("bosses/7d")), Some(kv("other/7d"))] {
            assert_protocol(answer(hostile), Outcome::NotApplied);
        }
        let headless = pb::LeaderResponse { header: None, kv: Some(kv("boss/7d")) };
        assert_protocol(leader_response(headless, b"boss"), Outcome::NotApplied);
    }
}
