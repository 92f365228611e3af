//! Formats numbers and durations.

use std::time::Duration;

/// Formats `10000` as `10,000`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Formats a duration below a second in milliseconds, and a longer one in seconds.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        0.0..0.01 => format!("{:.1} ms", seconds * 1000.0),
        0.01..1.0 => format!("{:.0} ms", seconds * 1000.0),
        _ => format!("{seconds:.1} s"),
    }
}

/// Formats a number of bytes in MiB.
pub(super) fn bytes(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (number, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), shown);
        }
    }

    #[test]
    fn durations_have_a_suitable_unit() {
        for (micros, shown) in [(250, "0.2 ms"), (42_400, "42 ms"), (1_260_000, "1.3 s")] {
            assert_eq!(duration(Duration::from_micros(micros)), shown);
        }
    }

    #[test]
    fn bytes_are_shown_in_mebibytes() {
        for (number, shown) in [(0, "0.0 MiB"), (1 << 20, "1.0 MiB"), (67_633_184, "64.5 MiB")] {
            assert_eq!(bytes(number), shown);
        }
    }
}
