//! The steps of reading a range, from a stream or by separate gets.

use bytes::Bytes;
use etcd_errors::{Code, Error, ErrorKind};

use crate::{
    kv::{Get, KvService, Page, RangeStream, pages::plan::PagePlan},
    request::{CallOptions, HistoryPin},
    types::{KeyRange, KeyValue, Revision},
};

/// The position in a range that is being read.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    kv: &'a dyn KvService,
    get: Get,
    options: CallOptions,
    plan: PagePlan,
    /// The number of keys left to read, `None` for all.
    remaining: Option<u64>,
    pinned: Option<Revision>,
    /// The last key that was delivered.
    last: Option<Bytes>,
    stream: Option<RangeStream>,
    /// Whether to try a stream.
    streams: bool,
    /// Whether the stream has delivered pairs.
    streamed: bool,
}

pub(crate) type Step<'a> = Option<(Result<Page, Error>, Option<Walk<'a>>)>;

impl<'a> Walk<'a> {
    pub(crate) fn new(kv: &'a dyn KvService, get: Get, mut options: CallOptions) -> Self {
        if !options.history().is_set_up() {
            options = options.pinned(&HistoryPin::new());
        }
        let spec = &get;
        let filters = [
            spec.min_mod_revision,
            spec.max_mod_revision,
            spec.min_create_revision,
            spec.max_create_revision,
        ];
        // Every version of etcd that has RangeStream rejects revision filters.
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
            streamed: false,
        }
    }

    /// Fixes the number of keys per page. Streams are not used then, because the server chooses the size of their chunks.
    pub(crate) fn fix_page_size(&mut self, keys: u32) {
        self.plan = PagePlan::fixed(keys.max(1));
        self.streams = false;
    }

    pub(crate) async fn step(mut self) -> Step<'a> {
        if let Some(error) = self.rejection() {
            return Some((Err(error.with_operation("get")), None));
        }
        if self.pinned.is_some() && self.streams && self.stream.is_none() {
            self.open_stream().await;
        }
        match self.streamed_page().await {
            Streamed::Page(kvs) => self.deliver(kvs, true),
            Streamed::End => None,
            Streamed::Broken => self.asked_page().await,
            Streamed::Inconsistent(error) => Some((Err(error), None)),
        }
    }

    /// Returns an error for a get that cannot be read by pages, before anything is sent.
    fn rejection(&self) -> Option<Error> {
        if self.get.sort.is_some() {
            return Some(Error::invalid_request("sort", "pages() cannot be combined with sort()"));
        }
        if self.get.count_only {
            return Some(Error::invalid_request(
                "count_only",
                "pages() cannot be combined with count_only()",
            ));
        }
        // Checked here, because each page sets its own limit and would hide a negative one.
        if self.get.limit < 0 {
            return Some(Error::invalid_request("limit", "limit is negative"));
        }
        None
    }

    /// Opens a stream. An error is ignored: the get that follows reports it, or succeeds if only the stream failed.
    async fn open_stream(&mut self) {
        match self.kv.range_stream(self.rest(self.remaining), self.options.clone()).await {
            Ok(stream) => (self.stream, self.streamed) = (Some(stream), false),
            Err(_) => self.streams = false,
        }
    }

    async fn streamed_page(&mut self) -> Streamed {
        let Some(stream) = &mut self.stream else { return Streamed::Broken };
        loop {
            match stream.next().await {
                Some(Ok(chunk)) if chunk.kvs.is_empty() => {}
                Some(Ok(chunk)) => {
                    self.streamed = true;
                    return Streamed::Page(chunk.kvs);
                }
                None => return Streamed::End,
                // The header arrives last, so the chunks delivered before belong to the wrong history as well.
                Some(Err(error)) if self.streamed && is_inconsistency(&error) => {
                    return Streamed::Inconsistent(error);
                }
                Some(Err(_)) => {
                    self.stream = None;
                    // Do not try another stream if this one delivered nothing: it would cost each page its timeout.
                    self.streams = self.streamed;
                    return Streamed::Broken;
                }
            }
        }
    }

    async fn asked_page(mut self) -> Step<'a> {
        let limit = u64::from(self.plan.limit(self.remaining));
        let mut answer = self.kv.get(self.rest(Some(limit)), self.options.clone()).await;
        if answer.as_ref().is_err_and(|error| self.is_behind(error)) {
            self.get.serializable = false;
            answer = self.kv.get(self.rest(Some(limit)), self.options.clone()).await;
        }
        let response = match answer {
            Ok(response) => response,
            Err(error) => return Some((Err(error), None)),
        };
        let asked = self.get.revision;
        self.pinned.get_or_insert(if asked > Revision::ZERO { asked } else { response.header.revision });
        let bytes = response.kvs.iter().map(|kv| kv.key.len() + kv.value.len()).sum();
        self.plan.observe(response.kvs.len(), bytes);
        if response.kvs.is_empty() {
            return None;
        }
        self.deliver(response.kvs, response.more)
    }

    /// Returns whether the member has not caught up with the pinned revision, which another member reported. A linearizable get
    /// waits until the member has.
    fn is_behind(&self, error: &Error) -> bool {
        let pinned_here = self.pinned.is_some() && self.get.revision == Revision::ZERO;
        error.code() == Some(Code::FutureRev) && pinned_here && self.get.serializable
    }

    /// Returns the get for the pairs that were not delivered yet.
    fn rest(&self, limit: Option<u64>) -> Get {
        let mut get = self.get.clone();
        if let Some(last) = &self.last {
            let (_, range_end) = get.range.bounds();
            // The smallest key that is greater than `last` in byte order.
            let start = [last, &b"\0"[..]].concat();
            get.range = KeyRange::from_bounds(start.into(), range_end);
        }
        if let Some(pinned) = self.pinned {
            get = get.revision(pinned);
        }
        get.limit(limit.map_or(0, |limit| i64::try_from(limit).unwrap_or(i64::MAX)))
    }

    fn deliver(mut self, kvs: Vec<KeyValue>, more: bool) -> Step<'a> {
        let (Some(first), Some(last)) = (kvs.first(), kvs.last()) else { return None };
        if self.last.as_ref().is_some_and(|seen| first.key <= *seen) {
            let error = Error::new(ErrorKind::Protocol, "a page repeats keys of the previous page");
            return Some((Err(error.with_operation("get")), None));
        }
        // Copied: a slice of the key would pin the whole page in memory.
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
    /// There is no stream, or it has failed: read the page with a get.
    Broken,
    /// The stream belonged to another cluster or history.
    Inconsistent(Error),
}

fn is_inconsistency(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WrongCluster | ErrorKind::RevisionRegressed)
}
