//! What is selected, as process mining takes it: each event once, and the objects that they are
//! about.

use futures_util::stream::{Stream, TryStreamExt};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::event::{aggregate_uuid, correlation_uuid};
use crate::store::connection::session::Session;
use crate::store::connection::sql_types::JsonText;
use crate::store::connection::statement::{Parameters, Statement};
use crate::store::error::Error;
use crate::store::read::analysis::stories::settle;
use crate::store::search::conditions::{selection_conditions, where_clause};
use crate::store::search::first_delivery::{Deliveries, is_delivery};
use crate::store::search::resolved::ResolvedSelection;
use crate::store::search::selected_column::SelectedColumn;
use crate::store::search::text_id;
use crate::time::PostgresMicros;
use crate::value::Value;

/// The columns of [`FirstDeliveries::events`] before those that are asked for.
const FIXED_COLUMNS: usize = 8;

/// The selected rows that deliver an event for the first time: of all deliveries of the event,
/// selected or not, the one that committed first. Every statement has to run in the transaction
/// that this was made in.
pub struct FirstDeliveries<'a> {
    session: &'a Session,
    chosen: Chosen<'a>,
}

/// What the statements are made of.
struct Chosen<'a> {
    selection: &'a ResolvedSelection,
    deliveries: Deliveries,
}

/// What events are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// What an event happened to: an order.
    Aggregate,
    /// What events of several services belong to: a request. An event without one has none.
    Correlation,
}

/// An id of an object, as one row tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectId {
    /// The id in its column.
    pub id: Uuid,
    /// The text that the id was made of. `None` for an id that came as a UUID, and where the row
    /// does not hold the text.
    pub text: Option<String>,
}

/// How many of the selected rows have a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRows {
    /// The type.
    pub event_type: String,
    /// Rows that deliver an event of it for the first time.
    pub first: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// All rows.
    pub rows: u64,
}

/// A row that delivers an event for the first time.
#[derive(Debug)]
pub struct FirstDelivery(Row);

impl<'a> FirstDeliveries<'a> {
    /// Reads how far deliveries are known.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn new(
        session: &'a Session,
        selection: &'a ResolvedSelection,
    ) -> Result<Self, Error> {
        settle(session).await?;
        let deliveries = Deliveries::read(session).await?;
        Ok(Self { session, chosen: Chosen { selection, deliveries } })
    }

    /// The types of the selected rows, in their order, with how many rows have them.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn types(
        &self,
    ) -> Result<impl Stream<Item = Result<TypeRows, Error>> + use<>, Error> {
        let what = "counting events by type";
        let rows = self.chosen.types().stream(self.session, what).await?;
        let read = |row: Row| -> Result<TypeRows, tokio_postgres::Error> {
            // Counts are never negative.
            let count = |index| row.try_get(index).map(i64::unsigned_abs);
            Ok(TypeRows {
                event_type: row.try_get(0)?,
                first: count(1)?,
                dead_letters: count(2)?,
                rows: count(3)?,
            })
        };
        Ok(rows.and_then(move |row| std::future::ready(read(row))).map_err(Error::query(what)))
    }

    /// The objects of these events: all ids with a text that rows give for them, and once without
    /// one where a row gives none; those of one id one after the other.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn objects(
        &self,
        kind: ObjectKind,
    ) -> Result<impl Stream<Item = Result<ObjectId, Error>> + use<>, Error> {
        let what = "listing what events are about";
        let rows = self.chosen.objects(kind).stream(self.session, what).await?;
        let read = move |row: Row| -> Result<Option<ObjectId>, tokio_postgres::Error> {
            object_id(&row, 0, kind)
        };
        let rows = rows.and_then(move |row| std::future::ready(read(row)));
        Ok(rows.try_filter_map(|found| std::future::ready(Ok(found))).map_err(Error::query(what)))
    }

    /// The events, by the ids of their rows, with these columns.
    ///
    /// # Errors
    /// `Error::Query`.
    pub async fn events(
        &self,
        columns: &[SelectedColumn],
    ) -> Result<impl Stream<Item = Result<FirstDelivery, Error>> + use<>, Error> {
        let what = "reading events";
        let rows = self.chosen.events(columns).stream(self.session, what).await?;
        Ok(rows.map_ok(FirstDelivery).map_err(Error::query(what)))
    }
}

