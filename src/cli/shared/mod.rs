//! What several commands have in common: selectors, columns, output options, suggestions.

mod args;
mod cluster_offsets;
mod command;
mod event_columns;
mod left_to_count;
mod maintenance;
mod print_rows;
mod reading_text;
mod retired;
mod stuck;
mod suggestions;
mod unknown_name;
mod where_types;
mod who;

pub(crate) use args::list_item::{ListItems, name_in_list};
pub(crate) use args::output_args::{EmptyArgs, FormatArgs, OutputArgs};
pub(crate) use args::pattern::pattern;
pub(crate) use args::selector_args::SelectorArgs;
pub(crate) use args::shell_words::{in_a_shell, quoted};
pub(crate) use args::value_args::ValueArgs;
pub(crate) use args::whole_number::whole_number;
pub(crate) use cluster_offsets::{Answer, ClusterOffsets, OpenTransaction, times_at};
pub(crate) use command::{Context, Run};
pub(crate) use event_columns::{EventColumns, describe_columns};
pub(crate) use left_to_count::left_to_count;
pub(crate) use maintenance::maintain;
pub(crate) use print_rows::{ShownColumns, print_rows};
pub(crate) use reading_text::tell_what_is_read;
pub(crate) use retired::{Retired, retired_hint, tell_retired};
pub(crate) use stuck::found::{Found, Question, StuckStory, find_stuck};
pub(crate) use stuck::history::History;
pub(crate) use suggestions::{ambiguous, explain_names, explain_selection};
pub(crate) use unknown_name::unknown_name;
pub(crate) use who::who;
