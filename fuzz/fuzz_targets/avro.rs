//! Any bytes of any schema of Avro become JSON or are refused, and any text is a schema or none.
//!
//! The first byte of the input is the number of a schema in SCHEMAS, and the rest a value of it.
//! From 128 on the input is a schema's text, an empty line, and a value.

#![no_main]
// The pure modules alone, so that neither librdkafka nor OpenSSL has to be built for it.
#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "../../src/event/mod.rs"]
mod event;
#[path = "."]
mod registry {
    #[path = "../../src/registry/avro/mod.rs"]
    pub(crate) mod avro;
    #[path = "../../src/registry/json_writer.rs"]
    mod json_writer;
}
#[path = "../../src/time/mod.rs"]
mod time;

use std::sync::LazyLock;

use event::{Reason, json};
use libfuzzer_sys::fuzz_target;
use registry::avro::AvroSchema;

const SCHEMAS: &str = include_str!("../avro_schemas.jsonl");

static KNOWN: LazyLock<Vec<AvroSchema>> = LazyLock::new(|| {
    SCHEMAS.lines().map(|schema| AvroSchema::parse(schema, &[]).expect("a schema")).collect()
});

fn read(schema: &AvroSchema, value: &[u8]) {
    match schema.read(value) {
        Ok(read) => {
            // Texts may hold NUL, and an outermost array more bytes than a column: that is found
            // behind this.
            let refused = json::scan(read.json.as_bytes()).err().map(|refusal| refusal.reason);
            assert!(matches!(refused, None | Some(Reason::NulEscape | Reason::TooLarge)));
            assert_eq!(schema.read(value).map(|again| again.json), Ok(read.json));
        }
        Err(refused) => {
            assert!(refused.detail.starts_with(refused.reason.describe()));
            assert!(refused.detail.len() < 2_000 && !refused.detail.contains(char::is_control));
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((number, rest)) = input.split_first() else { return };
    if *number < 128 {
        read(&KNOWN[usize::from(*number) % KNOWN.len()], rest);
        return;
    }
    let end = rest.windows(2).position(|pair| pair == b"\n\n").unwrap_or(rest.len());
    let (text, value) = rest.split_at(end);
    let Ok(text) = str::from_utf8(text) else { return };
    match AvroSchema::parse(text, &[]) {
        Ok(schema) => read(&schema, value.get(2..).unwrap_or_default()),
        Err(problem) => assert!(problem.len() < 2_000 && !problem.contains(char::is_control)),
    }
});
