//! The errors of etcd's API, recognised by their text: codes differ between versions, texts do not.

mod generated;
#[cfg(test)]
mod tests;

use std::fmt;

pub use generated::Code;

use crate::grpc_code::GrpcCode;
use crate::kind::Outcome;
use generated::ROWS;

/// One line of the table.
struct Row {
    code: Code,
    name: &'static str,
    grpc: GrpcCode,
    outcome: Outcome,
    message: &'static str,
}

impl Row {
    const fn new(
        code: Code,
        name: &'static str,
        grpc: GrpcCode,
        outcome: Outcome,
        message: &'static str,
    ) -> Self {
        Self { code, name, grpc, outcome, message }
    }
}

/// Other texts that servers send for an error of the table.
const ALIASES: [(&str, Code); 8] = [
    // Contexts that end inside of a server; with code Unknown up to 3.4.
    ("context deadline exceeded", Code::DeadlineExceeded),
    ("context canceled", Code::Canceled),
    ("etcdserver: request cancelled", Code::Canceled),
    // 3.4 and 3.5 releases whose v3rpc/util.go did not map these two yet.
    ("auth: revision in header is old", Code::AuthOldRevision),
    ("auth: permission not given", Code::PermissionNotGiven),
    // Up to 3.5 the Maintenance service refuses a caller without mapping why (`isPermitted` in v3rpc/maintenance.go).
    ("auth: user name is empty", Code::UserEmpty),
    ("auth: permission denied", Code::PermissionDenied),
    ("auth: invalid auth token", Code::InvalidAuthToken),
];

/// Answers outside of the table that say more about the write than their gRPC code does, by the start of their text.
const TEXT_OUTCOMES: [(GrpcCode, &str, Outcome); 5] = [
    // grpc-go's server refuses a large request before the handler. Its opposite, "trying to send message larger than
    // max", is a response that became too large after the handler ran.
    (GrpcCode::ResourceExhausted, "grpc: received message larger than max", Outcome::NotApplied),
    // Raft refused the entry before it was appended, as a leader does while it hands over its leadership.
    (GrpcCode::Unknown, "raft proposal dropped", Outcome::NotApplied),
    // tonic says these of a response it could not read, with codes that otherwise refuse a request.
    (GrpcCode::OutOfRange, "Error, decoded message length too large", Outcome::Unknown),
    (GrpcCode::OutOfRange, "Error, encoded message length too large", Outcome::Unknown),
    (GrpcCode::Unimplemented, "Content is compressed with", Outcome::Unknown),
];

impl Code {
    /// Every code of etcd's table, in its order; [`Other`](Self::Other) is not among them.
    pub const ALL: &'static [Self] = &all();

    /// Which error this answer is.
    ///
    /// The text decides, since servers of different versions send one text with different gRPC codes; the gRPC code
    /// counts only for a text that is not known. A text in the form `rpc error: code = X desc = Y`, as the reason of
    /// a cancelled watch has it, is read as the answer `Y` with code `X`.
    ///
    /// ```
    /// use etcd_errors::{Code, GrpcCode};
    ///
    /// assert_eq!(Code::parse(GrpcCode::Unknown, "etcdserver: too many requests"), Code::TooManyRequests);
    /// let reason = "rpc error: code = PermissionDenied desc = etcdserver: permission denied";
    /// assert_eq!(Code::parse(GrpcCode::Unknown, reason), Code::PermissionDenied);
    /// assert_eq!(Code::parse(GrpcCode::Aborted, "what is this?"), Code::Other(GrpcCode::Aborted));
    /// ```
    pub fn parse(grpc: GrpcCode, message: &str) -> Self {
        let (grpc, text) = unwrap(grpc, message);
        let row = ROWS.iter().find(|row| row.message == text).map(|row| row.code);
        let alias = || ALIASES.iter().find(|(alias, _)| *alias == text).map(|(_, code)| *code);
        row.or_else(alias).unwrap_or(Self::Other(grpc))
    }

