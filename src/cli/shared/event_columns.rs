//! Rows of events on their way from the store to a renderer: which columns are shown, and what
//! stands out.

use clap::Arg;
use uuid::Uuid;

use super::args::list_item::ListItems;
use super::unknown_name::unknown_column;
use crate::cli::ui::Failure;
use crate::dead_letter::{UNKNOWN_ERROR, error_line, short_class};
use crate::event::Mark;
use crate::export;
use crate::output::{Column, Emphasis, Format};
use crate::store::{EventColumn, EventRow, PayloadPath, SelectedColumn, Session};
use crate::time::PostgresMicros;
use crate::value::Value;

/// As long as most names of types and services.
const USUAL_NAME: &str = "PaymentAuthorized";

/// The columns of a result: what is shown, and what is read for it and for the command itself.
pub(crate) struct EventColumns {
    shown: Vec<Shown>,
    selected: Vec<SelectedColumn>,
    /// Whether they were asked for by name.
    are_asked: bool,
}

/// A cell of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The value of a selected column.
    Value(usize),
    /// A dead letter's error in a line.
    Error,
}

impl EventColumns {
    /// The columns that were asked for, else those of the format; `needed` are read, too.
    pub(crate) fn new(
        asked: &[ListItems],
        format: Format,
        needed: &[EventColumn],
    ) -> Result<Self, Failure> {
        let asked: Vec<_> = asked.iter().flat_map(ListItems::items).collect();
        let are_asked = !asked.is_empty();
        let mut columns = Self { shown: Vec::new(), selected: Vec::new(), are_asked };
        if !are_asked {
            columns.show_default(format);
        }
        for name in asked {
            let column = match PayloadPath::new(name) {
                Some(path) => SelectedColumn::Payload(path),
                None => named(name)?.into(),
            };
            let shown = Shown::Value(columns.select(column));
            // An object has each member once: DuckDB refuses a file with one that it has twice.
            let is_member = matches!(format, Format::Json | Format::Ndjson);
            if !(is_member && columns.shown.contains(&shown)) {
                columns.shown.push(shown);
            }
        }
        for column in needed {
            columns.select((*column).into());
        }
        Ok(columns)
    }

    fn show_default(&mut self, format: Format) {
        for column in default_columns(format) {
            let is_payload = column == EventColumn::Payload;
            if is_payload && matches!(format, Format::Table | Format::Lines) {
                self.select(EventColumn::ErrorClass.into());
                self.select(EventColumn::ErrorMessage.into());
                self.shown.push(Shown::Error);
            }
            let index = self.select(column.into());
            self.shown.push(Shown::Value(index));
        }
    }

    /// The place of a column among those that are read.
    fn select(&mut self, column: SelectedColumn) -> usize {
        let place = self.selected.iter().position(|selected| *selected == column);
        place.unwrap_or_else(|| {
            self.selected.push(column);
            self.selected.len() - 1
        })
    }

    /// Lets PostgreSQL read the paths among the columns.
    pub(crate) async fn check(&self, session: &Session) -> Result<(), Failure> {
        for column in &self.selected {
            if let SelectedColumn::Payload(path) = column {
                path.check(session, "--columns").await?;
            }
        }
        Ok(())
    }

    /// What to select.
    pub(crate) fn selected(&self) -> &[SelectedColumn] {
        &self.selected
    }

    /// The columns of files: each of them once where the format can't have it twice.
    pub(crate) fn of_files(&self, once: bool) -> export::Columns {
        let mut written = Vec::with_capacity(self.shown.len());
        for shown in &self.shown {
            if let Shown::Value(place) = shown
                && !(once && written.contains(place))
            {
                written.push(*place);
            }
        }
        export::Columns::new(self.selected.clone(), &written)
    }

    /// The columns for the renderer.
    pub(crate) fn shown(&self) -> Vec<Column> {
        self.shown
            .iter()
            .map(|shown| match shown {
                Shown::Error => Column::new("error").explains().optional(1),
                Shown::Value(index) => {
                    let column = column(&self.selected[*index]);
                    if self.are_asked { column.optional(0) } else { column }
                }
            })
            .collect()
    }

