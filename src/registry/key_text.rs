//! What a key is that a schema describes.

use std::borrow::Cow;

use super::schema::Members;
use crate::event::json;
use crate::event::json::{Kind, Value, compact};

/// A text is itself, an object of one member that member's value, all else compact JSON in the
/// order of the schema. `None` for null, which is no key.
pub(in crate::registry) fn key_text(json: &str, members: &Members) -> Option<String> {
    let scan = json::scan(json.as_bytes()).ok()?;
    match (scan.value.kind, scan.members.as_slice(), members) {
        (Kind::Object, [], Members::One { default }) => Some(default.clone()),
        (Kind::Object, [only], Members::One { .. } | Members::InJson) => text_of(only.value),
        _ => text_of(scan.value),
    }
}

fn text_of(value: Value<'_>) -> Option<String> {
    match value.kind {
        Kind::Null => None,
        Kind::Text => value.text().map(Cow::into_owned),
        Kind::Object | Kind::Array | Kind::Number | Kind::Boolean => Some(compact(value.raw)),
    }
}

#[cfg(test)]
mod tests {
    use super::key_text;
    use crate::registry::schema::Members;

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
            assert_eq!(key_text(json, &Members::InJson).as_deref(), text, "{json}");
        }
    }

    #[test]
    fn what_a_message_leaves_out_does_not_make_another_key_of_it() {
        let one = Members::One { default: "0".to_owned() };
        assert_eq!(key_text("{}", &one).as_deref(), Some("0"));
        assert_eq!(key_text(r#"{"id":"7"}"#, &one).as_deref(), Some("7"));
        let several = r#"{"id":"7"}"#;
        assert_eq!(key_text(several, &Members::Several).as_deref(), Some(several));
        assert_eq!(key_text("{}", &Members::Several).as_deref(), Some("{}"));
    }
}
