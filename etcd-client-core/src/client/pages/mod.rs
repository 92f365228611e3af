//! A long range, page by page, at one revision.

mod walk;

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use etcd_errors::Error;
use futures_core::{Stream, stream::BoxStream};
use futures_util::stream::{StreamExt as _, unfold};

use self::walk::Walk;
use crate::{
    model::{KeyValue, Revision},
    op::{Bound, Get},
};

/// Some keys of a range, in key order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The revision that all pages of one range are read at.
    pub revision: Revision,
    /// The keys, at least one.
    pub kvs: Vec<KeyValue>,
}

/// The pages of a range: a stream, or a loop over [`next`](Self::next).
///
/// The first page fixes the revision of all of them, so that what is written meanwhile changes nothing. Where the member has
/// `RangeStream` (etcd 3.7) the rest is streamed, elsewhere it is asked for page by page; a stream that breaks is continued
/// by pages. Memory stays flat: pages aim at 1 MiB.
///
/// With a revision filter ([`min_mod_revision`](Get::min_mod_revision) and its like) a member reads all of the rest for each
/// page: it filters after it has read.
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
///
/// # Errors
///
/// As a get; after an error the stream ends. [`Code::Compacted`](etcd_errors::Code::Compacted) says that the revision was compacted
/// between two pages. [`WrongCluster`](etcd_errors::ErrorKind::WrongCluster) or
/// [`RevisionRegressed`](etcd_errors::ErrorKind::RevisionRegressed) says that another cluster or history was
/// [accepted](crate::Client::accept_cluster) between two pages: the pages before it are of a history that is lost.
#[must_use = "pages are read with `next` or as a stream"]
pub struct Pages<'a> {
    reading: Reading<'a>,
}

enum Reading<'a> {
    NotStarted(Option<Box<Walk<'a>>>),
    Started(BoxStream<'a, Result<Page, Error>>),
}

impl<'a> Get<Bound<'a>> {
    /// Reads the range page by page at one revision. [`limit`](Get::limit) is the number of keys in all.
    ///
    /// # Errors
    ///
    /// The first page is an [`InvalidRequest`](etcd_errors::ErrorKind::InvalidRequest) when the get has a sort, counts only or is invalid by
    /// itself.
    pub fn pages(self) -> Pages<'a> {
        let service = self.service();
        let (get, options) = self.unbind();
        Pages { reading: Reading::NotStarted(Some(Box::new(Walk::new(service, get, options)))) }
    }
}

impl Pages<'_> {
    /// Asks for pages of `keys` keys each instead of sizes that adapt to the values. Only before the first page.
    pub fn page_size(mut self, keys: u32) -> Self {
        if let Reading::NotStarted(Some(walk)) = &mut self.reading {
            walk.fix_page_size(keys);
        }
        self
    }

    /// The next page, `None` after the last one.
    ///
    /// Cancel safe: a page that was under way is given by the next call.
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
