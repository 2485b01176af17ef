//! JSON laid out on lines, and the changes between two values. Texts and numbers stay as
//! PostgreSQL wrote them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::escape::escape_json;

/// The JSON text with one member or element a line, indented by two spaces, below `margin` spaces.
/// Control characters are escaped as JSON does it.
pub fn pretty_json(json: &str, margin: usize) -> String {
    let mut output = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let new_line = |output: &mut String, depth: usize| {
        output.push('\n');
        output.extend(std::iter::repeat_n(' ', margin + 2 * depth));
    };
    let mut in_text = false;
    let mut escaped = false;
    let mut characters = json.chars().peekable();
    output.extend(std::iter::repeat_n(' ', margin));
    while let Some(character) = characters.next() {
        if in_text {
            output.push(character);
            in_text = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            '"' => {
                in_text = true;
                output.push('"');
            }
            '{' | '[' => {
                output.push(character);
                while characters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(close) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    output.push(close);
                } else {
                    depth += 1;
                    new_line(&mut output, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut output, depth);
                output.push(character);
            }
            ',' => {
                output.push(',');
                new_line(&mut output, depth);
            }
            ':' => output.push_str(": "),
            space if space.is_ascii_whitespace() => {}
            other => output.push(other),
        }
    }
    output.split('\n').map(escape_json).collect::<Vec<_>>().join("\n")
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
  "a": [
    1.10,
    {
      "b": "x, {y}: \"z\""
    }
  ],
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
