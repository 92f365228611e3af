//! Removes annotations for other tools from the vendored protos: gateway routes, OpenAPI and versions.
//!
//! The files keep the text of upstream. Only their parsed form loses custom options and the imports that define them.
//! Messages, field numbers and services do not change.

use protox::prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
    UninterpretedOption,
};

/// Imports that define custom options only.
const IMPORTS: [&str; 3] = [
    "etcd/api/versionpb/version.proto",
    "google/api/annotations.proto",
    "protoc-gen-openapiv2/options/annotations.proto",
];

/// Removes every custom option of a parsed file, and the imports that define them.
pub(super) fn strip(mut file: FileDescriptorProto) -> FileDescriptorProto {
    file.dependency.retain(|import| !IMPORTS.contains(&import.as_str()));
    keep_builtin(&mut file.options, |options| &mut options.uninterpreted_option);
    file.message_type.iter_mut().for_each(strip_message);
    file.enum_type.iter_mut().for_each(strip_enum);
    file.service.iter_mut().for_each(strip_service);
    file
}

fn strip_message(message: &mut DescriptorProto) {
    keep_builtin(&mut message.options, |options| &mut options.uninterpreted_option);
    for oneof in &mut message.oneof_decl {
        keep_builtin(&mut oneof.options, |options| &mut options.uninterpreted_option);
    }
    message.field.iter_mut().for_each(strip_field);
    message.enum_type.iter_mut().for_each(strip_enum);
    message.nested_type.iter_mut().for_each(strip_message);
}

fn strip_field(field: &mut FieldDescriptorProto) {
    keep_builtin(&mut field.options, |options| &mut options.uninterpreted_option);
}

fn strip_enum(item: &mut EnumDescriptorProto) {
    keep_builtin(&mut item.options, |options| &mut options.uninterpreted_option);
    for value in &mut item.value {
        keep_builtin(&mut value.options, |options| &mut options.uninterpreted_option);
    }
}

fn strip_service(service: &mut ServiceDescriptorProto) {
    keep_builtin(&mut service.options, |options| &mut options.uninterpreted_option);
    for method in &mut service.method {
        keep_builtin(&mut method.options, |options| &mut options.uninterpreted_option);
    }
}

/// Removes custom options, which have a part in parentheses in their name, and keeps `deprecated`, `packed` and so on.
///
/// Removes empty options altogether, because prost reads them as `packed = false`.
fn keep_builtin<T: Default + PartialEq>(
    options: &mut Option<T>,
    uninterpreted: fn(&mut T) -> &mut Vec<UninterpretedOption>,
) {
    if let Some(options) = options {
        uninterpreted(options).retain(|option| !option.name.iter().any(|part| part.is_extension));
    }
    if *options == Some(T::default()) {
        *options = None;
    }
}

#[cfg(test)]
mod tests {
    use protox::file::File;

    use super::*;

    #[test]
    fn custom_options_are_removed_and_builtin_options_stay() {
        let source = r#"
            syntax = "proto3";
            import "google/api/annotations.proto";
            import "etcd/api/mvccpb/kv.proto";
            option (tool.file) = { a: { b: 1 } };
            message M {
              option (tool.message) = "3.0";
              int64 plain = 1 [(tool.field) = "3.1"];
              int64 old = 2 [deprecated = true, (tool.field) = "3.2"];
              enum E { option (tool.item) = 1; ZERO = 0 [(tool.value) = "x"]; }
            }
            service S { rpc Call(M) returns (M) { option (google.api.http) = { post: "/v3" body: "*" }; } }
        "#;
        let parsed = File::from_source("m.proto", source).expect("valid").file_descriptor_proto().clone();
        assert!(format!("{parsed:?}").contains("is_extension: true"));

        let stripped = strip(parsed);
        assert!(!format!("{stripped:?}").contains("is_extension: true"));
        assert_eq!(stripped.dependency, ["etcd/api/mvccpb/kv.proto"]);
        assert_eq!(stripped.message_type[0].field[0].options, None);
        let old = stripped.message_type[0].field[1].options.as_ref().expect("keeps its options");
        assert_eq!(old.uninterpreted_option[0].name[0].name_part, "deprecated");
    }
}
