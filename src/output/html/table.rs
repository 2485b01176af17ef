//! Tables of a page.

/// A table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PageTable {
    /// What it holds, for those who can't see it.
    pub caption: String,
    /// The columns.
    pub headings: Vec<Heading>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// What is said below: that there are more rows, for instance.
    pub note: Option<String>,
}

impl PageTable {
    /// The column of a place in a row.
    pub(super) fn heading(&self, index: &usize) -> Option<&Heading> {
        self.headings.get(*index)
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, which may have several lines.
    Text,
    /// Numbers.
    Number,
    /// Times and short names, which stay on a line where there is room.
    Time,
}

impl Heading {
    /// Its class.
    pub(super) fn class(&self) -> &'static str {
        match self.kind {
            ColumnKind::Text => "text",
            ColumnKind::Number => "number",
            ColumnKind::Time => "time",
        }
    }

    /// A column of texts.
    pub fn text(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ColumnKind::Text }
    }

    /// A column of numbers.
    pub fn number(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ColumnKind::Number }
    }

    /// A column of times.
    pub fn time(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ColumnKind::Time }
    }
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// What it holds.
    pub text: String,
    /// A second line, in small letters.
    pub detail: Option<String>,
    /// A chain of names, which the text is then not shown for.
    pub chain: Vec<String>,
    /// A share from 0 to 1 that is drawn as a bar.
    pub share: Option<f64>,
    /// Whether it is an identifier or a name that programs know.
    pub is_code: bool,
    /// Whether it stands out as what is wrong.
    pub is_alarm: bool,
}

impl Cell {
    /// Text or a number.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A name that programs know.
    pub fn code(text: impl Into<String>) -> Self {
        Self { is_code: true, ..Self::new(text) }
    }

    /// Names that follow each other.
    pub fn chain(names: Vec<String>) -> Self {
        Self { chain: names, ..Self::default() }
    }

    /// The same with a bar.
    pub fn with_share(self, part: i64, whole: i64) -> Self {
        let share = part as f64 / whole.max(1) as f64;
        Self { share: Some(share.clamp(0.0, 1.0)), ..self }
    }

    /// The same with a second line.
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// The same, standing out where something is wrong.
    pub fn alarming(self, is_alarm: bool) -> Self {
        Self { is_alarm, ..self }
    }

    /// The width of the bar, in percent.
    pub(super) fn width(share: &f64) -> String {
        format!("{:.1}", share * 100.0)
    }
}
