//! Reads a value along its plan. What is open (records, arrays, maps) lies on a stack of its own.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use super::cursor::Cursor;
use super::fault::{Fault, Refused};
use super::names::shown;
use super::plan::{Field, Node, NodeId, Plan};
use super::scalars;
use crate::event::Unreadable;
use crate::event::json::MAX_DEPTH;
use crate::registry::json_writer::JsonWriter;

/// What a value became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvroValue {
    /// The JSON.
    pub json: String,
    /// The full name of the record, enum or fixed that it is; of a union that of the branch.
    pub name: Option<Arc<str>>,
}

/// The JSON of a value that takes all of the bytes.
pub(super) fn read(plan: &Plan, bytes: &[u8]) -> Result<AvroValue, Unreadable> {
    // Names are in the plan, so that most of the JSON's length is known.
    let names = plan.least(plan.root).json.min(1 << 16) as usize;
    let json = JsonWriter::with_capacity(names + bytes.len() + bytes.len() / 2 + 64);
    let cursor = Cursor::new(bytes);
    let mut reader = Reader { plan, bytes, cursor, json, open: Vec::new(), value_at: 0 };
    match reader.value_and_end() {
        Ok(name) => Ok(AvroValue { json: reader.json.finish(), name: name.cloned() }),
        Err(Refused::Fault(fault)) => Err(fault.at(&reader.path(), reader.value_at)),
        Err(Refused::Unreadable(unreadable)) => Err(unreadable),
    }
}

/// What is open.
#[derive(Debug)]
enum Frame<'s> {
    Record { fields: &'s [Field], next: usize },
    Array(Items),
    Map { values: Items, key: Range<usize> },
}

/// The items of an array or a map.
#[derive(Debug)]
struct Items {
    node: NodeId,
    /// How many are left in the block.
    left: u64,
    /// How many were begun.
    count: u64,
    /// Whether one is being read, and not what stands between them.
    is_inside: bool,
}

impl Items {
    fn new(node: NodeId) -> Self {
        Self { node, left: 0, count: 0, is_inside: false }
    }

    /// Takes one item; false behind the last. Of each block it is known whether its items can fit,
    /// before any is read.
    #[inline]
    fn take(
        &mut self,
        plan: &Plan,
        cursor: &mut Cursor<'_>,
        json: &JsonWriter,
        more_json: u64,
        more_bytes: u64,
    ) -> Result<bool, Refused> {
        self.is_inside = false;
        if self.left == 0 {
            self.left = cursor.block()?;
            if self.left == 0 {
                return Ok(false);
            }
            let least = plan.least(self.node);
            let bytes = self.left.saturating_mul(least.bytes.saturating_add(more_bytes));
            if bytes > cursor.left() as u64 {
                let (items, left) = (self.left, cursor.left());
                return Err(Fault::TooManyItems { items, left }.into());
            }
            let length = self.left.saturating_mul(least.json.saturating_add(more_json));
            json.reserve(usize::try_from(length).unwrap_or(usize::MAX))?;
        }
        self.left -= 1;
        self.count += 1;
        self.is_inside = true;
        Ok(true)
    }
}

struct Reader<'s, 'b> {
    plan: &'s Plan,
    bytes: &'b [u8],
    cursor: Cursor<'b>,
    json: JsonWriter,
    open: Vec<Frame<'s>>,
    /// Where the value that is being read begins.
    value_at: usize,
}

