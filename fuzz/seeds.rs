//! Writes the records of fixtures/, the proofs of tests/vectors/ and schemas of Avro as inputs of the
//! fuzz targets: `cargo run --bin seeds`.

use std::fs;
use std::path::Path;

fn main() {
    records();
    proofs();
    avro();
}

/// Each schema as a text, and with a value of zeros; and some values of the schemas by number.
fn avro() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = folder.join("corpus/avro");
    fs::create_dir_all(&corpus).expect("the corpus folder can be made");
    let schemas = fs::read_to_string(folder.join("avro_schemas.jsonl")).expect("schemas");
    for (number, schema) in schemas.lines().enumerate() {
        let text = [&[128], schema.as_bytes(), b"\n\n", &[0; 16]].concat();
        fs::write(corpus.join(format!("text-{number}")), text).expect("a seed can be written");
        for (name, value) in [("empty", &[0_u8; 1][..]), ("two", &[4, 2, 2, 2, 4, 0, 2, 2, 0])] {
            let value = [&[number as u8], value].concat();
            fs::write(corpus.join(format!("{name}-{number}")), value)
                .expect("a seed can be written");
        }
    }
}

/// What an input of the target `proof` begins with, for the files of each kind.
const KINDS: [(&str, u8); 4] =
    [(".json", 0), ("consistency.json", 1), (".checkpoint", 2), (".vkey", 3)];

fn proofs() {
    let proofs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/proofs");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/proof");
    fs::create_dir_all(&corpus).expect("the corpus folder can be made");
    for file in fs::read_dir(proofs).expect("proofs").flatten() {
        let name = file.file_name().display().to_string();
        let kind = KINDS.iter().rev().find(|(ending, _)| name.ends_with(ending));
        let (_, kind) = kind.expect("a file of a known kind");
        let content = fs::read(file.path()).expect("a proof");
        let input = [&[*kind], content.as_slice()].concat();
        fs::write(corpus.join(&name), input).expect("a seed can be written");
    }
    for proof in 0..8_u8 {
        let input = [4, proof, 0, 0, 7, 3, 9, 9, 9, 2, 1, 0, 40, 30, 1, 2, 3];
        fs::write(corpus.join(format!("edit-{proof}")), input).expect("a seed can be written");
    }
}

fn records() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/decode");
    fs::create_dir_all(&corpus).expect("the corpus folder can be made");
    for folder in
        fs::read_dir(fixtures).expect("fixtures").flatten().filter(|entry| entry.path().is_dir())
    {
        for file in fs::read_dir(folder.path()).expect("a folder of fixtures").flatten() {
            let records =
                record_file::read(&fs::read(file.path()).expect("a fixture")).expect("a record");
            for record in records {
                let bytes =
                    |content: Option<record_file::Content>| content.map(|content| content.0);
                let mut input = record.topic.into_bytes();
                input.push(b'\n');
                input.extend(bytes(record.key).unwrap_or_default());
                for (name, value) in record.headers {
                    input.push(b'\n');
                    input.extend(name.0);
                    if let Some(value) = bytes(value) {
                        input.push(b'=');
                        input.extend(value);
                    }
                }
                if let Some(value) = bytes(record.value) {
                    input.extend(b"\n\n");
                    input.extend(value);
                }
                let name =
                    format!("{}-{}", folder.file_name().display(), file.file_name().display());
                fs::write(corpus.join(name), input).expect("a seed can be written");
            }
        }
    }
}