    /// The gRPC code that etcd 3.7 sends with this error. Other versions may send another one:
    /// [`Error::grpc_code`](crate::Error::grpc_code) has the one that came.
    pub fn grpc(self) -> GrpcCode {
        match self {
            Self::Other(grpc) => grpc,
            _ => self.row().map_or(GrpcCode::Unknown, |row| row.grpc),
        }
    }

    /// The text that etcd sends with this error; none for [`Other`](Self::Other).
    pub fn message(self) -> Option<&'static str> {
        self.row().map(|row| row.message)
    }

    /// The name of the variant, such as `EmptyKey`.
    pub fn name(self) -> &'static str {
        self.row().map_or("Other", |row| row.name)
    }

    /// What this answer says about the write that got it.
    ///
    /// [`NotApplied`](Outcome::NotApplied) where the server's code shows that it refuses before it changes anything,
    /// else [`Unknown`](Outcome::Unknown). Two answers are easily misread: the write that exhausts the database's
    /// quota is applied, then answered with [`NoSpace`](Self::NoSpace); and a promotion that worked may be
    /// answered with [`MemberNotLearner`](Self::MemberNotLearner). One is wider than it seems: a promotion that a
    /// follower forwarded may have been applied though the answer is [`NoLeader`](Self::NoLeader).
    ///
    /// ```
    /// use etcd_errors::{Code, Outcome};
    ///
    /// assert_eq!(Code::PermissionDenied.outcome(), Outcome::NotApplied);
    /// assert_eq!(Code::Timeout.outcome(), Outcome::Unknown);
    /// ```
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Other(grpc) => other_outcome(grpc),
            _ => self.row().map_or(Outcome::Unknown, |row| row.outcome),
        }
    }

    /// As [`outcome`](Self::outcome), sharpened by the text for the few answers outside of etcd's table whose text
    /// says when they are given, such as `raft proposal dropped`.
    pub fn outcome_with(self, message: &str) -> Outcome {
        let Self::Other(grpc) = self else { return self.outcome() };
        let (_, text) = unwrap(grpc, message);
        let known = TEXT_OUTCOMES.iter().find(|(code, start, _)| *code == grpc && text.starts_with(start));
        known.map_or_else(|| self.outcome(), |(_, _, outcome)| *outcome)
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.code == self)
    }
}

impl fmt::Display for Code {
    /// The name, and for [`Other`](Self::Other) the gRPC code with it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(grpc) => write!(f, "Other({grpc})"),
            _ => f.pad(self.name()),
        }
    }
}

/// What is left of a message as `rpc error: code = X desc = Y` once, or more than once, wrapped by a Go program.
pub(crate) fn unwrap(mut grpc: GrpcCode, mut message: &str) -> (GrpcCode, &str) {
    while let Some(rest) = message.strip_prefix("rpc error: code = ") {
        let Some((name, desc)) = rest.split_once(" desc = ") else { break };
        grpc = GrpcCode::from_go_name(name);
        message = desc;
    }
    (grpc, message)
}

const fn all() -> [Code; ROWS.len()] {
    let mut codes = [ROWS[0].code; ROWS.len()];
    let mut at = 1;
    while at < ROWS.len() {
        codes[at] = ROWS[at].code;
        at += 1;
    }
    codes
}

/// A bare gRPC code. Those that blame the request are given before it is carried out; the others may come from any
/// hop at any time.
const fn other_outcome(grpc: GrpcCode) -> Outcome {
    match grpc {
        GrpcCode::InvalidArgument
        | GrpcCode::NotFound
        | GrpcCode::AlreadyExists
        | GrpcCode::PermissionDenied
        | GrpcCode::FailedPrecondition
        | GrpcCode::OutOfRange
        | GrpcCode::Unimplemented
        | GrpcCode::Unauthenticated => Outcome::NotApplied,
        GrpcCode::Ok
        | GrpcCode::Cancelled
        | GrpcCode::Unknown
        | GrpcCode::DeadlineExceeded
        | GrpcCode::ResourceExhausted
        | GrpcCode::Aborted
        | GrpcCode::Internal
        | GrpcCode::Unavailable
        | GrpcCode::DataLoss => Outcome::Unknown,
    }
}
