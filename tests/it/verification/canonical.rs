//! The canonical form of JSON, of what is sent and of what PostgreSQL gives back.

use std::fmt::Write as _;

use audit::evidence::canonical::Canonicalizer;
use sandbox::Sandbox;

use super::random::Random;
use crate::support::Database;

const VALUES: usize = 100_000;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

#[test]
fn json_has_the_same_canonical_form_as_it_is_sent_and_as_postgresql_gives_it_back() {
    let scope = Sandbox::shared().scope("canonical_json");
    let database = Database::open(scope.database_url());
    database.execute("CREATE TABLE sent (number INT, value JSONB)");
    let seed = 20_261_127;
    let mut random = Random::new(seed);
    let sent: Vec<String> = (0..VALUES)
        .map(|_| {
            let mut text = String::new();
            value(&mut random, 0, &mut text);
            text
        })
        .collect();
    let mut copy = SIGNATURE.to_vec();
    for (number, text) in (0_i32..).zip(&sent) {
        copy.extend(2_i16.to_be_bytes());
        copy.extend(4_i32.to_be_bytes());
        copy.extend(number.to_be_bytes());
        copy.extend((text.len() as i32 + 1).to_be_bytes());
        copy.push(1);
        copy.extend(text.as_bytes());
    }
    copy.extend((-1_i16).to_be_bytes());
    database.copy_in("COPY sent FROM STDIN (FORMAT binary)", &copy);
    let stored = database
        .copy_out_bytes("COPY (SELECT value FROM sent ORDER BY number) TO STDOUT (FORMAT binary)");
    let mut rest = &stored[SIGNATURE.len()..];
    let mut canonicalizer = Canonicalizer::default();
    let mut shorter = 0;
    for (number, text) in sent.iter().enumerate() {
        let length = i32::from_be_bytes(rest[2..6].try_into().unwrap()) as usize;
        let given = &rest[7..6 + length];
        rest = &rest[6 + length..];
        let mut form = |json: &[u8]| {
            let mut bytes = Vec::new();
            let written = canonicalizer.write(json, &mut bytes);
            written.unwrap_or_else(|error| panic!("seed {seed}, value {number}, {text}: {error}"));
            String::from_utf8(bytes).unwrap()
        };
        let (of_sent, of_given) = (form(text.as_bytes()), form(given));
        assert_eq!(of_sent, of_given, "seed {seed}, value {number}: {text}");
        assert_eq!(form(of_sent.as_bytes()), of_sent, "seed {seed}, value {number}: {text}");
        shorter += usize::from(of_sent.len() < text.len());
    }
    assert_eq!(rest, [0xff, 0xff], "all values came back");
    assert!(shorter > VALUES / 2, "{shorter} values were not canonical already");
}

/// Writes a random value in one of the many ways that it can be written.
fn value(random: &mut Random, depth: usize, text: &mut String) {
    // Most are small; a few are nested very deep.
    let kinds = if depth > 4 && random.below(40) > 0 { 7 } else { 12 };
    match random.below(kinds) {
        0 => text.push_str(random.one_of(&["true", "false", "null"])),
        1..=3 => number(random, text),
        4..=6 => string(random, text),
        7 | 8 => members(random, text, ['[', ']'], |random, text| value(random, depth + 1, text)),
        9 => {
            // Many brackets around one value.
            let brackets = random.below(60);
            text.push_str(&"[ ".repeat(brackets));
            value(random, depth + 5, text);
            text.push_str(&" ]".repeat(brackets));
        }
        _ => members(random, text, ['{', '}'], |random, text| {
            name(random, text);
            space(random, text);
            text.push(':');
            space(random, text);
            value(random, depth + 1, text);
        }),
    }
}

fn members(
    random: &mut Random,
    text: &mut String,
    [open, close]: [char; 2],
    mut member: impl FnMut(&mut Random, &mut String),
) {
    text.push(open);
    space(random, text);
    for number in 0..random.below(6) {
        if number > 0 {
            text.push(',');
            space(random, text);
        }
        member(random, text);
        space(random, text);
    }
    text.push(close);
}

/// Few names, so that many come twice, written with and without escapes.
fn name(random: &mut Random, text: &mut String) {
    match random.below(3) {
        0 => string(random, text),
        _ => {
            let names: [&str; 12] = [
                "\"a\"",
                "\"\\u0061\"",
                "\"aa\"",
                "\"b\"",
                "\"A\"",
                "\"\"",
                "\"é\"",
                "\"\\u00e9\"",
                "\"\\u00E9\"",
                "\"a\\nb\"",
                "\"a\\u000ab\"",
                "\"😀\"",
            ];
            text.push_str(random.one_of(&names));
        }
    }
}

fn space(random: &mut Random, text: &mut String) {
    text.push_str(random.one_of(&["", "", "", " ", "\n", "\t", "\r\n", "  "]));
}

/// What PostgreSQL takes in: its numbers end at 131,072 digits before the point, and 16,383 behind.
fn number(random: &mut Random, text: &mut String) {
    if random.below(3) == 0 {
        text.push('-');
    }
    let digits = [1, 1, 2, 5, 16, 17, 20, 40][random.below(8)];
    let mut whole: String =
        (0..digits).map(|_| random.one_of(&["0", "0", "1", "5", "9", "7"])).collect();
    if whole.starts_with('0') {
        whole = match random.below(2) {
            0 => "0".to_owned(),
            _ => format!("1{whole}"),
        };
    }
    text.push_str(&whole);
    if random.below(2) == 0 {
        text.push('.');
        let zeros = [0, 0, 1, 3, 19, 20, 21, 22, 30][random.below(9)];
        text.push_str(&"0".repeat(zeros));
        for _ in 0..=random.below(12) {
            text.push_str(random.one_of(&["0", "0", "1", "9"]));
        }
    }
    if random.below(3) == 0 {
        text.push_str(random.one_of(&["e", "E"]));
        text.push_str(random.one_of(&["", "+", "-"]));
        let exponent = [0, 1, 2, 7, 19, 20, 21, 22, 100, 308, 3000][random.below(11)];
        text.push_str(&"0".repeat(random.below(3)));
        let _ = write!(text, "{exponent}");
    }
}

fn string(random: &mut Random, text: &mut String) {
    text.push('"');
    for _ in 0..random.below(8) {
        match random.below(8) {
            0 => text.push_str(
                random.one_of(&["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"]),
            ),
            1 => {
                let _ = write!(text, "\\u{:04x}", 1 + random.below(0xd7ff));
            }
            2 => {
                let _ = write!(text, "\\u{:04X}", 1 + random.below(0x40));
            }
            // A pair of surrogates.
            3 => {
                let (high, low) = (0xd800 + random.below(0x400), 0xdc00 + random.below(0x400));
                let _ = write!(text, "\\u{high:04x}\\u{low:04x}");
            }
            4 => text
                .push_str(random.one_of(&["é", "e\u{301}", "😀", "\u{7f}", "\u{2028}", "ß", "Ω"])),
            _ => text.push_str(random.one_of(&["a", "b", "Z", "0", " ", "/", "'", "%"])),
        }
    }
    text.push('"');
}
