//! JSON laid out on lines, and the changes between two values. Texts and numbers stay as
//! PostgreSQL wrote them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::escape::escape_json;

/// What is short enough for one line: this many characters.
const ONE_LINE: usize = 60;

/// The JSON text with one member or element a line, indented by two spaces, below `margin` spaces;
/// inside it a short list or object stays on one line. Control characters are
/// escaped as JSON does it.
pub fn pretty_json(json: &str, margin: usize) -> String {
    let mut output = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let new_line = |output: &mut String, depth: usize| {
        output.push('\n');
        output.extend(std::iter::repeat_n(' ', margin + 2 * depth));
    };
    output.extend(std::iter::repeat_n(' ', margin));
    let mut rest = json.trim_ascii_start();
    while let Some(token) = next_token(rest) {
        let behind = rest[token.len()..].trim_ascii_start();
        match token {
            "{" | "[" => match short_container(rest).filter(|_| depth > 0) {
                Some((text, behind)) => {
                    output.push_str(&text);
                    rest = behind;
                    continue;
                }
                None => {
                    output.push_str(token);
                    if !behind.starts_with(['}', ']']) {
                        depth += 1;
                        new_line(&mut output, depth);
                    }
                }
            },
            "}" | "]" => {
                if !output.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    new_line(&mut output, depth);
                }
                output.push_str(token);
            }
            "," => {
                output.push(',');
                new_line(&mut output, depth);
            }
            ":" => output.push_str(": "),
            value => output.push_str(value),
        }
        rest = behind;
    }
    output.split('\n').map(escape_json).collect::<Vec<_>>().join("\n")
}

/// The first token of JSON without blanks before it: a bracket, a comma, a colon, or a value.
fn next_token(json: &str) -> Option<&str> {
    let first = json.chars().next()?;
    let end = match first {
        '"' => {
            let mut escaped = false;
            let end = json.char_indices().skip(1).find(|(_, character)| {
                let is_end = *character == '"' && !escaped;
                escaped = *character == '\\' && !escaped;
                is_end
            });
            end.map_or(json.len(), |(place, _)| place + 1)
        }
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        _ => {
            let is_end = |character: char| {
                matches!(character, '{' | '}' | '[' | ']' | ',' | ':' | '"')
                    || character.is_ascii_whitespace()
            };
            json.find(is_end).unwrap_or(json.len()).max(first.len_utf8())
        }
    };
    Some(&json[..end])
}

/// The list or object at the beginning of the JSON on one line, and what is behind it, where it is
/// short.
fn short_container(json: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut rest = json;
    let mut depth = 0usize;
    while let Some(token) = next_token(rest) {
        rest = rest[token.len()..].trim_ascii_start();
        match token {
            "{" | "[" => depth += 1,
            "}" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        match token {
            "," => text.push_str(", "),
            ":" => text.push_str(": "),
            other => text.push_str(other),
        }
        if depth == 0 {
            return Some((text, rest));
        }
        if text.len() > ONE_LINE {
            return None;
        }
    }
    None
}

/// One place where two JSON values differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where, as `$.items[0].sku`.
    pub path: String,
    /// The JSON text before; `None` where there was nothing.
    pub before: Option<String>,
    /// The JSON text after; `None` where there is nothing.
    pub after: Option<String>,
}

/// What changed from one JSON value to another, in the order of the paths. Values that can't be
/// looked into, because they are nested too deeply, are compared as a whole.
pub fn json_changes(before: &str, after: &str) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("$", before, after, 0, &mut changes);
    changes
}

/// Deeper values are compared as a whole: a longer path is not readable.
const DEEPEST: usize = 50;

fn compare(path: &str, before: &str, after: &str, depth: usize, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    if depth < DEEPEST {
        if let (Some(before), Some(after)) = (members(before), members(after)) {
            let names: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = format!("{path}.{name}");
                compare_optional(
                    &path,
                    before.get(name).copied(),
                    after.get(name).copied(),
                    depth,
                    changes,
                );
            }
            return;
        }
        if let (Some(before), Some(after)) = (elements(before), elements(after)) {
            for index in 0..before.len().max(after.len()) {
                let path = format!("{path}[{index}]");
                compare_optional(
                    &path,
                    before.get(index).copied(),
                    after.get(index).copied(),
                    depth,
                    changes,
                );
            }
            return;
        }
    }
    let text = |json: &str| Some(json.to_owned());
    changes.push(Change { path: path.to_owned(), before: text(before), after: text(after) });
}

fn compare_optional(
    path: &str,
    before: Option<&RawValue>,
    after: Option<&RawValue>,
    depth: usize,
    changes: &mut Vec<Change>,
) {
    match (before, after) {
        (Some(before), Some(after)) => compare(path, before.get(), after.get(), depth + 1, changes),
        (before, after) => changes.push(Change {
            path: path.to_owned(),
            before: before.map(|json| json.get().to_owned()),
            after: after.map(|json| json.get().to_owned()),
        }),
    }
}

fn members(json: &str) -> Option<BTreeMap<String, &RawValue>> {
    json.starts_with('{').then(|| serde_json::from_str(json).ok())?
}

fn elements(json: &str) -> Option<Vec<&RawValue>> {
    json.starts_with('[').then(|| serde_json::from_str(json).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_laid_out_without_being_changed() {
        let json = r#"{"a": [1.10, {"b": "x, {y}: \"z\""}], "empty": {}, "none": [ ]}"#;
        insta::assert_snapshot!(pretty_json(json, 2), @r#"
        {
          "a": [1.10, {"b": "x, {y}: \"z\""}],
          "empty": {},
          "none": []
        }
        "#);
    }

    #[test]
    fn changes_are_named_by_their_path() {
        let before = r#"{"status": "CREATED", "total": 10.0, "items": [{"sku": "A"}, {"sku": "B"}], "old": true}"#;
        let after = r#"{"status": "PAID", "total": 10.0, "items": [{"sku": "A"}, {"sku": "C"}, 7], "new": null}"#;
        let shown: Vec<_> = json_changes(before, after)
            .into_iter()
            .map(|change| format!("{} {:?} {:?}", change.path, change.before, change.after))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
$.items[1].sku Some("\"B\"") Some("\"C\"")
$.items[2] None Some("7")
$.new None Some("null")
$.old Some("true") None
$.status Some("\"CREATED\"") Some("\"PAID\"")
"#);
        assert_eq!(json_changes("1", "[]").len(), 1);
    }

    proptest! {
        #[test]
        fn what_is_laid_out_means_the_same(text in "\\PC{0,20}", number in any::<i64>(), margin in 0usize..5) {
            let json = serde_json::json!({"text": text, "list": [number, null, [], {}, {"deep": [true]}]}).to_string();
            let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).ok();
            prop_assert_eq!(value(&pretty_json(&json, margin)), value(&json));
        }
    }
}
