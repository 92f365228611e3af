//! Server versions that answer a progress request only after the events that it covers.

use crate::types::version::ServerVersion;

/// Returns true for 3.4.25 and later 3.4 versions, and from 3.5.8 on (`progressIfSync` in etcd's
/// `server/storage/mvcc/watcher.go`, etcd issue 15220).
pub(crate) fn answers_progress_in_order(version: ServerVersion) -> bool {
    version >= ServerVersion::new(3, 5, 8)
        || (version >= ServerVersion::new(3, 4, 25) && version < ServerVersion::new(3, 5, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundaries() {
        for (version, expected) in [
            ("3.3.27", false),
            ("3.4.24", false),
            ("3.4.25", true),
            ("3.4.99", true),
            ("3.5.0", false),
            ("3.5.7", false),
            ("3.5.8", true),
            ("3.6.0", true),
            ("3.7.0", true),
            ("4.0.0", true),
        ] {
            let parsed = version.parse().expect("a version");
            assert_eq!(answers_progress_in_order(parsed), expected, "{version}");
        }
    }
}
