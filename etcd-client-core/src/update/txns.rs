//! The requests of an update, and its answers.

use etcd_errors::Error;

use crate::{
    kv::{Delete, Get, GetResponse, Put},
    txn::{Compare, Op, Txn, TxnResponse},
    types::Key,
    update::{
        evidence::{Answer, burned, mark},
        marker::Marker,
        state::Attempt,
        write::Write,
    },
};

/// Returns the transaction that writes the key and the marker if neither has changed.
pub(super) fn attempt(key: &Key, attempt: &Attempt, marker: &Marker) -> Txn {
    let write: Op = match &attempt.write {
        Write::Put { key, value, lease } => {
            let mut put = Put::new(key, value);
            put.lease = *lease;
            put.into()
        }
        Write::Delete => Delete::new(key).into(),
    };
    // The mod revision of a missing key is zero.
    let unchanged = Compare::mod_revision(key).equal(attempt.expected);
    let mark = Put::new(&marker.key, mark(attempt.number)).lease(marker.lease);
    Txn::new().when((unchanged, unused(marker))).then((write, mark)).or_else(both(key, marker))
}

/// Returns the transaction that writes the marker if the attempt has not, so that it cannot be applied later.
pub(super) fn resolve(key: &Key, attempt: &Attempt, marker: &Marker) -> Txn {
    let burn = Put::new(&marker.key, burned(attempt.number)).lease(marker.lease);
    Txn::new().when(unused(marker)).then((Get::new(key), burn)).or_else(both(key, marker))
}

/// Returns the transaction that reads the key and the marker.
pub(super) fn inspect(key: &Key, marker: &Marker) -> Txn {
    // Without conditions the first branch is executed.
    Txn::new().then(both(key, marker))
}

fn unused(marker: &Marker) -> Compare {
    Compare::mod_revision(&marker.key).equal(marker.known)
}

fn both(key: &Key, marker: &Marker) -> [Get; 2] {
    [Get::new(key), Get::new(&marker.key)]
}

/// Reads the response to an attempt or a resolution.
pub(super) fn answer(response: Result<TxnResponse, Error>) -> Result<Answer, Error> {
    let response = response?;
    let found = |index| response.get(index).and_then(GetResponse::first).cloned();
    Ok(Answer {
        succeeded: response.succeeded(),
        revision: response.header.revision,
        current: found(0),
        marker: found(1),
    })
}

/// Reads the response to a get of the key.
pub(super) fn read(response: Result<GetResponse, Error>) -> Result<Answer, Error> {
    let response = response?;
    let revision = response.header.revision;
    Ok(Answer { revision, current: response.into_first(), ..Answer::default() })
}
