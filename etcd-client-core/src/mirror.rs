//! Replicates a range into another system: the range at one revision, then the changes after it.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
//! use etcd_client_core::mirror::Mirror;
//! use etcd_client_core::types::KeyRange;
//!
//! let mut mirror = Mirror::new(&client, KeyRange::prefix("config/"));
//! while let Some(page) = mirror.next().await {
//!     println!("{} pairs", page?.kvs.len());
//! }
//! let mut changes = mirror.watch()?.await?;
//! while let Some(response) = changes.next().await {
//!     println!("{} events", response?.events.len());
//! }
//! # Ok(())
//! # }
//! ```

use std::fmt;

use etcd_errors::Error;

use crate::{
    cache::source::current_revision,
    client::Client,
    kv::{Get, KvService, Page, Pages},
    request::{Bound, CallOptions, HistoryPin},
    types::{KeyRange, Revision},
    watch::{Watch, WatchService},
};

/// Replicates a key range into another system: reads the range at one revision, then watches it from there.
///
/// Every pair and every later change is delivered once, without a gap. Read the [pages](Self::next) to the end first, in constant memory,
/// then await the [watch](Self::watch). For a copy in the memory of this process use a [`Cache`](crate::cache::Cache), which also survives
/// compactions.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::mirror::Mirror;
/// use etcd_client_core::types::KeyRange;
///
/// let mut mirror = Mirror::new(&client, KeyRange::prefix("config/"));
/// while let Some(page) = mirror.next().await {
///     for kv in page?.kvs {
///         println!("{:?}", kv.key_str());
///     }
/// }
/// let mut updates = mirror.watch()?.await?;
/// while let Some(response) = updates.next().await {
///     for event in response?.events {
///         println!("{:?} {:?}", event.event_type, event.kv.key_str());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = "Syncer")]
#[doc(alias = "NewSyncer")]
#[doc(alias = "make_mirror")]
#[must_use = "a mirror does nothing until its pages are read"]
pub struct Mirror<'a> {
    kv: &'a dyn KvService,
    watch: &'a dyn WatchService,
    range: KeyRange,
    revision: Option<Revision>,
    history: HistoryPin,
    base: Base<'a>,
}

/// The progress of reading the range.
enum Base<'a> {
    Unread,
    Reading(Pages<'a>),
    Read,
    /// A page failed. The updates do not contain the missing pairs.
    Failed,
}

impl<'a> Mirror<'a> {
    /// Creates a mirror of `range`, at the revision at which the first page is read.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::mirror::Mirror;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// let mirror = Mirror::new(&client, KeyRange::prefix("config/"));
    /// # drop(mirror);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(client: &'a Client, range: KeyRange) -> Self {
        Self::over(client.kv(), client.watch_service(), range)
    }

    /// Creates a mirror on any services of the same store, such as wrappers or mocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::kv::KvService;
    /// use etcd_client_core::mirror::Mirror;
    /// use etcd_client_core::types::KeyRange;
    /// use etcd_client_core::watch::WatchService;
    ///
    /// fn mirror<'a>(kv: &'a dyn KvService, watch: &'a dyn WatchService) -> Mirror<'a> {
    ///     Mirror::over(kv, watch, KeyRange::prefix("config/"))
    /// }
    /// ```
    pub fn over(kv: &'a dyn KvService, watch: &'a dyn WatchService, range: KeyRange) -> Self {
        Self { kv, watch, range, revision: None, history: HistoryPin::new(), base: Base::Unread }
    }

    /// Reads the range at `revision` instead of the current one. If the copy is at this revision already, the pages can be skipped.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::mirror::Mirror;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// // Resume: the copy was complete at revision 1000.
    /// let mut updates = Mirror::new(&client, KeyRange::prefix("config/")).at_revision(1000).watch()?.await?;
    /// println!("{:?}", updates.next().await);
    /// # Ok(())
    /// # }
    /// ```
    pub fn at_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    /// Returns the revision of all pages, or `None` before the first page is read. The updates start after it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::mirror::Mirror;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// let mut mirror = Mirror::new(&client, KeyRange::prefix("config/"));
    /// while let Some(page) = mirror.next().await {
    ///     println!("{} keys", page?.kvs.len());
    /// }
    /// println!("complete at revision {:?}", mirror.revision());
    /// # Ok(())
    /// # }
    /// ```
    pub fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// Returns the next page, or `None` after the last one. A range without keys has no pages.
    ///
    /// # Errors
    ///
    /// Returns the errors of a get. There are no more pages after an error. [`WrongCluster`](etcd_errors::ErrorKind::WrongCluster) or
    /// [`RevisionRegressed`](etcd_errors::ErrorKind::RevisionRegressed) if another cluster or history was
    /// [accepted](Client::accept_cluster): start another mirror.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. A page in flight is returned by the next call.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::mirror::Mirror;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// let mut mirror = Mirror::new(&client, KeyRange::prefix("config/"));
    /// while let Some(page) = mirror.next().await {
    ///     println!("{} keys", page?.kvs.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "SyncBase")]
    pub async fn next(&mut self) -> Option<Result<Page, Error>> {
        let page = match self.read().await {
            Ok(page) => page.map(Ok),
            Err(error) => Some(Err(error)),
        };
        match &page {
            Some(Ok(_)) => {}
            Some(Err(_)) => self.base = Base::Failed,
            None if matches!(self.base, Base::Reading(_)) => self.base = Base::Read,
            None => {}
        }
        page
    }

    async fn read(&mut self) -> Result<Option<Page>, Error> {
        if matches!(self.base, Base::Unread) {
            let revision = match self.revision {
                Some(revision) => revision,
                // An empty range has no page, so the revision is read first.
                None => current_revision(self.kv, &self.range, &self.history).await?,
            };
            self.revision = Some(revision);
            let options = CallOptions::default().pinned(&self.history);
            let get = Get::from_range(self.range.clone()).revision(revision).bind(self.kv).options(options);
            self.base = Base::Reading(get.pages());
        }
        match &mut self.base {
            Base::Reading(pages) => pages.next().await.transpose(),
            Base::Unread | Base::Read | Base::Failed => Ok(None),
        }
    }

    /// Returns the watch of the changes after the pages. It is awaited, and accepts all options of a watch.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) if the pages were not read to the end or a page failed, because the copy
    /// would be incomplete.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::mirror::Mirror;
    /// use etcd_client_core::types::KeyRange;
    ///
    /// let mut mirror = Mirror::new(&client, KeyRange::prefix("config/"));
    /// while let Some(page) = mirror.next().await {
    ///     println!("{} keys", page?.kvs.len());
    /// }
    /// let mut updates = mirror.watch()?.prev_kv().await?;
    /// while let Some(response) = updates.next().await {
    ///     println!("{} events", response?.events.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "SyncUpdates")]
    pub fn watch(self) -> Result<Watch<Bound<'a, dyn WatchService>>, Error> {
        let (Base::Read | Base::Unread, Some(revision)) = (self.base, self.revision) else {
            let error = Error::invalid_request("revision", "read all pages before requesting the updates");
            return Err(error.with_operation("mirror"));
        };
        let mut watch = Watch::from_range(self.range).start_revision(revision.next());
        if let Some(history) = self.history.number() {
            watch = watch.in_history(history);
        }
        Ok(watch.bind(self.watch))
    }
}

impl fmt::Debug for Mirror<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror")
            .field("range", &self.range)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
