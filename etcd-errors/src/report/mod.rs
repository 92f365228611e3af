//! The report of an error: everything it contains, for people.

mod hint;
#[cfg(test)]
mod tests;

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use crate::attempt::Attempt;
use crate::code::Code;
use crate::error::Error;
use crate::kind::{ErrorKind, Outcome};
use crate::text::OneLine;

/// The number of attempts that a report lists. The others are counted.
const MAX_ATTEMPT_LINES: usize = 12;

/// Bounds the chain of causes: it would not end if an error were its own source.
const MAX_CAUSES: usize = 16;

/// A report of an error on several lines: the failure, the outcome of the write, the attempts, the causes, and what to do.
///
/// [`Error::report`] returns it. The wording may change with any version.
///
/// # Examples
///
/// ```
/// use etcd_errors::{Code, Error};
///
/// let error = Error::from(Code::NoLeader).with_operation("put");
/// assert!(error.report().to_string().starts_with("put: no leader\n"));
/// ```
#[derive(Debug)]
pub struct Report<'a> {
    error: &'a Error,
}

impl<'a> Report<'a> {
    pub(crate) fn new(error: &'a Error) -> Self {
        Self { error }
    }

    fn outcome(&self) -> Option<&'static str> {
        match (self.error.outcome(), self.error.kind()) {
            (_, ErrorKind::InvalidData) => None,
            (Outcome::Unknown, _) => Some("unknown: a write may have been applied, but not more than once"),
            (
                _,
                ErrorKind::InvalidConfig
                | ErrorKind::Closed
                | ErrorKind::NoRuntime
                | ErrorKind::Lagged
                | ErrorKind::Io,
            ) => None,
            (_, ErrorKind::InvalidRequest) => Some("the request was not sent, nothing was changed"),
            (_, ErrorKind::Server) if self.is_about_a_read() => None,
            (_, ErrorKind::Unavailable | ErrorKind::Timeout) if self.never_sent() => {
                Some("nothing was sent, nothing was changed")
            }
            (Outcome::NotApplied, _) => Some("nothing was changed"),
        }
    }

    fn is_about_a_read(&self) -> bool {
        let reads =
            matches!(self.error.code(), Some(Code::Compacted | Code::FutureRev | Code::WatchCanceled));
        // A txn or a compaction may return these errors as well, and both change the store.
        reads && !matches!(self.error.operation(), Some("txn" | "compact"))
    }

    fn never_sent(&self) -> bool {
        let attempts = self.error.attempts();
        !attempts.is_empty() && attempts.iter().all(|attempt| !attempt.sent())
    }

    fn code(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.error.code(), self.error.grpc_code()) {
            (Some(Code::Other(_)) | None, Some(grpc)) => line(f, "code", format_args!("gRPC {grpc}")),
            (Some(code), Some(grpc)) => line(f, "code", format_args!("{code} (gRPC {grpc})")),
            (Some(code), None) => line(f, "code", code),
            (None, None) => Ok(()),
        }
    }

    /// Prints all attempts. If there are too many, prints the first and the last ones, which show how the call began and
    /// how it ended.
    fn attempts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tries = fold(self.error.attempts());
        let left_out = tries.len().saturating_sub(MAX_ATTEMPT_LINES);
        let first = if left_out == 0 { tries.len() } else { MAX_ATTEMPT_LINES / 3 };
        let width = tries.iter().map(|tried| tried.first.endpoint().chars().count()).max().unwrap_or(0);
        for (at, tried) in tries.iter().enumerate() {
            if at == first && left_out > 0 {
                line(f, "", format_args!(".. and {left_out} more"))?;
            }
            if at < first || at >= first + left_out {
                line(f, if at == 0 { "tried" } else { "" }, format_args!("{tried:width$}"))?;
            }
        }
        Ok(())
    }

    /// Prints the chain of causes, except for those that repeat the line before them.
    fn causes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.error.to_string();
        let mut label = "cause";
        let chain = std::iter::successors(self.error.source(), |&cause| cause.source());
        for cause in chain.take(MAX_CAUSES) {
            let text = cause.to_string();
            if said.contains(&text) {
                continue;
            }
            line(f, label, OneLine(&text))?;
            (said, label) = (text, "");
        }
        Ok(())
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        if let Some(outcome) = self.outcome() {
            line(f, "outcome", outcome)?;
        }
        self.code(f)?;
        if let Some(revision) = self.error.compact_revision() {
            line(f, "history", format_args!("begins at revision {revision}"))?;
        }
        if let Some(elapsed) = self.error.elapsed() {
            line(f, "took", Short(elapsed))?;
        }
        self.attempts(f)?;
        self.causes(f)?;
        hint::hint(self.error).map_or(Ok(()), |hint| line(f, "help", hint))
    }
}

fn line(f: &mut fmt::Formatter<'_>, label: &str, text: impl fmt::Display) -> fmt::Result {
    write!(f, "\n  {label:<9}{text}")
}

/// Equal attempts on one endpoint, printed as one line.
struct Tried<'a> {
    first: &'a Attempt,
    count: usize,
    elapsed: Option<Duration>,
}

fn fold(attempts: &[Attempt]) -> Vec<Tried<'_>> {
    let mut tries: Vec<Tried<'_>> = Vec::new();
    for attempt in attempts {
        let same = |tried: &&mut Tried<'_>| {
            let first = tried.first;
            (first.endpoint(), first.reason(), first.sent())
                == (attempt.endpoint(), attempt.reason(), attempt.sent())
        };
        match tries.iter_mut().find(same) {
            Some(tried) => {
                tried.count += 1;
                tried.elapsed = match (tried.elapsed, attempt.elapsed()) {
                    (Some(before), Some(more)) => Some(before.saturating_add(more)),
                    (before, more) => before.or(more),
                };
            }
            None => tries.push(Tried { first: attempt, count: 1, elapsed: attempt.elapsed() }),
        }
    }
    tries
}

impl fmt::Display for Tried<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.first.endpoint())?;
        f.write_str(if self.first.sent() { "  sent" } else { "  not sent" })?;
        if self.count > 1 {
            write!(f, ", {} times", self.count)?;
        }
        if let Some(elapsed) = self.elapsed {
            write!(f, ", {}", Short(elapsed))?;
        }
        write!(f, ": {}", OneLine(self.first.reason()))
    }
}

/// Prints a duration in the form that people read most easily.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            0 => f.write_str("under 1 ms"),
            millis @ 1..1000 => write!(f, "{millis} ms"),
            _ => write!(f, "{:.1} s", self.0.as_secs_f64()),
        }
    }
}
