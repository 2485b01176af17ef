//! Full names, and the namespace that a name without one has.

use serde_json::{Map, Value};

use super::plan::Node;
use super::plan::{BytesMeaning, Meaning};

/// The type that a name of Avro's own stands for.
pub(super) fn primitive(name: &str) -> Option<Node> {
    Some(match name {
        "null" => Node::Null,
        "boolean" => Node::Boolean,
        "int" => Node::Int(Meaning::Number),
        "long" => Node::Long(Meaning::Number),
        "float" => Node::Float,
        "double" => Node::Double,
        "string" => Node::Text,
        "bytes" => Node::Bytes(BytesMeaning::Base64),
        _ => return None,
    })
}

/// The full name that a definition gives its type; `None` where it gives it no name.
pub(super) fn defined(attributes: &Map<String, Value>, enclosing: &str) -> Option<String> {
    let name = attributes.get("name")?.as_str().filter(|name| !name.is_empty())?;
    if name.contains('.') {
        return Some(name.trim_start_matches('.').to_owned());
    }
    let namespace = attributes.get("namespace").and_then(Value::as_str).unwrap_or(enclosing);
    Some(joined(namespace, name))
}

/// What a name may refer to, the likelier first.
pub(super) fn candidates(name: &str, enclosing: &str) -> [String; 2] {
    let bare = name.trim_start_matches('.').to_owned();
    match name.contains('.') {
        true => [bare.clone(), bare],
        false => [joined(enclosing, name), bare],
    }
}

/// The namespace of a full name, which names within its definition inherit.
pub(super) fn namespace(full_name: &str) -> &str {
    full_name.rsplit_once('.').map_or("", |(namespace, _)| namespace)
}

fn joined(namespace: &str, name: &str) -> String {
    match namespace {
        "" => name.to_owned(),
        _ => format!("{namespace}.{name}"),
    }
}

/// A name as a message shows it.
pub(super) fn shown(name: &str) -> String {
    /// The longest name that a message shows.
    const MAX_CHARACTERS: usize = 100;
    let mut shown: String = name
        .chars()
        .take(MAX_CHARACTERS)
        .map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter })
        .collect();
    if name.chars().nth(MAX_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}
