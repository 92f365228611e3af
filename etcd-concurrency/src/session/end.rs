//! The reason why a session ended.

use std::fmt;

use tokio::sync::watch;

/// The reason why a [`Session`](crate::Session) ended.
///
/// [`Session::ended`](crate::Session::ended), [`Session::lost`](crate::Session::lost) and
/// [`Error::SessionExpired`](crate::Error::SessionExpired) report it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionEnd {
    /// The lease was lost: it expired, was revoked, or may have expired as far as the client can know.
    Lost,
    /// The session was [closed](crate::Session::close), which revokes its lease.
    Closed,
    /// The session was given up without revoking its lease, by [`Session::orphan`](crate::Session::orphan) or because its last
    /// handle was dropped. The lease expires unless another session takes it over.
    Orphaned,
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "its lease was lost",
            Self::Closed => "it was closed",
            Self::Orphaned => "it was orphaned",
        })
    }
}

/// Records the end of a session. The first recorded reason stays.
pub(super) fn end_with(end: &watch::Sender<Option<SessionEnd>>, reason: SessionEnd) {
    end.send_if_modified(|end| end.replace(end.unwrap_or(reason)).is_none());
}
