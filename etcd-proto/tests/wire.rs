//! The guarantees of the generated messages about the wire format.

use etcd_proto::etcdserverpb::{AlarmType, RangeRequest, StatusResponse, WatchCreateRequest, range_request};
use etcd_proto::grpc_health_v1::{HealthCheckResponse, health_check_response::ServingStatus};
use etcd_proto::mvccpb::{Event, KeyValue, event::EventType};
use prost::Message;
use prost::bytes::Bytes;

#[test]
fn an_unknown_enum_value_survives_decoding_and_encoding() {
    // Field 1 (type), a varint, value 42; no etcd knows such an event.
    let wire: &[u8] = &[0x08, 42];
    let event = Event::decode(wire).expect("an open enum takes any number");
    assert_eq!(event.r#type, 42);
    assert!(EventType::try_from(event.r#type).is_err());
    assert_eq!(event.r#type(), EventType::Put, "the getter falls back to the default");
    assert_eq!(event.encode_to_vec(), wire);
    assert!(format!("{event:?}").contains("type: 42"));

    // The same where the values come packed: field 3 (filters), 2 bytes, NODELETE and an unknown one.
    let wire: &[u8] = &[0x2a, 2, 1, 9];
    let create = WatchCreateRequest::decode(wire).expect("an open enum takes any number");
    assert_eq!(create.filters, [1, 9]);
    assert_eq!(create.encode_to_vec(), wire);
}

#[test]
fn an_unknown_field_is_skipped() {
    // Field 1 (key) "k", then field 1000, a string that no etcd has.
    let wire: &[u8] = &[0x0a, 1, b'k', 0xc2, 0x3e, 3, b'n', b'e', b'w'];
    let range = RangeRequest::decode(wire).expect("unknown fields are not an error");
    assert_eq!(range, RangeRequest { key: "k".into(), ..Default::default() });
}

#[test]
fn decoding_from_bytes_shares_the_buffer() {
    let kv = KeyValue { key: "k".into(), value: vec![7; 4096].into(), ..Default::default() };
    let wire = Bytes::from(kv.encode_to_vec());
    let decoded = KeyValue::decode(wire.clone()).expect("just encoded");
    assert_eq!(decoded, kv);
    let buffer = wire.as_ptr_range();
    assert!(buffer.contains(&decoded.value.as_ptr()), "the value is a slice of the received buffer");
}

#[test]
fn fields_keep_the_numbers_that_servers_use() {
    let range = RangeRequest {
        key: "k".into(),
        sort_order: range_request::SortOrder::Descend.into(),
        max_create_revision: 5,
        ..Default::default()
    };
    assert_eq!(range.encode_to_vec(), [0x0a, 1, b'k', 0x28, 2, 0x68, 5]);
    let status = StatusResponse { is_learner: true, db_size_quota: 1, ..Default::default() };
    assert_eq!(status.encode_to_vec(), [0x50, 1, 0x60, 1]);
    assert_eq!(AlarmType::Corrupt as i32, 2);
    let health = HealthCheckResponse { status: ServingStatus::NotServing.into() };
    assert_eq!(health.encode_to_vec(), [0x08, 2]);
}
