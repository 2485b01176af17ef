//! A selection as conditions on a row, with bound values only.

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::batch_of_row::nearest_batch;
use super::resolved::{
    ErrorFilter, ErrorPatterns, Extent, LikePatterns, RecordedRange, ResolvedSelection, TextFilter,
    TopicFilter,
};
use crate::event::QUARANTINED;
use crate::filter::{Identifier, TimeRange};
use crate::store::connection::statement::Parameters;
use crate::time::PostgresMicros;

/// A WHERE clause of these conditions, on lines of its own; empty where there are none.
pub(in crate::store) fn where_clause(conditions: &[String]) -> String {
    if conditions.is_empty() {
        String::new()
    } else {
        format!("\n WHERE {}", conditions.join("\n   AND "))
    }
}

/// The conditions of a selection on the row called `row`, to be joined by AND.
pub(in crate::store) fn selection_conditions(
    resolved: &ResolvedSelection,
    row: &str,
    parameters: &mut Parameters,
) -> Vec<String> {
    let selection = &resolved.selection;
    let mut conditions = Vec::new();
    conditions.extend(text_conditions(
        &format!("{row}.event_type"),
        &resolved.event_types,
        parameters,
    ));
    if selection.quarantined && matches!(resolved.event_types, TextFilter::Like(_)) {
        conditions
            .push(format!("{row}.event_type = {}", parameters.bind(QUARANTINED, Type::VARCHAR)));
    }
    conditions.extend(text_conditions(
        &format!("{row}.source_service"),
        &resolved.services,
        parameters,
    ));
    for (column, identifiers) in [
        ("aggregate_id", &resolved.aggregates),
        ("correlation_id", &resolved.correlations),
        ("event_id", &selection.event_ids),
    ] {
        conditions.extend(identifier_condition(
            &format!("{row}.{column}"),
            identifiers,
            parameters,
        ));
    }
    match resolved.dead_letters {
        None => {}
        Some(true) => conditions.push(format!("{row}.is_dlt")),
        Some(false) => conditions.push(format!("{row}.is_dlt IS NOT TRUE")),
    }
    match &resolved.topics {
        TopicFilter::Any => {}
        TopicFilter::Partitions(partitions) => {
            let partitions = parameters.bind(partitions.clone(), Type::INT4_ARRAY);
            conditions.push(format!("{row}.partition_id = ANY({partitions})"));
        }
        TopicFilter::PartitionsOrNull(partitions) => {
            let partitions = parameters.bind(partitions.clone(), Type::INT4_ARRAY);
            conditions.push(format!(
                "({row}.partition_id = ANY({partitions}) OR {row}.partition_id IS NULL)"
            ));
        }
        TopicFilter::Like(patterns) => conditions.extend(like_conditions(
            patterns,
            |patterns| {
                format!(
                    "{row}.partition_id IN (SELECT partition_id FROM kafka_partitions WHERE topic LIKE ANY({patterns}))"
                )
            },
            parameters,
        )),
    }
    conditions.extend(created_condition(row, &selection.created, parameters));
    let days: Vec<_> =
        selection.days.iter().filter_map(|day| created_condition(row, day, parameters)).collect();
    conditions.extend(any_of(days));
    conditions.extend(extent_conditions(row, &resolved.extent, parameters));
    if let Some(recorded) = &resolved.recorded {
        conditions.extend(recorded_conditions(row, recorded, parameters));
    }
    conditions.extend(error_conditions(row, &resolved.errors, parameters));
    let predicates = selection.payload_predicates.iter().map(|predicate| {
        format!(
            "{row}.payload @@ {}::text::jsonpath",
            parameters.bind(predicate.clone(), Type::TEXT)
        )
    });
    conditions.extend(any_of(predicates.collect()));
    conditions
}

/// The conditions that a column holds one of the texts, to be joined by AND.
pub(in crate::store) fn text_conditions(
    column: &str,
    texts: &TextFilter,
    parameters: &mut Parameters,
) -> Vec<String> {
    let mut one_of = |values: &[String]| {
        format!("{column} = ANY({})", parameters.bind(values.to_vec(), Type::VARCHAR_ARRAY))
    };
    match texts {
        TextFilter::Any => Vec::new(),
        // Only equality lets an index give the rows in order.
        TextFilter::Exact(values) if values.len() == 1 => {
            vec![format!("{column} = {}", parameters.bind(values[0].clone(), Type::VARCHAR))]
        }
        TextFilter::Exact(values) => vec![one_of(values)],
        TextFilter::ExactOrNull(values) => {
            vec![format!("({} OR {column} IS NULL)", one_of(values))]
        }
        TextFilter::Like(patterns) => like_conditions(
            patterns,
            |patterns| format!("{column} LIKE ANY({patterns})"),
            parameters,
        ),
    }
}

/// The conditions that a row matches what is included, and not what is excluded; `condition` gives
/// that of an array of patterns. What is NULL matches nothing, and so is not excluded.
fn like_conditions(
    patterns: &LikePatterns,
    condition: impl Fn(&str) -> String,
    parameters: &mut Parameters,
) -> Vec<String> {
    let mut conditions = Vec::new();
    if !patterns.included.is_empty() {
        conditions.push(condition(&parameters.bind(patterns.included.clone(), Type::TEXT_ARRAY)));
    }
    if !patterns.excluded.is_empty() {
        let excluded = condition(&parameters.bind(patterns.excluded.clone(), Type::TEXT_ARRAY));
        conditions.push(format!("({excluded}) IS NOT TRUE"));
    }
    conditions
}

