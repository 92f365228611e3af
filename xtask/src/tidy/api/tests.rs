//! What counts as existing, and what must not.

use super::*;

/// Two crates, of which the second re-exports from the first: path and text of each file.
const FILES: [(&str, &str); 9] = [
    (
        "low/src/lib.rs",
        r"
        mod code;
        pub use code::Code;
        pub(crate) use code::Inner;
        ",
    ),
    (
        "low/src/code.rs",
        r"
        pub enum Code { Empty, Other(u8) }
        pub struct Inner;
        ",
    ),
    (
        "high-er/src/lib.rs",
        r"
        mod op;
        mod bind;
        pub mod open;
        mod client;
        pub use client::{Client, run};
        pub use low::Code;
        pub use op::{Get, Kv, Put as Write};
        pub use bytes::Bytes;
        #[cfg(test)]
        pub fn only_tested() {}
        ",
    ),
    (
        "high-er/src/bind.rs",
        r"
        macro_rules! bindable {
            ($op:ident, $spec:ident) => {
                impl $op {
                    pub fn bind(self) {}
                }
                impl<B> $op<B> {
                    pub fn spec(&self) -> &$spec {}
                }
            };
        }
        pub(crate) use bindable;
        ",
    ),
    (
        "high-er/src/op/mod.rs",
        r"
        mod get;
        mod put;
        pub use get::{Get, GetSpec};
        pub use put::*;
        pub trait Kv {
            fn get(&self);
        }
        ",
    ),
    (
        "high-er/src/op/get.rs",
        r"
        use crate::bind::bindable;
        macro_rules! setters {
            ($($a:ident).+) => {
                pub fn prefix(self) {}
            };
        }
        pub struct Get<B = ()> {
            pub limit: i64,
            binding: B,
        }
        pub struct GetSpec;
        bindable!(Get, GetSpec);
        impl<B: for<'a> Fn(&'a u8) -> u8> Get<B> {
            setters!(spec.range);
            pub const fn keys_only(self) {}
            pub(crate) fn hidden(self) {}
        }
        impl Clone for Get {
            fn clone(&self) {}
        }
        ",
    ),
    (
        "high-er/src/op/put.rs",
        r"
        pub struct Put;
        impl Put {
            /// Not `pub fn fake()`.
            pub fn lease(self) {}
        }
        ",
    ),
    (
        "high-er/src/open.rs",
        r"
        pub struct Get;
        impl Get {
            pub fn of_another(self) {}
        }
        pub mod inner {
            pub struct Deep;
        }
        ",
    ),
    (
        "high-er/src/client.rs",
        r"
        use crate::op::Get;
        pub struct Client;
        mod run {}
        pub async fn run() {}
        impl crate::op::Get {
            pub fn pages(self) {}
        }
        impl Get {
            pub const MOST: u8 = 1;
        }
        pub struct Unreachable;
        ",
    ),
];

fn api() -> Api {
    let files = FILES.map(|(path, text)| File { path: path.into(), text: text.into() });
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
