//! The identity check of a connection: its requests, and the errors for members that do not belong to the client's
//! cluster.

use std::{fmt, pin::Pin, time::Duration};

use bytes::Bytes;
use etcd_errors::{Code, Error, ErrorKind, GrpcCode};
use etcd_proto::etcdserverpb as pb;
use h2::client::{ResponseFuture, SendRequest};
use http::HeaderMap;
use prost::Message as _;
use tokio::time::timeout;

use crate::transport::{
    connection::{
        grpc_stream,
        history::{History, Origin, Regression, Violation},
        member::Member,
        ownership::{Answer, Check, Known, Question, Step, Verdict},
    },
    grpc::{failure::Failure, frame, frame::Decoder, method::Method, observation::Observation},
};

/// The timeout of each request of the check. An empty Txn took 16 ms under load. A member that needs longer than this
/// is useless, and a quorum read that needs longer has no quorum.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum size of a response: a header and the few fields that an RPC adds.
const MOST_BYTES: usize = 64 << 10;

/// The result of a check.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    /// The number of the check in its history.
    pub(crate) number: u64,
    /// The last header that contained a cluster id.
    pub(crate) header: Option<pb::ResponseHeader>,
    /// The reason why the last request failed.
    pub(crate) failure: Option<Failure>,
}

/// The check of one connection. Its requests carry neither a token nor `hasleader`, with which a member would reject
/// requests that it serves without them.
pub(crate) struct Asking<'a> {
    send: SendRequest<Bytes>,
    member: &'a Member,
    headers: &'a HeaderMap,
    check: Check,
    number: u64,
    under_way: Sent,
}

type Sent = Result<Pin<Box<ResponseFuture>>, Failure>;

impl<'a> Asking<'a> {
    /// Sends the first request, together with other data that the connection has to send.
    pub(crate) fn begin(
        send: SendRequest<Bytes>,
        member: &'a Member,
        headers: &'a HeaderMap,
        history: &History,
    ) -> Self {
        // Numbered before anything is sent: the response need not reflect what is written from now on.
        let number = history.begin_check();
        let known = Known {
            cluster: history.cluster(),
            min_revision: history.min_revision(),
            regression: history.regression(),
        };
        let (check, question) = Check::new(known);
        let under_way = ask(send.clone(), member, headers, question);
        Self { send, member, headers, check, number, under_way }
    }

    /// Reads responses and sends further requests until there is a verdict.
    pub(crate) async fn conclude(mut self) -> Finding {
        let (mut header, mut failure) = (None, None);
        loop {
            let answer = match self.under_way {
                Ok(response) => match timeout(ANSWER_TIMEOUT, read(response)).await {
                    Ok(answer) => answer,
                    Err(_elapsed) => Err(Failure::new(Observation::Abandoned, no_answer())),
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
                    let answer = rejection(&found);
                    failure = Some(found);
                    answer
                }
            };
            match self.check.answered(answer) {
                Step::Conclude(verdict) => {
                    return Finding { verdict, number: self.number, header, failure };
                }
                Step::Ask(question) => {
                    // Waits for a slot: a peer with a limit of one concurrent stream accepts the next
                    // request only now.
                    let ready = self.send.clone().ready().await;
                    self.under_way = ready
                        .map_err(|error| Failure::not_sent(&error))
                        .and_then(|send| ask(send, self.member, self.headers, question));
                }
            }
        }
    }
}

fn no_answer() -> String {
    format!(
        "the member answered a PING, but did not report its cluster within {} s",
        ANSWER_TIMEOUT.as_secs()
    )
}

fn ask(send: SendRequest<Bytes>, member: &Member, headers: &HeaderMap, question: Question) -> Sent {
    let (method, request) = match question {
        Question::Probe => (Method::Txn, frame::encode(&pb::TxnRequest::default())),
        Question::Status => (Method::Status, frame::encode(&pb::StatusRequest::default())),
        // A linearizable read: the response proves that a quorum has confirmed the member's state. `count_only` keeps
        // it small.
        Question::Barrier => {
            let first =
                pb::RangeRequest { key: Bytes::from_static(b"\0"), count_only: true, ..Default::default() };
            (Method::Range, frame::encode(&first))
        }
    };
    let (response, mut body) = grpc_stream::begin(send, member, method, headers.clone())?;
    // Fails if the peer has already ended the stream. The response contains the reason.
    let _ = body.send_data(request, true);
    Ok(Box::pin(response))
}

