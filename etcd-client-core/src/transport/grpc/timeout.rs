//! The `grpc-timeout` request header.

use std::time::Duration;

use http::HeaderValue;

/// Returns the header value for `timeout`: at most eight digits and a unit (gRPC over HTTP/2, "Timeout"), rounded up.
pub(crate) fn header(timeout: Duration) -> HeaderValue {
    const LIMIT: u128 = 99_999_999;
    let (amount, unit) = [
        (timeout.as_nanos().div_ceil(1_000), 'u'),
        (timeout.as_micros().div_ceil(1_000), 'm'),
        (timeout.as_millis().div_ceil(1_000), 'S'),
        (u128::from(timeout.as_secs()).div_ceil(60), 'M'),
        (u128::from(timeout.as_secs()).div_ceil(3_600), 'H'),
    ]
    .into_iter()
    .find(|&(amount, _)| amount <= LIMIT)
    .unwrap_or((LIMIT, 'H'));
    HeaderValue::try_from(format!("{}{unit}", amount.max(1))).expect("digits and a letter are a header value")
}

/// Formats a duration for an error message.
pub(crate) fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finest_unit_that_fits_eight_digits() {
        for (timeout, expected) in [
            (Duration::ZERO, "1u"),
            (Duration::from_nanos(1), "1u"),
            (Duration::from_millis(5), "5000u"),
            (Duration::from_secs(5), "5000000u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(100_000), "100000S"),
            (Duration::from_secs(100_000_000), "1666667M"),
            (Duration::MAX, "99999999H"),
        ] {
            assert_eq!(header(timeout), expected, "{timeout:?}");
        }
    }
}
