//! The filter that checks whether a watch requested an event.

use bytes::Bytes;

use crate::{types::Event, watch::Watch};

/// The range and the event types that a watch requested.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    key: Bytes,
    /// Empty for a single key; a zero byte for no upper bound.
    range_end: Bytes,
    no_put: bool,
    no_delete: bool,
}

impl Filter {
    pub(crate) fn of(spec: &Watch) -> Self {
        let (key, range_end) = spec.range.bounds();
        Self { key, range_end, no_put: spec.no_put, no_delete: spec.no_delete }
    }

    pub(crate) fn admits(&self, event: &Event) -> bool {
        let key = &event.kv.key;
        let in_range = match &self.range_end[..] {
            b"" => *key == self.key,
            b"\0" => *key >= self.key,
            end => *key >= self.key && key[..] < *end,
        };
        in_range && !(if event.is_delete() { self.no_delete } else { self.no_put })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{types::KeyValue, watch::Watch};

    #[test]
    fn ranges_and_kinds() {
        let admits = |op: Watch, key: &str, deleted: bool| {
            let kv = KeyValue::new(key, "");
            Filter::of(&op).admits(&if deleted { Event::delete(kv) } else { Event::put(kv) })
        };
        let one = || Watch::new("b");
        assert!(admits(one(), "b", false) && !admits(one(), "ba", false));
        assert!(admits(one().prefix(), "ba", false) && !admits(one().prefix(), "c", false));
        assert!(admits(one().from_key(), "z", true) && !admits(one().from_key(), "a", true));
        assert!(admits(Watch::new("").all_keys(), "\0", false));
        assert!(!admits(one().no_put(), "b", false) && admits(one().no_put(), "b", true));
        assert!(!admits(one().no_delete(), "b", true) && admits(one().no_delete(), "b", false));
    }
}
