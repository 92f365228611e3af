//! One suite for every implementation of [`KvService`] and [`LeaseService`]: the client itself, each wrapper, each transport.
//!
//! A case is a function of a [`Subject`]. `conformance_suite!()` makes a test of every case in a module that has
//! two functions which bring the subject: `shared`, with a prefix of its own on a store that others use, and `alone`,
//! with a store that was emptied and that nobody else writes to.

use std::{
    str,
    sync::atomic::{AtomicUsize, Ordering},
};

use etcd_client_core::{
    Delete, Get, Key, KeyValue, LeaseId, Put, Revision, Txn, Value,
    kv::{KvService, Pages},
    lease::{LeaseClient, LeaseService},
    request::Bound,
};

pub(crate) mod compact;
pub(crate) mod compare;
pub(crate) mod compare_range;
pub(crate) mod delete;
pub(crate) mod execute;
pub(crate) mod get;
pub(crate) mod lease;
pub(crate) mod namespaced;
pub(crate) mod pages;
pub(crate) mod pages_at_revision;
pub(crate) mod put;
pub(crate) mod raw;
pub(crate) mod through_service;
pub(crate) mod txn;
pub(crate) mod txn_nested;

/// Makes a test of every case of the suite.
macro_rules! conformance_suite {
    () => {
        $crate::conformance::tests! { shared =>
            put: [
                a_put_is_read_back, an_empty_value_is_a_value, binary_keys_and_values_are_kept,
                an_overwrite_counts_versions_and_keeps_the_create_revision, prev_kv_is_the_replaced_pair,
                a_lease_is_attached_and_an_overwrite_detaches_it, an_unknown_lease_is_rejected,
                ignore_value_keeps_the_value, ignore_lease_keeps_the_lease,
                ignoring_on_a_missing_key_is_rejected,
            ],
            compare: [every_target_and_operator, a_missing_key_compares_as_zero, a_value_compare_fails_on_a_missing_key],
            compare_range: [
                a_prefix_must_hold_for_all_keys, a_range_end_bounds_the_compare, an_empty_range_compares_as_zero,
            ],
            txn: [
                the_success_branch_is_applied, the_failure_branch_is_applied, all_compares_must_hold,
                operations_run_in_order_at_one_revision, without_compares_the_success_branch_is_applied,
                a_lone_compare_has_no_responses, a_rejected_operation_applies_nothing, an_inverted_range_is_empty,
            ],
            txn_nested: [the_response_has_the_shape_of_the_request, nested_compares_see_earlier_writes],
            execute: [each_kind_answers_in_kind],
            lease: [
                a_default_id_is_given_and_positive, a_chosen_id_is_taken, a_negative_id_is_granted_and_works,
                a_taken_id_is_rejected,
                a_short_ttl_is_raised, a_ttl_beyond_the_maximum_is_rejected, revoking_deletes_the_keys,
                time_to_live_lists_keys_on_request, an_unknown_lease_has_no_time_to_live,
                leases_are_listed_in_the_order_of_their_grants, revoking_an_unknown_lease_is_rejected,
                an_expired_lease_takes_its_keys_along, one_renewal_gives_the_whole_time_again,
                a_kept_lease_outlives_its_time_and_is_revoked, a_kept_lease_that_is_revoked_elsewhere_is_lost, a_key_put_without_its_lease_survives_it,
            ],
            pages: [
                every_key_comes_once_and_in_order, the_limit_is_one_of_all_pages, keys_only_pages_have_no_values,
                revision_filters_apply_to_every_page, serializable_pages_are_the_same,
                an_empty_range_has_no_page, a_single_key_is_one_page, requests_without_pages_are_rejected,
                large_values_come_whole,
            ],
            pages_at_revision: [writes_between_pages_are_not_seen, an_old_revision_is_read],
        }
        $crate::conformance::tests! { alone =>
            get: [every_combination_of_options, fields_determine_the_history, the_whole_keyspace_in_key_order],
            delete: [each_range_form, prev_kvs_are_the_deleted_pairs, deleting_nothing_changes_no_revision],
            txn: [a_read_only_txn_changes_no_revision, a_txn_answers_with_the_revision_it_made],
            compact: [
                the_same_revision_twice_is_rejected, a_future_revision_is_rejected, older_reads_are_rejected,
                the_current_revision_can_be_compacted, a_physical_compaction_answers,
                compaction_between_pages_ends_them,
            ],
        }
    };
}
pub(crate) use conformance_suite;

