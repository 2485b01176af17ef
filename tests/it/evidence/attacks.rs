//! Proofs that are not written as they must be.

use super::both::Cases;
use super::sample::{SIZES, Sample};

/// What is replaced in a proof, by what, and what both verifiers say of it.
const REPLACED: &[(&str, &str, &str, &str)] = &[
    // Numbers.
    ("\"leaf_index\": 299", "\"leaf_index\": 299.0", "floating point", "no integer"),
    ("\"leaf_index\": 299", "\"leaf_index\": 2.99e2", "floating point", "no integer"),
    ("\"leaf_index\": 299", "\"leaf_index\": 0299", "invalid number", "not JSON"),
    ("\"leaf_index\": 299", "\"leaf_index\": +299", "expected value", "not JSON"),
    ("\"leaf_index\": 299", "\"leaf_index\": 0x12b", "expected `,`", "not JSON"),
    ("\"leaf_index\": 299", "\"leaf_index\": -0", "floating point", "no integer"),
    ("\"leaf_index\": 299", "\"leaf_index\": -1", "negative", "out of range"),
    ("\"leaf_index\": 299", "\"leaf_index\": 9223372036854775808", "invalid value", "out of range"),
    ("\"leaf_index\": 299", "\"leaf_index\": 18446744073709551915", "invalid type", "out of range"),
    ("\"leaf_index\": 299", "\"leaf_index\": 1e400", "number out of range", "no integer"),
    ("\"leaf_index\": 299", "\"leaf_index\": NaN", "expected value", "no JSON"),
    ("\"leaf_index\": 299", "\"leaf_index\": Infinity", "expected value", "no JSON"),
    ("\"leaf_index\": 299", "\"leaf_index\": -Infinity", "invalid number", "no JSON"),
    ("\"leaf_index\": 299", "\"leaf_index\": \"299\"", "invalid type: string", "no integer"),
    ("\"leaf_index\": 299", "\"leaf_index\": 777", "covers only 300", "not in a log of 300"),
    ("\"leaf_index\": 299", "\"leaf_index\": 9223372036854775807", "covers only", "not in a log"),
    ("\"partition_id\": 3,", "\"partition_id\": 4294967299,", "invalid value", "out of range"),
    ("\"row_count\": 8", "\"row_count\": 2147483648", "invalid value", "out of range"),
    ("\"is_dlt\": false", "\"is_dlt\": 0", "invalid type: integer", "neither true nor false"),
    ("\"is_dlt\": false", "\"is_dlt\": False", "expected value", "not JSON"),
    // Texts.
    ("\"orders\"", "\"order\\ud83d\"", "hex escape", "surrogate"),
    ("\"orders\"", "\"order\\udd11\\ud83d\"", "surrogate", "surrogate"),
    ("\"orders\"", "\"ord\ters\"", "control character", "not JSON"),
    ("\"orders\"", "\"ord\\xers\"", "invalid escape", "not JSON"),
    ("\"orders\"", "'orders'", "expected value", "not JSON"),
    ("aa000000-0000", "AA000000-0000", "lower case", "lower case"),
    (
        "\"aa000000-0000-4000-8000-000000000001\"",
        "\"aa000000000040008000000000000001\"",
        "UUID",
        "UUID",
    ),
    ("\"stored\"", "\"kept\"", "stored or lost", "neither stored nor lost"),
    ("\"stored\"", "{\"stored\": null}", "invalid type: map", "no text"),
    ("T10:00:00.000000Z", "T10:00:00Z", "expected a time", "no time"),
    ("T10:00:00.000000Z", "T10:00:00.000000+00:00", "expected a time", "no time"),
    ("\"2026-11-22T10:00:00.000000Z\"", "1795341600000000", "written as text", "written as text"),
    ("audit-proof/1", "audit-proof/2", "audit-proof/2", "audit-proof/1"),
    ("audit-proof/1", "audit-consistency/1", "audit-consistency/1", "audit-proof/1"),
    // Structure.
    ("\"dead_letter\": null", "\"dead_letter\": []", "expected an object", "no object"),
    ("\"adopted\": null", "\"adopted\": {}", "missing field", "is missing"),
    ("\"adopted\": null", "\"adopted\": null,", "trailing comma", "not JSON"),
    ("\"adopted\": null", "\"adopted\": null // so", "expected `,`", "not JSON"),
    ("\"format\":", "\"more\": [[[1]]], \"format\":", "unknown field `more`", "'more' is unknown"),
    ("\"format\":", "\"form\\u0061t\": null, \"format\":", "invalid type: null", "is repeated"),
    ("\"format\":", "\"format\": \"audit-proof/1\", \"form\\u0061t\":", "duplicate", "is repeated"),
];

fn proof() -> String {
    Sample::new().proof(0, SIZES[0]).to_json().expect("JSON")
}

