//! Small data files become larger ones.

use std::num::NonZero;

use arrow::array::RecordBatch;
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_data::{ArrowEngineData, EngineDataArrowExt};
use delta_kernel::schema::SchemaRef;
use delta_kernel::transaction::{CommitResult, UpdateTableOperation};
use delta_kernel::{Engine as _, FileMeta, FilteredEngineData};
use delta_kernel_default_engine::DefaultEngine;
use uuid::Uuid;

use super::append::{ATTEMPT, metrics};
use super::file::discard;
use super::live::Bundle;
use super::{AddedFile, Error, Maintained, Maintenance, Table};
use crate::column::Storage;
use crate::file::{Encoders, ParquetFile};
use crate::rows::Rows;

/// How many rows are in memory at once, beside the row groups they come from and go to.
const ROWS: NonZero<usize> = NonZero::new(2_048).unwrap();
/// How many files are open at once: the library reads ahead otherwise.
const FILES: NonZero<usize> = NonZero::new(1).unwrap();

/// The most bytes of the rows of a row group, before they are encoded.
const ROW_GROUP: usize = 16 << 20;

const ACTION: &str = "put files together in";

impl Table {
    /// Puts small files together, each larger one in a version of its own, until all are done or
    /// another writer commits.
    pub(super) fn compact(&mut self, plan: &Maintenance) -> Result<Maintained, Error> {
        let mut done = Maintained::default();
        if !self.holds(plan.columns) {
            return Ok(done);
        }
        let live = self.live(plan)?;
        for bundle in live.bundles {
            let file = self.put_together(&bundle, &live.schema, plan)?;
            if !self.replace(&bundle, file)? {
                break;
            }
            done.from += bundle.files.len();
            done.into += 1;
        }
        Ok(done)
    }

    /// Writes the rows of `bundle`, in their order, into one new file.
    fn put_together(
        &self,
        bundle: &Bundle,
        schema: &SchemaRef,
        plan: &Maintenance,
    ) -> Result<AddedFile, Error> {
        let failed =
            |error: &(dyn std::error::Error + 'static)| self.location.failed(ACTION, error);
        let mut files = Vec::with_capacity(bundle.files.len());
        for file in &bundle.files {
            let url = self.location.url.join(&file.path).map_err(|error| failed(&error))?;
            files.push(FileMeta::new(url, file.written_ms, file.bytes));
        }
        let reader = DefaultEngine::builder(self.location.objects.clone())
            .with_task_executor(self.location.executor.clone())
            .with_buffer_size(FILES)
            .with_batch_size(ROWS)
            .build();
        let batches = reader
            .parquet_handler()
            .read_parquet_files(&files, schema.clone(), None)
            .map_err(|error| failed(&error))?;
        let output = self.new_file(bundle.date);
        let mut options = plan.options.clone();
        // Beside whatever else the process does: one row group at a time, and none of the largest.
        options.encoders = Encoders::new(0);
        options.row_group_bytes = options.row_group_bytes.min(ROW_GROUP);
        let mut output = ParquetFile::new(output, plan.columns, Storage::Delta, options)
            .map_err(|error| failed(&error))?;
        let wanted = crate::schema::arrow_schema(plan.columns, Storage::Delta);
        for batch in batches {
            let batch = batch
                .and_then(EngineDataArrowExt::try_into_record_batch)
                .map_err(|error| failed(&error))?;
            // The library's fields have names and types of ours, and notes of its own.
            let batch = RecordBatch::try_new(wanted.clone(), batch.columns().to_vec())
                .map_err(|error| failed(&error))?;
            output.write(&Rows::from(batch)).map_err(|error| failed(&error))?;
        }
        let (file, metadata) = output.finish().map_err(|error| failed(&error))?;
        file.finish(&metadata)
    }

    /// Commits `file` in the place of `bundle`, unless another writer was quicker.
    fn replace(&mut self, bundle: &Bundle, file: AddedFile) -> Result<bool, Error> {
        let failed =
            |table: &Self, error: &delta_kernel::KernelError| table.location.failed(ACTION, error);
        let files = [file];
        let (version, attempt) = (self.version() + 1, Uuid::now_v7().to_string());
        let begun = self
            .snapshot
            .clone()
            .update_table(UpdateTableOperation::Optimize, self.writer.as_str(), false)
            .with_operation_parameters([(ATTEMPT, Some(attempt.clone()))])
            .with_operation_metrics(metrics(&files))
            .build(self.engine.as_ref(), Box::new(FileSystemCommitter::new()));
        let mut transaction = match begun {
            Ok(transaction) => transaction,
            Err(error) => {
                discard(&self.location, &files);
                return Err(failed(self, &error));
            }
        };
        for file in &bundle.files {
            let row = Box::new(ArrowEngineData::new(file.row.clone()));
            transaction.remove_files(FilteredEngineData::with_all_rows_selected(row));
        }
        for file in &files {
            transaction.add_files(Box::new(ArrowEngineData::new(file.action.clone())));
        }
        match transaction.commit(self.engine.as_ref()) {
            Ok(CommitResult::Committed(committed)) => {
                self.took(&committed);
                Ok(true)
            }
            Ok(CommitResult::Conflicted(_)) => {
                // A conflict may be this commit, whose answer got lost.
                let ours = self.made_by(version, &attempt)?;
                if !ours {
                    discard(&self.location, &files);
                }
                self.refresh()?;
                Ok(ours)
            }
            Ok(CommitResult::Retryable(retryable)) => Err(failed(self, &retryable.error)),
            Err(error) => Err(failed(self, &error)),
        }
    }
}
