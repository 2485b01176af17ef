use proptest::prelude::*;

use super::{CanonicalError, Canonicalizer};

fn canonical(json: &str) -> Result<String, CanonicalError> {
    let mut out = Vec::new();
    Canonicalizer::default().write(json.as_bytes(), &mut out)?;
    Ok(String::from_utf8(out).expect("canonical JSON is UTF-8"))
}

#[test]
fn a_number_has_one_form_whichever_way_it_is_written() {
    let cases: [(&str, &[&str]); 16] = [
        ("0", &["0", "-0", "0.0", "-0.00", "0e5", "0E-7", "0e99999999"]),
        ("1", &["1", "1.0", "1e0", "10e-1", "0.1e1", "1.000E+0"]),
        ("-1.5", &["-1.5", "-15e-1", "-1.50", "-0.15E1"]),
        ("1200", &["1200", "12e2", "1.2e3", "1200.0"]),
        ("19.9", &["19.9", "19.90", "1990e-2"]),
        ("0.00012", &["0.00012", "1.2e-4", "12e-5"]),
        ("100000000000000000000", &["100000000000000000000", "1e20"]),
        ("1e21", &["1e21", "1000000000000000000000", "1E+21", "0.1e22"]),
        ("-12e21", &["-12e21", "-12000000000000000000000"]),
        ("0.000000000000000000001", &["1e-21", "0.000000000000000000001"]),
        ("1e-22", &["1e-22", "0.0000000000000000000001", "0.1e-21"]),
        ("9007199254740993", &["9007199254740993", "9007199254740993.0"]),
        ("123456789012345678901234567890", &["123456789012345678901234567890"]),
        ("0.1234567890123456789012345678", &["0.1234567890123456789012345678"]),
        ("1e131071", &["1e131071"]),
        ("10.5", &["10.50", "1.05e1"]),
    ];
    for (expected, written) in cases {
        for number in written {
            assert_eq!(canonical(number).as_deref(), Ok(expected), "{number}");
        }
    }
    assert_eq!(canonical("1e99999999999999999999"), Err(CanonicalError::Exponent));
}

#[test]
fn members_stand_in_the_order_of_their_bytes_and_the_last_of_a_name_counts() {
    let cases = [
        (r#" { "b" : 1 , "a" : [ 1 , 2.0 ] } "#, r#"{"a":[1,2],"b":1}"#),
        (r#"{"a":1,"a":2,"b":3,"a":{"y":1,"x":2}}"#, r#"{"a":{"x":2,"y":1},"b":3}"#),
        (r#"{"aa":1,"b":2,"a":3}"#, r#"{"a":3,"aa":1,"b":2}"#),
        // The quote ends a name, and stands between `!` and `#` in ASCII.
        (r#"{"a#":1,"a":2,"a!":3}"#, r#"{"a":2,"a!":3,"a#":1}"#),
        (r#"{"a\\":1,"a]":2,"a[":3,"a\"":4}"#, r#"{"a\"":4,"a[":3,"a\\":1,"a]":2}"#),
        // Sorts by UTF-8, not by UTF-16: U+FFFD comes before U+1F511.
        (r#"{"\ud83d\udd11":1,"\ufffd":2}"#, "{\"\u{fffd}\":2,\"🔑\":1}"),
        (r#"{"\u0061":1,"a":2}"#, r#"{"a":2}"#),
        ("[]", "[]"),
        ("{}", "{}"),
        (r#"[{},[],{"a":{}}]"#, r#"[{},[],{"a":{}}]"#),
        ("null", "null"),
    ];
    for (json, expected) in cases {
        assert_eq!(canonical(json).as_deref(), Ok(expected), "{json}");
    }
}

#[test]
fn a_text_has_only_the_escapes_that_it_needs() {
    let cases = [
        (r#""\u00e4\/\u0041""#, "\"ä/A\""),
        (r#""\b\f\n\r\t\"\\""#, r#""\b\f\n\r\t\"\\""#),
        (r#""\u0008\u000c\u000a\u000D\u0009\u0022\u005c""#, r#""\b\f\n\r\t\"\\""#),
        ("\"\\u001F\u{7f}\\u007f\"", "\"\\u001f\u{7f}\u{7f}\""),
        // Is not normalised: a letter with its accent beside it stays two characters.
        ("\"a\u{308}\"", "\"a\u{308}\""),
    ];
    for (json, expected) in cases {
        assert_eq!(canonical(json).as_deref(), Ok(expected), "{json}");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for json in [
        "",
        " ",
        "{",
        "[1",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "\"",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\u00g0\"",
        "tru",
        "1 2",
        "]",
        "{]",
        "[}",
        "\"\n\"",
    ] {
        assert!(matches!(canonical(json), Err(CanonicalError::Json(_))), "{json:?}");
    }
}

#[test]
fn depth_is_no_matter() {
    let deep = format!("{}1.0{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(canonical(&deep).map(|text| text.len()), Ok(400_001));
}

/// A value, written in two ways that mean the same.
fn value() -> impl Strategy<Value = (String, String)> {
    let number = (any::<i32>(), 0..5_usize).prop_map(|(number, zeros)| {
        let zeros = "0".repeat(zeros);
        (format!("{number}"), format!("{number}.0{zeros}e0"))
    });
    let text = any::<String>().prop_map(|text| {
        let plain = serde_json::to_string(&text).expect("text");
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        (plain, format!("\"{escaped}\""))
    });
    let leaf = prop_oneof![
        number,
        text,
        Just(("true".to_owned(), "true".to_owned())),
        Just(("null".to_owned(), " null ".to_owned())),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let array = proptest::collection::vec(inner.clone(), 0..5).prop_map(|items| {
            let (left, right): (Vec<_>, Vec<_>) = items.into_iter().unzip();
            (format!("[{}]", left.join(",")), format!("[ {} ]", right.join(" , ")))
        });
        let object =
            proptest::collection::btree_map("[a-c\"\\\\é]{0,3}", inner, 0..6).prop_map(|members| {
                let member = |name: &String, value: &String| {
                    format!("{} : {value}", serde_json::to_string(name).expect("text"))
                };
                let left: Vec<String> =
                    members.iter().map(|(name, (left, _))| member(name, left)).collect();
                let mut right: Vec<String> =
                    members.iter().rev().map(|(name, (_, right))| member(name, right)).collect();
                // A member of a name that comes again counts for nothing.
                if let Some((name, _)) = members.iter().next() {
                    right.insert(0, member(name, &"[7]".to_owned()));
                }
                (format!("{{{}}}", left.join(",")), format!("{{{}}}", right.join(",")))
            });
        prop_oneof![array, object]
    })
}

proptest! {
    #[test]
    fn two_texts_of_one_value_have_one_form((left, right) in value()) {
        let form = canonical(&left);
        prop_assert!(form.is_ok(), "{left}");
        prop_assert_eq!(&form, &canonical(&right));
        // The form is its own form, and still JSON of the same value.
        let form = form.unwrap_or_default();
        prop_assert_eq!(canonical(&form), Ok(form.clone()));
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        prop_assert!(read(&form).is_some());
    }
}
