//! Mirror: a range as it was at one revision, then what changed after it, for whoever keeps a copy elsewhere.

use std::fmt;

use etcd_errors::Error;

use super::revision;
use crate::{
    client::{Client, Page, Pages},
    model::Revision,
    op::{Get, HistoryPin, KeyRange, WatchBound, WatchCreate},
    service::{CallOptions, Kv, Watch},
};

/// Reads a range to the end at one revision, and watches it from there: every pair and every change once, and none in between lost.
///
/// First the [pages](Self::next), in flat memory, then the [updates](Self::updates). A copy in this process is better kept by a
/// [`Cache`](super::Cache), which also goes on after a compaction.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::{KeyRange, Mirror};
///
/// let mut mirror = Mirror::new(&client, KeyRange::prefix("config/"));
/// while let Some(page) = mirror.next().await {
///     for kv in page?.kvs {
///         println!("{:?}", kv.key_str());
///     }
/// }
/// let mut updates = mirror.updates()?.await?;
/// while let Some(response) = updates.next().await {
///     for event in response?.events {
///         println!("{:?} {:?}", event.event_type, event.kv.key_str());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a mirror does nothing until its pages are read"]
pub struct Mirror<'a> {
    kv: &'a dyn Kv,
    watch: &'a dyn Watch,
    range: KeyRange,
    revision: Option<Revision>,
    history: HistoryPin,
    base: Base<'a>,
}

/// How much of the range was read.
enum Base<'a> {
    Unread,
    Reading(Pages<'a>),
    Read,
    /// It broke: what is missing cannot be made up for by updates.
    Failed,
}

impl<'a> Mirror<'a> {
    /// A mirror of `range` as it is when the first page is read.
    pub fn new(client: &'a Client, range: KeyRange) -> Self {
        Self::over(client.kv(), client.watch_service(), range)
    }

    /// A mirror on services of your own, both of the same store.
    pub fn over(kv: &'a dyn Kv, watch: &'a dyn Watch, range: KeyRange) -> Self {
        Self { kv, watch, range, revision: None, history: HistoryPin::new(), base: Base::Unread }
    }

    /// Reads the range as it was at `revision` instead. Whoever has that already can leave the pages out.
    pub fn at_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    /// The revision of all pages, once the first one was asked for. The updates begin after it.
    pub fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// The next page, `None` after the last one. A range without keys has none.
    ///
    /// Cancel safe: a page that was under way is given by the next call.
    ///
    /// # Errors
    /// Those of a get. After one there are no more pages. [`WrongCluster`](etcd_errors::ErrorKind::WrongCluster) or
    /// [`RevisionRegressed`](etcd_errors::ErrorKind::RevisionRegressed) once another cluster or history was
    /// [accepted](Client::accept_cluster): make another mirror.
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
                // An empty range has no page that tells its revision.
                None => revision::current(self.kv, &self.range, &self.history).await?,
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

    /// Watches what changes after the pages: an operation to be awaited, with all options of a watch.
    ///
    /// # Errors
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) where pages are left, or one failed: the copy would be wrong.
    pub fn updates(self) -> Result<WatchCreate<WatchBound<'a>>, Error> {
        let (Base::Read | Base::Unread, Some(revision)) = (self.base, self.revision) else {
            let error = Error::invalid_request("revision", "the pages were not read to their end");
            return Err(error.with_operation("mirror"));
        };
        let mut watch = WatchCreate::from_range(self.range).start_revision(revision.next());
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
