//! Counts in words, for messages: `1 row`, `7 rows`.

use std::fmt::Display;

/// A count and its noun, in the plural but for one: `1 row`, `0 rows`, `2 batches`,
/// `3 leaves`.
pub(crate) fn counted(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    match (count.as_str(), noun.strip_suffix('f')) {
        ("1", _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ves"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => {
            format!("{count} {noun}es")
        }
        _ => format!("{count} {noun}s"),
    }
}

/// A count, its noun, and the verb that goes with them: `1 row is`, `2 rows are`.
pub(crate) fn counted_with(count: impl Display, noun: &str, [one, more]: [&str; 2]) -> String {
    let counted = counted(count, noun);
    let verb = if counted.starts_with("1 ") { one } else { more };
    format!("{counted} {verb}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_all_others_are_plural() {
        let rows = [0, 1, 2, 11, 21].map(|count| counted(count, "row"));
        assert_eq!(rows, ["0 rows", "1 row", "2 rows", "11 rows", "21 rows"]);
        assert_eq!(counted(1_u64, "batch"), "1 batch");
        assert_eq!(counted(2_usize, "batch"), "2 batches");
        assert_eq!(counted(3, "leaf"), "3 leaves");
        assert_eq!(counted(-1_i64, "offset"), "-1 offsets");
    }

    #[test]
    fn the_verb_goes_with_the_count() {
        assert_eq!(counted_with(1, "row", ["is", "are"]), "1 row is");
        assert_eq!(counted_with(10, "row", ["is", "are"]), "10 rows are");
    }
}
