//! What stands beside an edge.

use super::graph::FlowEdge;
use crate::time::span_text;

/// `9,120 · 0.412s`: how often, and the median of the time between.
pub(super) fn edge_text(edge: &FlowEdge) -> String {
    let count = count_text(edge.count);
    edge.p50.map_or_else(|| count.clone(), |p50| format!("{count} · {}", time_text(p50)))
}

/// `1,234,567`: pictures are for reading.
pub(super) fn count_text(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `99.9 %`; what is more than nothing is never 0, and what is not all never 100.
pub(super) fn share_text(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.05 => "<0.1 %".to_owned(),
        percent if (99.95..100.0).contains(&percent) => ">99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// A span of microseconds that is never negative.
pub(super) fn time_text(microseconds: i64) -> String {
    span_text(microseconds.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let counts = [0, 999, 1_000, 12_345, 1_234_567].map(count_text);
        assert_eq!(counts, ["0", "999", "1,000", "12,345", "1,234,567"]);
        let shares = [0.0, 0.000_01, 0.5, 0.999_9, 1.0].map(share_text);
        assert_eq!(shares, ["0.0 %", "<0.1 %", "50.0 %", ">99.9 %", "100.0 %"]);
    }
}
