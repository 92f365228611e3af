//! Removes the prefix from the keys of responses. A write whose response has a key outside of the namespace may have been applied.

use etcd_errors::{Error, Outcome};

use crate::{
    kv::{DeleteResponse, GetResponse, PutResponse},
    namespace::prefix::Prefix,
    txn::{OpResponse, TxnResponse},
};

impl Prefix {
    pub(crate) fn strip_get(
        &self,
        mut response: GetResponse,
        outcome: Outcome,
    ) -> Result<GetResponse, Error> {
        self.strip_kvs(&mut response.kvs, outcome)?;
        Ok(response)
    }

    pub(crate) fn strip_put(&self, mut response: PutResponse) -> Result<PutResponse, Error> {
        self.strip_kvs(&mut response.prev_kv, Outcome::Unknown)?;
        Ok(response)
    }

    pub(crate) fn strip_delete(&self, mut response: DeleteResponse) -> Result<DeleteResponse, Error> {
        self.strip_kvs(&mut response.prev_kvs, Outcome::Unknown)?;
        Ok(response)
    }

    /// Removes the prefix from all nested responses. `outcome` is the outcome of the whole transaction in case of an error.
    pub(crate) fn strip_txn(
        &self,
        mut response: TxnResponse,
        outcome: Outcome,
    ) -> Result<TxnResponse, Error> {
        self.strip_ops(&mut response.responses, outcome)?;
        Ok(response)
    }

    fn strip_ops(&self, responses: &mut [OpResponse], outcome: Outcome) -> Result<(), Error> {
        responses.iter_mut().try_for_each(|response| match response {
            OpResponse::Get(get) => self.strip_kvs(&mut get.kvs, outcome),
            OpResponse::Put(put) => self.strip_kvs(&mut put.prev_kv, outcome),
            OpResponse::Delete(delete) => self.strip_kvs(&mut delete.prev_kvs, outcome),
            OpResponse::Txn(txn) => self.strip_ops(&mut txn.responses, outcome),
        })
    }
}
