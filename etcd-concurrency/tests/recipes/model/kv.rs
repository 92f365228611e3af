//! The KV service of the model.

use async_trait::async_trait;
use etcd_client_core::{
    CallOptions, Code, Delete, Error, ErrorKind, Get, Outcome, Put, Txn,
    kv::{Compact, CompactResponse, DeleteResponse, GetResponse, KvService, PutResponse},
    request::RetryPolicy,
    txn::{Op, TxnResponse},
};
use tokio::time::sleep;

use super::{Fault, HALF_TRIP, Model};

/// The time after which the client gives up.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

fn lost(outcome: Outcome) -> Error {
    Error::new(ErrorKind::Unavailable, "the connection was lost").with_outcome(outcome)
}

impl Model {
    /// Delivers a request to the model. Fails during an outage.
    async fn arrive(&self) -> Result<(), Error> {
        sleep(HALF_TRIP).await;
        if self.inner().faults.outage {
            sleep(PATIENCE).await;
            return Err(lost(Outcome::NotApplied));
        }
        Ok(())
    }

    /// Returns whether a write is accepted. A full store rejects a transaction with a put in either branch.
    pub(super) fn admits(&self, puts: bool) -> Result<(), Error> {
        let faults = &self.inner().faults;
        match (faults.denied, faults.full && puts) {
            (true, _) => Err(Code::PermissionDenied.into()),
            (_, true) => Err(Code::NoSpace.into()),
            _ => Ok(()),
        }
    }

    async fn read<T>(&self, read: impl FnOnce(&Self) -> T) -> Result<T, Error> {
        self.inner().counts.reads += 1;
        self.arrive().await?;
        let read = read(self);
        sleep(HALF_TRIP).await;
        Ok(read)
    }

    /// Applies a copy that arrives later.
    fn later<T: Send + 'static>(
        &self,
        after: std::time::Duration,
        write: &(impl Fn(&Self) -> Result<T, Error> + Clone + Send + 'static),
    ) {
        let (model, write) = (self.clone(), write.clone());
        tokio::spawn(async move {
            sleep(after).await;
            let _ = write(&model);
        });
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        idempotent: bool,
        write: impl Fn(&Self) -> Result<T, Error> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        self.inner().counts.writes += 1;
        // A call whose outcome was unknown once stays so.
        let mut sent = false;
        let ambiguous = |error: Error| error.with_outcome(Outcome::Unknown);
        loop {
            self.arrive().await.map_err(|error| if sent { ambiguous(error) } else { error })?;
            let fault = self.next_fault();
            match fault {
                Fault::None | Fault::AfterDeletingTokens | Fault::AfterRevoking(_) => {
                    match fault {
                        Fault::AfterDeletingTokens => self.delete_tokens(),
                        Fault::AfterRevoking(lease) => self.revoke(lease),
                        _ => {}
                    }
                    let written = write(self);
                    sleep(HALF_TRIP).await;
                    return written.map_err(|error| if sent { ambiguous(error) } else { error });
                }
                Fault::RequestLost => {}
                Fault::Rejected if sent => return Err(ambiguous(Code::TooManyRequests.into())),
                Fault::Rejected => return Err(Code::TooManyRequests.into()),
                Fault::Delayed(after) => self.later(after, &write),
                Fault::TimesOut(after) => {
                    self.later(after, &write);
                    sleep(PATIENCE).await;
                    return Err(lost(Outcome::Unknown));
                }
                Fault::AnswerLost => {
                    let _ = write(self);
                }
                Fault::AppliedLater(after) => {
                    self.later(after, &write);
                    return Err(lost(Outcome::Unknown));
                }
                Fault::Hangs(after) => {
                    self.later(after, &write);
                    return std::future::pending().await;
                }
            }
            if !idempotent {
                return Err(lost(Outcome::Unknown));
            }
            sent = true;
        }
    }
}

fn puts(op: &Op) -> bool {
    match op {
        Op::Put(_) => true,
        Op::Txn(txn) => txn.success().iter().chain(txn.failure()).any(puts),
        _ => false,
    }
}

#[async_trait]
impl KvService for Model {
    async fn get(&self, op: Get, _options: CallOptions) -> Result<GetResponse, Error> {
        let spec = op;
        self.read(move |model| model.inner().mvcc.get(&spec)).await?
    }

    async fn put(&self, op: Put, _options: CallOptions) -> Result<PutResponse, Error> {
        let spec = op;
        self.write(false, move |model| {
            model.admits(true)?;
            model.change(|mvcc| mvcc.put(spec.clone()))
        })
        .await
    }

    async fn delete(&self, op: Delete, _options: CallOptions) -> Result<DeleteResponse, Error> {
        let spec = op;
        self.write(false, move |model| Ok(model.change(|mvcc| mvcc.delete(&spec)))).await
    }

    async fn txn(&self, op: Txn, options: CallOptions) -> Result<TxnResponse, Error> {
        let read_only = op.is_read_only();
        let spec = op;
        if read_only {
            return self.read(move |model| model.change(|mvcc| mvcc.txn(&spec))).await?;
        }
        let idempotent = options.retry == RetryPolicy::AssumeIdempotent;
        let puts = spec.success().iter().chain(spec.failure()).any(puts);
        let id = self.record(spec, idempotent);
        let written = self.write(idempotent, move |model| {
            model.admits(puts)?;
            model.apply(id)
        });
        written.await.map_err(|error| match error.outcome() {
            Outcome::NotApplied => self.rejected(id, error),
            _ => error,
        })
    }

    async fn compact(&self, op: Compact, _options: CallOptions) -> Result<CompactResponse, Error> {
        let revision = op.revision.get();
        self.inner().mvcc.compact(revision)?;
        Ok(CompactResponse::new(self.inner().mvcc.header()))
    }
}
