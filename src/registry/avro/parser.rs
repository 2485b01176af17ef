//! Parses schemas: JSON becomes a plan. Names are resolved when all schemas were read, so that
//! references may come in any order.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::names::{candidates, defined, primitive, shown};
use super::plan::{Enum, Field, Fixed, Node, NodeId, Plan, Record};
use super::{least, logical};
use crate::event::LogicalType;
use crate::event::json::put_text;

/// The longest full name of a type: each type within a namespace has the namespace's length, too.
const MAX_NAME_BYTES: usize = 1_000;

/// Parses a schema, and those that it refers to by name.
pub(super) fn parse(schema: &str, references: &[String]) -> Result<Plan, String> {
    let texts: Vec<Value> = std::iter::once(schema)
        .chain(references.iter().map(String::as_str))
        .enumerate()
        .map(|(number, text)| json_of(text).map_err(|problem| in_text(number, &problem)))
        .collect::<Result<_, _>>()?;
    let mut parser = Parser::default();
    let mut roots = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        parser.definitions.push(HashMap::new());
        let root =
            parser.schema(text, &"".into()).map_err(|error| in_text(number, &error.text()))?;
        roots.push(root);
    }
    parser.finish(roots[0])
}

/// Says that it is a reference that has a problem.
fn in_text(number: usize, problem: &str) -> String {
    match number {
        0 => problem.to_owned(),
        number => format!("reference {number}: {problem}"),
    }
}

/// The JSON of a schema's text. A name of Avro's own may stand there without quotes.
fn json_of(text: &str) -> Result<Value, String> {
    let text = text.trim();
    if primitive(text).is_some() {
        return Ok(Value::String(text.to_owned()));
    }
    serde_json::from_str(text).map_err(|error| match error.to_string() {
        error if error.contains("recursion limit") => {
            "the schema's JSON is nested more than 127 levels deep".to_owned()
        }
        error => format!("the schema is not JSON: {}", shown(&error)),
    })
}

/// What is wrong with a schema, and in which type or field.
struct SchemaError {
    problem: String,
    place: Option<String>,
}

impl SchemaError {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), place: None }
    }

    /// Tells the place, where the innermost is not told yet.
    fn at(self, place: impl FnOnce() -> String) -> Self {
        Self { place: self.place.or_else(|| Some(place())), ..self }
    }

    fn text(self) -> String {
        match self.place {
            Some(place) => format!("{}: {}", place, self.problem),
            None => self.problem,
        }
    }
}

/// A type that has a name.
struct Definition<'j> {
    node: NodeId,
    json: &'j Map<String, Value>,
}

/// A name that stands for a type.
struct Reference<'j> {
    node: NodeId,
    /// The schema that it stands in.
    text: usize,
    name: &'j str,
    /// The full name of the record around it.
    around: Arc<str>,
}

#[derive(Default)]
struct Parser<'j> {
    nodes: Vec<Node>,
    /// Of each schema, the types that it defines, by full name.
    definitions: Vec<HashMap<Arc<str>, Definition<'j>>>,
    references: Vec<Reference<'j>>,
}

