//! How a file is written.

use parquet::arrow::{ARROW_SCHEMA_META_KEY, encode_arrow_schema};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::encoders::Encoders;
use crate::column::{Column, Kind, Storage};
use crate::error::Result;
use crate::schema::plain_schema;

/// How a file is written.
#[derive(Debug, Clone)]
pub struct FileOptions {
    /// Who writes it, such as `audit 0.1.0`.
    pub created_by: String,
    /// What the footer says besides, as names and values.
    pub metadata: Vec<(String, String)>,
    /// Who encodes row groups.
    pub encoders: Encoders,
    /// The most rows of a row group.
    pub row_group_rows: usize,
    /// The most bytes of a row group's rows, before they are encoded. A larger row has its own.
    pub row_group_bytes: usize,
    /// The level of zstd, from 1 to 22.
    pub zstd_level: i32,
}

impl FileOptions {
    /// Returns what suits most files.
    pub fn new(created_by: impl Into<String>) -> Self {
        Self {
            created_by: created_by.into(),
            metadata: Vec::new(),
            encoders: Encoders::default(),
            row_group_rows: 122_880,
            row_group_bytes: 32 << 20,
            zstd_level: 1,
        }
    }

    pub(super) fn properties(
        &self,
        columns: &[Column],
        storage: Storage,
    ) -> Result<WriterProperties> {
        let zstd = ZstdLevel::try_new(self.zstd_level)?;
        let pairs = self.metadata.iter().cloned();
        let metadata = pairs.chain(hint(columns, storage)).map(|(n, v)| KeyValue::new(n, v));
        let mut properties = WriterProperties::builder()
            .set_created_by(self.created_by.clone())
            .set_key_value_metadata(Some(metadata.collect()))
            .set_compression(Compression::ZSTD(zstd))
            .set_statistics_enabled(EnabledStatistics::Page);
        for column in columns {
            let path = ColumnPath::from(column.name.as_str());
            properties = match column.kind {
                Kind::Text | Kind::Boolean | Kind::SmallInteger => properties,
                Kind::Integer | Kind::Moment => properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
                Kind::Uuid if storage == Storage::Delta => properties,
                Kind::Uuid => properties.set_column_dictionary_enabled(path, false),
                // The least and the greatest of JSON texts help no reader.
                Kind::Json => properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_statistics_enabled(path, EnabledStatistics::None),
            };
        }
        Ok(properties.build())
    }
}

/// Returns what tells readers built on Arrow, such as Polars, that JSON is text: they take it for
/// bytes otherwise. It names no extension type, as those take its functions on text away from JSON.
fn hint(columns: &[Column], storage: Storage) -> Option<(String, String)> {
    (storage == Storage::Parquet).then(|| {
        let schema = encode_arrow_schema(&plain_schema(columns, storage));
        (ARROW_SCHEMA_META_KEY.to_owned(), schema)
    })
}