impl<'s> Reader<'s, '_> {
    /// Reads the value; returns its name.
    fn value_and_end(&mut self) -> Result<Option<&'s Arc<str>>, Refused> {
        let plan = self.plan;
        let root = match plan.node(plan.root) {
            Node::Bytes(meaning) => {
                scalars::put_bytes(&mut self.json, self.bytes, *meaning)?;
                return Ok(None);
            }
            Node::Union(branches) => self.branch(branches)?,
            _ => plan.root,
        };
        let mut node = Some(root);
        while let Some(id) = node {
            self.value_at = self.cursor.position();
            self.value(id)?;
            node = self.next()?;
        }
        self.value_at = self.cursor.position();
        match self.cursor.left() {
            0 => Ok(plan.node(root).name()),
            left => Err(Fault::BytesFollow(left).into()),
        }
    }

    /// Reads a value, or begins one that holds others.
    fn value(&mut self, id: NodeId) -> Result<(), Refused> {
        let plan = self.plan;
        let (json, cursor) = (&mut self.json, &mut self.cursor);
        match plan.node(id) {
            Node::Null => json.raw("null")?,
            Node::Boolean => match cursor.array()? {
                [0] => json.raw("false")?,
                [1] => json.raw("true")?,
                [byte] => return Err(Fault::NotABoolean(byte).into()),
            },
            Node::Int(meaning) => scalars::put_integer(json, cursor.int()?.into(), *meaning)?,
            Node::Long(meaning) => scalars::put_integer(json, cursor.long()?, *meaning)?,
            Node::Float => json.single(f32::from_le_bytes(cursor.array()?))?,
            Node::Double => json.double(f64::from_le_bytes(cursor.array()?))?,
            Node::Text => json.text(cursor.text()?)?,
            Node::NamedText(logical_type) => {
                scalars::put_named_text(json, cursor.text()?, *logical_type)?;
            }
            Node::Bytes(meaning) => scalars::put_bytes(json, cursor.bytes()?, *meaning)?,
            Node::Fixed(fixed) => {
                scalars::put_fixed(json, cursor.take(fixed.size)?, fixed.meaning)?;
            }
            Node::Enum(words) => {
                let index = cursor.int()?;
                let symbol = usize::try_from(index).ok().and_then(|at| words.symbols.get(at));
                let symbols = words.symbols.len();
                json.raw(symbol.ok_or(Fault::NoSymbol { index, symbols })?)?;
            }
            Node::VariableScaleDecimal { is_scale_first: true, .. } => {
                let scale = cursor.int()?;
                scalars::put_decimal(json, cursor.bytes()?, scale.into())?;
            }
            Node::VariableScaleDecimal { is_scale_first: false, .. } => {
                let number = cursor.bytes()?;
                scalars::put_decimal(json, number, cursor.int()?.into())?;
            }
            Node::Union(branches) => {
                let branch = self.branch(branches)?;
                // A union holds no unions, so that this ends here.
                self.value(branch)?;
            }
            Node::Record(record) => {
                // What a record without a union takes may be large where it has no bytes at all.
                let least = usize::try_from(plan.least(id).json).unwrap_or(usize::MAX);
                json.reserve(least)?;
                if record.fields.is_empty() {
                    json.raw("{")?;
                }
                self.push(Frame::Record { fields: &record.fields, next: 0 })?;
            }
            Node::Array(items) => {
                json.raw("[")?;
                self.push(Frame::Array(Items::new(*items)))?;
            }
            Node::Map(values) => {
                json.raw("{")?;
                self.push(Frame::Map { values: Items::new(*values), key: 0..0 })?;
            }
        }
        Ok(())
    }

    /// The branch of a union that comes.
    #[inline]
    fn branch(&mut self, branches: &[NodeId]) -> Result<NodeId, Fault> {
        let index = self.cursor.long()?;
        let branch = usize::try_from(index).ok().and_then(|index| branches.get(index));
        branch.copied().ok_or(Fault::NoBranch { index, branches: branches.len() })
    }

    fn push(&mut self, frame: Frame<'s>) -> Result<(), Fault> {
        if self.open.len() == MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.open.push(frame);
        Ok(())
    }

    /// Goes on behind a value: writes what stands before the next one, and returns its type. `None`
    /// where all is closed.
    fn next(&mut self) -> Result<Option<NodeId>, Refused> {
        let (plan, json, cursor) = (self.plan, &mut self.json, &mut self.cursor);
        loop {
            match self.open.last_mut() {
                None => return Ok(None),
                Some(Frame::Record { fields, next }) => {
                    if let Some(field) = fields.get(*next) {
                        *next += 1;
                        json.raw(&field.before)?;
                        return Ok(Some(field.node));
                    }
                    json.raw("}")?;
                }
                Some(Frame::Array(items)) => {
                    self.value_at = cursor.position();
                    // Each item has a comma or bracket.
                    if items.take(plan, cursor, json, 1, 0)? {
                        if items.count > 1 {
                            json.raw(",")?;
                        }
                        return Ok(Some(items.node));
                    }
                    json.raw("]")?;
                }
                Some(Frame::Map { values, key }) => {
                    self.value_at = cursor.position();
                    *key = 0..0;
                    // Each has a key as well: a byte of Avro; `"":` and a comma in JSON.
                    if values.take(plan, cursor, json, 4, 1)? {
                        if values.count > 1 {
                            json.raw(",")?;
                        }
                        let text = cursor.text()?;
                        let end = cursor.position();
                        *key = end - text.len()..end;
                        json.text(text)?;
                        json.raw(":")?;
                        return Ok(Some(values.node));
                    }
                    json.raw("}")?;
                }
            }
            self.open.pop();
        }
    }

    /// The way to the value that is being read, such as `payload.lines[3].amount`.
    fn path(&self) -> String {
        /// How much of it is told.
        const MAX_BYTES: usize = 300;
        let mut path = String::new();
        for frame in &self.open {
            if path.len() > MAX_BYTES {
                path.push('…');
                break;
            }
            match frame {
                Frame::Record { fields, next } => {
                    if let Some(field) = next.checked_sub(1).and_then(|index| fields.get(index)) {
                        let dot = if path.is_empty() { "" } else { "." };
                        path.push_str(dot);
                        path.push_str(&shown(&field.name));
                    }
                }
                // Writing to a String cannot fail.
                Frame::Array(items) if items.is_inside => {
                    let _ = write!(path, "[{}]", items.count - 1);
                }
                Frame::Array(_) => {}
                Frame::Map { key, .. } if key.is_empty() => {}
                Frame::Map { key, .. } => {
                    let key = self.bytes.get(key.clone()).unwrap_or_default();
                    let _ = write!(path, "[\"{}\"]", shown(&String::from_utf8_lossy(key)));
                }
            }
        }
        path
    }
}