/// Reads the header of a response. It is the first field of every response type, so any of them can decode it.
async fn read(response: Pin<Box<ResponseFuture>>) -> Result<Option<pb::ResponseHeader>, Failure> {
    let response = response.await.map_err(|error| Failure::stream(&error))?;
    let Some(mut body) = grpc_stream::body(response)? else { return Ok(None) };
    let mut decoder = Decoder::new(MOST_BYTES);
    let mut header = None;
    while grpc_stream::receive(&mut body, &mut decoder).await? {
        while let Some(message) = decoder.pop().map_err(Failure::frame)? {
            let answer = pb::CompactionResponse::decode(message).map_err(|error| Failure::decode(&error))?;
            header = answer.header;
        }
    }
    grpc_stream::end(&mut body, &decoder).await?;
    Ok(header)
}

/// Interprets a failure of a check request.
fn rejection(failure: &Failure) -> Answer {
    match failure.observation {
        Observation::Rejected(Code::NotSupportedForLearner, _) => Answer::Learner,
        // Only etcd's own codes count: a proxy that denies permission has not involved a member.
        Observation::Rejected(Code::UserEmpty | Code::PermissionDenied, _) => Answer::Denied,
        Observation::Rejected(code, _) => match code.grpc() {
            GrpcCode::Unavailable | GrpcCode::DeadlineExceeded | GrpcCode::Cancelled => Answer::None,
            _ => Answer::Rejected,
        },
        // The peer is not etcd. Calls will report that with a better error.
        Observation::Malformed => Answer::Rejected,
        _ => Answer::None,
    }
}

/// The reason why a member is not used although it responds.
#[derive(Clone, Debug)]
pub(crate) struct Rejection {
    violation: Violation,
    /// The cluster to which the member belongs.
    pub(crate) cluster: u64,
    /// The number of the history to which the member does not belong.
    pub(crate) history: u64,
}

impl Rejection {
    pub(crate) fn new(violation: Violation, cluster: u64, history: &History) -> Self {
        Self { violation, cluster, history: history.number() }
    }

    /// Returns `true` if the user may accept it. An impossible revision cannot be accepted.
    pub(crate) fn is_acceptable(&self) -> bool {
        !matches!(self.violation, Violation::Unsound { .. })
    }

    /// Returns the error of a call that was not sent for this reason.
    pub(crate) fn error(&self) -> Error {
        Error::new(kind(self.violation), self.to_string())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.violation {
            Violation::OtherCluster { expected, found } => write!(
                f,
                "the member belongs to cluster {found:x}, but this client uses cluster {expected:x}: no requests are sent to \
                 it until `accept_cluster` is called"
            ),
            Violation::Older { seen, found } => write!(
                f,
                "the member is at revision {found} although it has caught up with its quorum, but revision {seen} was seen \
                 before: its cluster was restored or recreated, and no requests are sent to it until `accept_cluster` is called"
            ),
            Violation::Regressed(Regression { seen, found }) => write!(
                f,
                "the member's cluster was found at revision {found}, but revision {seen} was seen before: it was restored or \
                 recreated, and no requests are sent to any of its members until `accept_cluster` is called"
            ),
            Violation::Unsound { found } => {
                write!(f, "the member reports revision {found}, which is impossible")
            }
        }
    }
}

impl std::error::Error for Rejection {}

/// Returns `true` if the error is about another cluster or history.
pub(crate) fn is_of_identity(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WrongCluster | ErrorKind::RevisionRegressed)
}

/// Returns the error of an operation that began in the previous history.
pub(crate) fn superseded(history: &History) -> Error {
    if history.is_of_another_cluster() {
        Error::new(ErrorKind::WrongCluster, "the client has accepted another cluster since this began")
    } else {
        Error::new(
            ErrorKind::RevisionRegressed,
            "the client has accepted an earlier history of its cluster since this began",
        )
    }
}

/// Returns the error of a call whose response was rejected.
pub(crate) fn inconsistency(violation: Violation) -> Error {
    let text = match violation {
        Violation::OtherCluster { expected, found } => format!(
            "the response is from cluster {found:x}, but this client uses cluster {expected:x}: check the endpoints, and \
             whether the cluster was recreated"
        ),
        Violation::Older { seen, found } | Violation::Regressed(Regression { seen, found }) => format!(
            "the response has revision {found}, but revision {seen} was seen before the request: check whether the \
             cluster was restored from an older backup"
        ),
        Violation::Unsound { found } => format!("the response has revision {found}, which is impossible"),
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
