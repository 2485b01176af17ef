//! The columns of a count, and the cells of a group.

use crate::dead_letter::short_class;
use crate::output::Column;
use crate::store::{EventCount, Figure, Grouping, TotalCount};
use crate::time::{PostgresMicros, Timestamp};
use crate::value::Value;

/// Which columns there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) by: &'a [Grouping],
    pub(super) figures: &'a [Figure],
    pub(super) is_compared: bool,
    pub(super) duplicates: bool,
}

impl Columns<'_> {
    /// The keys, then the figures.
    pub(super) fn shown(&self) -> Vec<Column> {
        let key = |by: &Grouping| {
            let column = Column::new(by.name().to_owned()).category();
            match by {
                Grouping::Error => column.shortened(short_class).whole(),
                _ => column,
            }
        };
        let mut columns: Vec<Column> = self.by.iter().map(key).collect();
        columns.push(Column::new("events"));
        if self.is_compared {
            columns.push(Column::new("events_before"));
            columns
                .push(Column::new("change").fractions_as(|part| format!("{:+.1} %", part * 100.0)));
        }
        let share = Column::new("share").fractions_as(|part| format!("{:.1} %", part * 100.0));
        columns.extend([share.optional(2), Column::new("per_second").optional(5)]);
        if self.has_dead_letters() {
            columns.push(Column::new("dlt").optional(0));
        }
        columns.push(Column::new("quarantined").optional(1));
        if self.duplicates {
            columns.push(Column::new("duplicates"));
        }
        columns.extend(self.figures.iter().map(|figure| Column::new(figure.name())));
        columns.extend([Column::new("first").optional(4), Column::new("last").optional(3)]);
        columns
    }

    /// Whether dead letters are counted: as a key they have a column of that name.
    fn has_dead_letters(&self) -> bool {
        !self.by.contains(&Grouping::Dlt)
    }

    /// The cells of a group.
    pub(super) fn cells<'a>(&self, group: &'a EventCount, total: &TotalCount) -> Vec<Value<'a>> {
        let mut cells: Vec<Value<'a>> = group.keys.clone();
        cells.push(Value::Integer(group.rows));
        if self.is_compared {
            let before = group.before.unwrap_or_default();
            cells.push(Value::Integer(before));
            cells.push(fraction(group.rows - before, before));
        }
        cells.extend([fraction(group.rows, total.rows), per_second(group.rows, total)]);
        if self.has_dead_letters() {
            cells.push(Value::Integer(group.dead_letters));
        }
        cells.push(Value::Integer(group.quarantined));
        cells.extend(group.duplicates.map(Value::Integer));
        let figures = group.figures.iter();
        cells.extend(figures.map(|figure| {
            figure.as_deref().map_or(Value::Null, |number| Value::Number(number.into()))
        }));
        let time = |time: Option<PostgresMicros>| time.map(Timestamp::without_zone).into();
        cells.extend([time(group.first), time(group.last)]);
        cells
    }
}

fn fraction(part: i64, whole: i64) -> Value<'static> {
    if whole == 0 { Value::Null } else { Value::Float(part as f64 / whole as f64) }
}

/// How many there were in each second of the time in which all of them happened, to the thousandth.
fn per_second(rows: i64, total: &TotalCount) -> Value<'static> {
    let span = total.last.zip(total.first).map(|(last, first)| last.since(first));
    match span.unwrap_or_default() as f64 / 1_000_000.0 {
        seconds if seconds > 0.0 => {
            Value::Float((rows as f64 / seconds * 1_000.0).round() / 1_000.0)
        }
        _ => Value::Null,
    }
}
