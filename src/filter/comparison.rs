//! The comparisons in a predicate on the payload, as far as they compare a path with a number or a
//! text. Read roughly: PostgreSQL is what understands the predicate.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A path that is compared with a literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The path from the payload's root: `$.items[*].price`.
    pub path: String,
    /// The path as it was typed: `@.price` in a filter.
    pub typed: String,
    /// How it is compared, the path on the left: `>`.
    pub operator: &'static str,
    /// What it is compared with.
    pub literal: Literal,
}

/// What a path is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A number, as it was typed.
    Number(String),
    /// A text, without its quotes.
    Text(String),
}

/// Members and elements: whatever the names, PostgreSQL can read it.
const STEPS: &str = r#"(?:\.(?:[A-Za-z_]\w*|"(?:[^"\\]|\\.)*")|\[(?:\*|\d+)\])"#;
const OPERATOR: &str = r"(==|!=|<>|<=|>=|<|>|starts\s+with|like_regex)";
const LITERAL: &str = r#"(-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|"(?:[^"\\]|\\.)*")"#;

static PATH_FIRST: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"(@|[$@]{STEPS}+)\s*{OPERATOR}\s*{LITERAL}")).ok());
static LITERAL_FIRST: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"{LITERAL}\s*{OPERATOR}\s*([$@]{STEPS}+|@)")).ok());
static FILTERED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"(\${STEPS}*)\s*\?\s*\(")).ok());

/// The comparisons of a predicate.
pub fn comparisons(predicate: &str) -> Vec<Comparison> {
    let mut found = Vec::new();
    let places = |pattern: &LazyLock<Option<Regex>>| pattern.as_ref().cloned();
    for captures in places(&PATH_FIRST).iter().flat_map(|pattern| pattern.captures_iter(predicate))
    {
        let (_, [path, operator, literal]) = captures.extract();
        found.extend(comparison(predicate, path, operator, literal));
    }
    for captures in
        places(&LITERAL_FIRST).iter().flat_map(|pattern| pattern.captures_iter(predicate))
    {
        let (_, [literal, operator, path]) = captures.extract();
        let range = range_in(predicate, path);
        // A method: what it gives is compared, not what the path finds.
        if !predicate[range.end..].trim_start().starts_with('(') {
            found.extend(comparison(predicate, path, mirrored(operator), literal));
        }
    }
    found
}

fn comparison(predicate: &str, typed: &str, operator: &str, literal: &str) -> Option<Comparison> {
    let path = match typed.strip_prefix('@') {
        None => typed.to_owned(),
        Some(steps) => {
            let before = &predicate[..range_in(predicate, typed).start];
            let base = FILTERED.as_ref()?.captures_iter(before).last()?;
            format!("{}{steps}", &base[1])
        }
    };
    let literal = match literal.strip_prefix('"') {
        Some(text) => Literal::Text(text.strip_suffix('"')?.to_owned()),
        None => Literal::Number(literal.to_owned()),
    };
    Some(Comparison { path, typed: typed.to_owned(), operator: known(operator)?, literal })
}

/// Where a part of a text stands in it.
fn range_in(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}

fn known(operator: &str) -> Option<&'static str> {
    let is_typed = |known: &&str| known.split(' ').eq(operator.split_whitespace());
    ["==", "!=", "<>", "<=", ">=", "<", ">", "starts with", "like_regex"].into_iter().find(is_typed)
}

/// The operator where both sides change places.
fn mirrored(operator: &str) -> &str {
    match operator {
        "<" => ">",
        ">" => "<",
        "<=" => ">=",
        ">=" => "<=",
        other => other,
    }
}

impl Comparison {
    /// Whether it can be made of numbers, too; text alone begins with something.
    pub fn is_of_numbers(&self) -> bool {
        !self.operator.starts_with(char::is_alphabetic)
    }

    /// Whether the predicate turns what the path finds into a number elsewhere, so that text is
    /// expected there.
    pub fn is_converted_in(&self, predicate: &str) -> bool {
        ["double", "number", "decimal", "integer", "bigint"]
            .iter()
            .any(|method| predicate.contains(&format!("{}.{method}(", self.typed)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(predicate: &str) -> Vec<String> {
        comparisons(predicate)
            .into_iter()
            .map(|found| format!("{} {} {:?}", found.path, found.operator, found.literal))
            .collect()
    }

    #[test]
    fn a_path_and_a_literal_are_found_on_either_side() {
        assert_eq!(read("$.total_amount > 100"), [r#"$.total_amount > Number("100")"#]);
        assert_eq!(read("-1.5e3<=$.a.b[*]"), [r#"$.a.b[*] >= Number("-1.5e3")"#]);
        assert_eq!(
            read(r#"$."my total"[0] == "100" && $.b != 2"#),
            [r#"$."my total"[0] == Text("100")"#, r#"$.b != Number("2")"#]
        );
    }

    #[test]
    fn what_only_text_can_do_compares_with_text() {
        for (predicate, operator) in
            [("$.a starts  with \"5\"", "starts with"), ("$.a like_regex \"^5\"", "like_regex")]
        {
            let found = comparisons(predicate);
            assert_eq!(found[0].operator, operator);
            assert!(!found[0].is_of_numbers());
        }
        assert!(comparisons("$.a > 5")[0].is_of_numbers());
    }

    #[test]
    fn a_path_in_a_filter_begins_where_the_filter_stands() {
        assert_eq!(
            read("exists($.items[*] ? (@.price > 10))"),
            [r#"$.items[*].price > Number("10")"#]
        );
        assert_eq!(read("exists($ ? (@.price > 10))"), [r#"$.price > Number("10")"#]);
        assert_eq!(read("exists($.price ? (@ > 10))"), [r#"$.price > Number("10")"#]);
        assert_eq!(read("exists($.price ? (10 > @))"), [r#"$.price < Number("10")"#]);
        assert!(read("@.price > 10").is_empty());
    }

    #[test]
    fn what_a_method_gives_is_no_path() {
        for other in [
            "$.total_amount.double() > 100",
            "100 < $.total_amount.double()",
            "$.type() == \"object\"",
            "$.a > $.b",
            "exists($.a)",
            "100 < @.double()",
        ] {
            assert!(read(other).is_empty(), "{other}: {:?}", read(other));
        }
        let both = "$.a > 100 || $.a.double() > 100";
        assert!(comparisons(both)[0].is_converted_in(both));
    }

    proptest! {
        #[test]
        fn no_predicate_makes_the_reader_panic(predicate in "[$@.a\"\\\\\\[\\]()?<>=!0-9 ü]{0,32}") {
            let _ = comparisons(&predicate);
        }
    }
}
