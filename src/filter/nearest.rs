//! What a wrong word may have been meant to be.

use std::cmp::Ordering;

/// How alike two words are at least, of 1: a swapped, missing or wrong letter, or another ending.
const ALIKE: f64 = 0.8;

/// The most suggestions that are given.
const SUGGESTIONS: usize = 3;

/// The candidates that are most like `wanted`, the nearest first; case and wildcards don't count.
pub fn nearest<'a>(wanted: &str, candidates: &'a [String]) -> Vec<&'a str> {
    let wanted = wanted.replace(['*', '?'], "").to_lowercase();
    let mut alike: Vec<(f64, &str)> = candidates
        .iter()
        .map(|candidate| {
            (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate.as_str())
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    alike.sort_by(|one, other| other.0.partial_cmp(&one.0).unwrap_or(Ordering::Equal));
    alike.into_iter().take(SUGGESTIONS).map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_words_come_first_and_strangers_not_at_all() {
        let types = ["OrderCancelled", "OrderCreated", "PaymentAuthorized", "PaymentCaptured"]
            .map(str::to_owned);
        assert_eq!(nearest("OrderCraeted", &types).first(), Some(&"OrderCreated"));
        assert_eq!(nearest("ordercreated", &types).first(), Some(&"OrderCreated"));
        assert_eq!(nearest("PaymentAutorised*", &types).first(), Some(&"PaymentAuthorized"));
        assert!(nearest("Zebra", &types).is_empty());
    }
}
