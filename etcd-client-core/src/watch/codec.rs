//! Conversions for the requests and messages of a watch stream.

use bytes::Bytes;
use etcd_proto::{
    etcdserverpb::{self as pb, watch_create_request::FilterType, watch_request::RequestUnion},
    mvccpb,
};

use crate::{
    kv::codec::key_value,
    request::header::convert,
    types::{Event, ResponseHeader},
    watch::Watch,
};

/// One message of a watch stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WatchMessage {
    pub(crate) header: ResponseHeader,
    /// The server's id of the watch on this stream. It is negative for messages about no watch or about all of them.
    pub(crate) id: i64,
    pub(crate) created: bool,
    pub(crate) canceled: bool,
    /// Zero if the store was not compacted.
    pub(crate) compact_revision: i64,
    pub(crate) reason: String,
    /// True if the next message of this watch continues these events.
    pub(crate) fragment: bool,
    pub(crate) events: Vec<Event>,
    /// The reason why the events cannot be decoded, if any.
    pub(crate) flaw: Option<&'static str>,
}

pub(crate) fn watch_message(response: pb::WatchResponse) -> WatchMessage {
    let mut flaw = None;
    let events = response.events.into_iter().filter_map(|event| event_of(event, &mut flaw)).collect();
    WatchMessage {
        header: response.header.map(convert).unwrap_or_default(),
        id: response.watch_id,
        created: response.created,
        canceled: response.canceled,
        compact_revision: response.compact_revision,
        reason: response.cancel_reason,
        fragment: response.fragment,
        events,
        flaw,
    }
}

fn event_of(event: mvccpb::Event, flaw: &mut Option<&'static str>) -> Option<Event> {
    let Some(kv) = event.kv else {
        *flaw = Some("a watch event has no key");
        return None;
    };
    let kv = key_value(kv);
    let converted = match mvccpb::event::EventType::try_from(event.r#type) {
        Ok(mvccpb::event::EventType::Put) => Event::put(kv),
        Ok(mvccpb::event::EventType::Delete) => Event::delete(kv),
        Err(_unknown) => {
            *flaw = Some("a watch event is neither a put nor a delete");
            return None;
        }
    };
    Some(converted.with_prev_kv(event.prev_kv.map(key_value)))
}

/// Encodes a create request for a watch from revision `start`, where zero means now. Progress notifications are
/// always requested, because the client itself uses them.
///
/// `number` is the requested id of the watch on its stream. etcd's gRPC proxy ignores it.
pub(crate) fn watch_create_request(
    spec: &Watch,
    start: i64,
    fragment: bool,
    number: i64,
) -> pb::WatchRequest {
    let (key, range_end) = spec.range.bounds();
    let filters = [(spec.no_put, FilterType::Noput), (spec.no_delete, FilterType::Nodelete)];
    request(RequestUnion::CreateRequest(pb::WatchCreateRequest {
        key,
        range_end,
        start_revision: start,
        progress_notify: true,
        filters: filters.into_iter().filter(|(set, _)| *set).map(|(_, filter)| filter.into()).collect(),
        prev_kv: spec.prev_kv,
        watch_id: number,
        fragment,
    }))
}

/// Encodes a create request over an empty range. Every server version answers it, and it watches nothing, so the
/// response shows that the stream works.
pub(crate) fn watch_echo_request() -> pb::WatchRequest {
    const ABOVE: Bytes = Bytes::from_static(b"\x02");
    const BELOW: Bytes = Bytes::from_static(b"\x01");
    request(RequestUnion::CreateRequest(pb::WatchCreateRequest {
        key: ABOVE,
        range_end: BELOW,
        ..Default::default()
    }))
}

pub(crate) fn watch_cancel_request(id: i64) -> pb::WatchRequest {
    request(RequestUnion::CancelRequest(pb::WatchCancelRequest { watch_id: id }))
}

pub(crate) fn watch_progress_request() -> pb::WatchRequest {
    request(RequestUnion::ProgressRequest(pb::WatchProgressRequest {}))
}

fn request(union: RequestUnion) -> pb::WatchRequest {
    pb::WatchRequest { request_union: Some(union) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Watch;

    fn message(events: Vec<mvccpb::Event>) -> WatchMessage {
        watch_message(pb::WatchResponse { events, ..Default::default() })
    }

    #[test]
    fn impossible_events_are_a_flaw() {
        let kv = mvccpb::KeyValue { key: "k".into(), mod_revision: 5, ..Default::default() };
        let event = |kind, kv| mvccpb::Event { r#type: kind, kv, prev_kv: None };
        let good = message(vec![event(0, Some(kv.clone())), event(1, Some(kv.clone()))]);
        assert_eq!(good.flaw, None);
        assert!(!good.events[0].is_delete() && good.events[1].is_delete());
        assert!(message(vec![event(7, Some(kv))]).flaw.is_some());
        assert!(message(vec![event(0, None)]).flaw.is_some());
    }

    #[test]
    fn watch_options_are_encoded() {
        let spec = Watch::new("a").prefix().no_put().prev_kv();
        let Some(RequestUnion::CreateRequest(create)) = watch_create_request(&spec, 7, true, 9).request_union
        else {
            panic!("a create")
        };
        assert_eq!(
            (&create.key[..], &create.range_end[..], create.start_revision),
            (&b"a"[..], &b"b"[..], 7)
        );
        assert_eq!(create.filters, [i32::from(FilterType::Noput)]);
        assert!(create.prev_kv && create.fragment && create.progress_notify);
        assert_eq!(create.watch_id, 9);
    }
}
