//! What several commands have in common: selectors, columns, output options, suggestions.

mod cluster_offsets;
mod command;
mod count_text;
mod event_columns;
mod list_item;
mod output_args;
mod pattern;
mod print_rows;
mod reading_text;
mod selector_args;
mod suggestions;
mod unknown_column;
mod value_args;
mod where_types;
mod whole_number;

pub(crate) use cluster_offsets::{Answer, ClusterOffsets, OpenTransaction, times_at};
pub(crate) use command::{Context, Run};
pub(crate) use count_text::{record_count_text, row_count_text};
pub(crate) use event_columns::{EventColumns, describe_columns};
pub(crate) use list_item::{ListItems, WordInList, name_in_list};
pub(crate) use output_args::{EmptyArgs, FormatArgs, OutputArgs};
pub(crate) use pattern::pattern;
pub(crate) use print_rows::print_rows;
pub(crate) use reading_text::tell_what_is_read;
pub(crate) use selector_args::SelectorArgs;
pub(crate) use suggestions::{ambiguous, explain_selection};
pub(crate) use value_args::ValueArgs;
pub(crate) use whole_number::whole_number;
