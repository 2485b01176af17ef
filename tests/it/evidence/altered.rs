//! Every single value of a proof, changed in every way that its form allows, and in some that it
//! does not: nothing of a proof is decoration.

use serde_json::{Value, json};

use super::both::Cases;
use super::sample::{SIZES, Sample};

/// The places of all members and entries of a document.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (format!("{here}/{name}"), value)).collect()
        }
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .map(|(index, value)| (format!("{here}/{index}"), value))
            .collect(),
        _ => Vec::new(),
    };
    for (place, value) in below {
        places(value, &place, found);
        found.push(place);
    }
}

/// What a value is changed to.
fn changes(value: &Value) -> Vec<Value> {
    let mut changes = vec![Value::Null, json!(true), json!(17), json!("x"), json!([]), json!({})];
    changes.push(json!("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    changes.push(json!("2026-11-22T10:00:00.000007Z"));
    changes.push(json!("aa000000-0000-4000-8000-000000000007"));
    match value {
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or_default();
            changes
                .extend([number.wrapping_add(1), number.wrapping_sub(1), -1, 0].map(Value::from));
            changes.extend([json!(u64::MAX), json!(1.5), json!(number.to_string())]);
            changes.extend([i64::MAX, i64::MIN, 1 << 31].map(Value::from));
        }
        Value::String(text) => {
            changes.extend(
                [format!("{text} "), format!(" {text}"), text.to_uppercase()].map(Value::from),
            );
            changes.push(Value::from(text.chars().skip(1).collect::<String>()));
            changes.push(json!([text]));
        }
        Value::Bool(value) => changes.extend([json!(!value), json!(i32::from(*value))]),
        Value::Array(entries) => {
            changes.push(entries.iter().rev().cloned().collect());
            changes.push(entries.iter().skip(1).cloned().collect());
            changes.push(entries.iter().chain(entries.first()).cloned().collect());
        }
        Value::Object(members) => changes.push(members.values().cloned().collect()),
        Value::Null => {}
    }
    changes.retain(|change| change != value);
    changes
}

/// The document with something done to what stands at a place.
fn edited(proof: &Value, place: &str, edit: impl FnOnce(&mut Value, &str)) -> Value {
    let mut edited = proof.clone();
    let (above, name) = place.rsplit_once('/').expect("below the top");
    edit(edited.pointer_mut(above).expect("it is there"), name);
    edited
}

fn refused_whatever_is_changed(proof: &str, add: impl Fn(&mut Cases, &str, &Value)) {
    let proof: Value = serde_json::from_str(proof).expect("JSON");
    let mut found = Vec::new();
    places(&proof, "", &mut found);
    let mut cases = Cases::new();
    for place in &found {
        let value = proof.pointer(place).expect("it is there");
        for change in changes(value) {
            let altered = edited(&proof, place, |above, name| match above {
                Value::Array(entries) => {
                    entries[name.parse::<usize>().expect("a place")] = change.clone();
                }
                other => other[name] = change.clone(),
            });
            add(&mut cases, &format!("{place} = {change:.80}"), &altered);
        }
        if let Value::Object(_) =
            proof.pointer(place.rsplit_once('/').expect("a place").0).expect("it is there")
        {
            let missing = edited(&proof, place, |above, name| {
                above.as_object_mut().expect("an object").remove(name);
            });
            add(&mut cases, &format!("{place} is missing"), &missing);
            let renamed = edited(&proof, place, |above, name| {
                let above = above.as_object_mut().expect("an object");
                let value = above.remove(name).expect("it is there");
                above.insert(name.to_uppercase(), value);
            });
            add(&mut cases, &format!("{place} in capitals"), &renamed);
            let more = edited(&proof, place, |above, _| above["more"] = Value::Null);
            add(&mut cases, &format!("a member more beside {place}"), &more);
        }
    }
    cases.assert_refused();
}

#[test]
fn no_value_of_a_proof_can_be_changed() {
    let sample = Sample::new();
    let vkey = sample.vkey();
    for proof in [sample.proof(1, SIZES[1]), sample.proof(2, SIZES[0]), sample.adopted_proof(7)] {
        refused_whatever_is_changed(&proof.to_json().expect("JSON"), |cases, name, altered| {
            cases.proof(name, altered.to_string(), &vkey);
        });
    }
}

#[test]
fn no_value_of_a_consistency_proof_can_be_changed() {
    let sample = Sample::new();
    let vkey = sample.vkey();
    let [old, new] = SIZES.map(|size| sample.checkpoint(size));
    let proof = sample.consistency(SIZES[0], SIZES[1]).to_json().expect("JSON");
    refused_whatever_is_changed(&proof, |cases, name, altered| {
        cases.consistency(name, [&old, &new], altered.to_string(), &vkey);
    });
}

/// As it is written, so that a member can be there twice.
#[test]
fn no_member_of_a_proof_can_be_repeated() {
    let sample = Sample::new();
    let vkey = sample.vkey();
    let mut cases = Cases::new();
    for proof in [sample.proof(1, SIZES[1]), sample.adopted_proof(2)] {
        let json = proof.to_json().expect("JSON");
        for (start, _) in json.match_indices("\": ") {
            let name_at = json[..start].rfind('"').expect("a name has a beginning");
            let name = &json[name_at..=start];
            let again = format!("{}{name}: null, {}", &json[..name_at], &json[name_at..]);
            cases.proof(&format!("{name} at {name_at}"), again, &vkey);
        }
    }
    let said = cases.assert_refused();
    assert!(said.len() > 100, "{}", said.len());
    for (name, reason, other_reason) in said {
        assert!(
            reason.contains("duplicate field") || reason.contains("invalid type: null"),
            "{name}: {reason}"
        );
        assert!(other_reason.contains("is repeated"), "{name}: {other_reason}");
    }
}
