//! Ids as they came: text that is no UUID became one in its column, and stands in the attributes.

use std::borrow::Cow;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::event::text_of_id;
use crate::value::Value;

/// SQL that gives a JSON array: the aggregate's id, and the texts that it may have been made of.
/// The key is one: it is the aggregate where the envelope has none.
pub(in crate::store) const AGGREGATE: &str = "jsonb_build_array(event.aggregate_id, event.attributes #> '{original,aggregate_id}', \
     event.attributes -> 'key')";

/// The same of the correlation alone.
pub(in crate::store) const CORRELATION: &str =
    "jsonb_build_array(event.correlation_id, event.attributes #> '{original,correlation_id}')";

/// The same of the correlation; of the aggregate where there is none, because an event without a
/// correlation belongs to the story of its aggregate.
pub(in crate::store) const STORY: &str = "CASE WHEN event.correlation_id IS NULL THEN \
     jsonb_build_array(event.aggregate_id, event.attributes #> '{original,aggregate_id}', event.attributes -> 'key') \
     ELSE jsonb_build_array(event.correlation_id, event.attributes #> '{original,correlation_id}') END";

/// The id as it came, out of such an array: the text that the id was made of, else the UUID.
/// `None` where there is no id.
pub(in crate::store) fn as_it_came(array: &str) -> Option<Value<'static>> {
    let values: Vec<Option<&RawValue>> = serde_json::from_str(array).ok()?;
    let (id, texts) = values.split_first()?;
    let id = Uuid::parse_str(&id_text(id.as_ref()?)?).ok()?;
    let original = text_of_id(id, texts.iter().flatten().filter_map(|raw| id_text(raw)));
    Some(original.map_or(Value::Uuid(id), Value::from))
}

/// A JSON text without its quotes, or the digits of a number. `None` for anything else: what is not
/// UTF-8 is an object.
pub fn id_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
        b'0'..=b'9' | b'-' => Some(Cow::Borrowed(json)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{aggregate_uuid, correlation_uuid};

    fn came(id: Uuid, texts: &str) -> Option<Value<'static>> {
        as_it_came(&format!("[\"{id}\"{texts}]"))
    }

    #[test]
    fn text_that_became_a_uuid_is_shown_as_it_came() {
        let order = aggregate_uuid(b"order-17");
        assert_eq!(came(order, r#", "order-17", "key""#), Some("order-17".into()));
        assert_eq!(came(order, r#", null, "order-17""#), Some("order-17".into()));
        assert_eq!(came(order, r#", null, "\"order-17\"""#), Some("order-17".into()));
        assert_eq!(came(aggregate_uuid(b"4711"), ", 4711, null"), Some("4711".into()));
        let request = correlation_uuid(b"request-7");
        assert_eq!(came(request, r#", "request-7""#), Some("request-7".into()));
    }

    #[test]
    fn an_id_that_was_not_made_of_the_text_is_shown_as_the_uuid_that_it_is() {
        let id = Uuid::from_u128(0x019a_a4c5_7d1e_7c3a_9b0e_3f6f_1d2c_4b5a);
        let usual = Value::Uuid(id);
        // What the envelope had was no id, and the key is another one's.
        assert_eq!(came(id, r#", {"base64": "AA=="}, "order-17""#), Some(usual.clone()));
        let spelled = format!(", null, \"{}\"", id.to_string().to_uppercase());
        assert_eq!(came(id, &spelled), Some(usual.clone()));
        assert_eq!(as_it_came(r#"[null, "order-17", "order-17"]"#), None);
    }
}
