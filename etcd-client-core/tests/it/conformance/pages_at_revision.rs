//! The revision that the pages of one range are read at.

use super::{Subject, collect, pages::written};

pub(crate) async fn writes_between_pages_are_not_seen(subject: &Subject<'_>) {
    for sized in [true, false] {
        subject.delete("p/").prefix().await.expect("delete");
        written(subject).await;
        let before = subject.get("p/").prefix().await.expect("get").kvs;
        let pages = subject.get("p/").prefix().pages();
        let mut pages = if sized { pages.page_size(7) } else { pages };
        let first = pages.next().await.expect("a page").expect("a page");
        assert!(first.kvs.len() < before.len(), "the first page is not all");
        subject.write("p/050", "changed").await;
        subject.delete("p/060").await.expect("delete");
        subject.write("p/0505", "new").await;
        let (rest, revision) = collect(pages).await;
        assert_eq!(revision, Some(first.revision));
        let all: Vec<_> = first.kvs.into_iter().chain(rest).collect();
        assert_eq!(all, before, "sized: {sized}");
    }
}

pub(crate) async fn an_old_revision_is_read(subject: &Subject<'_>) {
    written(subject).await;
    let before = subject.get("p/").prefix().await.expect("get");
    let at = before.kvs[0].mod_revision;
    subject.delete("p/").prefix().await.expect("delete");
    for pages in [
        subject.get("p/").prefix().revision(at).pages(),
        subject.get("p/").prefix().revision(at).pages().page_size(7),
    ] {
        assert_eq!(collect(pages).await, (before.kvs.clone(), Some(at)));
    }
    assert_eq!(collect(subject.get("p/").prefix().pages()).await, (Vec::new(), None));
}
