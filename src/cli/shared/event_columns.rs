//! Rows of events on their way from the store to a renderer: which columns are shown, and what
//! stands out.

use super::list_item::ListItems;
use super::unknown_column::unknown_column;
use crate::cli::ui::{Failure, Ui, WidthClass};
use crate::dead_letter::{error_line, short_class};
use crate::filter::Selection;
use crate::output::{Column, Emphasis, Format};
use crate::store::{EventColumn, EventRow, PayloadPath, SelectedColumn, Session};
use crate::time::PostgresMicros;
use crate::value::Value;

/// The columns of a result: what is shown, and what is read for it and for the command itself.
pub(crate) struct EventColumns {
    shown: Vec<Shown>,
    selected: Vec<SelectedColumn>,
    /// Whether people read it: a package takes the room that the exception's class needs.
    has_short_classes: bool,
}

/// A cell of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The value of a selected column.
    Value(usize),
    /// In lines: a dead letter's error, else the payload, which is left out on a narrow terminal.
    ErrorOr(Option<usize>),
}

impl EventColumns {
    /// The columns that were asked for, else those of the format; `needed` are read, too.
    pub(crate) fn new(
        asked: &[ListItems],
        format: Format,
        selection: &Selection,
        needed: &[EventColumn],
        ui: Ui,
    ) -> Result<Self, Failure> {
        let mut columns = Self {
            shown: Vec::new(),
            selected: Vec::new(),
            has_short_classes: matches!(format, Format::Table | Format::Lines),
        };
        let asked: Vec<_> = asked.iter().flat_map(ListItems::items).collect();
        if asked.is_empty() {
            columns.show_default(format, selection.is_of_dead_letters(), ui.width());
        }
        for name in asked {
            let column = match PayloadPath::new(name) {
                Some(path) => SelectedColumn::Payload(path),
                None => named(name)?.into(),
            };
            let index = columns.select(column);
            columns.shown.push(Shown::Value(index));
        }
        for column in needed {
            columns.select((*column).into());
        }
        Ok(columns)
    }

    fn show_default(&mut self, format: Format, of_dead_letters: bool, width: WidthClass) {
        for column in default_columns(format, of_dead_letters, width) {
            let index = self.select(column.into());
            self.shown.push(Shown::Value(index));
        }
        if format == Format::Lines {
            self.select(EventColumn::ErrorClass.into());
            self.select(EventColumn::ErrorMessage.into());
            let payload =
                (width > WidthClass::Narrow).then(|| self.select(EventColumn::Payload.into()));
            self.shown.push(Shown::ErrorOr(payload));
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

    /// The columns for the renderer.
    pub(crate) fn shown(&self) -> Vec<Column> {
        let column = |shown: &Shown| match shown {
            Shown::ErrorOr(Some(_)) => Column::new("payload"),
            Shown::ErrorOr(None) => Column::new("error").explains(),
            Shown::Value(index) => {
                let selected = &self.selected[*index];
                let column = Column::new(selected.name().to_owned());
                match selected {
                    SelectedColumn::Named(EventColumn::EventType) => column.category(),
                    SelectedColumn::Named(EventColumn::ErrorMessage) => column.explains(),
                    SelectedColumn::Named(_) | SelectedColumn::Payload(_) => column,
                }
            }
        };
        self.shown.iter().map(column).collect()
    }

    /// The cells of a row for the renderer.
    pub(crate) fn cells<'a>(&self, row: &'a EventRow) -> Result<Vec<Value<'a>>, Failure> {
        let cell = |shown: &Shown| match shown {
            Shown::Value(index) => self.at(row, *index),
            Shown::ErrorOr(payload) => match (self.error(row)?, payload) {
                (Some(error), _) => Ok(error.into()),
                (None, Some(payload)) => self.at(row, *payload),
                (None, None) => Ok("".into()),
            },
        };
        self.shown.iter().map(cell).collect()
    }

