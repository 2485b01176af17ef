//! What several commands have in common: selectors, columns, output options, suggestions.

mod command;
mod end_offsets;
mod event_columns;
mod output_args;
mod print_rows;
mod selector_args;
mod suggestions;

pub(crate) use command::{Context, Run};
pub(crate) use end_offsets::{EndOffsets, seconds_waiting};
pub(crate) use event_columns::{EventColumns, default_columns};
pub(crate) use output_args::{EmptyArgs, FormatArgs, OutputArgs, records, rows};
pub(crate) use print_rows::print_rows;
pub(crate) use selector_args::SelectorArgs;
pub(crate) use suggestions::{ambiguous, suggest};
