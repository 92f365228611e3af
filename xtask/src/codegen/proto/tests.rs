//! Tests of the proto generator: the generated code has the whole upstream API, and `Debug` prints no secret.

use std::fs;

use super::*;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../etcd-proto/proto")
}

/// Returns the declarations of a parsed file, such as "message M", "rpc R" and "field = 3".
fn described(file: &FileDescriptorProto) -> Vec<String> {
    fn enumeration(item: &protox::prost_reflect::prost_types::EnumDescriptorProto, found: &mut Vec<String>) {
        found.push(format!("enum {}", item.name()));
        found.extend(item.value.iter().map(|value| format!("{} = {}", value.name(), value.number())));
    }
    fn message(item: &DescriptorProto, found: &mut Vec<String>) {
        if item.options.as_ref().is_some_and(|options| options.map_entry()) {
            return;
        }
        found.push(format!("message {}", item.name()));
        found.extend(item.oneof_decl.iter().map(|oneof| format!("oneof {}", oneof.name())));
        found.extend(item.field.iter().map(|field| format!("{} = {}", field.name(), field.number())));
        item.enum_type.iter().for_each(|nested| enumeration(nested, found));
        item.nested_type.iter().for_each(|nested| message(nested, found));
    }
    let mut found = Vec::new();
    file.message_type.iter().for_each(|item| message(item, &mut found));
    file.enum_type.iter().for_each(|item| enumeration(item, &mut found));
    for service in &file.service {
        found.push(format!("service {}", service.name()));
        found.extend(service.method.iter().map(|method| format!("rpc {}", method.name())));
    }
    found.sort();
    found
}

#[test]
fn stripping_loses_no_message_no_field_number_and_no_rpc() {
    let files = compile(&directory()).expect("the vendored protos compile");
    assert_eq!(files.len(), PROTOS.len());
    for file in &files {
        let source = fs::read_to_string(directory().join(file.name())).expect("vendored");
        let upstream = File::from_source(file.name(), &source).expect("valid");
        assert_eq!(described(upstream.file_descriptor_proto()), described(file), "{}", file.name());
    }
    let all: Vec<String> = files.iter().flat_map(described).filter(|item| !item.contains('=')).collect();
    let count = |kind: &str| all.iter().filter(|item| item.starts_with(kind)).count();
    assert_eq!((count("service "), count("rpc "), count("message ")), (9, 52, 121));
}

#[test]
fn every_message_and_rpc_is_in_the_generated_code() {
    let files = compile(&directory()).expect("the vendored protos compile");
    let code = generate(&directory()).expect("the vendored protos generate");
    for file in &files {
        let text = &code[&format!("{}.rs", module_name(file))];
        for message in &file.message_type {
            // Names in Rust are in camel case: HashKVRequest becomes HashKvRequest.
            let declaration = format!("pub struct {} ", message.name()).to_lowercase();
            assert!(text.to_lowercase().contains(&declaration), "{declaration}");
        }
        for service in &file.service {
            for method in &service.method {
                let path = format!("\"/{}.{}/{}\"", file.package(), service.name(), method.name());
                assert_eq!(text.matches(&path).count(), 2, "{path} in client and server");
            }
        }
    }
}

#[test]
fn two_runs_give_the_same_text() {
    assert_eq!(generate(&directory()).expect("generates"), generate(&directory()).expect("generates"));
}

#[test]
fn a_new_field_with_a_secret_is_rejected() {
    let mut files = compile(&directory()).expect("the vendored protos compile");
    ensure_redacted(&files).expect("the list is complete");
    let health = files.iter_mut().find(|file| file.package() == "grpc.health.v1").expect("vendored");
    health.message_type[0].field[0].name = Some("accessToken".to_owned());
    let error = ensure_redacted(&files).expect_err("a token is a secret").to_string();
    assert!(error.contains(".grpc.health.v1.HealthCheckRequest"), "{error}");
}
