//! Asks whose a connection is: the calls of the check, and what is said where the answer is that it is not ours.

use std::{fmt, pin::Pin, time::Duration};

use bytes::Bytes;
use etcd_errors::{Code, Error, ErrorKind, GrpcCode};
use etcd_proto::etcdserverpb as pb;
use h2::client::{ResponseFuture, SendRequest};
use http::HeaderMap;
use prost::Message as _;
use tokio::time::timeout;

use super::{exchange, failure::Failure, member::Member, method::Method};
use crate::mechanism::{
    grpc::frame::{self, Decoder},
    history::{History, Origin, Regression, Violation},
    identity::{Answer, Check, Known, Question, Step, Verdict},
    retry::Observation,
};

/// How long a member may take for each answer. An empty Txn under load took 16 ms; one that takes longer than this serves
/// nobody, and a barrier that takes longer has no quorum.
const PATIENCE: Duration = Duration::from_secs(1);

/// An answer holds a header, and what an RPC adds to it.
const MOST_BYTES: usize = 64 << 10;

/// What the check of a connection found.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// The check's number in its history.
    pub(super) number: u64,
    /// The last header that named a cluster.
    pub(super) header: Option<pb::ResponseHeader>,
    /// Why the last question had no answer.
    pub(super) failure: Option<Failure>,
}

/// The check of one connection. The headers carry neither a token nor `hasleader`: with those a member refuses what it would
/// answer without.
pub(super) struct Asking<'a> {
    send: SendRequest<Bytes>,
    member: &'a Member,
    headers: &'a HeaderMap,
    check: Check,
    number: u64,
    under_way: Sent,
}

type Sent = Result<Pin<Box<ResponseFuture>>, Failure>;

impl<'a> Asking<'a> {
    /// Sends the first question, which leaves with whatever the connection has to send.
    pub(super) fn begin(
        send: SendRequest<Bytes>,
        member: &'a Member,
        headers: &'a HeaderMap,
        history: &History,
    ) -> Self {
        // Before anything is sent: an answer need not show what is written meanwhile.
        let number = history.begin_check();
        let known =
            Known { cluster: history.cluster(), floor: history.floor(), regression: history.regression() };
        let (check, question) = Check::new(known);
        let under_way = ask(send.clone(), member, headers, question);
        Self { send, member, headers, check, number, under_way }
    }

    /// Reads the answer and asks on, until there is a verdict.
    pub(super) async fn conclude(mut self) -> Finding {
        let (mut header, mut failure) = (None, None);
        loop {
            let answer = match self.under_way {
                Ok(response) => match timeout(PATIENCE, read(response)).await {
                    Ok(answer) => answer,
                    Err(_elapsed) => Err(Failure::new(Observation::Abandoned, silence())),
                },
                Err(failure) => Err(failure),
            };
            let answer = match answer {
                Ok(Some(found)) if found.cluster_id != 0 => {
                    let origin = Origin { cluster: found.cluster_id, revision: found.revision };
                    let member = found.member_id;
                    header = Some(found);
                    Answer::Named { origin, member }
                }
                Ok(_) => Answer::Nameless,
                Err(found) => {
                    let answer = refusal(&found);
                    failure = Some(found);
                    answer
                }
            };
            match self.check.answered(answer) {
                Step::Conclude(verdict) => {
                    return Finding { verdict, number: self.number, header, failure };
                }
                Step::Ask(question) => {
                    let ready = self.send.clone().ready().await;
                    self.under_way = ready
                        .map_err(|error| Failure::not_sent(&error))
                        .and_then(|send| ask(send, self.member, self.headers, question));
                }
            }
        }
    }
}

fn silence() -> String {
    format!("it answered a PING, but not within {} s which cluster it is of", PATIENCE.as_secs())
}

fn ask(send: SendRequest<Bytes>, member: &Member, headers: &HeaderMap, question: Question) -> Sent {
    let (method, request) = match question {
        Question::Probe => (Method::Txn, frame::encode(&pb::TxnRequest::default())),
        Question::Status => (Method::Status, frame::encode(&pb::StatusRequest::default())),
        Question::Barrier => {
            let first =
                pb::RangeRequest { key: Bytes::from_static(b"\0"), count_only: true, ..Default::default() };
            (Method::Range, frame::encode(&first))
        }
    };
    let (response, mut body) = exchange::begin(send, member, method, headers.clone())?;
    // A peer that has ended the stream already has said why in its answer.
    let _ = body.send_data(request, true);
    Ok(Box::pin(response))
}

