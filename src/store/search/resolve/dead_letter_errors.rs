//! Errors of dead letters: few are searched by their rows' ids.

use tokio_postgres::types::Type;

use super::{Cardinality, ResolvedSelection};
use crate::filter::Glob;
use crate::store::Error;
use crate::store::connection::session::Session;

/// Which errors are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) enum Errors {
    #[default]
    Any,
    /// Those of these rows, all that match.
    Ids(Vec<i64>),
    /// Those that a pattern of LIKE matches.
    Like(ErrorPatterns),
}

/// Patterns of LIKE for the two texts of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct ErrorPatterns {
    pub(in crate::store) classes: Vec<String>,
    pub(in crate::store) messages: Vec<String>,
}

/// Up to so many dead letters are searched by their ids; where more match, the newest are soon
/// found one after the other.
const MOST_ERROR_IDS: usize = 1_000;

/// The patterns that globs mean, on the class or the message.
pub(in crate::store) fn patterns(globs: &[Glob]) -> Errors {
    if globs.is_empty() {
        return Errors::Any;
    }
    let messages: Vec<String> = globs.iter().map(Glob::to_like).collect();
    // `TimeoutException` finds `java.util.concurrent.TimeoutException`, too; `*Timeout*` does so by
    // itself.
    let in_a_package = messages.iter().filter(|pattern| !pattern.starts_with('%'));
    let classes = messages
        .iter()
        .cloned()
        .chain(in_a_package.map(|pattern| format!("%.{pattern}")))
        .collect();
    Errors::Like(ErrorPatterns { classes, messages })
}

/// Replaces the patterns by the ids of the rows that match, where these are few. Where the other
/// selectors leave few rows, each of those is quicker looked at than all dead letters.
pub(in crate::store) async fn resolve(
    session: &Session,
    resolved: &mut ResolvedSelection,
) -> Result<(), Error> {
    let Errors::Like(patterns) = &resolved.errors else { return Ok(()) };
    if resolved.is_empty() || resolved.has_ids() || resolved.cardinality == Cardinality::Few {
        return Ok(());
    }
    let failed = "searching the errors of dead letters";
    let rows = session
        .client()
        .query_typed(
            "SELECT event_log_id FROM dead_letters
              WHERE exception_class LIKE ANY($1) OR exception_message LIKE ANY($2)
              ORDER BY event_log_id DESC LIMIT $3",
            &[
                (&patterns.classes, Type::TEXT_ARRAY),
                (&patterns.messages, Type::TEXT_ARRAY),
                (&(MOST_ERROR_IDS as i64 + 1), Type::INT8),
            ],
        )
        .await
        .map_err(Error::query(failed))?;
    if rows.len() <= MOST_ERROR_IDS {
        let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>();
        resolved.errors = Errors::Ids(ids.map_err(Error::query(failed))?);
    }
    Ok(())
}
