//! The end of the range of all keys with a prefix.

use bytes::Bytes;

use crate::types::{Key, LeaseId};

/// Returns the `range_end` of the range of all keys that start with `prefix`.
///
/// This is the prefix without trailing `0xff` bytes, with the last byte incremented. A prefix that is empty or
/// consists of `0xff` bytes only has no upper bound, which etcd encodes as `"\0"`.
///
/// # Examples
/// ```
/// use etcd_client_core::types::prefix_range_end;
///
/// assert_eq!(prefix_range_end(b"dir/"), "dir0");
/// assert_eq!(prefix_range_end(b"a\xff"), "b");
/// assert_eq!(prefix_range_end(b"\xff\xff"), "\0");
/// ```
#[doc(alias = "GetPrefixRangeEnd")]
pub fn prefix_range_end(prefix: &[u8]) -> Bytes {
    let Some(last) = prefix.iter().rposition(|&byte| byte != 0xff) else {
        return Bytes::from_static(b"\0");
    };
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    end.into()
}

/// Builds the key in the same way as `Mutex.tryAcquire` and `Election.Campaign` in client/v3/concurrency.
pub(crate) fn contender_key(name: &Key, lease: LeaseId) -> Key {
    let mut key = name.as_bytes().to_vec();
    key.extend_from_slice(format!("/{lease:x}").as_bytes());
    key.into()
}

#[cfg(test)]
mod tests {
    use crate::types::prefix_range_end;

    #[test]
    fn computes_range_ends() {
        let cases: [(&[u8], &[u8]); 9] = [
            (b"", b"\0"),
            (b"\xff", b"\0"),
            (b"\xff\xff\xff", b"\0"),
            (b"a", b"b"),
            (b"foo/", b"foo0"),
            (b"a\xff", b"b"),
            (b"a\xff\xff", b"b"),
            (b"\xfe", b"\xff"),
            (b"\0", b"\x01"),
        ];
        for (prefix, end) in cases {
            assert_eq!(prefix_range_end(prefix), end, "{}", prefix.escape_ascii());
        }
    }
}
