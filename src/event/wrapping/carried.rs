//! The id or word that a key, a header or a member carries inside quotes, a struct of one field, or
//! Kafka Connect's wrapper: `"4711"`, `{"id":"4711"}` and `{"schema":…,"payload":4711}` all carry
//! 4711.

use std::borrow::Cow;

use super::connect;
use super::wire_format::json_after_header;
use crate::event::json;
use crate::event::json::Kind;

/// How many layers are taken off. `MongoDB`'s keys have four with a schema.
const MAX_LAYERS: usize = 8;

/// A number of 8 bytes may look like Confluent's wire format.
const LENGTH_OF_NUMBER: usize = 8;

/// The id or word that bytes carry; the bytes as they are where nothing is around it. Nothing
/// (no bytes) where the wrapping holds null.
pub(crate) fn carried(bytes: &[u8]) -> Cow<'_, [u8]> {
    let found = match bytes.first() {
        Some(b'"' | b'{') => std::str::from_utf8(bytes).ok().and_then(carried_by_json),
        Some(0) if bytes.len() > LENGTH_OF_NUMBER => carried_in_wire_format(bytes),
        _ => None,
    };
    match found {
        Some(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
        Some(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
        None => Cow::Borrowed(bytes),
    }
}

fn carried_in_wire_format(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let (_, json) = json_after_header(bytes)?;
    let value = json::scan(json).ok()?.value;
    Some(carried_by_json(value.raw).unwrap_or(Cow::Borrowed(value.raw)))
}

/// The id or word that JSON carries; `None` where it is no JSON, or carries something else.
pub(in crate::event) fn carried_by_json(json: &str) -> Option<Cow<'_, str>> {
    of_json(json, MAX_LAYERS)
}

fn of_json(json: &str, layers: usize) -> Option<Cow<'_, str>> {
    let layers = layers.checked_sub(1)?;
    let scan = json::scan(json.as_bytes()).ok()?;
    match scan.value.kind {
        Kind::Number => Some(Cow::Borrowed(scan.value.raw)),
        Kind::Null => Some(Cow::Borrowed("")),
        Kind::Boolean | Kind::Array => None,
        // A text may hold JSON again, as in MongoDB's keys.
        Kind::Text => scan.value.text().map(|text| inside(text, |text| of_text(text, layers))),
        Kind::Object => {
            if let Some(payload) = connect::payload(&scan) {
                // An id of several fields is the same one with and without a schema.
                return Some(inside(payload, |payload| of_json(payload, layers)));
            }
            match scan.members.as_slice() {
                [only] => of_json(only.value.raw, layers),
                _ => None,
            }
        }
    }
}

fn of_text(text: &str, layers: usize) -> Option<Cow<'_, str>> {
    text.starts_with(['"', '{']).then(|| of_json(text, layers)).flatten()
}

/// What a text carries, or the text itself.
fn inside(text: Cow<'_, str>, find: impl Fn(&str) -> Option<Cow<'_, str>>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => find(text).unwrap_or(Cow::Borrowed(text)),
        Cow::Owned(text) => match find(&text) {
            Some(found) => Cow::Owned(found.into_owned()),
            None => Cow::Owned(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::carried;
    use crate::event::json::put_text;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(&carried(bytes)).into_owned()
    }

    #[test]
    fn what_is_around_an_id_is_taken_off() {
        for (key, id) in [
            (r#""4711""#, "4711"),
            (r#""a \"b\" \u00e9""#, r#"a "b" é"#),
            (r#"{"id":"4711"}"#, "4711"),
            (r#"{"id":4711}"#, "4711"),
            (r#"{ "id" : { "value" : "4711" } }"#, "4711"),
            (r#"{"schema":{"type":"string","optional":false},"payload":"4711"}"#, "4711"),
            (r#"{"payload":4711,"schema":{"type":"int64"}}"#, "4711"),
            (r#"{"schema":null,"payload":{"id":"4711"}}"#, "4711"),
            (r#"{"schema":{"type":"struct","fields":[]},"payload":{"id":17}}"#, "17"),
            (
                r#"{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"0"}},"payload":"BM4="}"#,
                "1230",
            ),
            (r#"{"id":"{\"$oid\": \"596e275826f08b2730779e1f\"}"}"#, "596e275826f08b2730779e1f"),
            ("\"4711\"\n", "4711"),
            (r#"{"id":null}"#, ""),
            (r#"{"schema":{"type":"string","optional":true},"payload":null}"#, ""),
            (r#"{"schema":{"type":"struct"},"payload":{"a":1,"b":2}}"#, r#"{"a":1,"b":2}"#),
            ("\0\0\0\0\u{1}\"4711\"", "4711"),
            ("\0\0\0\0\u{1}{\"a\":1,\"b\":2}", r#"{"a":1,"b":2}"#),
        ] {
            assert_eq!(text(key.as_bytes()), id, "{key}");
        }
    }

    #[test]
    fn what_carries_no_id_stays_as_it_is() {
        for key in [
            "",
            "4711",
            "\"",
            "\"4711",
            "\"a\" b",
            "{01939c2e-8f5a-7c3e-9d41-5a0f2b7c6d10}",
            "{}",
            r#"{"a":1,"b":2}"#,
            r#"{"id":true}"#,
            r#"{"id":[1]}"#,
            r#"{"id":{"a":1,"b":2}}"#,
            r#"{"schema":"v1","payload":"4711"}"#,
            "[4711]",
            "\0\0\0\0\0\"a\"",
            "\0\0\0\0\u{1}\"4711",
        ] {
            assert_eq!(text(key.as_bytes()), key, "{key}");
        }
        assert_eq!(carried(b"\"\xff\"").as_ref(), b"\"\xff\"");
        let deep = format!("{}1{}", "{\"a\":".repeat(900), "}".repeat(900));
        assert_eq!(text(deep.as_bytes()), deep);
    }

    proptest! {
        #[test]
        fn any_id_is_carried_by_quotes_structs_and_wrappers(id in "[^\"{\0]([^\0]{0,20})") {
            let mut quoted = String::new();
            put_text(&mut quoted, &id);
            for key in [
                quoted.clone(),
                format!("{{\"id\":{quoted}}}"),
                format!("{{\"schema\":{{\"type\":\"string\"}},\"payload\":{quoted}}}"),
                format!("{{\"schema\":{{\"type\":\"struct\"}},\"payload\":{{\"id\":{quoted}}}}}"),
            ] {
                prop_assert_eq!(text(key.as_bytes()), id.clone(), "{}", key);
            }
        }

        #[test]
        fn any_bytes_are_taken_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            carried(&bytes);
        }
    }
}
