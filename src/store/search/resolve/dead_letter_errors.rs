//! Resolves the errors of dead letters: few are searched by their rows' ids.

use tokio_postgres::types::Type;

use crate::dead_letter::CLASS_SEPARATORS;
use crate::filter::{Glob, GlobList};
use crate::store::connection::session::Session;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::search::resolved::{Cardinality, ErrorFilter, ErrorPatterns, ResolvedSelection};

/// How many dead letters are searched by their ids at most. Where more match, the newest are soon
/// found one after the other.
const MAX_ERROR_IDS: usize = 1_000;

/// The patterns that globs mean, on the class or the message.
pub(in crate::store) fn patterns(globs: &GlobList) -> ErrorFilter {
    if globs.is_empty() {
        return ErrorFilter::Any;
    }
    ErrorFilter::Like {
        included: patterns_of(&globs.included),
        excluded: patterns_of(&globs.excluded),
    }
}

fn patterns_of(globs: &[Glob]) -> Option<ErrorPatterns> {
    let messages: Vec<String> = globs.iter().map(Glob::to_like).collect();
    // `TimeoutException` finds `java.util.concurrent.TimeoutException`, too, which is shown like
    // that; `*Timeout*` does so by itself.
    let in_a_package = messages.iter().filter(|pattern| !pattern.starts_with('%'));
    let in_a_package = in_a_package
        .flat_map(|pattern| CLASS_SEPARATORS.map(|separator| format!("%{separator}{pattern}")));
    let classes = messages.iter().cloned().chain(in_a_package).collect();
    (!globs.is_empty()).then_some(ErrorPatterns { classes, messages })
}

/// Replaces the patterns by the ids of the rows that match, where these are few. Keeps the patterns
/// where the other selectors match few rows: checking each of those is faster than reading all dead
/// letters.
pub(in crate::store) async fn resolve(
    session: &Session,
    resolved: &mut ResolvedSelection,
) -> Result<(), Error> {
    // What is left where some errors are excluded is seldom little.
    let ErrorFilter::Like { included: Some(included), excluded } = &resolved.errors else {
        return Ok(());
    };
    if resolved.is_empty() || resolved.has_ids() || resolved.cardinality == Cardinality::Few {
        return Ok(());
    }
    let statement = ids_statement(included, excluded.as_ref());
    let ids = statement
        .rows(session, "searching the errors of dead letters", |row| row.try_get(0))
        .await?;
    if ids.len() <= MAX_ERROR_IDS {
        resolved.errors = ErrorFilter::Ids(ids);
    }
    Ok(())
}

fn ids_statement(included: &ErrorPatterns, excluded: Option<&ErrorPatterns>) -> Statement {
    let mut parameters = Parameters::default();
    let mut conditions = format!("({})", included.condition(&mut parameters));
    if let Some(excluded) = excluded {
        let excluded = excluded.condition(&mut parameters);
        conditions.push_str(&format!("\n   AND ({excluded}) IS NOT TRUE"));
    }
    let limit = parameters.bind(MAX_ERROR_IDS as i64 + 1, Type::INT8);
    let sql = format!(
        "SELECT letter.event_log_id FROM dead_letters letter
 WHERE {conditions}
 ORDER BY letter.event_log_id DESC LIMIT {limit}"
    );
    Statement { sql, parameters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_excluded_is_taken_from_what_is_included() {
        let globs = GlobList::new(["Timeout*", "!*bank*"]).expect("no item is empty");
        let ErrorFilter::Like { included: Some(included), excluded } = patterns(&globs) else {
            panic!("globs are patterns");
        };
        insta::assert_snapshot!(format!("{:?}", ids_statement(&included, excluded.as_ref())), @r#"
SELECT letter.event_log_id FROM dead_letters letter
 WHERE (letter.exception_class LIKE ANY($1) OR letter.exception_message LIKE ANY($2))
   AND (letter.exception_class LIKE ANY($3) OR letter.exception_message LIKE ANY($4)) IS NOT TRUE
 ORDER BY letter.event_log_id DESC LIMIT $5
$1 _text ["Timeout%", "%.Timeout%", "%$Timeout%", "%:Timeout%"]
$2 _text ["Timeout%"]
$3 _text ["%bank%"]
$4 _text ["%bank%"]
$5 int8 1001
"#);
    }
}
