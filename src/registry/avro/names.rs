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

/// The full name that a definition gives its type; `around` is that of the type around it. `None`
/// where it gives none.
pub(super) fn defined(attributes: &Map<String, Value>, around: &str) -> Option<String> {
    let name = attributes.get("name")?.as_str().filter(|name| !name.is_empty())?;
    if name.contains('.') {
        return Some(name.trim_start_matches('.').to_owned());
    }
    let of_itself = attributes.get("namespace").and_then(Value::as_str);
    Some(joined(of_itself.unwrap_or_else(|| namespace(around)), name))
}

/// What a name may refer to, the likelier first; `around` is the full name of the type around it.
pub(super) fn candidates(name: &str, around: &str) -> [String; 2] {
    let bare = name.trim_start_matches('.').to_owned();
    match name.contains('.') {
        true => [bare.clone(), bare],
        false => [joined(namespace(around), name), bare],
    }
}

/// The namespace of a full name, which names within its definition inherit.
fn namespace(full_name: &str) -> &str {
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
