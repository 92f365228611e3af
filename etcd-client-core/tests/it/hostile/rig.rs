//! One scripted server, the RPCs under test, and what each hostile answer must lead to.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use etcd_client_core::{CallOptions, Client, Compare, Error, ErrorKind, Get, LeaseId, Outcome, Put};
use etcd_proto::{etcdserverpb as pb, mvccpb};
use etcd_testkit::scripted::{Answer, Call, Script, Server, in_turn, reply};
use prost::Message as _;
use tokio::time::timeout;

/// The deadline of a call that is to end at it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(2);

/// The deadline of a call that is to end before it, on a busy machine too.
pub(crate) const UNHURRIED: Duration = Duration::from_secs(30);

/// A call that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const PUT: &str = "/etcdserverpb.KV/Put";
pub(crate) const RANGE: &str = "/etcdserverpb.KV/Range";
pub(crate) const TXN: &str = "/etcdserverpb.KV/Txn";
pub(crate) const GRANT: &str = "/etcdserverpb.Lease/LeaseGrant";
pub(crate) const REVOKE: &str = "/etcdserverpb.Lease/LeaseRevoke";
pub(crate) const TIME_TO_LIVE: &str = "/etcdserverpb.Lease/LeaseTimeToLive";
pub(crate) const RANGE_STREAM: &str = "/etcdserverpb.KV/RangeStream";

/// The calls under test: one of each kind that is treated differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rpc {
    Get,
    Put,
    Txn,
    Grant,
    RangeStream,
}

impl Rpc {
    pub(crate) const ALL: [Self; 5] = [Self::Get, Self::Put, Self::Txn, Self::Grant, Self::RangeStream];
    pub(crate) const UNARY: [Self; 4] = [Self::Get, Self::Put, Self::Txn, Self::Grant];

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Get => RANGE,
            Self::Put => PUT,
            Self::Txn => TXN,
            Self::Grant => GRANT,
            Self::RangeStream => RANGE_STREAM,
        }
    }

    /// The encoded message of an answer that is right.
    pub(crate) fn right(self) -> Vec<u8> {
        match self {
            Self::Get => range_response().encode_to_vec(),
            Self::Put => pb::PutResponse { header: header(), prev_kv: None }.encode_to_vec(),
            Self::Txn => pb::TxnResponse { header: header(), succeeded: true, responses: vec![put_result()] }
                .encode_to_vec(),
            Self::Grant => pb::LeaseGrantResponse { header: header(), id: 7, ttl: 60, error: String::new() }
                .encode_to_vec(),
            Self::RangeStream => {
                pb::RangeStreamResponse { range_response: Some(range_response()) }.encode_to_vec()
            }
        }
    }

    pub(crate) async fn call(self, client: &Client) -> Result<(), Error> {
        let call = async {
            match self {
                Self::Get => client.get("k").await.map(drop),
                Self::Put => client.put("k", "v").await.map(drop),
                Self::Txn => {
                    let txn = client.txn().when(Compare::version("k").equal(0)).then(Put::new("k", "v"));
                    txn.await.map(drop)
                }
                Self::Grant => {
                    let id = LeaseId::new(7).expect("not zero");
                    client.lease().grant(Duration::from_secs(60)).id(id).await.map(drop)
                }
                Self::RangeStream => {
                    let get = Get::new("").all_keys();
                    let mut chunks = client.kv().range_stream(get, CallOptions::default()).await?;
                    while let Some(chunk) = chunks.next().await {
                        chunk?;
                    }
                    Ok(())
                }
            }
        };
        timeout(PATIENCE, call).await.unwrap_or_else(|_| panic!("{self:?} hangs"))
    }

    /// The outcome of an error that leaves open what the server did.
    fn in_doubt(self) -> Outcome {
        match self {
            Self::Put | Self::Txn | Self::Grant => Outcome::Unknown,
            Self::Get | Self::RangeStream => Outcome::NotApplied,
        }
    }
}

pub(crate) fn header() -> Option<pb::ResponseHeader> {
    Some(pb::ResponseHeader { cluster_id: 1, member_id: 2, revision: 3, raft_term: 4 })
}

