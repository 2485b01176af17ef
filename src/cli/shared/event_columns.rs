//! Rows of events on their way from the store to a renderer: which columns are shown, and what
//! stands out.

use clap::Arg;

use crate::cli::ui::{Failure, Ui, WidthClass};
use crate::output::{Column, Emphasis, Format};
use crate::store::{EventColumn, EventRow};
use crate::time::PostgresMicros;
use crate::value::Value;

/// The columns of a result: those that are shown come first, then those that the command itself
/// needs.
pub(crate) struct EventColumns {
    shown: usize,
    selected: Vec<EventColumn>,
}

impl EventColumns {
    /// The columns that were asked for, or `default`; `needed` are read, too.
    pub(crate) fn new(
        asked: Option<&[String]>,
        default: &[EventColumn],
        needed: &[EventColumn],
    ) -> Result<Self, Failure> {
        let mut selected = match asked {
            None => default.to_vec(),
            Some(names) => names.iter().map(|name| named(name.trim())).collect::<Result<_, _>>()?,
        };
        let shown = selected.len();
        selected.extend(
            needed.iter().filter(|column| !selected.contains(column)).copied().collect::<Vec<_>>(),
        );
        Ok(Self { shown, selected })
    }

    /// What to select.
    pub(crate) fn selected(&self) -> &[EventColumn] {
        &self.selected
    }

    /// The columns for the renderer.
    pub(crate) fn shown(&self) -> Vec<Column> {
        let column = |column: &EventColumn| match column {
            EventColumn::EventType => Column::new(column.name()).category(),
            _ => Column::new(column.name()),
        };
        self.selected[..self.shown].iter().map(column).collect()
    }

    /// The cells of a row for the renderer.
    pub(crate) fn cells<'a>(&self, row: &'a EventRow) -> Result<Vec<Value<'a>>, Failure> {
        (0..self.shown).map(|index| self.at(row, index)).collect()
    }

    /// The value of a selected column.
    pub(crate) fn value<'a>(
        &self,
        row: &'a EventRow,
        column: EventColumn,
    ) -> Result<Value<'a>, Failure> {
        match self.selected.iter().position(|selected| *selected == column) {
            Some(index) => self.at(row, index),
            None => Ok(Value::Null),
        }
    }

    /// The integer of a selected column that is never null.
    pub(crate) fn integer(&self, row: &EventRow, column: EventColumn) -> Result<i64, Failure> {
        match self.value(row, column)? {
            Value::Integer(number) => Ok(number),
            _ => Err(missing(column)),
        }
    }

    /// The time of a selected column that is never null.
    pub(crate) fn time(
        &self,
        row: &EventRow,
        column: EventColumn,
    ) -> Result<PostgresMicros, Failure> {
        match self.value(row, column)? {
            Value::Timestamp(timestamp) => Ok(timestamp.time()),
            _ => Err(missing(column)),
        }
    }

    /// How a row stands out, by its mark.
    pub(crate) fn emphasis(&self, row: &EventRow) -> Result<Emphasis, Failure> {
        let place = self.selected.iter().position(|selected| *selected == EventColumn::Mark);
        let mark = place.map(|index| row.mark(index)).transpose()?.unwrap_or_default();
        Ok(if mark.dead_letter {
            Emphasis::Alarm
        } else if mark.is_empty() {
            Emphasis::None
        } else {
            Emphasis::Notice
        })
    }

    fn at<'a>(&self, row: &'a EventRow, index: usize) -> Result<Value<'a>, Failure> {
        Ok(row.value(index, self.selected[index])?)
    }
}

/// Names the columns in the help of `--columns`.
pub(crate) fn describe_columns(argument: Arg) -> Arg {
    let short = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let (short, _) = short.split_once(';').unwrap_or((&short, ""));
    let names: Vec<_> = EventColumn::ALL.iter().map(|column| column.name()).collect();
    argument.help(short.to_owned()).long_help(format!("{short}: {}", names.join(", ")))
}

/// The columns to show where no others were asked for.
pub(crate) fn default_columns(format: Format, ui: Ui) -> Vec<EventColumn> {
    use EventColumn::{
        AggregateId, Attributes, CorrelationId, CreatedAt, EventId, EventType, Id, KafkaOffset,
        Mark, PartitionId, Payload, SourceService,
    };
    match format {
        Format::Csv => EventColumn::ORIGINAL.to_vec(),
        Format::Json | Format::Ndjson => {
            [&EventColumn::ORIGINAL[..], &[PartitionId, KafkaOffset, CorrelationId, Attributes]]
                .concat()
        }
        Format::Table if ui.width() < WidthClass::Wide => {
            vec![Id, CreatedAt, EventType, AggregateId, Mark]
        }
        Format::Table => {
            vec![Id, CreatedAt, EventType, SourceService, AggregateId, EventId, Mark, Payload]
        }
        Format::Lines if ui.width() == WidthClass::Narrow => {
            vec![CreatedAt, EventType, Mark, AggregateId]
        }
        // What marks a row must be seen on a narrow terminal, too.
        Format::Lines => vec![CreatedAt, EventType, Mark, SourceService, AggregateId, Payload],
    }
}

fn named(name: &str) -> Result<EventColumn, Failure> {
    EventColumn::named(name).ok_or_else(|| {
        let names: Vec<_> = EventColumn::ALL.iter().map(|column| column.name()).collect();
        Failure::usage(format!("there is no column '{name}'"))
            .with_hint(format!("the columns are {}", names.join(", ")))
    })
}

fn missing(column: EventColumn) -> Failure {
    Failure::new(format!("a row came back without its {}", column.name()))
}