impl Chosen<'_> {
    fn types(&self) -> Statement {
        let mut parameters = Parameters::default();
        let conditions = selection_conditions(self.selection, "event", &mut parameters);
        let is_first = self.is_first(&mut parameters);
        let sql = format!(
            "SELECT event.event_type, count(*) FILTER (WHERE {is_first}),
       count(*) FILTER (WHERE event.is_dlt), count(*)
  FROM event_logs event{}
 GROUP BY event.event_type
 ORDER BY event.event_type",
            where_clause(&conditions)
        );
        Statement { sql, parameters }
    }

    fn objects(&self, kind: ObjectKind) -> Statement {
        let (id, texts) = (kind.column(), kind.texts());
        let mut parameters = Parameters::default();
        let mut conditions = self.conditions(&mut parameters);
        conditions.push(format!("{id} IS NOT NULL"));
        let sql = format!(
            "SELECT DISTINCT {id}, {texts}\n  FROM event_logs event{}\n ORDER BY 1",
            where_clause(&conditions)
        );
        Statement { sql, parameters }
    }

    fn events(&self, columns: &[SelectedColumn]) -> Statement {
        let mut parameters = Parameters::default();
        let [aggregate, correlation] = [ObjectKind::Aggregate, ObjectKind::Correlation]
            .map(|kind| format!("{}, {}", kind.column(), kind.texts()));
        let asked: String = columns
            .iter()
            .map(|column| format!(",\n       {}", column.expression(&mut parameters)))
            .collect();
        let conditions = self.conditions(&mut parameters);
        let sql = format!(
            "SELECT event.id, event.event_id, event.event_type, event.created_at,
       {aggregate},
       {correlation}{asked}
  FROM event_logs event{}
 ORDER BY event.id",
            where_clause(&conditions)
        );
        Statement { sql, parameters }
    }

    fn conditions(&self, parameters: &mut Parameters) -> Vec<String> {
        let mut conditions = selection_conditions(self.selection, "event", parameters);
        conditions.push(self.is_first(parameters));
        conditions
    }

    fn is_first(&self, parameters: &mut Parameters) -> String {
        let is_first = self.deliveries.is_first("event", parameters);
        format!("{} AND {is_first}", is_delivery("event"))
    }
}

impl ObjectKind {
    fn column(self) -> &'static str {
        match self {
            Self::Aggregate => "event.aggregate_id",
            Self::Correlation => "event.correlation_id",
        }
    }

    /// SQL for a JSON array with the texts that the id may have been made of; NULL for an id that
    /// was made of none, as most are: only those of version 5 were.
    fn texts(self) -> String {
        let (id, texts) = match self {
            Self::Aggregate => (self.column(), text_id::AGGREGATE),
            Self::Correlation => (self.column(), text_id::CORRELATION),
        };
        format!("CASE WHEN get_byte(uuid_send({id}), 6) >> 4 = 5 THEN {texts} END")
    }

    /// The id that is made of a text.
    fn made_of(self, text: &str) -> Uuid {
        match self {
            Self::Aggregate => aggregate_uuid(text.as_bytes()),
            Self::Correlation => correlation_uuid(text.as_bytes()),
        }
    }
}

/// The id at `index` of a row, and the texts behind it.
fn object_id(
    row: &Row,
    index: usize,
    kind: ObjectKind,
) -> Result<Option<ObjectId>, tokio_postgres::Error> {
    let Some(id) = row.try_get::<_, Option<Uuid>>(index)? else { return Ok(None) };
    let texts: Option<JsonText<'_>> = row.try_get(index + 1)?;
    let text = match texts.and_then(|texts| text_id::as_it_came(texts.0)) {
        // Of another kind's text, an object of this kind could have the name of a different one.
        Some(Value::Text(text)) if kind.made_of(&text) == id => Some(text.into_owned()),
        _ => None,
    };
    Ok(Some(ObjectId { id, text }))
}

impl FirstDelivery {
    /// The row's id.
    ///
    /// # Errors
    /// `Error::Column` where the row holds something else there; so do all others.
    pub fn id(&self) -> Result<i64, Error> {
        self.0.try_get(0).map_err(column_error("id"))
    }

    /// The event's id.
    ///
    /// # Errors
    /// `Error::Column`.
    pub fn event_id(&self) -> Result<Uuid, Error> {
        self.0.try_get(1).map_err(column_error("event_id"))
    }

    /// The event's type.
    ///
    /// # Errors
    /// `Error::Column`.
    pub fn event_type(&self) -> Result<&str, Error> {
        self.0.try_get(2).map_err(column_error("event_type"))
    }

    /// When it happened, UTC.
    ///
    /// # Errors
    /// `Error::Column`.
    pub fn created_at(&self) -> Result<PostgresMicros, Error> {
        self.0.try_get(3).map_err(column_error("created_at"))
    }

    /// The object of this kind that it is about, if it names one.
    ///
    /// # Errors
    /// `Error::Column`.
    pub fn object(&self, kind: ObjectKind) -> Result<Option<ObjectId>, Error> {
        let (index, name) = match kind {
            ObjectKind::Aggregate => (4, "aggregate_id"),
            ObjectKind::Correlation => (6, "correlation_id"),
        };
        object_id(&self.0, index, kind).map_err(column_error(name))
    }

    /// The value of `column`, which was asked for at position `index`.
    ///
    /// # Errors
    /// `Error::Column`.
    pub fn value(&self, index: usize, column: &SelectedColumn) -> Result<Value<'_>, Error> {
        column.value(&self.0, FIXED_COLUMNS + index).map_err(column_error(column.name()))
    }
}

fn column_error(column: &str) -> impl FnOnce(tokio_postgres::Error) -> Error + '_ {
    move |source| Error::Column { column: column.to_owned(), source }
}

#[cfg(test)]
mod tests;
