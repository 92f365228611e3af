//! Checks that the documentation lists every name.

use crate::transport::observe::trace::NAMES;

#[test]
fn the_page_lists_every_name() {
    let page = include_str!("mod.rs");
    for name in NAMES {
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}
