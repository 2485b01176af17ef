//! Columns, and how a row stands out.

use std::borrow::Cow;

/// One column, and what tables do with it where there is little room.
#[derive(Debug, Clone)]
pub struct Column {
    name: Cow<'static, str>,
    pub(super) category: bool,
    pub(super) explains: bool,
    pub(super) whole: bool,
    pub(super) rank: u8,
    pub(super) short_form: Option<fn(&str) -> &str>,
    pub(super) fraction_form: Option<fn(f64) -> String>,
}

impl Column {
    /// A column by its name: the header of a table, the member of an object.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            category: false,
            explains: false,
            whole: false,
            rank: 0,
            short_form: None,
            fraction_form: None,
        }
    }

    /// The same, with equal values in equal colours.
    pub fn category(self) -> Self {
        Self { category: true, ..self }
    }

    /// The same, of texts that say why: an error, a note. They are never cut: where a row has no
    /// room for them they stand below it.
    pub fn explains(self) -> Self {
        Self { explains: true, ..self }
    }

    /// The same, of texts that are never cut: where nothing else helps they stand below their rows,
    /// too.
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The same, left out of a table that has no room for it. The highest rank goes first; 0 stays.
    /// An explanation is left out only where no row has one.
    pub fn optional(self, rank: u8) -> Self {
        Self { rank, ..self }
    }

    /// The same, whose texts people see in a shorter form: a class without its package.
    pub fn shortened(self, short_form: fn(&str) -> &str) -> Self {
        Self { short_form: Some(short_form), ..self }
    }

    /// The same, whose fractions people see in another form: `42.0 %`.
    pub fn fractions_as(self, fraction_form: fn(f64) -> String) -> Self {
        Self { fraction_form: Some(fraction_form), ..self }
    }

    /// Whether its texts are never cut.
    pub(super) fn is_whole(&self) -> bool {
        self.explains || self.whole
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
