//! The native envelope: an object with `event_id` or `event_type`, in snake or camel case.

use crate::event::Format;
use crate::event::column_source::ColumnOrigin;
use crate::event::envelope::{Envelope, Field, Outcome, Payload, object_of};
use crate::event::json::{MAX_DEPTH, Member, Scan, Value};

/// The members that an envelope has, in both spellings. `data` is another name of `payload`.
const NAMES: [[&str; 2]; 8] = [
    ["event_id", "eventId"],
    ["event_type", "eventType"],
    ["aggregate_id", "aggregateId"],
    ["source_service", "sourceService"],
    ["occurred_at", "occurredAt"],
    ["correlation_id", "correlationId"],
    ["causation_id", "causationId"],
    ["payload", "data"],
];

const PAYLOAD: usize = 7;

pub(in crate::event) fn decode<'a>(scan: &Scan<'a>) -> Outcome<'a> {
    // Of each name both spellings may be there; the first spelling wins then, and the other one is
    // kept as unknown.
    let mut found: [[Option<Member<'a>>; 2]; 8] = [[None; 2]; 8];
    let mut others = Vec::new();
    for member in &scan.members {
        match position(&member.name()) {
            Some((name, spelling)) => found[name][spelling] = Some(*member),
            None => others.push(*member),
        }
    }
    if found[..2].as_flattened().iter().all(Option::is_none) {
        return Outcome::NotMine;
    }
    let mut take = |name: usize| -> Option<(&'static str, Value<'a>)> {
        let [first, second] = found[name];
        if first.is_some() {
            others.extend(second);
        }
        let spelling = usize::from(first.is_none());
        first.or(second).map(|member| (NAMES[name][spelling], member.value))
    };
    let mut field =
        |name: usize| take(name).and_then(|(spelling, value)| Field::member(spelling, Some(value)));
    let event_id = field(0);
    let event_type = field(1);
    let aggregate_id = field(2);
    let source_service = field(3);
    let occurred_at = field(4);
    let correlation_id = field(5);
    let causation_id = field(6);
    let payload = take(PAYLOAD);

    let mut envelope = Envelope {
        event_id,
        event_type,
        aggregate_id,
        source_service,
        occurred_at,
        correlation_id,
        ..Envelope::new(Format::Native, Payload::Raw("{}"), ColumnOrigin::OtherMembers)
    };
    envelope.keep("causation_id", causation_id);
    match payload {
        Some((spelling, value)) => {
            if let Err(problem) = envelope.set_payload(value, ColumnOrigin::Member(spelling)) {
                return Outcome::Invalid(problem);
            }
            envelope.unknown = others;
        }
        None if scan.value.depth > MAX_DEPTH => {
            return Outcome::Invalid(crate::event::Reason::NestedTooDeep.into());
        }
        None => envelope.payload = Payload::Built(object_of(&others)),
    }
    Outcome::Decoded(envelope)
}

fn position(name: &str) -> Option<(usize, usize)> {
    // One look at the first character spares most comparisons.
    match name.as_bytes().first()? {
        b'e' | b'a' | b's' | b'o' | b'c' | b'p' | b'd' => {}
        _ => return None,
    }
    NAMES.iter().enumerate().find_map(|(index, spellings)| {
        spellings.iter().position(|spelling| *spelling == name).map(|spelling| (index, spelling))
    })
}
