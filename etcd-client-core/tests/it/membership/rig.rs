//! Scripted members of scripted clusters.

use std::sync::{Arc, Mutex, PoisonError};

use etcd_client_core::{Client, types::Endpoint};
use etcd_proto::etcdserverpb as pb;
use etcd_testkit::scripted::{Answer, Call, Server, reply};
use prost::Message as _;

pub(super) const MEMBER_LIST: &str = "/etcdserverpb.Cluster/MemberList";
pub(super) const STATUS: &str = "/etcdserverpb.Maintenance/Status";
pub(super) const PUT: &str = "/etcdserverpb.KV/Put";

pub(super) const CLUSTER: u64 = 77;

/// What a member says of itself and of its cluster; a test may change it under way.
#[derive(Clone, Debug)]
pub(super) struct Says {
    pub(super) cluster: u64,
    pub(super) member: u64,
    pub(super) members: Vec<pb::Member>,
    pub(super) version: String,
    pub(super) refuses_lists: bool,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) server: Server,
    says: Arc<Mutex<Says>>,
}

impl Member {
    pub(super) async fn start(member: u64) -> Self {
        Self::saying(|says| says.member = member).await
    }

    pub(super) async fn saying(change: impl FnOnce(&mut Says)) -> Self {
        let version = "3.6.5".to_owned();
        let mut says = Says { cluster: CLUSTER, member: 1, members: vec![], version, refuses_lists: false };
        change(&mut says);
        let says = Arc::new(Mutex::new(says));
        let said = Arc::clone(&says);
        let script = move |call: &Call| answer(call, &said.lock().unwrap_or_else(PoisonError::into_inner));
        Self { server: Server::start(script).await.expect("a free port"), says }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn lists(&self, members: impl IntoIterator<Item = pb::Member>) {
        self.change(|says| says.members = members.into_iter().collect());
    }

    pub(super) fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// As the member list has it.
    pub(super) fn listed(&self) -> pb::Member {
        let member = self.says.lock().unwrap_or_else(PoisonError::into_inner).member;
        listed(member, &self.endpoint())
    }
}

pub(super) fn listed(id: u64, url: &str) -> pb::Member {
    pb::Member {
        id,
        name: format!("m{id}"),
        peer_ur_ls: vec!["http://127.0.0.1:2380".into()],
        client_ur_ls: vec![url.into()],
        is_learner: false,
    }
}

/// The answer of a member of the usual cluster.
pub(super) fn member_list(member_id: u64, members: impl IntoIterator<Item = pb::Member>) -> Answer {
    let header = Some(pb::ResponseHeader { cluster_id: CLUSTER, member_id, revision: 1, raft_term: 1 });
    let list = pb::MemberListResponse { header, members: members.into_iter().collect() };
    reply::message(list.encode_to_vec())
}

pub(super) fn texts(endpoints: &[Endpoint]) -> Vec<&str> {
    endpoints.iter().map(Endpoint::as_str).collect()
}

pub(super) fn client<'a>(members: impl IntoIterator<Item = &'a Member>) -> Client {
    crate::servers::client(members.into_iter().map(Member::endpoint))
}

fn answer(call: &Call, says: &Says) -> Answer {
    let header = Some(pb::ResponseHeader {
        cluster_id: says.cluster,
        member_id: says.member,
        revision: 1,
        raft_term: 1,
    });
    match call.path.as_str() {
        MEMBER_LIST if says.refuses_lists => reply::status(14, "etcdserver: no leader"),
        MEMBER_LIST => {
            let list = pb::MemberListResponse { header, members: says.members.clone() };
            reply::message(list.encode_to_vec())
        }
        STATUS => {
            let status = pb::StatusResponse { header, version: says.version.clone(), ..Default::default() };
            reply::message(status.encode_to_vec())
        }
        PUT => reply::message(pb::PutResponse { header, prev_kv: None }.encode_to_vec()),
        _ => reply::status(12, "unknown method"),
    }
}
