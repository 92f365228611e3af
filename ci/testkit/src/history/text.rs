//! Keys and values as a history writes them: short text as it is, everything else by its hash.

use serde::{Deserialize, Serialize};

/// Longer values are kept by their hash: a history is to be read.
const LONGEST: usize = 20;

/// A key, which must be UTF-8.
///
/// Bytes that are not are replaced, so that two such keys may look like one.
#[must_use]
pub fn key(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A value, equal where the stored values are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Value(String);

impl Value {
    /// The value of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.len() <= LONGEST => Self(text.to_owned()),
            _ => Self(format!("fnv64:{:016x}:{}", fnv64(bytes), bytes.len())),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// FNV-1a.
fn fnv64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_stays_and_the_rest_is_hashed() {
        assert_eq!(Value::of(b"v17").to_string(), "v17");
        let long = Value::of(&[b'x'; 21]);
        assert!(long.to_string().ends_with(":21"));
        assert_ne!(long, Value::of(&[b'y'; 21]));
        assert_ne!(Value::of(b"\xff"), Value::of(b"\xfe"));
    }
}
