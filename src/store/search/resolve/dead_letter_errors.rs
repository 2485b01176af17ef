//! Resolves the errors of dead letters: few are searched by their rows' ids.

use tokio_postgres::types::Type;

use crate::filter::Glob;
use crate::store::connection::session::Session;
use crate::store::error::Error;
use crate::store::search::resolved::{Cardinality, ErrorFilter, ErrorPatterns, ResolvedSelection};

/// How many dead letters are searched by their ids at most. Where more match, the newest are soon
/// found one after the other.
const MAX_ERROR_IDS: usize = 1_000;

/// The patterns that globs mean, on the class or the message.
pub(in crate::store) fn patterns(globs: &[Glob]) -> ErrorFilter {
    if globs.is_empty() {
        return ErrorFilter::Any;
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
    ErrorFilter::Like(ErrorPatterns { classes, messages })
}

/// Replaces the patterns by the ids of the rows that match, where these are few. Keeps the patterns
/// where the other selectors match few rows: checking each of those is faster than reading all dead
/// letters.
pub(in crate::store) async fn resolve(
    session: &Session,
    resolved: &mut ResolvedSelection,
) -> Result<(), Error> {
    let ErrorFilter::Like(patterns) = &resolved.errors else { return Ok(()) };
    if resolved.is_empty() || resolved.has_ids() || resolved.cardinality == Cardinality::Few {
        return Ok(());
    }
    let ids = session
        .rows(
            "searching the errors of dead letters",
            "SELECT event_log_id FROM dead_letters
              WHERE exception_class LIKE ANY($1) OR exception_message LIKE ANY($2)
              ORDER BY event_log_id DESC LIMIT $3",
            &[
                (&patterns.classes, Type::TEXT_ARRAY),
                (&patterns.messages, Type::TEXT_ARRAY),
                (&(MAX_ERROR_IDS as i64 + 1), Type::INT8),
            ],
            |row| row.try_get(0),
        )
        .await?;
    if ids.len() <= MAX_ERROR_IDS {
        resolved.errors = ErrorFilter::Ids(ids);
    }
    Ok(())
}