    /// The cells of a row for the renderer.
    pub(crate) fn cells<'a>(&self, row: &'a EventRow) -> Result<Vec<Value<'a>>, Failure> {
        let cell = |shown: &Shown| match shown {
            Shown::Value(index) => self.at(row, *index),
            Shown::Error => Ok(self.error(row)?.into()),
        };
        self.shown.iter().map(cell).collect()
    }

    /// A row as wide as rows may become: with the longest of these types and services, room for
    /// one that is new, and a mark.
    pub(crate) fn widest<'a>(&self, types: &'a [String], services: &'a [String]) -> Vec<Value<'a>> {
        fn longest(texts: &[String]) -> Value<'_> {
            let texts = texts.iter().map(String::as_str).chain([USUAL_NAME]);
            texts.max_by_key(|text| text.chars().count()).into()
        }
        let cell = |shown: &Shown| match shown {
            Shown::Error => Value::Null,
            Shown::Value(index) => match &self.selected[*index] {
                SelectedColumn::Named(EventColumn::EventType) => longest(types),
                SelectedColumn::Named(EventColumn::SourceService) => longest(services),
                SelectedColumn::Named(EventColumn::Mark) => {
                    Mark { dead_letter: true, quarantined: false }.as_str().into()
                }
                SelectedColumn::Named(EventColumn::Aggregate) => Uuid::nil().into(),
                SelectedColumn::Named(_) | SelectedColumn::Payload(_) => Value::Null,
            },
        };
        self.shown.iter().map(cell).collect()
    }

    /// A dead letter's error in a line.
    fn error(&self, row: &EventRow) -> Result<Option<String>, Failure> {
        let class = self.value(row, EventColumn::ErrorClass)?;
        let message = self.value(row, EventColumn::ErrorMessage)?;
        let line = error_line(text(&class), text(&message), None);
        Ok(match line.is_empty() {
            false => Some(line),
            // The mark is left out where there is no room for it.
            true => self.mark(row)?.dead_letter.then(|| UNKNOWN_ERROR.to_owned()),
        })
    }

    /// The value of a column; null where it is not selected.
    fn value<'a>(&self, row: &'a EventRow, column: EventColumn) -> Result<Value<'a>, Failure> {
        match self.selected.iter().position(|selected| *selected == column.into()) {
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
        let mark = self.mark(row)?;
        Ok(if mark.dead_letter {
            Emphasis::Alarm
        } else if mark.is_empty() {
            Emphasis::None
        } else {
            Emphasis::Notice
        })
    }

    fn mark(&self, row: &EventRow) -> Result<Mark, Failure> {
        let place = self.selected.iter().position(|selected| *selected == EventColumn::Mark.into());
        Ok(place.map(|index| row.mark(index)).transpose()?.unwrap_or_default())
    }

    fn at<'a>(&self, row: &'a EventRow, index: usize) -> Result<Value<'a>, Failure> {
        Ok(row.value(index, &self.selected[index])?)
    }
}

/// A selected column as tables lay it out: what of it gives way where there is little room.
fn column(selected: &SelectedColumn) -> Column {
    let column = Column::new(selected.name().to_owned());
    match selected {
        SelectedColumn::Named(EventColumn::EventType) => column.category(),
        SelectedColumn::Named(EventColumn::ErrorMessage) => column.explains(),
        SelectedColumn::Named(EventColumn::ErrorClass) => column.shortened(short_class).whole(),
        SelectedColumn::Named(EventColumn::Mark) => column.optional(1),
        SelectedColumn::Named(EventColumn::SourceService) => column.optional(2),
        SelectedColumn::Named(EventColumn::EventId) => column.optional(3),
        SelectedColumn::Named(EventColumn::Payload) => column.optional(4),
        // Ids, or they may be.
        SelectedColumn::Named(
            EventColumn::Aggregate
            | EventColumn::Correlation
            | EventColumn::CausationId
            | EventColumn::Topic
            | EventColumn::OriginTopic,
        )
        | SelectedColumn::Payload(_) => column.whole(),
        SelectedColumn::Named(_) => column,
    }
}

fn text<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// Names the columns in the help of `--columns`.
pub(crate) fn describe_columns(argument: Arg) -> Arg {
    let short = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let short = format!("{short}, or JSON paths of the payload, such as '$.total_amount'");
    let names: Vec<_> = EventColumn::ALL.iter().map(|column| column.name()).collect();
    let long = format!("{short}\n\nThe names: {}", names.join(", "));
    argument.help(short).long_help(long)
}

/// The columns to show where no others were asked for.
fn default_columns(format: Format) -> Vec<EventColumn> {
    use EventColumn::{
        Aggregate, Attributes, Correlation, CorrelationId, CreatedAt, ErrorClass, ErrorMessage,
        EventId, EventType, Id, KafkaOffset, Mark, PartitionId, Payload, SourceService,
    };
    match format {
        Format::Csv => EventColumn::ORIGINAL.to_vec(),
        Format::Json | Format::Ndjson => {
            let others = [
                PartitionId,
                KafkaOffset,
                CorrelationId,
                Attributes,
                ErrorClass,
                ErrorMessage,
                Aggregate,
                Correlation,
            ];
            [&EventColumn::ORIGINAL[..], &others].concat()
        }
        Format::Table => {
            vec![Id, CreatedAt, EventType, SourceService, Aggregate, EventId, Mark, Payload]
        }
        // What a narrow terminal has no room for stands at the end.
        Format::Lines => vec![CreatedAt, EventType, Mark, Aggregate, SourceService, Payload],
    }
}

fn named(name: &str) -> Result<EventColumn, Failure> {
    EventColumn::named(name).ok_or_else(|| {
        let names: Vec<_> = EventColumn::ALL.iter().map(|column| column.name()).collect();
        unknown_column(name, &names, ", and JSON paths of the payload, such as '$.total_amount'")
    })
}

fn missing(column: EventColumn) -> Failure {
    Failure::new(format!("a row came back without its {}", column.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_is_asked_for_twice_is_read_once_and_is_one_member() {
        let asked = ["id,$.a,id".parse().expect("a list")];
        for (format, expected) in
            [(Format::Csv, &["id", "$.a", "id"][..]), (Format::Ndjson, &["id", "$.a"])]
        {
            let columns = EventColumns::new(&asked, format, &[EventColumn::Id]).expect("columns");
            let shown = columns.shown();
            let names: Vec<_> = shown.iter().map(Column::name).collect();
            assert_eq!(names, expected);
            assert_eq!(columns.selected().len(), 2);
        }
    }
}