    /// A dead letter's error in a line.
    fn error(&self, row: &EventRow) -> Result<Option<String>, Failure> {
        let class = self.value(row, EventColumn::ErrorClass)?;
        let message = self.value(row, EventColumn::ErrorMessage)?;
        let line = error_line(text(&class), text(&message), None);
        Ok((!line.is_empty()).then_some(line))
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
        let place = self.selected.iter().position(|selected| *selected == EventColumn::Mark.into());
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
        let column = &self.selected[index];
        let value = row.value(index, column)?;
        Ok(match (value, column) {
            (Value::Text(class), SelectedColumn::Named(EventColumn::ErrorClass))
                if self.has_short_classes =>
            {
                short_class(&class).to_owned().into()
            }
            (value, _) => value,
        })
    }
}

fn text<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The columns to show where no others were asked for.
fn default_columns(format: Format, of_dead_letters: bool, width: WidthClass) -> Vec<EventColumn> {
    use EventColumn::{
        AggregateId, Attributes, CorrelationId, CreatedAt, ErrorClass, ErrorMessage, EventId,
        EventType, Id, KafkaOffset, Mark, PartitionId, Payload, SourceService,
    };
    match format {
        Format::Csv => EventColumn::ORIGINAL.to_vec(),
        Format::Json | Format::Ndjson => {
            let others =
                [PartitionId, KafkaOffset, CorrelationId, Attributes, ErrorClass, ErrorMessage];
            [&EventColumn::ORIGINAL[..], &others].concat()
        }
        // Of dead letters the error comes first, then what there is room for.
        Format::Table if of_dead_letters => match width {
            WidthClass::Narrow => vec![Id, CreatedAt, EventType, ErrorClass, ErrorMessage],
            WidthClass::Medium => {
                vec![Id, CreatedAt, EventType, AggregateId, ErrorClass, ErrorMessage]
            }
            WidthClass::Wide => {
                vec![Id, CreatedAt, EventType, SourceService, AggregateId, ErrorClass, ErrorMessage]
            }
            WidthClass::Widest => vec![
                Id,
                CreatedAt,
                EventType,
                SourceService,
                AggregateId,
                EventId,
                Mark,
                ErrorClass,
                ErrorMessage,
                Payload,
            ],
        },
        Format::Table if width < WidthClass::Wide => {
            vec![Id, CreatedAt, EventType, AggregateId, Mark]
        }
        Format::Table => {
            vec![Id, CreatedAt, EventType, SourceService, AggregateId, EventId, Mark, Payload]
        }
        Format::Lines if width == WidthClass::Narrow => {
            vec![CreatedAt, EventType, Mark, AggregateId]
        }
        // What marks a row must be seen on a narrow terminal, too.
        Format::Lines => vec![CreatedAt, EventType, Mark, SourceService, AggregateId],
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
    fn dead_letters_show_their_error_at_every_width_without_being_asked() {
        for width in [WidthClass::Narrow, WidthClass::Medium, WidthClass::Wide, WidthClass::Widest]
        {
            let columns = default_columns(Format::Table, true, width);
            assert!(columns.contains(&EventColumn::ErrorClass), "{width:?}");
            assert!(columns.contains(&EventColumn::ErrorMessage), "{width:?}");
        }
        let csv = default_columns(Format::Csv, true, WidthClass::Widest);
        assert_eq!(csv, EventColumn::ORIGINAL);
    }

    #[test]
    fn a_column_that_is_asked_for_twice_is_shown_twice_and_read_once() {
        let asked = ["id,$.a,id".parse().expect("a list")];
        let columns = EventColumns::new(
            &asked,
            Format::Csv,
            &Selection::default(),
            &[EventColumn::Id],
            Ui::default(),
        )
        .expect("columns");
        let names: Vec<_> = columns.shown().iter().map(|column| column.name().to_owned()).collect();
        assert_eq!(names, ["id", "$.a", "id"]);
        assert_eq!(columns.selected().len(), 2);
    }
}
