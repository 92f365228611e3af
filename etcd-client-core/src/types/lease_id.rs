//! The id of a lease, which is never zero and is written in hexadecimal like in etcdctl.

use std::{fmt, num::NonZeroI64, str::FromStr};

/// The id of a lease.
///
/// Displayed like in etcdctl, with sixteen hexadecimal digits. Servers choose positive ids, but accept and report any
/// number except zero. Zero means "no lease" and is represented by `None`.
///
/// # Examples
/// ```
/// use etcd_client_core::LeaseId;
///
/// let id = LeaseId::new(0x694d81417acd4754).unwrap();
/// assert_eq!(id.to_string(), "694d81417acd4754");
/// assert_eq!("694d81417acd4754".parse(), Ok(id));
/// assert_eq!(LeaseId::new(0), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(NonZeroI64);

impl LeaseId {
    /// Creates a lease id from etcd's number, or returns `None` for zero.
    pub const fn new(number: i64) -> Option<Self> {
        match NonZeroI64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Returns a random positive id with 63 random bits, like the ids that servers choose.
    ///
    /// The bits come from the random source of the operating system. A generator inside of the process would produce
    /// the same ids in a clone of a virtual machine, or in a snapshot that is resumed twice. An id that is chosen
    /// before it is sent distinguishes a grant from a second one.
    pub fn random() -> Self {
        Self::drawn(|bytes| getrandom::fill(bytes).is_ok())
    }

    /// Creates an id from the bytes that `draw` fills in. If `draw` fails, falls back to a generator inside of the
    /// process.
    fn drawn(draw: impl Fn(&mut [u8; 8]) -> bool) -> Self {
        let mut bytes = [0; 8];
        if !draw(&mut bytes) {
            bytes = fastrand::u64(..).to_ne_bytes();
        }
        let number = i64::from_ne_bytes(bytes) & i64::MAX;
        Self(NonZeroI64::new(number).unwrap_or(NonZeroI64::MAX))
    }

    /// Returns etcd's number.
    pub const fn get(self) -> i64 {
        self.0.get()
    }
}

impl TryFrom<i64> for LeaseId {
    type Error = ParseLeaseIdError;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        Self::new(number).ok_or(ParseLeaseIdError(()))
    }
}

impl From<LeaseId> for i64 {
    fn from(id: LeaseId) -> Self {
        id.get()
    }
}

/// Parses the output of `Display` and the input of `etcdctl lease`: hexadecimal digits.
impl FromStr for LeaseId {
    type Err = ParseLeaseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        i64::from_str_radix(text, 16).ok().and_then(Self::new).ok_or(ParseLeaseIdError(()))
    }
}

impl fmt::LowerHex for LeaseId {
    /// Displays a negative id with a sign, like Go, instead of in two's complement.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:x}", self.0.get().unsigned_abs());
        f.pad_integral(self.0.get() > 0, "0x", &digits)
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:016x}")
    }
}

impl fmt::Debug for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeaseId({self})")
    }
}

/// The error for a text or number that is not a lease id: not hexadecimal, out of range, or zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseLeaseIdError(());

impl fmt::Display for ParseLeaseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lease id must be a non-zero 64-bit number in hexadecimal")
    }
}

impl std::error::Error for ParseLeaseIdError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_and_parses_like_etcdctl() {
        for (number, shown) in [
            (0x694d_8141_7acd_4754, "694d81417acd4754"),
            (255, "00000000000000ff"),
            (-255, "-0000000000000ff"),
            (i64::MAX, "7fffffffffffffff"),
            (i64::MIN, "-8000000000000000"),
        ] {
            let id = LeaseId::new(number).expect("not zero");
            assert_eq!(id.to_string(), shown);
            assert_eq!(shown.parse(), Ok(id));
        }
        assert_eq!(format!("{:x}", LeaseId::new(255).expect("not zero")), "ff");
        assert_eq!(format!("{:?}", LeaseId::new(255).expect("not zero")), "LeaseId(00000000000000ff)");
    }

    #[test]
    fn process_copy_draws_other_ids() {
        let mut drawn: Vec<LeaseId> = Vec::new();
        for _ in 0..100 {
            // A clone of a virtual machine starts with the same state of the generator.
            fastrand::seed(7);
            let id = LeaseId::random();
            assert!(id.get() > 0 && !drawn.contains(&id), "{id}");
            drawn.push(id);
        }
        assert!(LeaseId::drawn(|_| false).get() > 0, "without a source there is an id all the same");
        assert_eq!(LeaseId::drawn(|_| true).get(), i64::MAX, "zero is no id");
    }

    #[test]
    fn rejects_zero_and_malformed_ids() {
        assert!(LeaseId::try_from(0).is_err());
        for text in ["", "0", "xyz", "0x10", "8000000000000000", "ffffffffffffffffff"] {
            assert!(text.parse::<LeaseId>().is_err(), "{text}");
        }
    }

    #[test]
    fn option_is_as_small_as_the_number() {
        assert_eq!(size_of::<Option<LeaseId>>(), 8);
    }
}
