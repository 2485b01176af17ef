//! What several commands have in common: selectors, columns, output options, suggestions.

mod cluster_offsets;
mod command;
mod count_text;
mod event_columns;
mod list_item;
mod output_args;
mod print_rows;
mod selector_args;
mod suggestions;

pub(crate) use cluster_offsets::{Answer, ClusterOffsets, OpenTransaction, times_at};
pub(crate) use command::{Context, Run};
pub(crate) use count_text::{counted, record_count_text, row_count_text};
pub(crate) use event_columns::{EventColumns, default_columns};
pub(crate) use list_item::{WordInList, name_in_list};
pub(crate) use output_args::{EmptyArgs, FormatArgs, OutputArgs};
pub(crate) use print_rows::print_rows;
pub(crate) use selector_args::SelectorArgs;
pub(crate) use suggestions::{ambiguous, suggest};
