//! The suite's cases of a get, answered by a cache: it means what a member means, from memory or not.

use std::sync::Arc;

use async_trait::async_trait;
use etcd_client_core::{
    Cache, CallOptions, Client, Delete, Error, Get, Put, Txn,
    kv::{Compact, CompactResponse, DeleteResponse, GetResponse, KvService, PutResponse},
    txn::TxnResponse,
    types::KeyRange,
};
use tokio::time::timeout;

use super::{live, reached};
use crate::{
    conformance::{Subject, get},
    servers::{self, PATIENCE},
};

/// Gets are the cache's, once it is as far as the last write of this client; the rest is the client's.
#[derive(Debug)]
struct Cached {
    client: Client,
    cache: Cache,
}

#[async_trait]
impl KvService for Cached {
    async fn get(&self, op: Get, _: CallOptions) -> Result<GetResponse, Error> {
        let now = self.client.get("k").count_only().await?.header;
        reached(&self.cache, now.revision).await;
        let mut answer = self.cache.read(op).await?;
        // Of an old revision the cache tells just that one; the suite looks at who answered too.
        answer.header = now;
        Ok(answer)
    }

    async fn put(&self, op: Put, options: CallOptions) -> Result<PutResponse, Error> {
        self.client.kv().put(op, options).await
    }

    async fn delete(&self, op: Delete, options: CallOptions) -> Result<DeleteResponse, Error> {
        self.client.kv().delete(op, options).await
    }

    async fn txn(&self, op: Txn, options: CallOptions) -> Result<TxnResponse, Error> {
        self.client.kv().txn(op, options).await
    }

    async fn compact(&self, op: Compact, options: CallOptions) -> Result<CompactResponse, Error> {
        self.client.kv().compact(op, options).await
    }
}

async fn alone(case: impl AsyncFnOnce(&Subject<'_>)) {
    let Some(lent) = servers::lent().await else { return };
    let client = servers::client(lent.cluster.endpoints());
    let cache = live(&client, KeyRange::all()).await;
    let cached = Arc::new(Cached { client: client.clone(), cache });
    let subject = Subject::on_own_store(&*cached, client.lease_service());
    timeout(PATIENCE, case(&subject)).await.expect("in time");
}

#[tokio::test]
async fn every_combination_of_options() {
    alone(async |subject| get::every_combination_of_options(subject).await).await;
}

#[tokio::test]
async fn fields_determine_the_history() {
    alone(async |subject| get::fields_determine_the_history(subject).await).await;
}

#[tokio::test]
async fn the_whole_keyspace_in_key_order() {
    alone(async |subject| get::the_whole_keyspace_in_key_order(subject).await).await;
}
