//! Compact, and what reads of compacted revisions get.

use etcd_client_core::{Code, Error, ErrorKind, Outcome, Revision, kv::Compact};

use super::Subject;

/// Four revisions of one key.
async fn history(subject: &Subject<'_>) -> Vec<Revision> {
    let mut revisions = Vec::new();
    for value in ["1", "2", "3", "4"] {
        revisions.push(subject.write("k", value).await);
    }
    revisions
}

async fn compact(subject: &Subject<'_>, revision: Revision) -> Result<(), Error> {
    Compact::new(revision).bind(subject.kv).await.map(drop)
}

fn assert_refused(error: &Error, code: Code) {
    assert_eq!((error.kind(), error.code()), (ErrorKind::Server, Some(code)), "{error}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
}

pub(crate) async fn the_same_revision_twice_is_rejected(subject: &Subject<'_>) {
    let at = history(subject).await;
    compact(subject, at[1]).await.expect("compact");
    assert_refused(&compact(subject, at[1]).await.expect_err("twice"), Code::Compacted);
    assert_refused(&compact(subject, at[0]).await.expect_err("older"), Code::Compacted);
    compact(subject, at[2]).await.expect("a newer one");
}

pub(crate) async fn a_future_revision_is_rejected(subject: &Subject<'_>) {
    let at = history(subject).await;
    assert_refused(&compact(subject, at[3].next()).await.expect_err("future"), Code::FutureRev);
    assert_eq!(subject.value("k").await.as_deref(), Some("4"));
}

pub(crate) async fn older_reads_are_rejected(subject: &Subject<'_>) {
    let at = history(subject).await;
    compact(subject, at[2]).await.expect("compact");
    let error = subject.get("k").revision(at[1]).await.expect_err("compacted");
    assert_refused(&error, Code::Compacted);
    assert!(error.is_compacted());
    let oldest = subject.get("k").revision(at[2]).await.expect("the compacted revision itself is kept");
    assert_eq!(oldest.kvs[0].value, "3");
}

pub(crate) async fn the_current_revision_can_be_compacted(subject: &Subject<'_>) {
    let at = history(subject).await;
    compact(subject, at[3]).await.expect("compact");
    assert_eq!(subject.value("k").await.as_deref(), Some("4"));
    assert_eq!(subject.revision().await, at[3], "a compaction is no change");
}

pub(crate) async fn a_physical_compaction_answers(subject: &Subject<'_>) {
    let at = history(subject).await;
    let response = Compact::new(at[3]).physical().bind(subject.kv).await.expect("compact");
    assert_eq!(response.header.revision, at[3]);
    let error = subject.get("k").revision(at[0]).await.expect_err("compacted");
    assert_refused(&error, Code::Compacted);
}

pub(crate) async fn compaction_between_pages_ends_them(subject: &Subject<'_>) {
    for streams in [false, true] {
        for i in 0..40 {
            subject.write(format!("p/{i:02}"), "v").await;
        }
        let pages = subject.get("p/").prefix().pages();
        let mut pages = if streams { pages } else { pages.page_size(10) };
        let first = pages.next().await.expect("a page").expect("a page");
        assert_eq!(first.kvs.len(), 10);
        let newer = subject.write("p/00", "w").await;
        compact(subject, newer).await.expect("compact");
        let error = pages.next().await.expect("an error").expect_err("compacted");
        assert_refused(&error, Code::Compacted);
        assert!(pages.next().await.is_none(), "nothing after the error");
    }
}