pub(crate) fn range_response() -> pb::RangeResponse {
    let kv = mvccpb::KeyValue {
        key: "k".into(),
        value: "v".into(),
        create_revision: 3,
        mod_revision: 3,
        version: 1,
        lease: 0,
    };
    pb::RangeResponse { header: header(), kvs: vec![kv], more: false, count: 1 }
}

pub(crate) fn put_result() -> pb::ResponseOp {
    let response =
        pb::response_op::Response::ResponsePut(pb::PutResponse { header: header(), prev_kv: None });
    pb::ResponseOp { response: Some(response) }
}

/// What must become of a call whose first answer is a hostile one and whose later answers are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// An error of this kind from the first answer, in doubt for a write.
    Error(ErrorKind),
    /// The answer was lost: sent again where a second execution cannot be noticed, else `Unavailable` and in doubt.
    Lost,
    /// The request was not processed: sent again, whatever it is.
    NotProcessed,
    /// The call succeeds with the first answer.
    Success,
}

/// A scripted server and clients for it.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) server: Server,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self { server: Server::start(in_turn([])).await.expect("a free port") }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(DEADLINE)
    }

    /// A client whose calls have this deadline.
    pub(crate) fn client_with(&self, deadline: Duration) -> Client {
        Client::builder([self.server.endpoint()]).timeout(deadline).build().expect("a valid endpoint")
    }

    /// Calls once with a hostile answer, which only the first attempt gets, and once more with a right one.
    pub(crate) async fn check(&self, rpc: Rpc, answer: Answer, expect: Expect) -> Option<Error> {
        let what = format!("{rpc:?}, {expect:?}, {answer:?}");
        let before = self.server.received(rpc.path());
        self.server.play(once(answer, rpc.right()));
        // No answer of a script ends a call at its deadline: a short one would only fail on a busy machine.
        let client = self.client_with(UNHURRIED);
        let result = rpc.call(&client).await;
        let sent = self.server.received(rpc.path()) - before;
        let (error, most) = self.judge(rpc, expect, result, &what);
        assert!(sent <= most, "sent {sent} times: {what}");
        self.server.play(in_turn([reply::message(rpc.right())]));
        if let Err(error) = rpc.call(&client).await {
            panic!("the next call fails: {}\n{what}", error.report());
        }
        client.close().await;
        error
    }

    /// The error where there must be one, and how often the request may have reached the server.
    fn judge(
        &self,
        rpc: Rpc,
        expect: Expect,
        result: Result<(), Error>,
        what: &str,
    ) -> (Option<Error>, usize) {
        let again = match expect {
            Expect::Success => return (succeeded(result, what), 1),
            Expect::Error(_) => false,
            Expect::Lost => matches!(rpc, Rpc::Get | Rpc::Grant),
            Expect::NotProcessed => true,
        };
        if again {
            return (succeeded(result, what), 2);
        }
        let error = result.expect_err(what);
        let kind = if let Expect::Error(kind) = expect { kind } else { ErrorKind::Unavailable };
        assert_eq!(error.kind(), kind, "{}\n{what}", error.report());
        assert_eq!(error.outcome(), rpc.in_doubt(), "{}\n{what}", error.report());
        self.assert_named(&error);
        (Some(error), 1)
    }

    /// Asserts that the report says where it happened and what was done.
    pub(crate) fn assert_named(&self, error: &Error) {
        let report = error.report().to_string();
        assert!(report.contains(&self.server.endpoint()), "no endpoint:\n{report}");
        assert!(error.operation().is_some(), "no operation:\n{report}");
        assert!(report.len() < 100_000, "{} bytes of report", report.len());
    }
}

fn succeeded(result: Result<(), Error>, what: &str) -> Option<Error> {
    if let Err(error) = result {
        panic!("must succeed: {}\n{what}", error.report());
    }
    None
}

/// Gives the first call `answer` and all others the encoded message `right`.
pub(crate) fn once(answer: Answer, right: Vec<u8>) -> impl Script {
    let first = AtomicBool::new(true);
    let right = reply::message(right);
    move |_: &Call| if first.swap(false, Ordering::Relaxed) { answer.clone() } else { right.clone() }
}
