//! What was compared, as rows.

use std::collections::HashMap;

use super::compare::Subject;
use crate::analysis::Decimal;
use crate::analysis::reconcile::{Comparison, Verdict};
use crate::cli::ui::{Failure, Ui};
use crate::output;
use crate::output::{Column, Emphasis, Format, Style};
use crate::store;
use crate::store::{Session, StoryBy, StoryIds};
use crate::value::Value;

/// As many rows are for a person, unless --limit says otherwise.
const ROWS_FOR_PEOPLE: usize = 50;

/// Rows of which the ids are asked for at once.
const IDS_AT_ONCE: usize = 10_000;

/// How many rows are written.
pub(super) fn shown(limit: Option<usize>, format: Format) -> usize {
    limit.unwrap_or(match format {
        Format::Table | Format::Lines => ROWS_FOR_PEOPLE,
        Format::Json | Format::Ndjson | Format::Csv => usize::MAX,
    })
}

/// Writes the first rows.
pub(super) async fn write_rows(
    session: &Session,
    rows: &[Comparison<Subject>],
    limit: usize,
    by: StoryBy,
    format: Format,
    style: Style,
    ui: Ui,
) -> Result<(), Failure> {
    let rows = &rows[..rows.len().min(limit)];
    // All is read before a pager has the terminal; of more rows than it takes, piece by piece.
    let mut pieces = rows.chunks(IDS_AT_ONCE);
    let first = pieces.next().unwrap_or_default();
    let mut ids = ids_of(session, first).await?;
    let mut output = ui.paged(format);
    let mut renderer = output::renderer(format, style);
    renderer.begin(&columns(), &mut output)?;
    let mut piece = Some(first);
    while let Some(rows) = piece {
        for row in rows {
            renderer.row(&cells(row, &ids, by), emphasis(row.verdict), &mut output)?;
        }
        piece = pieces.next();
        if let Some(rows) = piece {
            ids = ids_of(session, rows).await?;
        }
    }
    renderer.end(&mut output)?;
    output.close()?;
    Ok(())
}

async fn ids_of(
    session: &Session,
    rows: &[Comparison<Subject>],
) -> Result<HashMap<i64, StoryIds>, Failure> {
    let row_ids: Vec<i64> = rows
        .iter()
        .filter_map(|row| match &row.subject {
            Subject::Story { row_id, .. } => Some(*row_id),
            Subject::Key(_) => None,
        })
        .collect();
    Ok(store::story_ids(session, &row_ids).await?)
}

fn columns() -> [Column; 5] {
    [
        Column::new("correlation"),
        Column::new("left"),
        Column::new("right"),
        Column::new("difference"),
        Column::new("verdict"),
    ]
}

fn cells<'a>(
    row: &'a Comparison<Subject>,
    ids: &'a HashMap<i64, StoryIds>,
    by: StoryBy,
) -> [Value<'a>; 5] {
    let number = |number: Decimal| Value::Number(number.to_string().into());
    let side = |side: &Option<Decimal>| side.clone().map_or(Value::Null, number);
    let correlation = match &row.subject {
        Subject::Key(key) => key.to_text().into(),
        Subject::Story { row_id, .. } => match (ids.get(row_id), by) {
            (Some(ids), StoryBy::Correlation) => ids.correlation.clone(),
            (Some(ids), StoryBy::Aggregate) => ids.aggregate.clone(),
            (None, _) => Value::Null,
        },
    };
    [
        correlation,
        side(&row.left),
        side(&row.right),
        number(row.difference()),
        row.verdict.name().into(),
    ]
}

fn emphasis(verdict: Verdict) -> Emphasis {
    match verdict {
        Verdict::Differs => Emphasis::Alarm,
        Verdict::LeftOnly | Verdict::RightOnly => Emphasis::Notice,
        Verdict::Agrees => Emphasis::None,
    }
}
