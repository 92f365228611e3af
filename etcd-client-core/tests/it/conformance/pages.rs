//! A long range, page by page: adaptive pages, which are streamed where the member can, and pages of a chosen size.

use etcd_client_core::{
    ErrorKind, Get, KeyValue, Put,
    kv::{KvService, SortOrder, SortTarget},
    request::Bound,
};

use super::{Subject, collect};

/// More than a few pages of either kind.
const KEYS: usize = 75;

pub(super) async fn written(subject: &Subject<'_>) {
    let put = |i: usize| Put::new(subject.key(format!("p/{i:03}")), format!("v{i}"));
    subject.txn().then((0..KEYS).map(put).collect::<Vec<_>>()).await.expect("txn");
}

/// Both kinds of pages give the same pairs at the same revision.
async fn both(get: Get<Bound<'_, dyn KvService>>) -> Vec<KeyValue> {
    let (adaptive, _) = collect(get.clone().pages()).await;
    for size in [1, 7, 75, 1000] {
        let (sized, _) = collect(get.clone().pages().page_size(size)).await;
        assert_eq!(sized, adaptive, "pages of {size}");
    }
    adaptive
}

fn expected(keys: impl Iterator<Item = usize>) -> Vec<String> {
    keys.map(|i| format!("p/{i:03}")).collect()
}

pub(crate) async fn every_key_comes_once_and_in_order(subject: &Subject<'_>) {
    written(subject).await;
    let kvs = both(subject.get("p/").prefix()).await;
    assert_eq!(kvs, subject.get("p/").prefix().await.expect("get").kvs);
    assert_eq!(kvs.len(), KEYS);
    let bounded = both(subject.get("p/010").range_end(subject.key("p/060"))).await;
    assert_eq!(subject.names(&bounded), expected(10..60));
    let mut pages = subject.get("p/").prefix().pages().page_size(50);
    let sizes =
        [pages.next().await, pages.next().await].map(|page| page.expect("one").expect("a page").kvs.len());
    assert_eq!(sizes, [50, 25]);
    assert!(pages.next().await.is_none() && pages.next().await.is_none());
}

pub(crate) async fn the_limit_is_one_of_all_pages(subject: &Subject<'_>) {
    written(subject).await;
    for limit in [1, 9, 10, 11, 30, 74, 75, 76] {
        let kvs = both(subject.get("p/").prefix().limit(limit)).await;
        let first = usize::try_from(limit).expect("small").min(KEYS);
        assert_eq!(subject.names(&kvs), expected(0..first), "{limit}");
    }
}

pub(crate) async fn keys_only_pages_have_no_values(subject: &Subject<'_>) {
    written(subject).await;
    let kvs = both(subject.get("p/").prefix().keys_only()).await;
    assert_eq!(subject.names(&kvs), expected(0..KEYS));
    assert!(kvs.iter().all(|kv| kv.value.is_empty()));
}

pub(crate) async fn revision_filters_apply_to_every_page(subject: &Subject<'_>) {
    written(subject).await;
    let mut rewritten = None;
    for i in (0..KEYS).step_by(3) {
        let revision = subject.write(format!("p/{i:03}"), "new").await;
        rewritten.get_or_insert(revision);
    }
    let first = rewritten.expect("some");
    let new = both(subject.get("p/").prefix().min_mod_revision(first)).await;
    assert_eq!(subject.names(&new), expected((0..KEYS).step_by(3)));
    let old = both(subject.get("p/").prefix().max_mod_revision(first.get() - 1)).await;
    assert_eq!(subject.names(&old), expected((0..KEYS).filter(|i| i % 3 != 0)));
    let created = both(subject.get("p/").prefix().min_create_revision(first)).await;
    assert_eq!(subject.names(&created), expected(0..0));
    let few = both(subject.get("p/").prefix().min_mod_revision(first).limit(12)).await;
    assert_eq!(subject.names(&few), expected((0..36).step_by(3)));
}

pub(crate) async fn serializable_pages_are_the_same(subject: &Subject<'_>) {
    written(subject).await;
    let kvs = both(subject.get("p/").prefix().serializable()).await;
    assert_eq!(subject.names(&kvs), expected(0..KEYS));
}

pub(crate) async fn an_empty_range_has_no_page(subject: &Subject<'_>) {
    assert!(subject.get("p/").prefix().pages().next().await.is_none());
    assert!(subject.get("p/").prefix().pages().page_size(3).next().await.is_none());
    assert!(subject.get("missing").pages().next().await.is_none());
}

pub(crate) async fn a_single_key_is_one_page(subject: &Subject<'_>) {
    written(subject).await;
    let kvs = both(subject.get("p/007")).await;
    assert_eq!(subject.names(&kvs), ["p/007"]);
}

pub(crate) async fn requests_without_pages_are_rejected(subject: &Subject<'_>) {
    let sorted = subject.get("p/").prefix().sort(SortTarget::Value, SortOrder::Ascend);
    let cases = [
        ("sort", sorted),
        ("count_only", subject.get("p/").prefix().count_only()),
        ("limit", subject.get("p/").limit(-1)),
    ];
    for (field, get) in cases {
        let mut pages = get.pages();
        let error = pages.next().await.expect("an error").expect_err(field);
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some(field)));
        assert!(pages.next().await.is_none());
    }
}

pub(crate) async fn large_values_come_whole(subject: &Subject<'_>) {
    for i in 0..12_u8 {
        subject.write(format!("large/{i:02}"), vec![i; 700 * 1024]).await;
    }
    let (kvs, _) = collect(subject.get("large/").prefix().pages()).await;
    assert_eq!(kvs.len(), 12);
    for (i, kv) in (0..12_u8).zip(&kvs) {
        assert!(kv.value.len() == 700 * 1024 && kv.value.iter().all(|&byte| byte == i), "value {i}");
    }
}
