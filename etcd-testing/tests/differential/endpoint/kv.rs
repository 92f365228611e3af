//! The KV service.

use etcd_proto::etcdserverpb::{
    CompactionRequest, DeleteRangeRequest, PutRequest, RangeRequest, RangeResponse, TxnRequest,
};

use super::Endpoint;
use crate::{operation::Who, show::status};

impl Endpoint {
    pub(super) async fn range(&mut self, who: Who, request: RangeRequest) -> String {
        let result = self.kv().range(self.request(who, request)).await;
        self.read(result)
    }

    /// The chunks as one response. Their number depends on the sizes of the pairs, and is not compared.
    pub(super) async fn range_stream(&mut self, who: Who, request: RangeRequest) -> String {
        let mut stream = match self.kv().range_stream(self.request(who, request)).await {
            Ok(response) => response.into_inner(),
            Err(error) => return status(&error),
        };
        let mut whole = RangeResponse::default();
        let error = loop {
            match stream.message().await {
                Ok(Some(chunk)) => {
                    let chunk = chunk.range_response.unwrap_or_default();
                    whole.kvs.extend(chunk.kvs);
                    whole.header = chunk.header;
                    whole.more = chunk.more;
                    whole.count = chunk.count;
                }
                Ok(None) => break String::new(),
                Err(error) => break format!(" then {}", status(&error)),
            }
        };
        self.note(&whole) + &error
    }

    pub(super) async fn put(&mut self, who: Who, request: PutRequest) -> String {
        let result = self.kv().put(self.request(who, request)).await;
        self.read(result)
    }

    pub(super) async fn delete(&mut self, who: Who, request: DeleteRangeRequest) -> String {
        let result = self.kv().delete_range(self.request(who, request)).await;
        self.read(result)
    }

    pub(super) async fn txn(&mut self, who: Who, request: TxnRequest) -> String {
        let result = self.kv().txn(self.request(who, request)).await;
        self.read(result)
    }

    /// A watch that is still reading history would be cancelled by a compaction, depending on the time.
    pub(super) async fn compact(&mut self, who: Who, request: CompactionRequest) -> String {
        let mut delivered = String::new();
        if self.reads_history() {
            delivered = self.fence().await;
        }
        let revision = request.revision;
        let result = self.kv().compact(self.request(who, request)).await;
        if result.is_ok() {
            self.revisions.compacted = revision;
        }
        self.read(result) + &delivered
    }
}
