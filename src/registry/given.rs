//! Schemas that stand beside records in a file, as a registry told them.

use std::collections::{BTreeMap, HashSet};

use record_file::{Reference, RegisteredSchema};

use super::references::Gathered;

/// A schema with all that it refers to; or which reference leads nowhere.
pub(in crate::registry) fn gathered(
    schema: &RegisteredSchema,
    all: &[RegisteredSchema],
) -> Result<Gathered, String> {
    let of_version: BTreeMap<(&str, i64), &RegisteredSchema> = all
        .iter()
        .flat_map(|schema| schema.versions.iter().map(move |version| (version, schema)))
        .map(|(version, schema)| ((version.subject.as_str(), version.version), schema))
        .collect();
    let mut seen = HashSet::new();
    let mut references = Vec::new();
    let mut waiting: Vec<&Reference> = schema.references.iter().collect();
    while let Some(reference) = waiting.pop() {
        if !seen.insert(reference) {
            continue;
        }
        let Reference { name, subject, version } = reference;
        let found = of_version.get(&(subject.as_str(), *version)).ok_or_else(|| {
            format!("it refers to {name:?}, version {version} of subject {subject:?}, which the file does not have")
        })?;
        references.push((name.clone(), found.schema.clone()));
        waiting.extend(&found.references);
    }
    let schema_type = schema.schema_type.clone().unwrap_or_else(|| "AVRO".to_owned());
    Ok(Gathered { schema_type, text: schema.schema.clone(), references })
}
