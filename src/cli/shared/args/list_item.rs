//! Lists that are written with commas: `a, b` is `a,b`.

use std::marker::PhantomData;
use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::{EnumValueParser, PossibleValue, StringValueParser, TypedValueParser};
use clap::error::ErrorKind;

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

/// Reads the word that an item is, whatever blanks stand around it.
#[derive(Debug, Clone)]
pub(crate) struct WordInList<E>(PhantomData<E>);

impl<E> WordInList<E> {
    /// For the words of this enumeration.
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: ValueEnum + Clone + Send + Sync + 'static> TypedValueParser for WordInList<E> {
    type Value = E;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<E, clap::Error> {
        let text = value.to_str().ok_or_else(|| clap::Error::new(ErrorKind::InvalidUtf8))?;
        EnumValueParser::<E>::new().parse_ref(command, argument, text.trim().as_ref())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(E::value_variants().iter().filter_map(ValueEnum::to_possible_value)))
    }
}
