//! etcd versions as reported by members.

use std::{fmt, str::FromStr};

/// A version `major.minor.patch`. A suffix, as in `3.6.0-rc.1+build`, is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServerVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

/// The error for text that is not a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoVersion;

impl ServerVersion {
    pub(crate) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

impl FromStr for ServerVersion {
    type Err = NoVersion;

    /// Parses a version. A missing patch number is 0.
    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let numbers = text.split_once(['-', '+']).map_or(text, |(numbers, _)| numbers);
        let mut parts = numbers.split('.');
        let mut next = || parts.next().map(number);
        let (major, minor, patch) = (next(), next(), next().unwrap_or(Ok(0))?);
        match (major, minor, parts.next()) {
            (Some(major), Some(minor), None) => Ok(Self { major: major?, minor: minor?, patch }),
            _ => Err(NoVersion),
        }
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

fn number(text: &str) -> Result<u32, NoVersion> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(NoVersion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        for (text, shown) in [
            ("3.5", "3.5.0"),
            ("3.5.21", "3.5.21"),
            ("3.6.0-rc.1", "3.6.0"),
            ("3.7.0-alpha.0+git", "3.7.0"),
            ("3.7.0+git.1", "3.7.0"),
            ("10.0.0", "10.0.0"),
        ] {
            let version: ServerVersion = text.parse().unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(version.to_string(), shown, "{text}");
        }
        for text in
            ["", "3", "3.", ".5", "3.5.", "3.5.1.2", "v3.5", "3.-5", "3.+5", "3.5x", "99999999999.1", " 3.5"]
        {
            assert_eq!(text.parse::<ServerVersion>(), Err(NoVersion), "{text:?}");
        }
    }

    #[test]
    fn the_order_is_by_number() {
        let ordered =
            ["3.4.99", "3.5", "3.5.2", "3.5.10", "3.10.0", "4.0"].map(|text| text.parse::<ServerVersion>());
        assert!(ordered.is_sorted_by(|a, b| a.expect("a version") < b.expect("a version")));
    }
}
