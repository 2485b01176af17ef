//! Options that several commands take, and how their values are read.

pub(super) mod list_item;
pub(super) mod output_args;
pub(super) mod pattern;
pub(super) mod selector_args;
pub(super) mod shell_words;
pub(super) mod value_args;
pub(super) mod whole_number;