/// A test for each case, run by `$run`.
macro_rules! tests {
    ($run:ident => $($module:ident: [$($case:ident),+ $(,)?]),+ $(,)?) => {
        mod $run {
            $(mod $module {
                $(#[tokio::test]
                async fn $case() {
                    super::super::$run(
                        async |subject| $crate::conformance::$module::$case(subject).await
                    ).await;
                })+
            })+
        }
    };
}
pub(crate) use tests;

/// What a case works on.
pub(crate) struct Subject<'a> {
    pub(crate) kv: &'a dyn KvService,
    pub(crate) lease: &'a dyn LeaseService,
    prefix: String,
}

impl<'a> Subject<'a> {
    /// Keys get a prefix that no other subject of this process has.
    pub(crate) fn on_shared_store(kv: &'a dyn KvService, lease: &'a dyn LeaseService) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let prefix = format!("case-{:04}/", NEXT.fetch_add(1, Ordering::Relaxed));
        Self { kv, lease, prefix }
    }

    /// Keys are what the case says: the store holds nothing else.
    pub(crate) fn on_own_store(kv: &'a dyn KvService, lease: &'a dyn LeaseService) -> Self {
        Self { kv, lease, prefix: String::new() }
    }

    pub(crate) fn key(&self, name: impl AsRef<[u8]>) -> Key {
        [self.prefix.as_bytes(), name.as_ref()].concat().into()
    }

    pub(crate) fn get(&self, name: impl AsRef<[u8]>) -> Get<Bound<'a, dyn KvService>> {
        Get::new(self.key(name)).bind(self.kv)
    }

    pub(crate) fn put(
        &self,
        name: impl AsRef<[u8]>,
        value: impl Into<Value>,
    ) -> Put<Bound<'a, dyn KvService>> {
        Put::new(self.key(name), value).bind(self.kv)
    }

    pub(crate) fn delete(&self, name: impl AsRef<[u8]>) -> Delete<Bound<'a, dyn KvService>> {
        Delete::new(self.key(name)).bind(self.kv)
    }

    pub(crate) fn txn(&self) -> Txn<Bound<'a, dyn KvService>> {
        Txn::new().bind(self.kv)
    }

    pub(crate) fn leases(&self) -> LeaseClient<'a> {
        LeaseClient::new(self.lease)
    }

    /// Writes a key and says at which revision.
    pub(crate) async fn write(&self, name: impl AsRef<[u8]>, value: impl Into<Value>) -> Revision {
        self.put(name, value).await.expect("put").header.revision
    }

    /// The pair, `None` when there is no such key.
    pub(crate) async fn read(&self, name: impl AsRef<[u8]>) -> Option<KeyValue> {
        self.get(name).await.expect("get").into_first()
    }

    /// The value as text.
    pub(crate) async fn value(&self, name: impl AsRef<[u8]>) -> Option<String> {
        self.read(name).await.map(|kv| kv.value_str().expect("text").to_owned())
    }

    /// The revision that the store is at.
    pub(crate) async fn revision(&self) -> Revision {
        self.get("no such key").await.expect("get").header.revision
    }

    /// A lease that outlives the test.
    pub(crate) async fn granted(&self) -> LeaseId {
        self.leases().grant(std::time::Duration::from_secs(600)).await.expect("grant").id
    }

    /// The names of keys, without the prefix of the subject.
    pub(crate) fn names(&self, kvs: &[KeyValue]) -> Vec<String> {
        let name = |kv: &KeyValue| {
            let name = kv.key.strip_prefix(self.prefix.as_bytes()).expect("a key of this case");
            str::from_utf8(name).expect("text").to_owned()
        };
        kvs.iter().map(name).collect()
    }
}

/// All pairs of all pages, which are at one revision, and that revision.
pub(crate) async fn collect(mut pages: Pages<'_>) -> (Vec<KeyValue>, Option<Revision>) {
    let (mut kvs, mut revision) = (Vec::new(), None);
    while let Some(page) = pages.next().await {
        let page = page.expect("a page");
        assert!(!page.kvs.is_empty(), "a page without keys");
        assert_eq!(*revision.get_or_insert(page.revision), page.revision, "pages of two revisions");
        kvs.extend(page.kvs);
    }
    (kvs, revision)
}
