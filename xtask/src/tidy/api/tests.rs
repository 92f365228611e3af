//! What counts as existing, and what must not.

use super::*;

/// Two crates, of which the second re-exports from the first.
fn api() -> Api {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let files = [
        file("low/src/lib.rs", "mod code;\npub use code::Code;\npub(crate) use code::Inner;"),
        file("low/src/code.rs", "pub enum Code {\n    Empty,\n    Other(u8),\n}\npub struct Inner;"),
        file(
            "high-er/src/lib.rs",
            "mod op;\nmod bind;\npub mod open;\nmod client;\npub use client::{Client, run};\npub use low::Code;\n\
            pub use op::{Get, Kv, Put as Write};\npub use bytes::Bytes;\n#[cfg(test)]\npub fn only_tested() {}",
        ),
        file(
            "high-er/src/bind.rs",
            "macro_rules! bindable {\n    ($op:ident, $spec:ident) => {\n        impl $op {\n            pub fn bind(self) {}\n        }\n        impl<B> $op<B> {\n            pub fn spec(&self) -> &$spec {}\n        }\n    };\n}\npub(crate) use bindable;",
        ),
        file(
            "high-er/src/op/mod.rs",
            "mod get;\nmod put;\npub use get::{Get, GetSpec};\npub use put::*;\npub trait Kv {\n    fn get(&self);\n}",
        ),
        file(
            "high-er/src/op/get.rs",
            "use crate::bind::bindable;\nmacro_rules! setters {\n    ($($a:ident).+) => {\n        pub fn prefix(self) {}\n    };\n}\n\
            pub struct Get<B = ()> {\n    pub limit: i64,\n    binding: B,\n}\npub struct GetSpec;\nbindable!(Get, GetSpec);\n\
            impl<B: Fn() -> u8> Get<B> {\n    setters!(spec.range);\n    pub const fn keys_only(self) {}\n    pub(crate) fn hidden(self) {}\n}\n\
            impl Clone for Get {\n    fn clone(&self) {}\n}\n",
        ),
        file(
            "high-er/src/op/put.rs",
            "pub struct Put;\nimpl Put {\n    /// Not `pub fn fake()`.\n    pub fn lease(self) {}\n}",
        ),
        file(
            "high-er/src/open.rs",
            "pub struct Get;\nimpl Get {\n    pub fn of_another(self) {}\n}\npub mod inner {\n    pub struct Deep;\n}",
        ),
        file(
            "high-er/src/client.rs",
            "use crate::op::Get;\npub struct Client;\nmod run {}\npub async fn run() {}\nimpl crate::op::Get {\n    pub fn pages(self) {}\n}\n\
            impl Get {\n    pub const MOST: u8 = 1;\n}\npub struct Unreachable;",
        ),
    ];
    Api::new(&files, &["low", "high-er"])
}

#[test]
fn what_a_user_can_name_exists() {
    let api = api();
    for path in [
        "low::Code",
        "low::Code::Empty",
        "low::Code::Other",
        "high_er::Code::Empty",
        "high_er::Client",
        "high_er::run",
        "high_er::Get",
        "high_er::Get::limit",
        "high_er::Get::keys_only",
        "high_er::Get::pages",
        "high_er::Get::MOST",
        "high_er::Write",
        "high_er::Write::lease",
        "high_er::Kv::get",
        "high_er::Bytes",
        "high_er::open",
        "high_er::open::Get::of_another",
        "high_er::open::inner::Deep",
    ] {
        assert_eq!(api.missing(path), None, "{path}");
    }
}

#[test]
fn what_a_macro_writes_exists() {
    let api = api();
    for path in ["high_er::Get::bind", "high_er::Get::spec", "high_er::Get::prefix"] {
        assert_eq!(api.missing(path), None, "{path}");
    }
    assert!(api.missing("high_er::Write::bind").is_some());
}

#[test]
fn what_a_user_cannot_name_does_not_exist() {
    let api = api();
    for path in [
        "other::Code",
        "low",
        "low::code::Code",
        "low::Inner",
        "low::Cod",
        "low::Code::Emty",
        "low::Code::Empty::more",
        "high_er::op::Get",
        "high_er::GetSpec",
        "high_er::Put",
        "high_er::Unreachable",
        "high_er::only_tested",
        "high_er::Get::binding",
        "high_er::Get::hidden",
        "high_er::Get::clone",
        "high_er::Get::of_another",
        "high_er::open::Get::limit",
        "high_er::Write::fake",
        "high_er::Bytes::len",
        "high_er::run::run",
        "",
    ] {
        assert!(api.missing(path).is_some(), "{path}");
    }
}

#[test]
fn a_missing_path_says_which_part_is_wrong() {
    let api = api();
    assert_eq!(api.missing("high_er::Get::pgaes").as_deref(), Some("`high_er::Get` has no public `pgaes`"));
    assert_eq!(api.missing("high_er::Gte::pages").as_deref(), Some("`high_er` has no public `Gte`"));
}
