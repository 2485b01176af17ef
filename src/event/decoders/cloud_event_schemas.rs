//! CloudEvents in Protobuf (`io.cloudevents.v1.CloudEvent`) and in Avro
//! (`io.cloudevents.CloudEvent` and its compact form): their JSON is rewritten to the structured
//! mode's.
//!
//! Sources: the CloudEvents specification, `formats/cloudevents.proto`, `protobuf-format.md`,
//! `avro-format.md` and `avro-compact-format.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cloud_events::{is_json, media_type};
use crate::event::json::{self, Kind, MAX_DEPTH, Scan, Value, put_text};

/// The event in structured mode, of a value whose schema has this name; `None` where it is not one
/// of `CloudEvents`' own.
pub(in crate::event) fn structured(schema_name: Option<&str>, scan: &Scan<'_>) -> Option<String> {
    match schema_name? {
        "io.cloudevents.v1.CloudEvent" if scan.get("attribute").is_none() => Some(protobuf(scan)),
        "io.cloudevents.CloudEvent" | "io.cloudevents.v1.CloudEvent" => avro(scan),
        "io.cloudevents.v1.avro.compact.CloudEvent" => Some(avro_compact(scan)),
        _ => None,
    }
}

/// What the data may be.
#[derive(Clone, Copy)]
enum Data<'a> {
    /// Text, which is JSON where the content type says so.
    Text(Value<'a>),
    /// Bytes in base64.
    Base64(Value<'a>),
    /// JSON.
    Json(Value<'a>),
}

fn protobuf(scan: &Scan<'_>) -> String {
    let mut event = Structured::default();
    let mut data = None;
    let mut attributes = None;
    for member in &scan.members {
        match member.name().as_ref() {
            "spec_version" => event.put("specversion", member.value.raw),
            "text_data" => data = Some(Data::Text(member.value)),
            "binary_data" => data = Some(Data::Base64(member.value)),
            "proto_data" => data = Some(Data::Json(member.value)),
            "attributes" => attributes = Some(member.value.raw),
            name => event.put(name, member.value.raw),
        }
    }
    // Each attribute is an object of one member, which tells its type.
    let attributes = attributes.and_then(|raw| json::scan(raw.as_bytes()).ok());
    for attribute in attributes.iter().flat_map(|scan| &scan.members) {
        let inner = json::scan(attribute.value.raw.as_bytes()).ok();
        let value = inner.as_ref().and_then(|scan| scan.members.first());
        event.put(&attribute.name(), value.map_or(attribute.value.raw, |member| member.value.raw));
    }
    event.finish(data)
}

fn avro(scan: &Scan<'_>) -> Option<String> {
    let attributes = json::scan(scan.get("attribute")?.raw.as_bytes()).ok()?;
    let mut event = Structured::default();
    for attribute in &attributes.members {
        event.put(&attribute.name(), attribute.value.raw);
    }
    Some(event.finish(scan.get("data").map(data_of_avro)))
}

fn avro_compact(scan: &Scan<'_>) -> String {
    let mut event = Structured::default();
    event.put("specversion", "\"1.0\"");
    for member in &scan.members {
        match member.name().as_ref() {
            "data" => {}
            // The schema names it "attributes", the text beside it "extensions".
            "attributes" | "extensions" => {
                let extensions = json::scan(member.value.raw.as_bytes()).ok();
                for extension in extensions.iter().flat_map(|scan| &scan.members) {
                    event.put(&extension.name(), extension.value.raw);
                }
            }
            name => event.put(name, member.value.raw),
        }
    }
    // Here data are bytes, whatever they are bytes of.
    let data = scan.get("data").filter(|data| data.kind == Kind::Text);
    event.finish(data.map(Data::Base64))
}

/// Avro's data is of any type; bytes have become base64, which is a text like others.
fn data_of_avro(value: Value<'_>) -> Data<'_> {
    if value.kind == Kind::Text { Data::Text(value) } else { Data::Json(value) }
}

/// An event in structured mode while it is put together.
#[derive(Default)]
struct Structured {
    members: String,
    content_type: Option<String>,
}

impl Structured {
    /// Adds an attribute; null is one that is not there.
    fn put(&mut self, name: &str, raw: &str) {
        if raw == "null" {
            return;
        }
        if name == "datacontenttype" {
            self.content_type = json::scan(raw.as_bytes())
                .ok()
                .and_then(|scan| Some(media_type(scan.value.text()?.as_bytes())));
        }
        put_text(&mut self.members, name);
        self.members.push(':');
        self.members.push_str(raw);
        self.members.push(',');
    }

    fn finish(self, data: Option<Data<'_>>) -> String {
        let holds_json = self.content_type.as_deref().is_some_and(is_json);
        let mut out = format!("{{{}", self.members);
        match data {
            Some(Data::Json(value)) => member(&mut out, "data", value.raw),
            Some(Data::Text(value)) => {
                let text = value.text().unwrap_or_default();
                // Without a content type only what can hardly be meant as a text is opened.
                let may_hold = holds_json
                    || (self.content_type.is_none() && text.trim_start().starts_with(['{', '[']));
                let inner = may_hold.then(|| inner_json(text.as_bytes())).flatten();
                let of_bytes = || {
                    let bytes = STANDARD.decode(text.as_bytes()).ok().filter(|_| holds_json)?;
                    inner_json(&bytes)
                };
                match inner.or_else(of_bytes) {
                    Some(json) => member(&mut out, "data", &json),
                    None => member(&mut out, "data", value.raw),
                }
            }
            Some(Data::Base64(value)) => {
                let bytes = value.text().and_then(|text| STANDARD.decode(text.as_bytes()).ok());
                let inner = bytes.filter(|_| holds_json);
                match inner.and_then(|bytes| inner_json(&bytes)) {
                    Some(json) => member(&mut out, "data", &json),
                    None => member(&mut out, "data_base64", value.raw),
                }
            }
            None => {}
        }
        if out.ends_with(',') {
            out.pop();
        }
        out.push('}');
        out
    }
}

fn member(out: &mut String, name: &str, raw: &str) {
    put_text(out, name);
    out.push(':');
    out.push_str(raw);
}

/// The JSON that bytes are.
fn inner_json(bytes: &[u8]) -> Option<String> {
    let scan = json::scan(bytes).ok().filter(|scan| scan.value.depth <= MAX_DEPTH)?;
    Some(scan.value.raw.to_owned())
}

#[cfg(test)]
mod tests {
    use super::structured;
    use crate::event::json;

    #[track_caller]
    fn rewritten(name: &str, value: &str) -> String {
        let scan = json::scan(value.as_bytes()).expect("the test's own JSON is valid");
        structured(Some(name), &scan).expect("it is one of CloudEvents' schemas")
    }

    #[test]
    fn a_protobuf_event_is_the_event_of_the_structured_mode() {
        let event = r#"{"id":"1","source":"/orders","spec_version":"1.0","type":"OrderCreated","attributes":{"subject":{"ce_string":"o-1"},"time":{"ce_timestamp":"2026-11-22T10:00:00Z"},"attempt":{"ce_integer":2}},"text_data":"{\"a\":1}"}"#;
        assert_eq!(
            rewritten("io.cloudevents.v1.CloudEvent", event),
            r#"{"id":"1","source":"/orders","specversion":"1.0","type":"OrderCreated","subject":"o-1","time":"2026-11-22T10:00:00Z","attempt":2,"data":{"a":1}}"#
        );
    }

    #[test]
    fn binary_data_is_json_only_where_its_content_type_says_so() {
        let event = |attributes: &str| {
            format!(r#"{{"id":"1","attributes":{{{attributes}}},"binary_data":"eyJhIjoxfQ=="}}"#)
        };
        let json = event(r#""datacontenttype":{"ce_string":"application/json"}"#);
        assert_eq!(
            rewritten("io.cloudevents.v1.CloudEvent", &json),
            r#"{"id":"1","datacontenttype":"application/json","data":{"a":1}}"#
        );
        assert_eq!(
            rewritten("io.cloudevents.v1.CloudEvent", &event("")),
            r#"{"id":"1","data_base64":"eyJhIjoxfQ=="}"#
        );
    }

    #[test]
    fn both_avro_forms_are_the_event_of_the_structured_mode() {
        let event = r#"{"attribute":{"specversion":"1.0","id":"1","subject":null},"data":{"a":1}}"#;
        assert_eq!(
            rewritten("io.cloudevents.CloudEvent", event),
            r#"{"specversion":"1.0","id":"1","data":{"a":1}}"#
        );
        let event = r#"{"id":"1","subject":null,"extensions":{"tenant":"t"},"datacontenttype":"application/json","data":"eyJhIjoxfQ=="}"#;
        assert_eq!(
            rewritten("io.cloudevents.v1.avro.compact.CloudEvent", event),
            r#"{"specversion":"1.0","id":"1","tenant":"t","datacontenttype":"application/json","data":{"a":1}}"#
        );
    }

    #[test]
    fn bytes_that_are_no_json_stay_bytes_in_every_form() {
        let compact = |content_type: &str| {
            rewritten(
                "io.cloudevents.v1.avro.compact.CloudEvent",
                &format!(r#"{{"id":"1",{content_type}"data":"AAEC"}}"#),
            )
        };
        for content_type in ["", r#""datacontenttype":"application/octet-stream","#] {
            let event = compact(content_type);
            assert!(event.ends_with(r#","data_base64":"AAEC"}"#), "{event}");
        }
    }

    #[test]
    fn a_text_without_a_content_type_is_a_text_unless_it_is_an_object_or_an_array() {
        for (text, data) in [
            (r#""42""#, r#""42""#),
            (r#""true""#, r#""true""#),
            (r#""null""#, r#""null""#),
            (r#""{\"a\":1}""#, r#"{"a":1}"#),
            (r#"" [1]""#, "[1]"),
            (r#""{a""#, r#""{a""#),
        ] {
            let event =
                rewritten("io.cloudevents.v1.CloudEvent", &format!("{{\"text_data\":{text}}}"));
            assert_eq!(event, format!("{{\"data\":{data}}}"));
            let event = rewritten(
                "io.cloudevents.CloudEvent",
                &format!("{{\"attribute\":{{}},\"data\":{text}}}"),
            );
            assert_eq!(event, format!("{{\"data\":{data}}}"));
        }
        let with_type = r#"{"attributes":{"datacontenttype":{"ce_string":"application/json"}},"text_data":"42"}"#;
        assert!(rewritten("io.cloudevents.v1.CloudEvent", with_type).ends_with(r#""data":42}"#));
    }

    #[test]
    fn a_schema_of_another_name_is_left_alone() {
        let scan = json::scan(b"{\"attribute\":{}}").expect("the test's own JSON is valid");
        assert_eq!(structured(Some("com.acme.CloudEvent"), &scan), None);
        assert_eq!(structured(None, &scan), None);
    }
}
