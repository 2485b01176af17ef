//! What a value of a type takes at least: bytes in Avro, and bytes as JSON.

use super::plan::{BytesMeaning, FixedMeaning, Least, Node, NodeId};

/// What stands in for a record inside of itself.
const FLOOR: Least = Least { bytes: 0, json: 2 };

/// What no value takes.
const NEVER: Least = Least { bytes: u64::MAX, json: u64::MAX };

#[derive(Clone, Copy)]
enum Step {
    Enter(NodeId),
    Leave(NodeId),
}

/// The least of each type. Schemas may name types within types a million deep, so that this has its
/// own stack.
pub(super) fn of_all(nodes: &[Node]) -> Vec<Least> {
    let mut least: Vec<Option<Least>> = vec![None; nodes.len()];
    let mut is_entered = vec![false; nodes.len()];
    let mut steps = Vec::new();
    for start in 0..nodes.len() {
        steps.push(Step::Enter(NodeId(start as u32)));
        while let Some(step) = steps.pop() {
            match step {
                Step::Enter(id) => {
                    if std::mem::replace(&mut is_entered[id.index()], true) {
                        continue;
                    }
                    steps.push(Step::Leave(id));
                    let is_new = |id: &NodeId| !is_entered[id.index()];
                    match &nodes[id.index()] {
                        Node::Record(record) => {
                            let fields = record.fields.iter().map(|field| field.node);
                            steps.extend(fields.filter(is_new).map(Step::Enter));
                        }
                        Node::Union(branches) => {
                            steps.extend(branches.iter().copied().filter(is_new).map(Step::Enter));
                        }
                        // Both may be empty.
                        _ => {}
                    }
                }
                Step::Leave(id) => {
                    let of = |id: NodeId| least[id.index()].unwrap_or(FLOOR);
                    least[id.index()] = Some(of_node(&nodes[id.index()], of));
                }
            }
        }
    }
    least.into_iter().map(|least| least.unwrap_or(FLOOR)).collect()
}

fn of_node(node: &Node, of: impl Fn(NodeId) -> Least) -> Least {
    let (bytes, json) = match node {
        Node::Null => (0, 4),
        Node::Boolean => (1, 4),
        Node::Int(_)
        | Node::Long(_)
        | Node::Bytes(BytesMeaning::Decimal(_) | BytesMeaning::BigDecimal) => (1, 1),
        Node::Float => (4, 3),
        Node::Double => (8, 3),
        Node::Text
        | Node::NamedText(_)
        | Node::Bytes(BytesMeaning::Base64)
        | Node::Enum(_)
        | Node::Array(_)
        | Node::Map(_) => (1, 2),
        Node::Fixed(fixed) => match fixed.meaning {
            FixedMeaning::Base64 => (fixed.size, (fixed.size / 3).saturating_mul(4)),
            _ => (fixed.size, 1),
        },
        Node::VariableScaleDecimal { .. } => (2, 1),
        Node::Union(branches) => {
            let all = || branches.iter().map(|branch| of(*branch));
            let bytes = all().map(|least| least.bytes).min().unwrap_or(NEVER.bytes);
            let json = all().map(|least| least.json).min().unwrap_or(NEVER.json);
            (bytes.saturating_add(1), json)
        }
        Node::Record(record) if record.fields.is_empty() => (0, 2),
        // What stands before a field holds the first bracket.
        Node::Record(record) => record.fields.iter().fold((0, 1), |(bytes, json), field| {
            let least = of(field.node);
            let before = field.before.len() as u64;
            (
                u64::saturating_add(bytes, least.bytes),
                u64::saturating_add(json, least.json).saturating_add(before),
            )
        }),
    };
    Least { bytes, json }
}
