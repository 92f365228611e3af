//! A long range, page by page, at one revision.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use etcd_errors::{Error, ErrorKind, Outcome};
use futures_core::{Stream, stream::BoxStream};
use futures_util::stream::{StreamExt as _, unfold};

use crate::{
    mechanism::page_plan::PagePlan,
    model::{KeyValue, Revision},
    op::{Bound, Get, KeyRange},
    service::{CallOptions, Kv, RangeStream},
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
/// between two pages.
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
    /// The first page is an [`InvalidRequest`](ErrorKind::InvalidRequest) when the get has a sort, counts only or is invalid by
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
            walk.plan = PagePlan::fixed(keys.max(1));
            walk.streams = false;
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

/// How far the range has been read.
#[derive(Debug)]
struct Walk<'a> {
    kv: &'a dyn Kv,
    get: Get,
    options: CallOptions,
    plan: PagePlan,
    /// Keys still wanted, `None` for all.
    remaining: Option<u64>,
    pinned: Option<Revision>,
    /// The last key that was delivered.
    last: Option<Bytes>,
    stream: Option<RangeStream>,
    /// Whether a stream is worth trying.
    streams: bool,
}

type Step<'a> = Option<(Result<Page, Error>, Option<Walk<'a>>)>;

impl<'a> Walk<'a> {
    fn new(kv: &'a dyn Kv, get: Get, options: CallOptions) -> Self {
        let spec = get.spec();
        let filters = [
            spec.min_mod_revision,
            spec.max_mod_revision,
            spec.min_create_revision,
            spec.max_create_revision,
        ];
        // RangeStream refuses revision filters on every version that has it.
        let streams = filters.iter().all(|&revision| revision == Revision::ZERO);
        let remaining = u64::try_from(spec.limit).ok().filter(|&limit| limit > 0);
        Self {
            kv,
            get,
            options,
            plan: PagePlan::adaptive(),
            remaining,
            pinned: None,
            last: None,
            stream: None,
            streams,
        }
    }

    async fn step(mut self) -> Step<'a> {
        if let Some(error) = self.refusal() {
            return Some((Err(error), None));
        }
        if self.pinned.is_some() && self.streams && self.stream.is_none() {
            self.open_stream().await;
        }
        if self.stream.is_some() {
            match self.streamed_page().await {
                Streamed::Page(kvs) => return self.deliver(kvs, true),
                Streamed::End => return None,
                Streamed::Failed(error) => return Some((Err(error), None)),
                Streamed::Broken => self.stream = None,
            }
        }
        self.asked_page().await
    }

    /// What cannot be read by pages, said before anything is sent.
    fn refusal(&self) -> Option<Error> {
        if self.get.spec().sort.is_some() {
            return Some(Error::invalid_request(
                "sort",
                "pages come in key order: a get with a sort has none",
            ));
        }
        if self.get.spec().count_only {
            return Some(Error::invalid_request("count_only", "a count has no pages"));
        }
        // Each page brings a limit of its own, which would hide this one.
        if self.get.spec().limit < 0 {
            return Some(Error::invalid_request("limit", "limit is negative"));
        }
        None
    }

    async fn open_stream(&mut self) {
        match self.kv.range_stream(self.rest(self.remaining), self.options.clone()).await {
            Ok(stream) => self.stream = Some(stream),
            // Asking for a page says what is wrong where something is, and works where only the stream does not.
            Err(_) => self.streams = false,
        }
    }

    async fn streamed_page(&mut self) -> Streamed {
        let Some(stream) = &mut self.stream else { return Streamed::Broken };
        loop {
            match stream.next().await {
                Some(Ok(chunk)) if chunk.kvs.is_empty() => {}
                Some(Ok(chunk)) => return Streamed::Page(chunk.kvs),
                Some(Err(error)) if is_broken(&error) => return Streamed::Broken,
                Some(Err(error)) => return Streamed::Failed(error),
                None => return Streamed::End,
            }
        }
    }

    async fn asked_page(mut self) -> Step<'a> {
        let limit = self.plan.limit(self.remaining);
        let get = self.rest(Some(u64::from(limit)));
        let response = match self.kv.get(get, self.options.clone()).await {
            Ok(response) => response,
            Err(error) => return Some((Err(error), None)),
        };
        let asked = self.get.spec().revision;
        self.pinned.get_or_insert(if asked > Revision::ZERO { asked } else { response.header.revision });
        let bytes = response.kvs.iter().map(|kv| kv.key.len() + kv.value.len()).sum();
        self.plan.observe(response.kvs.len(), bytes);
        if response.kvs.is_empty() {
            return None;
        }
        self.deliver(response.kvs, response.more)
    }

    /// The get for what was not delivered yet.
    fn rest(&self, limit: Option<u64>) -> Get {
        let mut get = self.get.clone();
        if let Some(last) = &self.last {
            let (_, range_end) = get.spec().range.bounds();
            // The next key after `last` in byte order.
            let start = [last, &b"\0"[..]].concat();
            get.spec_mut().range = KeyRange::from_bounds(start.into(), range_end);
        }
        if let Some(pinned) = self.pinned {
            get = get.revision(pinned);
        }
        get.limit(limit.map_or(0, |limit| i64::try_from(limit).unwrap_or(i64::MAX)))
    }

    fn deliver(mut self, kvs: Vec<KeyValue>, more: bool) -> Step<'a> {
        let (Some(first), Some(last)) = (kvs.first(), kvs.last()) else { return None };
        if self.last.as_ref().is_some_and(|seen| first.key <= *seen) {
            let error = Error::new(ErrorKind::Protocol, "a page repeats keys of the page before");
            return Some((Err(error.with_operation("get")), None));
        }
        // A copy: the key itself would keep the whole page in memory.
        self.last = Some(Bytes::copy_from_slice(&last.key));
        let delivered = u64::try_from(kvs.len()).unwrap_or(u64::MAX);
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(delivered));
        let page = Page { revision: self.pinned.unwrap_or(Revision::ZERO), kvs };
        let ended = !more || self.remaining == Some(0);
        Some((Ok(page), (!ended).then_some(self)))
    }
}

enum Streamed {
    Page(Vec<KeyValue>),
    End,
    Failed(Error),
    /// Asking for the next page may work.
    Broken,
}

fn is_broken(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Unsupported)
        || matches!(error.code(), Some(code) if code.outcome() == Outcome::Unknown)
}
