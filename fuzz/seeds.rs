//! Writes the records of fixtures/ as inputs of the fuzz target: `cargo run --bin seeds`.

use std::fs;
use std::path::Path;

fn main() {
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
