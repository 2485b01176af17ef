//! The row of a proof: its columns by their names, in JSON, and in the canonical form.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::json::{as_object, form};
use super::value::Column;
use crate::evidence::canonical::{CanonicalError, Tuple, TupleReader};
use crate::evidence::tree::{Hash, leaf_hash};
use crate::time::PostgresMicros;

/// A struct of the columns of a table, in its order, and of members that are no columns.
macro_rules! columns {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$column_about:meta])* pub $column:ident: $type:ty,)+
        }
        $($(#[$other_about:meta])* other $other:ident: $other_type:ty,)*
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$column_about])* #[serde(with = "form")] pub $column: $type,)+
            $($(#[$other_about])* #[serde(with = "form")] pub $other: $other_type,)*
        }
        as_object!($name);

        impl $name {
            const COLUMNS: &[&str] = &[$(stringify!($column)),+];

            fn encode_columns(&self, bytes: &mut Vec<u8>) -> Result<(), CanonicalError> {
                let mut tuple = Tuple::begin(bytes, Self::COLUMNS.len() as u16);
                $(self.$column.encode(&mut tuple)?;)+
                Ok(())
            }

            /// Reads the tuple of its columns, and returns what stands behind it, too.
            fn decode_columns(
                bytes: &[u8],
                $($other: $other_type,)*
            ) -> Result<(Self, &[u8]), CanonicalError> {
                let mut tuple = TupleReader::begin(bytes, Self::COLUMNS.len() as u16)?;
                let columns = Self {
                    $($column: Column::decode(tuple.field()?)?,)+
                    $($other,)*
                };
                Ok((columns, tuple.rest()))
            }
        }
    };
}

columns! {
    /// A row of `event_logs`, and what `dead_letters` says about it. JSONB is canonical JSON.
    pub struct RowColumns {
        /// `id`.
        pub id: i64,
        /// `event_id`.
        pub event_id: Uuid,
        /// `event_type`.
        pub event_type: String,
        /// `aggregate_id`.
        pub aggregate_id: Option<Uuid>,
        /// `source_service`.
        pub source_service: Option<String>,
        /// `is_dlt`.
        pub is_dlt: Option<bool>,
        /// `payload`.
        pub payload: String,
        /// `created_at`.
        pub created_at: PostgresMicros,
        /// `partition_id`.
        pub partition_id: Option<i32>,
        /// `kafka_offset`.
        pub kafka_offset: Option<i64>,
        /// `correlation_id`.
        pub correlation_id: Option<Uuid>,
        /// `attributes`.
        pub attributes: Option<String>,
    }
    /// Its row of `dead_letters`, where it has one.
    other dead_letter: Option<DeadLetterColumns>,
}

columns! {
    /// A row of `dead_letters`.
    pub struct DeadLetterColumns {
        /// `event_log_id`.
        pub event_log_id: i64,
        /// `key`.
        pub key: Option<Vec<u8>>,
        /// `value`.
        pub value: Option<Vec<u8>>,
        /// `headers`.
        pub headers: String,
        /// `origin_topic`.
        pub origin_topic: Option<String>,
        /// `origin_source`.
        pub origin_source: Option<String>,
        /// `origin_partition`.
        pub origin_partition: Option<i32>,
        /// `origin_offset`.
        pub origin_offset: Option<i64>,
        /// `origin_timestamp`.
        pub origin_timestamp: Option<PostgresMicros>,
        /// `consumer_group`.
        pub consumer_group: Option<String>,
        /// `exception_class`.
        pub exception_class: Option<String>,
        /// `exception_message`.
        pub exception_message: Option<String>,
        /// `stack_trace`.
        pub stack_trace: Option<String>,
        /// `attempts`.
        pub attempts: Option<i32>,
        /// `replay_id`.
        pub replay_id: Option<Uuid>,
        /// `replay_attempt`.
        pub replay_attempt: Option<i32>,
    }
}

