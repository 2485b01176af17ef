//! What a wrong word may have been meant to be.

use std::cmp::Ordering;

/// How alike two words are at least, of 1: a swapped, missing or wrong letter, or another ending.
const ALIKE: f64 = 0.8;

/// The most suggestions that are given.
const SUGGESTIONS: usize = 3;

/// From so many letters on, a word that holds the wanted one is like it: `type` means `event_type`.
const LETTERS_OF_A_PART: usize = 3;

/// The candidates that are most like `wanted`, the nearest first; case and wildcards don't count.
pub fn nearest<'a>(wanted: &str, candidates: &'a [String]) -> Vec<&'a str> {
    let wanted = wanted.replace(['*', '?'], "").to_lowercase();
    let mut alike: Vec<(f64, &str)> = candidates
        .iter()
        .map(|candidate| (likeness(&wanted, &candidate.to_lowercase()), candidate.as_str()))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    alike.sort_by(|one, other| other.0.partial_cmp(&one.0).unwrap_or(Ordering::Equal));
    alike.into_iter().take(SUGGESTIONS).map(|(_, candidate)| candidate).collect()
}

fn likeness(wanted: &str, candidate: &str) -> f64 {
    let likeness = strsim::jaro_winkler(wanted, candidate);
    let is_part = wanted.chars().count() >= LETTERS_OF_A_PART && candidate.contains(wanted);
    if is_part { likeness.max(ALIKE) } else { likeness }
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
        assert_eq!(nearest("cancelled", &types), ["OrderCancelled"]);
        assert!(nearest("or", &types).is_empty());
    }
}
