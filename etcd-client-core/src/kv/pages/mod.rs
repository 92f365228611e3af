//! Reads a long range page by page at one revision.

pub(crate) mod plan;

pub(crate) mod walk;

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use etcd_errors::Error;
use futures_core::{Stream, stream::BoxStream};
use futures_util::stream::{StreamExt as _, unfold};

use crate::{
    kv::{Get, KvService, pages::walk::Walk},
    request::Bound,
    types::{KeyValue, Revision},
};

/// A page of a range: a number of pairs in key order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The revision of all pages of the range.
    pub revision: Revision,
    /// The pairs of this page, at least one.
    pub kvs: Vec<KeyValue>,
}

/// The pages of a range, returned by [`Get::pages`]. Read it with [`next`](Self::next) or as a [`Stream`].
///
/// The first page fixes the revision of all pages, so later writes do not affect them. Members of etcd 3.7 stream the remaining pages
/// (`RangeStream`). If a member cannot stream, or its stream fails, each page is a separate call. Memory use is constant: pages aim at
/// 1 MiB.
///
/// With a revision filter such as [`min_mod_revision`](Get::min_mod_revision), a member reads the whole rest of the range for each page,
/// because etcd filters after reading.
///
/// # Errors
///
/// Returns the errors of a get. The stream ends after an error.
///
/// - [`Code::Compacted`](etcd_errors::Code::Compacted) if the revision was compacted between two pages.
/// - [`WrongCluster`](etcd_errors::ErrorKind::WrongCluster) or [`RevisionRegressed`](etcd_errors::ErrorKind::RevisionRegressed) if another
///   cluster or history was [accepted](crate::client::Client::accept_cluster) between two pages. The pages before belong to a history that
///   is lost.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// let mut pages = client.get("users/").prefix().pages();
/// while let Some(page) = pages.next().await {
///     for kv in page?.kvs {
///         println!("{}", kv.key_str().unwrap_or("not text"));
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "pages are read with `next` or as a stream"]
pub struct Pages<'a> {
    reading: Reading<'a>,
}

enum Reading<'a> {
    NotStarted(Option<Box<Walk<'a>>>),
    Started(BoxStream<'a, Result<Page, Error>>),
}

impl<'a> Get<Bound<'a, dyn KvService>> {
    /// Reads the range page by page at one revision. [`limit`](Get::limit) limits the total number of keys.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest), as the first item, if the get is sorted, counts only, or is invalid itself.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut pages = client.get("users/").prefix().pages();
    /// while let Some(page) = pages.next().await {
    ///     println!("{} keys", page?.kvs.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "pagination")]
    #[doc(alias = "paginate")]
    pub fn pages(self) -> Pages<'a> {
        let service = self.service();
        let (get, options) = self.unbind();
        Pages { reading: Reading::NotStarted(Some(Box::new(Walk::new(service, get, options)))) }
    }
}

impl Pages<'_> {
    /// Sets the number of keys per page. By default the size adapts to the size of the values. Has no effect after the first page.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut pages = client.get("users/").prefix().pages().page_size(500);
    /// while let Some(page) = pages.next().await {
    ///     println!("{} keys", page?.kvs.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn page_size(mut self, keys: u32) -> Self {
        if let Reading::NotStarted(Some(walk)) = &mut self.reading {
            walk.fix_page_size(keys);
        }
        self
    }

    /// Returns the next page, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// Returns the errors that [`Pages`] lists. The stream ends after an error.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. A page in flight is returned by the next call.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut pages = client.get("users/").prefix().pages();
    /// while let Some(page) = pages.next().await {
    ///     println!("{} keys", page?.kvs.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Result<Page, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Pages<'_> {
    type Item = Result<Page, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut self.reading {
                Reading::Started(pages) => return pages.as_mut().poll_next(cx),
                Reading::NotStarted(walk) => {
                    let first = walk.take().map(|walk| *walk);
                    let steps = unfold(first, |walk| async { walk?.step().await });
                    self.reading = Reading::Started(Box::pin(steps.fuse()));
                }
            }
        }
    }
}

impl fmt::Debug for Pages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}
