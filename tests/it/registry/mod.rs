//! Records whose values and keys need a schema registry: an honest one (Apicurio), and one of the
//! test's own that answers whatever is wanted.

mod dead_letters;
mod decode;
pub(crate) mod fake;
mod keys;
mod outages;
mod quarantine;
mod real;
mod refused;
mod shown;
mod tls;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{Audit, Database, Running};
use fake::FakeRegistry;

const LIMIT: Duration = Duration::from_secs(90);

const ORDER: &str = r#"{"type":"record","name":"OrderPlaced","namespace":"com.acme","fields":[
    {"name":"id","type":"string"},{"name":"total","type":"long"}]}"#;

/// A program whose database and brokers do not exist, for commands that need neither.
fn nowhere() -> Audit {
    Audit {
        database_url: "postgresql://localhost:1/nothing".to_owned(),
        brokers: "127.0.0.1:9".to_owned(),
    }
}

/// A value or key in Confluent's wire format.
fn wire(id: u32, data: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], data].concat()
}

/// An order as [`ORDER`] describes it.
fn order(number: u32) -> Vec<u8> {
    let id = format!("o-{number}");
    let mut bytes = vec![2 * u8::try_from(id.len()).unwrap_or_default()];
    bytes.extend(id.bytes());
    bytes.extend(zigzag(i64::from(number)));
    bytes
}

/// A long as Avro has it.
fn zigzag(number: i64) -> Vec<u8> {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    let mut bytes = Vec::new();
    while rest > 0x7f {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// Records everything that is there.
fn ingest(audit: &Audit, registry: &FakeRegistry, topic: &str) -> String {
    let url = registry.url();
    let arguments = ["ingest", "--topics", topic, "--until-end", "--schema-registry", &url];
    let output = audit.run(&arguments);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    log
}

/// Starts an ingester.
fn start(audit: &Audit, url: &str, topic: &str, others: &[&str]) -> Running {
    let arguments = [&["ingest", "--topics", topic, "--schema-registry", url], others].concat();
    audit.start(&arguments)
}

/// What an ingester tells monitoring, by the path of a page.
fn page(ingester: &Running, path: &str) -> String {
    let log = ingester.log();
    let address =
        log.split_once("answering http://").and_then(|(_, rest)| rest.split_once("/metrics"));
    let (address, _) = address.unwrap_or_else(|| panic!("it says where: {log}"));
    let mut stream =
        TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    let mut answer = String::new();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")
        .and_then(|()| stream.read_to_string(&mut answer))
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    answer
}

/// Of each row in the order of offsets: its type, then the reason that it is quarantined for.
fn outcomes(database: &Database) -> Vec<String> {
    let rows = database.rows(
        "SELECT event_type, coalesce(payload ->> 'reason', '-') FROM event_logs ORDER BY partition_id, kafka_offset",
    );
    rows.into_iter().map(|row| row.join(" ")).collect()
}
