//! One step after another through a range, over a stream or by asking.

use bytes::Bytes;
use etcd_errors::{Code, Error, ErrorKind};

use super::Page;
use crate::{
    mechanism::page_plan::PagePlan,
    model::{KeyValue, Revision},
    op::{Get, HistoryPin, KeyRange},
    service::{CallOptions, Kv, RangeStream},
};

/// How far the range has been read.
#[derive(Debug)]
pub(super) struct Walk<'a> {
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
    /// Whether the stream has given anything.
    streamed: bool,
}

pub(super) type Step<'a> = Option<(Result<Page, Error>, Option<Walk<'a>>)>;

impl<'a> Walk<'a> {
    pub(super) fn new(kv: &'a dyn Kv, get: Get, mut options: CallOptions) -> Self {
        if !options.history().is_set_up() {
            options = options.pinned(&HistoryPin::new());
        }
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
            streamed: false,
        }
    }

    /// Every page has so many keys; streams have sizes of their own.
    pub(super) fn fix_page_size(&mut self, keys: u32) {
        self.plan = PagePlan::fixed(keys.max(1));
        self.streams = false;
    }

    pub(super) async fn step(mut self) -> Step<'a> {
        if let Some(error) = self.refusal() {
            return Some((Err(error.with_operation("get")), None));
        }
        if self.pinned.is_some() && self.streams && self.stream.is_none() {
            self.open_stream().await;
        }
        match self.streamed_page().await {
            Streamed::Page(kvs) => self.deliver(kvs, true),
            Streamed::End => None,
            Streamed::Broken => self.asked_page().await,
            Streamed::Disbelieved(error) => Some((Err(error), None)),
        }
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

    /// Asking for a page says what is wrong where something is, and works where only the stream does not.
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
                // Its header came last: what it gave before is no better.
                Some(Err(error)) if self.streamed && is_disbelief(&error) => {
                    return Streamed::Disbelieved(error);
                }
                Some(Err(_)) => {
                    self.stream = None;
                    // One that gave nothing would cost each page its timeout.
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
            self.get.spec_mut().serializable = false;
            answer = self.kv.get(self.rest(Some(limit)), self.options.clone()).await;
        }
        let response = match answer {
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

    /// Whether a member has not caught up yet with the revision that another one gave. A linearizable page waits for it.
    fn is_behind(&self, error: &Error) -> bool {
        let pinned_here = self.pinned.is_some() && self.get.spec().revision == Revision::ZERO;
        error.code() == Some(Code::FutureRev) && pinned_here && self.get.spec().serializable
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
    /// Nothing comes from a stream: ask for a page.
    Broken,
    /// The stream was of another cluster or history.
    Disbelieved(Error),
}

fn is_disbelief(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WrongCluster | ErrorKind::RevisionRegressed)
}
