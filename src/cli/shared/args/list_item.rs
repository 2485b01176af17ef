//! Lists that are written with commas: `a, b` is `a,b`.

use std::str::FromStr;

use clap::builder::{StringValueParser, TypedValueParser};

use crate::filter::{Error, split_list};

/// A whole list; `\,` is a comma within an item.
#[derive(Debug, Clone)]
pub(crate) struct ListItems(Vec<String>);

impl ListItems {
    /// The items, without the blanks around them.
    pub(crate) fn items(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for ListItems {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        split_list(text).map(Self)
    }
}

/// Reads the name that an item is, whatever blanks stand around it.
pub(crate) fn name_in_list() -> impl TypedValueParser<Value = String> {
    StringValueParser::new().try_map(|item| match item.trim() {
        "" => Err("a name in the list is empty"),
        name => Ok(name.to_owned()),
    })
}
