//! The data files of one commit: one for each day, or several where a day has much.

use std::collections::HashMap;

use lake::column::{Column, Storage};
use lake::delta::{AddedFile, DataFile, Table};
use lake::file::{FileOptions, ParquetFile};

use crate::export::error::Error;
use crate::export::hive::days_of;
use crate::export::lake::ColumnRows;
use crate::export::rows::Rows;

/// As large is a file, about, in bytes.
const FILE: usize = 128 << 20;

/// How many bytes all open files together hold in memory.
const MOST_HELD: usize = 48 << 20;

/// How many files are open at once.
const MOST_OPEN: usize = 500;

/// Data files in the making.
pub(super) struct TableFiles<'a> {
    columns: &'a [Column],
    options: &'a FileOptions,
    open: HashMap<Option<i32>, ParquetFile<DataFile>>,
    finished: Vec<AddedFile>,
}

impl<'a> TableFiles<'a> {
    pub(super) fn new(columns: &'a [Column], options: &'a FileOptions) -> Self {
        Self { columns, options, open: HashMap::new(), finished: Vec::new() }
    }

    /// Writes rows, each to the file of its day.
    pub(super) fn write(&mut self, table: &Table, rows: &ColumnRows) -> Result<(), Error> {
        let Some(keys) = rows.keys() else { return Ok(()) };
        let mut places = vec![Vec::new(); keys.values.len()];
        for (row, value) in keys.of_rows.iter().enumerate() {
            places[*value as usize].push(row);
        }
        for (value, places) in keys.values.iter().zip(&places) {
            let day = value.as_deref().and_then(days_of);
            if !self.open.contains_key(&day) {
                if self.open.len() >= MOST_OPEN {
                    self.end_largest()?;
                }
                let file = ParquetFile::new(
                    table.new_file(day),
                    self.columns,
                    Storage::Delta,
                    self.options.clone(),
                )?;
                self.open.insert(day, file);
            }
            let Some(file) = self.open.get_mut(&day) else { continue };
            match places.len() == rows.len() {
                true => file.write(rows.rows())?,
                false => file.write(&rows.rows().select(places)?)?,
            }
            if file.expected_bytes() >= FILE {
                self.end(day)?;
            }
        }
        self.relieve()
    }

    /// How many bytes the files have so far, about.
    pub(super) fn bytes(&self) -> u64 {
        let open: usize = self.open.values().map(ParquetFile::expected_bytes).sum();
        open as u64 + self.finished.iter().map(AddedFile::bytes).sum::<u64>()
    }

    fn end(&mut self, day: Option<i32>) -> Result<(), Error> {
        if let Some(file) = self.open.remove(&day) {
            let (file, metadata) = file.finish()?;
            self.finished.push(file.finish(&metadata)?);
        }
        Ok(())
    }

    fn end_largest(&mut self) -> Result<(), Error> {
        let largest = self.open.iter().max_by_key(|(_, file)| file.expected_bytes());
        match largest.map(|(day, _)| *day) {
            Some(day) => self.end(day),
            None => Ok(()),
        }
    }

    /// Lets the files that hold most in memory write it, where all of them hold too much.
    fn relieve(&mut self) -> Result<(), Error> {
        let mut held: usize = self.open.values().map(ParquetFile::buffered_bytes).sum();
        if held <= MOST_HELD || self.open.len() < 2 {
            return Ok(());
        }
        let mut files: Vec<_> = self.open.values_mut().collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.buffered_bytes()));
        for file in files {
            held = held.saturating_sub(file.buffered_bytes());
            file.flush_row_group()?;
            if held < MOST_HELD / 2 {
                break;
            }
        }
        Ok(())
    }

    /// Ends all files: they are durable then.
    pub(super) fn finish(mut self) -> Result<Vec<AddedFile>, Error> {
        let days: Vec<_> = self.open.keys().copied().collect();
        for day in days {
            self.end(day)?;
        }
        Ok(self.finished)
    }
}
