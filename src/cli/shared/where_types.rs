//! Says of a `--where` that compares a number with text, or text with a number, that it can't
//! match: PostgreSQL takes that for unknown, and says nothing.

use crate::cli::ui::{Failure, Ui};
use crate::filter::{Comparison, Literal, Selection, comparisons};
use crate::store;
use crate::store::{
    EventQuery, EventRow, Order, PayloadPath, RowOrder, RowScope, SelectedColumn, Session,
};
use crate::value::Value;

/// How many of the newest events are looked at.
const SAMPLE: i64 = 100;

/// Looks at the newest events that the other selectors choose.
pub(super) async fn warn_of_types(
    session: &Session,
    selection: &Selection,
    ui: Ui,
) -> Result<(), Failure> {
    let mut compared = Vec::new();
    for predicate in &selection.payload_predicates {
        let unconverted = comparisons(predicate)
            .into_iter()
            .filter(|comparison| !comparison.is_converted_in(predicate));
        for comparison in unconverted {
            if let Some(path) = PayloadPath::new(&comparison.path)
                && !compared.iter().any(|(other, _)| *other == comparison)
            {
                compared.push((comparison, SelectedColumn::Payload(path)));
            }
        }
    }
    if compared.is_empty() {
        return Ok(());
    }
    let others = Selection { payload_predicates: Vec::new(), ..selection.clone() };
    let resolved = store::resolve(session, &others, RowScope::Existing).await?;
    if resolved.is_empty() {
        return Ok(());
    }
    let (compared, columns): (Vec<Comparison>, Vec<SelectedColumn>) = compared.into_iter().unzip();
    let query = EventQuery {
        selection: &resolved,
        columns: &columns,
        order: RowOrder::CreatedAt(Order::Newest),
        limit: Some(SAMPLE),
        dedup: false,
    };
    let rows = query.rows(session).await?;
    for (index, comparison) in compared.iter().enumerate() {
        if let Some(warning) = warning(comparison, &columns[index], index, &rows)? {
            ui.status(&warning);
        }
    }
    Ok(())
}

/// What is said of a comparison, where it finds another type in one of the rows.
fn warning(
    comparison: &Comparison,
    column: &SelectedColumn,
    index: usize,
    rows: &[EventRow],
) -> Result<Option<String>, Failure> {
    let mut found = Vec::new();
    for row in rows {
        found.push(row.value(index, column)?);
    }
    Ok(mismatch(comparison, &found))
}

fn mismatch(comparison: &Comparison, found: &[Value<'_>]) -> Option<String> {
    let Comparison { typed, operator, literal, .. } = comparison;
    let stored = found.iter().find(|value| is_other_type(value, literal))?;
    // Said of all only where it is true of all; of an array only one element is looked at.
    let all = !comparison.path.contains('*')
        && found.iter().all(|value| matches!(value, Value::Null) || is_other_type(value, literal));
    let events = if all { "these events" } else { "some of these events" };
    let (is, wrong, right) = match (stored, literal) {
        (Value::Text(text), Literal::Number(number)) => (
            format!("{typed} is text in {events} (\"{text}\")"),
            format!("the number {number}"),
            text.parse::<f64>().is_ok().then(|| format!("{typed}.double() {operator} {number}")),
        ),
        (Value::Number(stored), Literal::Text(text)) => (
            format!("{typed} is a number in {events} ({stored})"),
            format!("the text \"{text}\""),
            (comparison.is_of_numbers() && text.parse::<f64>().is_ok())
                .then(|| format!("{typed} {operator} {text}")),
        ),
        _ => return None,
    };
    Some(match right {
        Some(right) => format!("--where: {is}; compare with {right}"),
        None => format!("--where: {is}, and can't be compared with {wrong}"),
    })
}

fn is_other_type(value: &Value<'_>, literal: &Literal) -> bool {
    matches!(
        (value, literal),
        (Value::Text(_), Literal::Number(_)) | (Value::Number(_), Literal::Text(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(predicate: &str, found: &[Value<'_>]) -> Option<String> {
        mismatch(comparisons(predicate).first()?, found)
    }

    #[test]
    fn text_and_numbers_that_are_compared_with_each_other_are_named() {
        let text = [Value::Null, Value::from("483.38")];
        assert_eq!(
            said("$.total_amount > 100", &text).as_deref(),
            Some(
                "--where: $.total_amount is text in these events (\"483.38\"); compare with \
                 $.total_amount.double() > 100"
            )
        );
        let mixed = [Value::Number("5".into()), Value::from("EUR")];
        assert_eq!(
            said("$.a == 1", &mixed).as_deref(),
            Some(
                "--where: $.a is text in some of these events (\"EUR\"), and can't be compared with \
                 the number 1"
            )
        );
        assert_eq!(
            said("\"100\" < $.a", &mixed[..1]).as_deref(),
            Some("--where: $.a is a number in these events (5); compare with $.a > 100")
        );
    }

    #[test]
    fn a_number_begins_with_no_text_and_of_an_array_one_element_is_known() {
        let numbers = [Value::Number("5".into())];
        assert_eq!(
            said("$.a starts with \"5\"", &numbers).as_deref(),
            Some(
                "--where: $.a is a number in these events (5), and can't be compared with the text \"5\""
            )
        );
        assert_eq!(
            said("$.a[*] == \"5\"", &numbers).as_deref(),
            Some(
                "--where: $.a[*] is a number in some of these events (5); compare with $.a[*] == 5"
            )
        );
    }

    #[test]
    fn nothing_is_said_where_the_types_are_equal() {
        assert_eq!(said("$.a == 1", &[Value::Null, Value::Number("5".into())]), None);
        assert_eq!(said("$.a == \"1\"", &[Value::from("x"), Value::Boolean(true)]), None);
    }
}
