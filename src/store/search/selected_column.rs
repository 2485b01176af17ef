//! What a query selects of each event: a column by its name, or a place in the payload.

use std::borrow::Cow;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::event_column::EventColumn;
use crate::store::connection::session::Session;
use crate::store::connection::sql_types::JsonText;
use crate::store::connection::statement::Parameters;
use crate::store::error::Error;
use crate::value::Value;

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectedColumn {
    /// A column by its name.
    Named(EventColumn),
    /// What a path finds first in the payload.
    Payload(PayloadPath),
}

/// An SQL/JSON path into the payload, as it was typed: `$.total_amount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadPath(String);

impl PayloadPath {
    /// A path, where the text is one by its first character.
    pub fn new(text: &str) -> Option<Self> {
        text.starts_with('$').then(|| Self(text.to_owned()))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lets PostgreSQL read it, so that what is wrong with it is said before anything is searched.
    /// `option` is the option that it was given with.
    ///
    /// # Errors
    /// `Error::PayloadPath` with PostgreSQL's reason; `Error::Query`.
    pub async fn check(&self, session: &Session, option: &'static str) -> Result<(), Error> {
        let checked = session
            .client()
            .query_typed(
                // Walks it, too: a variable that nobody sets is found only then.
                "SELECT jsonb_path_query_first('{}', $1::text::jsonpath, '{}', true)",
                &[(&self.0, Type::TEXT)],
            )
            .await;
        checked.map(drop).map_err(|source| Error::payload_path(option, &self.0, source))
    }
}

impl From<EventColumn> for SelectedColumn {
    fn from(column: EventColumn) -> Self {
        Self::Named(column)
    }
}

impl SelectedColumn {
    /// Its name: of a path the path.
    pub fn name(&self) -> &str {
        match self {
            Self::Named(column) => column.name(),
            Self::Payload(path) => path.as_str(),
        }
    }

    /// The SQL that gives it, of a row of `event_logs` called `event`.
    pub(in crate::store) fn expression(&self, parameters: &mut Parameters) -> Cow<'static, str> {
        match self {
            Self::Named(column) => column.expression(),
            // Silently: a path that does not fit a payload finds nothing there.
            Self::Payload(path) => Cow::Owned(format!(
                "jsonb_path_query_first(event.payload, {}::text::jsonpath, '{{}}', true)",
                parameters.bind(path.0.clone(), Type::TEXT)
            )),
        }
    }

    /// The value in a row that was selected with this column at `index`.
    ///
    /// # Errors
    /// Where the row holds something else there.
    pub(in crate::store) fn value<'a>(
        &self,
        row: &'a Row,
        index: usize,
    ) -> Result<Value<'a>, tokio_postgres::Error> {
        match self {
            Self::Named(column) => column.value(row, index),
            Self::Payload(_) => Ok(row
                .try_get::<_, Option<JsonText<'_>>>(index)?
                .map_or(Value::Null, |json| payload_value(json.0))),
        }
    }

    /// The same, on its own.
    ///
    /// # Errors
    /// Where the row holds something else there.
    pub(in crate::store) fn owned_value(
        &self,
        row: &Row,
        index: usize,
    ) -> Result<Value<'static>, tokio_postgres::Error> {
        self.value(row, index).map(Value::into_owned)
    }
}

/// A JSON text as what it is: text without quotes, a truth value, a number of any precision; an
/// object or an array stays JSON.
fn payload_value(json: &str) -> Value<'_> {
    match json.as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<String>(json) {
            Ok(text) => Value::Text(Cow::Owned(text)),
            Err(_) => Value::Json(Cow::Borrowed(json)),
        },
        Some(b't') => Value::Boolean(true),
        Some(b'f') => Value::Boolean(false),
        Some(b'n') | None => Value::Null,
        Some(b'{' | b'[') => Value::Json(Cow::Borrowed(json)),
        Some(_) => Value::Number(Cow::Borrowed(json)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_finds_keeps_its_type() {
        assert_eq!(payload_value(r#""a \"b\"\n""#), Value::from("a \"b\"\n"));
        assert_eq!(payload_value("true"), Value::Boolean(true));
        assert_eq!(payload_value("false"), Value::Boolean(false));
        assert_eq!(payload_value("null"), Value::Null);
        let digits = "12345678901234567890.123456789012345678";
        assert_eq!(payload_value(digits), Value::Number(digits.into()));
        assert_eq!(payload_value("-1"), Value::Number("-1".into()));
        assert_eq!(payload_value("[1, 2]"), Value::Json("[1, 2]".into()));
    }

    #[test]
    fn a_path_begins_with_a_dollar() {
        assert!(PayloadPath::new("$.total").is_some());
        assert!(PayloadPath::new("total").is_none());
    }
}