impl<'j> Parser<'j> {
    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// A type, within a namespace.
    fn schema(&mut self, json: &'j Value, around: &Arc<str>) -> Result<NodeId, SchemaError> {
        match json {
            Value::String(name) => Ok(self.of_name(name, None, around)),
            Value::Array(branches) => {
                let branches: Vec<NodeId> = branches
                    .iter()
                    .map(|branch| self.schema(branch, around))
                    .collect::<Result<_, _>>()?;
                let is_union = |id: &NodeId| matches!(self.nodes[id.index()], Node::Union(_));
                if branches.iter().any(is_union) {
                    return Err(SchemaError::new("a union directly within a union"));
                }
                Ok(self.add(Node::Union(branches.into())))
            }
            Value::Object(attributes) => self.object(attributes, around),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                Err(SchemaError::new(format!("{json} is no type")))
            }
        }
    }

    fn object(
        &mut self,
        attributes: &'j Map<String, Value>,
        around: &Arc<str>,
    ) -> Result<NodeId, SchemaError> {
        match attributes.get("type") {
            Some(Value::String(word)) => match word.as_str() {
                "record" | "error" | "enum" | "fixed" => self.define(word, attributes, around),
                "array" => {
                    let items = self.inner(attributes, "items", around)?;
                    Ok(self.add(Node::Array(items)))
                }
                "map" => {
                    let values = self.inner(attributes, "values", around)?;
                    Ok(self.add(Node::Map(values)))
                }
                name => Ok(self.of_name(name, Some(attributes), around)),
            },
            // Such as {"type": {"type": "record", …}}.
            Some(inner) => self.schema(inner, around),
            None => Err(SchemaError::new("an object without \"type\" is no type")),
        }
    }

    /// The type that an attribute of an array or a map describes.
    fn inner(
        &mut self,
        attributes: &'j Map<String, Value>,
        name: &str,
        around: &Arc<str>,
    ) -> Result<NodeId, SchemaError> {
        match attributes.get(name) {
            Some(inner) => self.schema(inner, around),
            None => Err(SchemaError::new(format!("a type without its \"{name}\""))),
        }
    }

    /// A type of Avro's own, or one that is defined somewhere.
    fn of_name(
        &mut self,
        name: &'j str,
        attributes: Option<&Map<String, Value>>,
        around: &Arc<str>,
    ) -> NodeId {
        if let Some(node) = primitive(name) {
            return self.add(match attributes {
                Some(attributes) => logical::with_meaning(node, attributes),
                None => node,
            });
        }
        let node = self.add(Node::Null);
        let (text, around) = (self.definitions.len() - 1, Arc::clone(around));
        self.references.push(Reference { node, text, name, around });
        node
    }

    /// A type that is given a name.
    fn define(
        &mut self,
        word: &str,
        attributes: &'j Map<String, Value>,
        around: &Arc<str>,
    ) -> Result<NodeId, SchemaError> {
        let full_name = defined(attributes, around)
            .ok_or_else(|| SchemaError::new(format!("the type \"{word}\" without a name")))?;
        if full_name.len() > MAX_NAME_BYTES {
            let problem = format!("a name of more than {MAX_NAME_BYTES} bytes");
            return Err(SchemaError::new(problem).at(|| shown(&full_name)));
        }
        let name: Arc<str> = full_name.into();
        let node = self.add(Node::Null);
        if let Some(names) = self.definitions.last_mut() {
            match names.get(&name) {
                // Java takes the same definition twice, too.
                Some(known) if known.json == attributes => return Ok(known.node),
                Some(_) => {
                    let problem = format!("{} is defined twice", shown(&name));
                    return Err(SchemaError::new(problem));
                }
                None => {
                    names.insert(Arc::clone(&name), Definition { node, json: attributes });
                }
            }
        }
        let of = Arc::clone(&name);
        let defined = match word {
            "enum" => symbols(attributes).map(|symbols| Node::Enum(Enum { name, symbols })),
            "fixed" => fixed(attributes, name),
            _ => return self.record(node, name, attributes),
        };
        self.nodes[node.index()] = defined.map_err(|error| error.at(|| shown(&of)))?;
        Ok(node)
    }

    fn record(
        &mut self,
        node: NodeId,
        name: Arc<str>,
        attributes: &'j Map<String, Value>,
    ) -> Result<NodeId, SchemaError> {
        let Some(Value::Array(list)) = attributes.get("fields") else {
            return Err(SchemaError::new("a record without \"fields\"").at(|| shown(&name)));
        };
        let mut fields = Vec::with_capacity(list.len());
        for json in list {
            let field = json.get("name").and_then(Value::as_str).zip(json.get("type"));
            let (field_name, json) = field.ok_or_else(|| {
                SchemaError::new("a field without \"name\" or \"type\"").at(|| shown(&name))
            })?;
            let type_node = self.schema(json, &name).map_err(|error| {
                error.at(|| format!("the field {} of {}", shown(field_name), shown(&name)))
            })?;
            let mut before = String::from(if fields.is_empty() { "{" } else { "," });
            put_text(&mut before, field_name);
            before.push(':');
            fields.push(Field { before: before.into(), name: field_name.into(), node: type_node });
        }
        self.nodes[node.index()] = match self.variable_scale(&name, attributes, &fields) {
            Some(is_scale_first) => Node::VariableScaleDecimal { name, is_scale_first },
            None => Node::Record(Record { name, fields: fields.into() }),
        };
        Ok(node)
    }

    /// Whether the scale comes first in Debezium's record of a number; `None` for other records.
    fn variable_scale(
        &self,
        name: &str,
        attributes: &Map<String, Value>,
        fields: &[Field],
    ) -> Option<bool> {
        let named = logical::named(attributes, "struct")
            .or_else(|| LogicalType::named(name, "struct", || None));
        if named != Some(LogicalType::VariableScaleDecimal) {
            return None;
        }
        let is = |field: &Field, name, is_type: fn(&Node) -> bool| {
            &*field.name == name && is_type(&self.nodes[field.node.index()])
        };
        let is_scale = |field| is(field, "scale", |node| matches!(node, Node::Int(_)));
        let is_value = |field| is(field, "value", |node| matches!(node, Node::Bytes(_)));
        match fields {
            [scale, value] if is_scale(scale) && is_value(value) => Some(true),
            [value, scale] if is_scale(scale) && is_value(value) => Some(false),
            _ => None,
        }
    }

    /// Resolves the names, and counts what each type takes.
    fn finish(mut self, root: NodeId) -> Result<Plan, String> {
        let mut targets: Vec<NodeId> = (0..self.nodes.len() as u32).map(NodeId).collect();
        for reference in &self.references {
            targets[reference.node.index()] = self.target(reference)?;
        }
        let target = |id: &mut NodeId| *id = targets[id.index()];
        for node in &mut self.nodes {
            match node {
                Node::Array(inner) | Node::Map(inner) => target(inner),
                Node::Union(branches) => branches.iter_mut().for_each(target),
                Node::Record(record) => {
                    record.fields.iter_mut().for_each(|field| target(&mut field.node));
                }
                _ => {}
            }
        }
        let least = least::of_all(&self.nodes);
        Ok(Plan { nodes: self.nodes, least, root: targets[root.index()] })
    }

    /// The type that a name stands for: of its own schema, or of another.
    fn target(&self, reference: &Reference<'_>) -> Result<NodeId, String> {
        let own = self.definitions.get(reference.text);
        let find = |name: &String| {
            let mut schemas = own.into_iter().chain(&self.definitions);
            schemas.find_map(|names| names.get(name.as_str())).map(|definition| definition.node)
        };
        let candidates = candidates(reference.name, &reference.around);
        candidates.iter().find_map(find).ok_or_else(|| {
            let name = shown(&candidates[0]);
            format!("the type {name} is defined neither in the schema nor in its references")
        })
    }
}

fn symbols(attributes: &Map<String, Value>) -> Result<Box<[Box<str>]>, SchemaError> {
    let symbols = attributes.get("symbols").and_then(Value::as_array);
    let quoted = |symbol: &Value| {
        let mut json = String::new();
        put_text(&mut json, symbol.as_str()?);
        Some(json.into_boxed_str())
    };
    symbols
        .and_then(|symbols| symbols.iter().map(quoted).collect())
        .ok_or_else(|| SchemaError::new("an enum without \"symbols\", which are texts"))
}

fn fixed(attributes: &Map<String, Value>, name: Arc<str>) -> Result<Node, SchemaError> {
    match attributes.get("size").and_then(Value::as_u64) {
        Some(size) => {
            Ok(Node::Fixed(Fixed { name, size, meaning: logical::fixed(attributes, size) }))
        }
        None => Err(SchemaError::new("a fixed without its \"size\"")),
    }
}
