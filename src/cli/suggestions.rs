//! Why nothing matched, where a word was wrong.

use tokio_postgres::Client;

use super::failure::Failure;
use super::terminal;
use crate::filter::{Glob, Selection, nearest};
use crate::store::{Distinct, distinct_values};

/// Up to so many values are listed when none is like the word.
const LISTED: usize = 12;

/// Says of each type and service that was asked for and doesn't exist what may have been meant.
pub(crate) async fn suggest(client: &Client, selection: &Selection) -> Result<(), Failure> {
    for (what, globs, column) in [
        ("event type", &selection.event_types, Distinct::EventType),
        ("service", &selection.services, Distinct::SourceService),
    ] {
        if globs.is_empty() {
            continue;
        }
        let values = distinct_values(client, column).await?;
        for glob in globs {
            if !values.iter().any(|value| glob.matches(value)) {
                terminal::status(&suggestion(what, glob, &values));
            }
        }
    }
    Ok(())
}

fn suggestion(what: &str, glob: &Glob, values: &[String]) -> String {
    let none = format!("no {what} matches '{glob}'");
    let alike = nearest(&glob.to_string(), values);
    if !alike.is_empty() {
        return format!("{none}; did you mean {}?", alike.join(" or "));
    }
    match values.len() {
        0 => none,
        1..=LISTED => format!("{none}; there are {}", values.join(", ")),
        count => format!(
            "{none}; there are {count}: see `audit stats --by {}`",
            if what == "service" { "service" } else { "type" }
        ),
    }
}
