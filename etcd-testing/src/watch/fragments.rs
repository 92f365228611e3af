//! The pieces of a response that is too large for one message.

use etcd_proto::etcdserverpb::WatchResponse;
use prost::Message as _;

/// The size from which a response is split: etcd's default of 1.5 MiB for a request, and 512 KiB for its overhead.
const MAX_SIZE: usize = 1_572_864 + 512 * 1024;

/// Splits `response` between its events into pieces below the limit. A piece has at least one event.
pub(super) fn split(response: WatchResponse) -> Vec<WatchResponse> {
    if response.events.len() < 2 || response.encoded_len() < MAX_SIZE {
        return vec![response];
    }
    let events = response.events;
    let empty = WatchResponse { events: Vec::new(), fragment: true, ..response };
    let base = empty.encoded_len();
    let mut pieces = vec![empty.clone()];
    let mut size = base;
    for event in events {
        let length = event.encoded_len();
        // One byte for the tag of the field, and the length of the event.
        let with_event = size + 1 + prost::length_delimiter_len(length) + length;
        let needs_piece =
            pieces.last().is_none_or(|piece| !piece.events.is_empty() && with_event >= MAX_SIZE);
        if needs_piece {
            size = base + with_event - size;
            pieces.push(empty.clone());
        } else {
            size = with_event;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.events.push(event);
        }
    }
    if let Some(last) = pieces.last_mut() {
        last.fragment = false;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use etcd_proto::mvccpb::{Event, KeyValue};

    use super::*;

    fn response(sizes: &[usize]) -> WatchResponse {
        let event = |size: &usize| Event {
            kv: Some(KeyValue { value: vec![0; *size].into(), ..Default::default() }),
            ..Default::default()
        };
        WatchResponse { watch_id: 7, events: sizes.iter().map(event).collect(), ..Default::default() }
    }

    fn pieces(sizes: &[usize]) -> Vec<(usize, bool)> {
        split(response(sizes)).iter().map(|piece| (piece.events.len(), piece.fragment)).collect()
    }

    #[test]
    fn a_response_is_split_between_its_events() {
        assert_eq!(pieces(&[100; 46]), [(46, false)]);
        assert_eq!(pieces(&[100 * 1024; 46]), [(20, true), (20, true), (6, false)]);
        assert_eq!(pieces(&[900 * 1024; 10]), [(2, true), (2, true), (2, true), (2, true), (2, false)]);
    }

    #[test]
    fn an_event_is_never_split() {
        assert_eq!(pieces(&[3 << 20]), [(1, false)]);
        assert_eq!(pieces(&[3 << 20, 10, 3 << 20]), [(1, true), (1, true), (1, false)]);
        assert!(split(response(&[3 << 20, 10])).iter().all(|piece| piece.watch_id == 7));
    }
}
