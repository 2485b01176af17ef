//! Columns, and how a row stands out.

use std::borrow::Cow;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    name: Cow<'static, str>,
    pub(super) category: bool,
    explains: bool,
}

impl Column {
    /// A column by its name: the header of a table, the member of an object.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), category: false, explains: false }
    }

    /// The same, with equal values in equal colours.
    pub fn category(self) -> Self {
        Self { category: true, ..self }
    }

    /// The same, with values that explain a row: they are shown whole.
    pub fn explains(self) -> Self {
        Self { explains: true, ..self }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What a person should notice about a row. Renderers for programs ignore it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Emphasis {
    /// Nothing.
    #[default]
    None,
    /// Something unusual.
    Notice,
    /// Something that failed.
    Alarm,
}
