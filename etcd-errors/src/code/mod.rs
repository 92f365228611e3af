//! The errors of etcd's API, identified by their text: gRPC codes differ between versions, texts do not.

mod generated;
#[cfg(test)]
mod tests;

use std::fmt;

pub use generated::Code;

use crate::grpc_code::GrpcCode;
use crate::kind::Outcome;
use generated::ROWS;

/// A row of the table.
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

/// Further texts that servers send for errors of the table.
const ALIASES: [(&str, Code); 8] = [
    // Contexts that end inside of a server. Servers up to 3.4 send them with code Unknown.
    ("context deadline exceeded", Code::DeadlineExceeded),
    ("context canceled", Code::Canceled),
    ("etcdserver: request cancelled", Code::Canceled),
    // Releases of 3.4 and 3.5 whose v3rpc/util.go did not map these two yet.
    ("auth: revision in header is old", Code::AuthOldRevision),
    ("auth: permission not given", Code::PermissionNotGiven),
    // 3.4 and 3.5: authMaintenanceServer.isAuthenticated in v3rpc/maintenance.go returns errors unmapped, before the
    // handler runs.
    ("auth: user name is empty", Code::UserEmpty),
    ("auth: permission denied", Code::PermissionDenied),
    ("auth: invalid auth token", Code::InvalidAuthToken),
];

/// Errors outside of the table whose text determines the outcome better than their gRPC code does, by the start of the
/// text.
const TEXT_OUTCOMES: [(GrpcCode, &str, Outcome); 5] = [
    // grpc-go's server rejects a large request before the handler runs. "trying to send message larger than max" is the
    // opposite case: the response became too large after the handler ran.
    (GrpcCode::ResourceExhausted, "grpc: received message larger than max", Outcome::NotApplied),
    // Raft rejected the entry before it was appended, as a leader does during a leadership transfer.
    (GrpcCode::Unknown, "raft proposal dropped", Outcome::NotApplied),
    // tonic reports these for a response that it could not decode, with codes that otherwise reject a request.
    (GrpcCode::OutOfRange, "Error, decoded message length too large", Outcome::Unknown),
    (GrpcCode::OutOfRange, "Error, encoded message length too large", Outcome::Unknown),
    (GrpcCode::Unimplemented, "Content is compressed with", Outcome::Unknown),
];

impl Code {
    /// All codes of etcd's table, in its order. [`Other`](Self::Other) is not included.
    pub const ALL: &'static [Self] = &all();

    /// Identifies an error by its gRPC code and its text.
    ///
    /// The text decides, because servers of different versions send the same text with different gRPC codes. The gRPC
    /// code is used only for an unknown text. A text of the form `rpc error: code = X desc = Y`, such as the reason of a
    /// cancelled watch, is read as the text `Y` with code `X`.
    ///
    /// # Examples
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

    /// Returns the gRPC code that etcd 3.7 sends with this error.
    ///
    /// Other versions may send another code. [`Error::grpc_code`](crate::Error::grpc_code) returns the received one.
    pub fn grpc(self) -> GrpcCode {
        match self {
            Self::Other(grpc) => grpc,
            _ => self.row().map_or(GrpcCode::Unknown, |row| row.grpc),
        }
    }

    /// Returns the text that etcd sends with this error, or `None` for [`Other`](Self::Other).
    pub fn message(self) -> Option<&'static str> {
        self.row().map(|row| row.message)
    }

    /// Returns the name of the variant, such as `EmptyKey`.
    pub fn name(self) -> &'static str {
        self.row().map_or("Other", |row| row.name)
    }

    /// Returns the outcome that this error implies for a write.
    ///
    /// The outcome is [`NotApplied`](Outcome::NotApplied) if the server's code shows that it rejects the request before it
    /// changes anything, and [`Unknown`](Outcome::Unknown) otherwise. Three errors are easily misread:
    ///
    /// - [`NoSpace`](Self::NoSpace): the write that exhausts the database quota is applied before this error is returned.
    /// - [`MemberNotLearner`](Self::MemberNotLearner): a promotion that succeeded may return this error.
    /// - [`NoLeader`](Self::NoLeader) is `NotApplied`, except for a promotion that a follower forwarded: it may have been
    ///   applied, and the client reports the outcome as unknown.
    ///
    /// # Examples
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

    /// Returns the [`outcome`](Self::outcome), refined by the text.
    ///
    /// A few errors outside of etcd's table can be identified by their text, such as `raft proposal dropped`.
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
    /// Prints the name. [`Other`](Self::Other) is followed by its gRPC code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(grpc) => write!(f, "Other({grpc})"),
            _ => f.pad(self.name()),
        }
    }
}

/// Removes the `rpc error: code = X desc = Y` that Go programs wrap around a message, once or more often.
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

/// The outcome for a gRPC code without a known text. Codes that reject the request are sent before it is executed. The
/// others may come from any hop at any time.
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