fn created_condition(row: &str, range: &TimeRange, parameters: &mut Parameters) -> Option<String> {
    let mut bound = |comparison: &str, time: Option<chrono::DateTime<chrono::Utc>>| {
        let time = parameters.bind(time?.naive_utc(), Type::TIMESTAMP);
        Some(format!("{row}.created_at {comparison} {time}"))
    };
    let bounds: Vec<_> =
        [bound(">=", range.since), bound("<", range.until)].into_iter().flatten().collect();
    (!bounds.is_empty()).then(|| bounds.join(" AND "))
}

fn extent_conditions(row: &str, extent: &Extent, parameters: &mut Parameters) -> Vec<String> {
    let created = extent.created.map(|(min, max)| created_between(row, min, max, parameters));
    created.into_iter().chain(extent.passed_over.condition(row, parameters)).collect()
}

fn created_between(
    row: &str,
    min: PostgresMicros,
    max: PostgresMicros,
    parameters: &mut Parameters,
) -> String {
    let (min, max) = (parameters.bind(min, Type::TIMESTAMP), parameters.bind(max, Type::TIMESTAMP));
    format!("{row}.created_at BETWEEN {min} AND {max}")
}

fn identifier_condition(
    column: &str,
    identifiers: &[Identifier],
    parameters: &mut Parameters,
) -> Option<String> {
    let mut alternatives = Vec::new();
    let exact: Vec<Uuid> = identifiers.iter().filter_map(Identifier::exact).collect();
    if !exact.is_empty() {
        alternatives.push(format!("{column} = ANY({})", parameters.bind(exact, Type::UUID_ARRAY)));
    }
    for identifier in identifiers.iter().filter(|identifier| identifier.exact().is_none()) {
        let low = parameters.bind(identifier.low, Type::UUID);
        let high = parameters.bind(identifier.high, Type::UUID);
        let mut condition = format!("{column} BETWEEN {low} AND {high}");
        if let Some(suffix) = &identifier.suffix {
            let suffix = parameters.bind(format!("%{suffix}"), Type::TEXT);
            condition = format!("{condition} AND replace({column}::text, '-', '') LIKE {suffix}");
        }
        alternatives.push(condition);
    }
    any_of(alternatives)
}

fn recorded_conditions(
    row: &str,
    recorded: &RecordedRange,
    parameters: &mut Parameters,
) -> Vec<String> {
    let mut conditions = Vec::new();
    if let Some((min, max)) = recorded.created {
        conditions.push(created_between(row, min, max, parameters));
    }
    let first_id = parameters.bind(recorded.first_id, Type::INT8);
    let last_id = parameters.bind(recorded.last_id, Type::INT8);
    conditions.push(format!("{row}.id BETWEEN {first_id} AND {last_id}"));
    let since = parameters.bind(recorded.since, Type::TIMESTAMPTZ);
    let until = parameters.bind(recorded.until, Type::TIMESTAMPTZ);
    let is_in_time = format!(
        "batch.last_id >= {row}.id AND batch.recorded_at >= coalesce({since}, '-infinity') \
         AND batch.recorded_at < coalesce({until}, 'infinity')"
    );
    conditions.push(nearest_batch(row, &is_in_time));
    conditions
}

fn error_conditions(row: &str, errors: &ErrorFilter, parameters: &mut Parameters) -> Vec<String> {
    match errors {
        ErrorFilter::Any => Vec::new(),
        ErrorFilter::Ids(ids) => {
            vec![format!("{row}.id = ANY({})", parameters.bind(ids.clone(), Type::INT8_ARRAY))]
        }
        ErrorFilter::Like { included, excluded } => {
            // Reads a scalar, not EXISTS: PostgreSQL would plan a join with all dead letters for
            // all rows, not for a page.
            let mut of_letter = |patterns: &ErrorPatterns| {
                format!(
                    "(SELECT {} FROM dead_letters letter WHERE letter.event_log_id = {row}.id)",
                    patterns.condition(parameters)
                )
            };
            let included = included.as_ref().map(&mut of_letter);
            // What has no error is not excluded.
            let excluded =
                excluded.as_ref().map(|patterns| format!("{} IS NOT TRUE", of_letter(patterns)));
            included.into_iter().chain(excluded).collect()
        }
    }
}

impl ErrorPatterns {
    /// The condition that one of the patterns matches the row `letter` of `dead_letters`.
    pub(in crate::store) fn condition(&self, parameters: &mut Parameters) -> String {
        format!(
            "letter.exception_class LIKE ANY({}) OR letter.exception_message LIKE ANY({})",
            parameters.bind(self.classes.clone(), Type::TEXT_ARRAY),
            parameters.bind(self.messages.clone(), Type::TEXT_ARRAY)
        )
    }
}

fn any_of(alternatives: Vec<String>) -> Option<String> {
    match alternatives.len() {
        0 => None,
        1 => alternatives.into_iter().next(),
        _ => Some(format!("(({}))", alternatives.join(") OR ("))),
    }
}
