//! Following who leads.

use std::{collections::VecDeque, fmt};

use etcd_client_core::{ErrorKind, Get, Key, WatchCreate, WatchHandle};
use futures_core::Stream;

use super::contenders::{Contenders, Leader};
use crate::{
    Error, Store, contender_prefix,
    pause::{Pauses, passes},
};

/// Follows who leads: the present first, then each change of the leader and each proclamation, in their order.
///
/// A vacancy is told as well. Where history was compacted before it was seen, or another cluster or history was accepted, the present is
/// told again, and nothing stops.
/// One read and one watch serve for all of it. Outages are waited out.
///
/// It keeps its client alive: dropping the last [`Client`](etcd_client_core::Client) does not end it.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::{Leader, Observer};
///
/// let mut observer = Observer::new(&client, "scheduler");
/// while let Some(leader) = observer.next().await {
///     match leader? {
///         Leader::Elected(kv) => println!("{:?} leads", kv.value_str()),
///         _ => println!("nobody leads"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "an observer does nothing until it is asked for what is next"]
pub struct Observer {
    store: Store,
    queue: Key,
    contenders: Contenders,
    told: VecDeque<Leader>,
    watch: Option<WatchHandle>,
    listed: bool,
    pauses: Pauses,
    failed: bool,
}

impl fmt::Debug for Observer {
    /// Short: contenders may be many, and their values large.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("queue", &self.queue)
            .field("contenders", &self.contenders.len())
            .field("following", &self.watch.is_some())
            .finish_non_exhaustive()
    }
}

impl Observer {
    /// Follows the election of this name, without a session.
    pub fn new(store: impl Into<Store>, name: impl Into<Key>) -> Self {
        Self {
            store: store.into(),
            queue: contender_prefix(name),
            contenders: Contenders::default(),
            told: VecDeque::new(),
            watch: None,
            listed: false,
            pauses: Pauses::OUTAGE,
            failed: false,
        }
    }

    /// Who leads next; an error at most once, as the last.
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> Option<Result<Leader, Error>> {
        while !self.failed {
            if let Some(leader) = self.told.pop_front() {
                return Some(Ok(leader));
            }
            match self.step().await {
                Ok(()) => {}
                Err(error) if error.is_compacted() => {}
                // Another history may be accepted, and is told from its beginning then.
                Err(error) if passes(&error) || lost_history(&error) => self.pauses.pause().await,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error.into()));
                }
            }
        }
        None
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Leader, Error>> + Send + Unpin {
        let next = |mut observer: Self| async move { observer.next().await.map(|leader| (leader, observer)) };
        Box::pin(futures_util::stream::unfold(self, next))
    }

    /// Lists, watches, or takes in what the watch tells: whichever is missing. After an error it begins with the list again.
    async fn step(&mut self) -> Result<(), etcd_client_core::Error> {
        if let Some(watch) = &mut self.watch {
            let response = watch.next().await;
            let Some(Ok(response)) = response else {
                (self.watch, self.listed) = (None, false);
                return response.map_or(Ok(()), |failed| failed.map(drop));
            };
            self.pauses.reset();
            self.told.extend(self.contenders.apply(response.events));
        } else if self.listed {
            let from = self.contenders.revision().next();
            let watch = WatchCreate::new(&self.queue).prefix().start_revision(from);
            let created = watch.bind(self.store.watch_service()).await;
            self.listed = false;
            self.watch = Some(created?);
        } else {
            let all = Get::new(&self.queue).prefix().bind(self.store.kv()).await?;
            self.told.extend(self.contenders.listed(all.kvs, all.header.revision));
            self.listed = true;
        }
        Ok(())
    }
}

/// Whether what was read is of another cluster, or of a history that is gone.
fn lost_history(error: &etcd_client_core::Error) -> bool {
    matches!(error.kind(), ErrorKind::WrongCluster | ErrorKind::RevisionRegressed)
}
