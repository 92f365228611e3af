//! An observer of an election's leader.

use std::{collections::VecDeque, fmt};

use etcd_client_core::{ErrorKind, Get, Key, Watch, watch::WatchStream};
use futures_core::Stream;

use super::contenders::{Contenders, Leader};
use crate::{
    Error, Store,
    backoff::{Backoff, is_transient},
    keys::contender_prefix,
};

/// An observer of an election's leader: reports the current leader first, then each change of the leader and each proclamation,
/// in their order.
///
/// It also reports when there is no leader. If history was compacted before it was received, or another cluster or history was
/// accepted, the current leader is reported again and the observer continues.
/// An observer uses one read and one watch. It survives outages, and keeps its client alive: dropping the last
/// [`Client`](etcd_client_core::Client) does not end it.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_concurrency::election::{Leader, Observer};
///
/// let mut observer = Observer::new(&client, "scheduler");
/// while let Some(leader) = observer.next().await {
///     match leader? {
///         Leader::Elected(kv) => println!("{:?} leads", kv.value_str()),
///         _ => println!("no leader"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = "Observe")]
#[must_use = "an observer does nothing until `next` is called"]
pub struct Observer {
    store: Store,
    queue: Key,
    contenders: Contenders,
    pending: VecDeque<Leader>,
    watch: Option<WatchStream>,
    listed: bool,
    backoff: Backoff,
    failed: bool,
}

impl fmt::Debug for Observer {
    /// Prints the number of contenders only, because they may be many and their values large.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("queue", &self.queue)
            .field("contenders", &self.contenders.len())
            .field("following", &self.watch.is_some())
            .finish_non_exhaustive()
    }
}

impl Observer {
    /// Creates an observer of the election `name`, without a session.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) {
    /// let observer = etcd_concurrency::election::Observer::new(&client, "scheduler");
    /// # drop(observer);
    /// # }
    /// ```
    pub fn new(store: impl Into<Store>, name: impl Into<Key>) -> Self {
        Self {
            store: store.into(),
            queue: contender_prefix(name),
            contenders: Contenders::default(),
            pending: VecDeque::new(),
            watch: None,
            listed: false,
            backoff: Backoff::OUTAGE,
            failed: false,
        }
    }

    /// Returns the next leader. Returns `None` after an error.
    ///
    /// # Errors
    ///
    /// Returns the client's error, for instance if the user may not read or watch the keys. It is the last item.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(mut observer: etcd_concurrency::election::Observer) -> Result<(), etcd_concurrency::Error> {
    /// while let Some(leader) = observer.next().await {
    ///     println!("{:?}", leader?.value());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Result<Leader, Error>> {
        while !self.failed {
            if let Some(leader) = self.pending.pop_front() {
                return Some(Ok(leader));
            }
            match self.step().await {
                Ok(()) => {}
                Err(error) if error.is_compacted() => {}
                // The user may accept the other history, which is then listed from scratch.
                Err(error) if is_transient(&error) || lost_history(&error) => self.backoff.wait().await,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error.into()));
                }
            }
        }
        None
    }

    /// Converts the observer into a stream.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(observer: etcd_concurrency::election::Observer) {
    /// let leaders = observer.into_stream();
    /// # drop(leaders);
    /// # }
    /// ```
    pub fn into_stream(self) -> impl Stream<Item = Result<Leader, Error>> + Send + Unpin {
        let next = |mut observer: Self| async move { observer.next().await.map(|leader| (leader, observer)) };
        Box::pin(futures_util::stream::unfold(self, next))
    }

    /// Takes one step: lists the contenders, creates the watch, or applies one of its messages. After an error it lists again.
    async fn step(&mut self) -> Result<(), etcd_client_core::Error> {
        if let Some(watch) = &mut self.watch {
            let response = watch.next().await;
            let Some(Ok(response)) = response else {
                (self.watch, self.listed) = (None, false);
                return response.map_or(Ok(()), |failed| failed.map(drop));
            };
            self.backoff.reset();
            self.pending.extend(self.contenders.apply(response.events));
        } else if self.listed {
            let from = self.contenders.revision().next();
            let watch = Watch::new(&self.queue).prefix().start_revision(from);
            let created = watch.bind(self.store.watch_service()).await;
            // Reset before the error is returned, so that a failed watch is followed by a new listing.
            self.listed = false;
            self.watch = Some(created?);
        } else {
            let all = Get::new(&self.queue).prefix().bind(self.store.kv()).await?;
            self.pending.extend(self.contenders.replace(all.kvs, all.header.revision));
            self.listed = true;
        }
        Ok(())
    }
}

/// Returns whether the response came from another cluster, or from a store that lost part of its history.
fn lost_history(error: &etcd_client_core::Error) -> bool {
    matches!(error.kind(), ErrorKind::WrongCluster | ErrorKind::RevisionRegressed)
}