#[test]
fn what_is_not_the_exact_form_of_a_proof_is_refused_with_its_reason() {
    let (proof, vkey) = (proof(), Sample::new().vkey());
    let mut cases = Cases::new();
    for (from, to, ..) in REPLACED {
        assert!(proof.contains(from), "{from}");
        cases.proof(to, proof.replacen(from, to, 1), &vkey);
    }
    let said = cases.assert_refused();
    for ((name, reason, other_reason), (.., expected, other_expected)) in said.iter().zip(REPLACED)
    {
        assert!(reason.contains(expected), "{name}: {reason}");
        assert!(other_reason.contains(other_expected), "{name}: {other_reason}");
    }
}

#[test]
fn hashes_have_one_form_in_base64() {
    let (proof, vkey) = (proof(), Sample::new().vkey());
    let row_path = proof.find("\"row_path\"").expect("a path");
    let start = row_path + proof[row_path..].find("[\n").expect("hashes");
    let start = start + proof[start..].find('"').expect("a hash") + 1;
    let hash = &proof[start..start + 44];
    // Of the last character but one only four bits count.
    let last = hash.as_bytes()[42];
    let other = char::from(if last.is_ascii_alphabetic() { last + 1 } else { b'B' });
    let mut cases = Cases::new();
    for (name, forged) in [
        ("other last bits", format!("{}{other}=", &hash[..42])),
        ("no padding", hash[..43].to_owned()),
        ("more padding", format!("{hash}=")),
        ("a blank", format!("{} {}", &hash[..20], &hash[20..])),
        ("a line break", format!("{}\\n{}", &hash[..20], &hash[20..])),
        ("url-safe", "-_".repeat(21) + "A="),
        ("31 bytes", "A".repeat(42) + "=="),
        ("33 bytes", "A".repeat(44)),
        ("hexadecimal", "0123456789abcdef".repeat(4)),
        ("nothing", String::new()),
        ("not ASCII", "ä".repeat(44)),
    ] {
        cases.proof(name, format!("{}{forged}{}", &proof[..start], &proof[start + 44..]), &vkey);
    }
    for (name, reason, other_reason) in cases.assert_refused() {
        let is_known = |reason: &str| reason.contains("base64") || reason.contains("32");
        assert!(is_known(&reason) && is_known(&other_reason), "{name}: {reason}; {other_reason}");
    }
}

#[test]
fn what_stands_before_behind_or_instead_of_a_proof_is_refused() {
    let (proof, vkey) = (proof(), Sample::new().vkey());
    let mut cases = Cases::new();
    for (name, forged) in [
        ("nothing", String::new()),
        ("a blank", " ".to_owned()),
        ("null", "null".to_owned()),
        ("an array", "[]".to_owned()),
        ("an array of the proof", format!("[{proof}]")),
        ("an empty object", "{}".to_owned()),
        ("a proof more", format!("{proof}{proof}")),
        ("a comma more", format!("{proof},")),
        ("a NUL more", format!("{proof}\0")),
        ("a byte order mark before it", format!("\u{feff}{proof}")),
        ("deep nesting", "[".repeat(200_000)),
        (
            "a deep member",
            proof.replacen(
                '{',
                &format!("{{\"a\": {}{}, ", "[".repeat(5_000), "]".repeat(5_000)),
                1,
            ),
        ),
        ("a number of a million digits", proof.replacen("299", &"9".repeat(1_000_000), 1)),
        ("a million names", format!("{{{}}}", vec!["\"a\": 0"; 1_000_000].join(","))),
    ] {
        cases.proof(name, forged, &vkey);
    }
    let mut not_utf8 = proof.clone().into_bytes();
    let place = proof.find("orders").expect("a service");
    not_utf8[place] = 0xff;
    cases.proof("not UTF-8", not_utf8, &vkey);
    let utf16: Vec<u8> = proof.encode_utf16().flat_map(u16::to_be_bytes).collect();
    cases.proof("UTF-16", utf16, &vkey);
    for end in (0..proof.trim_end().len()).step_by(97) {
        cases.proof(&format!("cut off behind {end} bytes"), &proof.as_bytes()[..end], &vkey);
    }
    cases.assert_refused();
}

#[test]
fn white_space_and_the_order_of_members_mean_nothing() {
    let (proof, vkey) = (proof(), Sample::new().vkey());
    let value: serde_json::Value = serde_json::from_str(&proof).expect("JSON");
    let mut cases = Cases::new();
    // serde_json sorts the members.
    cases.proof("sorted, on one line", value.to_string(), &vkey);
    cases.proof("blanks around it", format!("\r\n\t {proof} \n"), &vkey);
    cases.proof("escapes", proof.replacen("\"orders\"", "\"\\u006frd\\u0065rs\"", 1), &vkey);
    cases.assert_proven();
}
