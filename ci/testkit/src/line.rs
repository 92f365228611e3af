//! Release lines of etcd (3.4, 3.5, ...) and versions within them.

use std::{env, fmt, str::FromStr};

use anyhow::{Context as _, bail};

/// A release line of etcd, such as 3.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    minor: u16,
}

impl Line {
    /// etcd 3.4.
    pub const V3_4: Self = Self { minor: 4 };
    /// etcd 3.5.
    pub const V3_5: Self = Self { minor: 5 };
    /// etcd 3.6.
    pub const V3_6: Self = Self { minor: 6 };
    /// etcd 3.7.
    pub const V3_7: Self = Self { minor: 7 };
    /// The line that is built when none was asked for.
    pub const NEWEST: Self = Self::V3_7;
    /// Every line the workspace is tested on, oldest first.
    pub const ALL: [Self; 4] = [Self::V3_4, Self::V3_5, Self::V3_6, Self::V3_7];

    /// The line that `ETCD_LINE` asks for; `None` when it is unset or empty.
    ///
    /// # Errors
    /// When `ETCD_LINE` is not one of [`Line::ALL`].
    pub fn from_env() -> anyhow::Result<Option<Self>> {
        match env::var("ETCD_LINE") {
            Ok(text) if !text.is_empty() => text.parse().map(Some).context("reading ETCD_LINE"),
            _ => Ok(None),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}", self.minor)
    }
}

impl FromStr for Line {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match Self::ALL.into_iter().find(|line| line.to_string() == text) {
            Some(line) => Ok(line),
            None => bail!("{text:?} is not an etcd line; known are 3.4, 3.5, 3.6 and 3.7"),
        }
    }
}

/// A version of etcd, such as 3.6.16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    line: Line,
    patch: u16,
}

impl Version {
    /// The line that the version belongs to.
    #[must_use]
    pub fn line(self) -> Line {
        self.line
    }

    /// The last of the three numbers.
    #[must_use]
    pub fn patch(self) -> u16 {
        self.patch
    }

    /// Reads what `etcd --version` prints.
    pub(crate) fn from_banner(banner: &str) -> anyhow::Result<Self> {
        let first = banner.lines().next().unwrap_or_default();
        let Some(text) = first.strip_prefix("etcd Version: ") else {
            bail!("{first:?} is not what etcd --version prints");
        };
        text.parse()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.line, self.patch)
    }
}

impl FromStr for Version {
    type Err = anyhow::Error;

    /// Takes `3.6.16`, with or without a leading `v`, and ignores what follows the patch (`-rc.0`, `+dfsg`).
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let bare = text.trim().trim_start_matches('v');
        let mut parts = bare.splitn(3, '.');
        let (Some("3"), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            bail!("{text:?} is not a version of etcd 3");
        };
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let minor = minor.parse().with_context(|| format!("reading the version {text:?}"))?;
        let patch = rest[..digits].parse().with_context(|| format!("reading the version {text:?}"))?;
        Ok(Self { line: Line { minor }, patch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_ordered() {
        assert_eq!("3.5".parse::<Line>().unwrap(), Line::V3_5);
        assert!("3.3".parse::<Line>().is_err());
        assert!("3.50".parse::<Line>().is_err());
        assert!(Line::V3_4 < Line::V3_5);
        assert_eq!(Line::ALL.last(), Some(&Line::NEWEST));
    }

    #[test]
    fn versions_are_read_from_banners_modules_and_packages() {
        let banner = Version::from_banner("etcd Version: 3.4.23\nGit SHA: none\n").unwrap();
        assert_eq!((banner.line(), banner.patch()), (Line::V3_4, 23));
        assert_eq!("v3.6.16".parse::<Version>().unwrap().to_string(), "3.6.16");
        assert_eq!("3.4.23-4+b4".parse::<Version>().unwrap().to_string(), "3.4.23");
        assert!("2.3.8".parse::<Version>().is_err());
        assert!(Version::from_banner("go version go1.26").is_err());
    }

    #[test]
    fn versions_order_by_number_not_by_text() {
        assert!("3.5.9".parse::<Version>().unwrap() < "3.5.35".parse().unwrap());
    }
}