impl RowColumns {
    /// The columns of a row in the canonical form: of what `RowForm::of` makes, so that what is
    /// shown is what was hashed.
    ///
    /// # Errors
    /// [`CanonicalError::Tuple`] where it is no such row.
    pub fn of_canonical(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let (mut row, rest) = Self::decode_columns(bytes, None)?;
        if rest != [0, 0] {
            let (dead_letter, rest) = DeadLetterColumns::decode_columns(rest)?;
            if !rest.is_empty() {
                return Err(CanonicalError::Tuple);
            }
            row.dead_letter = Some(dead_letter);
        }
        Ok(row)
    }

    /// The row in the canonical form.
    ///
    /// # Errors
    /// [`CanonicalError::Time`].
    pub fn canonical(&self) -> Result<Vec<u8>, CanonicalError> {
        let mut bytes = Vec::new();
        self.encode_columns(&mut bytes)?;
        match &self.dead_letter {
            Some(dead_letter) => dead_letter.encode_columns(&mut bytes)?,
            None => drop(Tuple::begin(&mut bytes, 0)),
        }
        Ok(bytes)
    }

    /// The hash of the row as a leaf of its batch.
    pub(super) fn leaf_hash(&self) -> Result<Hash, CanonicalError> {
        Ok(leaf_hash(&self.canonical()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::canonical::{DEAD_LETTER_COLUMNS, EVENT_COLUMNS, RowForm};

    /// As binary COPY has them: times since 2000, and JSONB as PostgreSQL writes it.
    fn copied() -> [Vec<u8>; 2] {
        let [mut event, mut letter] = [Vec::new(), Vec::new()];
        let id = Some(Uuid::from_u128(5));
        let mut fields = Tuple::begin(&mut event, 12);
        fields.bigint(Some(7));
        fields.uuid(id);
        fields.text(Some("OrderCreated"));
        fields.uuid(None);
        fields.text(Some("orders"));
        fields.boolean(Some(true));
        fields.text(Some("\u{1}{\"b\": 1.50, \"a\": null}"));
        fields.bigint(Some(1_000_000));
        fields.integer(Some(3));
        fields.bigint(Some(50));
        fields.uuid(id);
        fields.text(None);
        let mut fields = Tuple::begin(&mut letter, 16);
        fields.bigint(Some(7));
        fields.bytes(Some(&[]));
        fields.bytes(None);
        fields.text(Some("\u{1}[]"));
        (4..8).for_each(|_| fields.text(None));
        fields.bigint(Some(i64::MIN));
        (9..16).for_each(|_| fields.text(None));
        [event, letter]
    }

    #[test]
    fn what_is_shown_of_a_row_is_what_was_hashed() {
        let [event, letter] = copied();
        let mut form = RowForm::default();
        for letter in [None, Some(letter.as_slice())] {
            let canonical = form.of(&event, letter).expect("a row").to_vec();
            let row = RowColumns::of_canonical(&canonical).expect("the same row");
            assert_eq!(row.canonical().as_deref(), Ok(canonical.as_slice()));
            assert_eq!(row.payload, "{\"a\":null,\"b\":1.5}");
            assert_eq!(row.created_at, PostgresMicros(1_000_000));
            let times = row.dead_letter.as_ref().map(|letter| letter.origin_timestamp);
            assert_eq!(times, letter.map(|_| Some(PostgresMicros(i64::MIN))));
            for end in 0..canonical.len() {
                assert!(RowColumns::of_canonical(&canonical[..end]).is_err(), "{end}");
            }
            assert!(RowColumns::of_canonical(&[canonical, vec![0]].concat()).is_err());
        }
    }

    #[test]
    fn the_columns_are_those_of_the_tables_in_their_order() {
        assert_eq!(RowColumns::COLUMNS, EVENT_COLUMNS);
        assert_eq!(DeadLetterColumns::COLUMNS, DEAD_LETTER_COLUMNS);
    }
}
