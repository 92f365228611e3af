//! The Election service.

use std::collections::VecDeque;

use bytes::Bytes;
use etcd_proto::etcdserverpb::request_op::Request as Op;
use etcd_proto::etcdserverpb::{PutRequest, RequestOp, ResponseHeader, TxnRequest};
use etcd_proto::mvccpb::KeyValue;
use etcd_proto::v3electionpb::election_server::Election;
use etcd_proto::v3electionpb::{
    CampaignRequest, CampaignResponse, LeaderKey, LeaderRequest, LeaderResponse, ProclaimRequest,
    ProclaimResponse, ResignRequest, ResignResponse,
};
use futures_util::stream::{BoxStream, StreamExt as _, try_unfold};
use tonic::{Request, Response, Status};

use super::Services;
use super::contest::created;
use crate::member::Caller;

const NOT_LEADER: &str = "election: not leader";
const NO_LEADER: &str = "election: no leader";
const MISSING_KEY: &str = "\"leader\" field must be provided";

impl Services {
    /// Writes a new value for a leader.
    fn write(
        &self,
        caller: &Caller,
        leader: &LeaderKey,
        value: &Bytes,
    ) -> Result<Option<ResponseHeader>, Status> {
        let (key, value) = (leader.key.clone(), value.clone());
        let put = PutRequest { key, value, lease: leader.lease, ..Default::default() };
        let request = TxnRequest {
            compare: vec![created(&leader.key, leader.rev)],
            success: vec![RequestOp { request: Some(Op::RequestPut(put)) }],
            failure: Vec::new(),
        };
        let response = self.inside(|member| member.txn(caller, &request))?;
        if response.succeeded { Ok(response.header) } else { Err(Status::unknown(NOT_LEADER)) }
    }
}

#[tonic::async_trait]
impl Election for Services {
    /// Waits to be elected. A call that is dropped while it waits leaves no key.
    async fn campaign(
        &self,
        request: Request<CampaignRequest>,
    ) -> Result<Response<CampaignResponse>, Status> {
        let (caller, request) = self.open(request);
        let lease = self.session(&caller, request.lease)?;
        let entry = self.enter(&caller, &request.name, lease, &request.value)?;
        let leaving = self.leave_on_drop(&caller, &entry);
        let leader = LeaderKey {
            name: request.name.clone(),
            key: entry.key.clone(),
            rev: entry.create_revision,
            lease: entry.lease,
        };
        if entry.value != request.value {
            self.write(&caller, &leader, &request.value)?;
        }
        self.wait_for_turn(&caller, &request.name, &entry).await?;
        leaving.stay();
        Ok(Response::new(CampaignResponse { header: entry.header, leader: Some(leader) }))
    }

    async fn proclaim(
        &self,
        request: Request<ProclaimRequest>,
    ) -> Result<Response<ProclaimResponse>, Status> {
        let (caller, request) = self.open(request);
        let leader = request.leader.ok_or_else(|| Status::unknown(MISSING_KEY))?;
        let header = self.write(&caller, &leader, &request.value)?;
        Ok(Response::new(ProclaimResponse { header }))
    }

    async fn leader(&self, request: Request<LeaderRequest>) -> Result<Response<LeaderResponse>, Status> {
        let (caller, request) = self.open(request);
        let (header, kv) = self.first(&caller, &request.name)?;
        let kv = kv.ok_or_else(|| Status::unknown(NO_LEADER))?;
        Ok(Response::new(LeaderResponse { header, kv: Some(kv) }))
    }

    type ObserveStream = BoxStream<'static, Result<LeaderResponse, Status>>;

    async fn observe(
        &self,
        request: Request<LeaderRequest>,
    ) -> Result<Response<Self::ObserveStream>, Status> {
        let (caller, request) = self.open(request);
        let name = request.name;
        let observer = Observer { services: self.clone(), caller, name, leader: None, seen: VecDeque::new() };
        let responses = try_unfold(observer, |mut observer| async move {
            let response = observer.next().await?;
            Ok(response.map(|response| (response, observer)))
        });
        Ok(Response::new(responses.boxed()))
    }

    async fn resign(&self, request: Request<ResignRequest>) -> Result<Response<ResignResponse>, Status> {
        let (caller, request) = self.open(request);
        let leader = request.leader.ok_or_else(|| Status::unknown(MISSING_KEY))?;
        let left = self.leave(&caller, &leader.key, leader.rev)?;
        Ok(Response::new(ResignResponse { header: left.header }))
    }
}

/// A call that observes an election.
#[derive(Debug)]
struct Observer {
    services: Services,
    caller: Caller,
    name: Bytes,
    /// The key of the leader, and the first of its revisions that is not seen.
    leader: Option<(Bytes, i64)>,
    /// Values of the leader that are not delivered.
    seen: VecDeque<LeaderResponse>,
}

impl Observer {
    /// Waits for a new leader or a new value of the leader. Returns nothing once the history is compacted.
    async fn next(&mut self) -> Result<Option<LeaderResponse>, Status> {
        let mut commits = self.services.shared.commits();
        loop {
            commits.mark_unchanged();
            let go_on = if self.leader.is_some() { self.read_log() } else { self.find_leader()? };
            if let Some(response) = self.seen.pop_front() {
                return Ok(Some(response));
            }
            match go_on {
                Step::Again => {}
                Step::Wait => {
                    // The sender lives as long as the member.
                    let _open = commits.changed().await;
                }
                Step::End => return Ok(None),
            }
        }
    }

    fn find_leader(&mut self) -> Result<Step, Status> {
        let (header, kv) = self.services.first(&self.caller, &self.name)?;
        let Some(kv) = kv else { return Ok(Step::Wait) };
        let next = header.map_or(kv.mod_revision, |header| header.revision) + 1;
        self.leader = Some((kv.key.clone(), next));
        self.seen.push_back(LeaderResponse { header, kv: Some(kv) });
        Ok(Step::Again)
    }

    /// Reads what happened to the key of the leader.
    fn read_log(&mut self) -> Step {
        let Some((key, next)) = self.leader.take() else { return Step::Again };
        let (header, puts, deleted) = self.services.shared.with(|member| {
            let header = member.header();
            if next < member.store.compacted() {
                return (header, None, false);
            }
            let mut puts: Vec<KeyValue> = Vec::new();
            for change in member.store.changes_since(next).filter(|change| change.kv.key == key) {
                if change.deleted {
                    return (header, Some(puts), true);
                }
                puts.push(change.kv.clone());
            }
            (header, Some(puts), false)
        });
        let Some(puts) = puts else { return Step::End };
        self.seen.extend(puts.into_iter().map(|kv| LeaderResponse { header: Some(header), kv: Some(kv) }));
        if deleted {
            return Step::Again;
        }
        self.leader = Some((key, header.revision + 1));
        Step::Wait
    }
}

/// The next step of an observer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Again,
    Wait,
    End,
}