/// The header of an answer: the first field of every one.
async fn read(response: Pin<Box<ResponseFuture>>) -> Result<Option<pb::ResponseHeader>, Failure> {
    let response = response.await.map_err(|error| Failure::stream(&error))?;
    let Some(mut body) = exchange::body(response)? else { return Ok(None) };
    let mut decoder = Decoder::new(MOST_BYTES);
    let mut header = None;
    while exchange::receive(&mut body, &mut decoder).await? {
        while let Some(message) = decoder.pop().map_err(Failure::frame)? {
            let answer = pb::CompactionResponse::decode(message).map_err(|error| Failure::decode(&error))?;
            header = answer.header;
        }
    }
    exchange::end(&mut body, &decoder).await?;
    Ok(header)
}

/// What a failure says of the member.
fn refusal(failure: &Failure) -> Answer {
    match failure.observation {
        Observation::Refused(Code::NotSupportedForLearner, _) => Answer::Learner,
        // What etcd says itself: a proxy that denies permission has asked no member.
        Observation::Refused(Code::UserEmpty | Code::PermissionDenied, _) => Answer::Denied,
        Observation::Refused(code, _) => match code.grpc() {
            GrpcCode::Unavailable | GrpcCode::DeadlineExceeded | GrpcCode::Cancelled => Answer::None,
            _ => Answer::Refused,
        },
        // A peer that is no etcd: the calls say so better.
        Observation::Malformed => Answer::Refused,
        _ => Answer::None,
    }
}

/// Why a member is not used although it answers.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    violation: Violation,
    /// The cluster that the member is of.
    pub(super) cluster: u64,
    /// The number of the history that it does not belong to.
    pub(super) history: u64,
}

impl Refusal {
    pub(super) fn new(violation: Violation, cluster: u64, history: &History) -> Self {
        Self { violation, cluster, history: history.number() }
    }

    /// Whether a user may accept it: what makes no sense may not be.
    pub(super) fn is_acceptable(&self) -> bool {
        !matches!(self.violation, Violation::Unsound { .. })
    }

    /// The error of a call that was not sent for it.
    pub(crate) fn error(&self) -> Error {
        Error::new(kind(self.violation), self.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.violation {
            Violation::OtherCluster { expected, found } => write!(
                f,
                "the member belongs to cluster {found:x}, and this client uses cluster {expected:x}: no request is sent to it \
                 until `accept_cluster` is called"
            ),
            Violation::Older { seen, found } => write!(
                f,
                "the member is at revision {found} although it has caught up with its quorum, and revision {seen} was seen \
                 before: its cluster was restored or recreated, and no request is sent to it until `accept_cluster` is called"
            ),
            Violation::Regressed(Regression { seen, found }) => write!(
                f,
                "the member's cluster was found at revision {found} although revision {seen} was seen before: it was restored or \
                 recreated, and no request is sent to any of its members until `accept_cluster` is called"
            ),
            Violation::Unsound { found } => {
                write!(f, "the member reports revision {found}, which no store can have")
            }
        }
    }
}

impl std::error::Error for Refusal {}

/// Whether an error says that what answered, or what was asked, is of another cluster or history.
pub(crate) fn is_of_identity(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WrongCluster | ErrorKind::RevisionRegressed)
}

/// The error of what began in the history before this one.
pub(crate) fn superseded(history: &History) -> Error {
    if history.is_of_another_cluster() {
        Error::new(ErrorKind::WrongCluster, "the client accepted another cluster since")
    } else {
        Error::new(
            ErrorKind::RevisionRegressed,
            "the client accepted an earlier history of its cluster since",
        )
    }
}

/// The error of a call whose answer is not to be believed.
pub(super) fn disbelief(violation: Violation) -> Error {
    let text = match violation {
        Violation::OtherCluster { expected, found } => format!(
            "the answer comes from cluster {found:x}, and this client is of cluster {expected:x}: \
             is an endpoint wrong, or was the cluster made anew?"
        ),
        Violation::Older { seen, found } | Violation::Regressed(Regression { seen, found }) => format!(
            "the answer is of revision {found}, and revision {seen} was seen before it was asked for: \
             was the cluster restored from an older backup?"
        ),
        Violation::Unsound { found } => format!("the answer is of revision {found}, which no store can have"),
    };
    Error::new(kind(violation), text)
}

fn kind(violation: Violation) -> ErrorKind {
    match violation {
        Violation::OtherCluster { .. } => ErrorKind::WrongCluster,
        Violation::Older { .. } | Violation::Regressed(_) => ErrorKind::RevisionRegressed,
        Violation::Unsound { .. } => ErrorKind::Protocol,
    }
}
