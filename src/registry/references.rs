//! A schema with all that it refers to.

use std::collections::HashSet;

use super::client::{Answer, Client, Reference, SchemaAnswer};
use super::error::Error;

/// How many other schemas one may refer to, further ones included.
const MOST_REFERENCES: usize = 1_000;
/// How many bytes all of them may have.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A schema with all that it refers to, as texts.
#[derive(Debug)]
pub(in crate::registry) struct Gathered {
    /// What it is written in; Avro where the registry does not say.
    pub(in crate::registry) schema_type: String,
    pub(in crate::registry) text: String,
    /// The names that are used for the others, and their texts, in any order.
    pub(in crate::registry) references: Vec<(String, String)>,
}

/// What became of a question for a schema.
#[derive(Debug)]
pub(in crate::registry) enum Outcome {
    Gathered(Gathered),
    /// The registry does not know it.
    Unknown,
    /// It can't be put together. What it is written in, where that is known, and why.
    Invalid(Option<String>, String),
}

/// Fetches a schema, and all that it refers to.
pub(in crate::registry) async fn gather(client: &Client, id: u32) -> Result<Outcome, Error> {
    let root = match client.schema(id).await? {
        Answer::Found(answer) => answer,
        Answer::Unknown => return Ok(Outcome::Unknown),
        Answer::TooLarge => {
            return Ok(Outcome::Invalid(None, "it has more than 16 MiB".to_owned()));
        }
        Answer::NotThere { url, status } => return Err(not_a_registry(url, &status.to_string())),
    };
    let SchemaAnswer { schema, schema_type, references } = root;
    let schema_type = schema_type.unwrap_or_else(|| "AVRO".to_owned());
    let found = references_of(client, references).await?;
    Ok(match found {
        Ok(references) => Outcome::Gathered(Gathered { schema_type, text: schema, references }),
        Err(reason) => Outcome::Invalid(Some(schema_type), reason),
    })
}

/// All references, further ones included; or why there is no such list.
async fn references_of(
    client: &Client,
    mut waiting: Vec<Reference>,
) -> Result<Result<Vec<(String, String)>, String>, Error> {
    let mut seen = HashSet::new();
    let mut bytes = 0;
    let mut gathered = Vec::new();
    while let Some(reference) = waiting.pop() {
        // Ends circles, too.
        if !seen.insert(reference.clone()) {
            continue;
        }
        if seen.len() > MOST_REFERENCES {
            return Ok(Err(format!("it refers to more than {MOST_REFERENCES} others")));
        }
        let Reference { name, subject, version } = &reference;
        let missing = || {
            format!(
                "it refers to {name:?}, version {version} of subject {subject:?}, which the registry does not have"
            )
        };
        // A path would lose these.
        if matches!(subject.as_str(), "" | "." | "..") {
            return Ok(Err(missing()));
        }
        let answer = match client.referenced(&reference).await? {
            Answer::Found(answer) => answer,
            Answer::Unknown => return Ok(Err(missing())),
            Answer::TooLarge => {
                return Ok(Err(format!("it refers to {name:?}, which has more than 16 MiB")));
            }
            Answer::NotThere { url, status } => {
                return Err(not_a_registry(url, &status.to_string()));
            }
        };
        bytes += answer.schema.len();
        if bytes > MOST_BYTES {
            return Ok(Err("what it refers to has more than 64 MiB".to_owned()));
        }
        gathered.push((reference.name, answer.schema));
        waiting.extend(answer.references);
    }
    Ok(Ok(gathered))
}

/// The error of a server that does not know what every registry knows.
fn not_a_registry(url: String, status: &str) -> Error {
    let reason = format!("{status}, without an error code of a schema registry");
    Error::Refused { url, reason, needs_login: false }
}
