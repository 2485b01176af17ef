//! Spans of time as text.

/// `+0.512s`, `-3m12s`: how much later or earlier something is.
pub fn duration_text(microseconds: i64) -> String {
    let sign = if microseconds < 0 { '-' } else { '+' };
    format!("{sign}{}", span_text(microseconds.unsigned_abs()))
}

/// `0.512s`, `3m12s`, `2h05m`, `4d06h`: the two largest units.
pub fn span_text(microseconds: u64) -> String {
    let seconds = microseconds / 1_000_000;
    match seconds {
        0..60 => format!("{seconds}.{:03}s", microseconds % 1_000_000 / 1_000),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// Microseconds as seconds, exactly: `0.412345`, `3`, `-0.5`.
pub fn seconds_text(microseconds: i64) -> String {
    let sign = if microseconds < 0 { "-" } else { "" };
    let size = microseconds.unsigned_abs();
    let text = format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{duration_text, seconds_text};

    #[test]
    fn seconds_lose_no_microsecond() {
        let shown = [0, 3_000_000, 412_345, -500_000, 120_000_000, i64::MAX].map(seconds_text);
        assert_eq!(shown, ["0", "3", "0.412345", "-0.5", "120", "9223372036854.775807"]);
    }

    #[test]
    fn the_two_largest_units_are_shown() {
        let shown: Vec<_> = [0, 512_345, -59_999_999, 192_000_000, 7_500_000_000, 367_200_000_000]
            .into_iter()
            .map(duration_text)
            .collect();
        assert_eq!(shown, ["+0.000s", "+0.512s", "-59.999s", "+3m12s", "+2h05m", "+4d06h"]);
    }
}
