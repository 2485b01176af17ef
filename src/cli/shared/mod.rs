//! What several commands have in common: selectors, columns, output options, suggestions.

pub(crate) mod end_offsets;
pub(crate) mod event_columns;
pub(crate) mod output_args;
pub(crate) mod result_table;
pub(crate) mod selector_args;
pub(crate) mod suggestions;
