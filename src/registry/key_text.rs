//! What a key is that a schema describes.

use crate::event::json;
use crate::event::json::{Kind, Value, compact};

/// A text is itself, an object of one member that member's value, all else compact JSON in the
/// order of the schema. `None` for null, which is no key.
pub(in crate::registry) fn key_text(json: &str) -> Option<String> {
    let scan = json::scan(json.as_bytes()).ok()?;
    match (scan.value.kind, scan.members.as_slice()) {
        (Kind::Object, [only]) => text_of(only.value),
        _ => text_of(scan.value),
    }
}

fn text_of(value: Value<'_>) -> Option<String> {
    match value.kind {
        Kind::Null => None,
        Kind::Text => value.text().map(|text| text.into_owned()),
        Kind::Object | Kind::Array | Kind::Number | Kind::Boolean => Some(compact(value.raw)),
    }
}

#[cfg(test)]
mod tests {
    use super::key_text;

    #[test]
    fn a_key_is_its_text_the_only_member_or_compact_json() {
        for (json, text) in [
            (r#""o-1""#, Some("o-1")),
            (r#""a\u0062\"""#, Some("ab\"")),
            ("17", Some("17")),
            (r#"{"id": "o-1"}"#, Some("o-1")),
            (r#"{"id": 17}"#, Some("17")),
            (r#"{"id": {"b": 1, "a" : " x\" y" }}"#, Some(r#"{"b":1,"a":" x\" y"}"#)),
            (r#"{ "b": "\\", "a": [1, 2] }"#, Some(r#"{"b":"\\","a":[1,2]}"#)),
            ("[1, true]", Some("[1,true]")),
            ("{}", Some("{}")),
            ("null", None),
            (r#"{"id": null}"#, None),
            ("no JSON", None),
        ] {
            assert_eq!(key_text(json).as_deref(), text, "{json}");
        }
    }
}
