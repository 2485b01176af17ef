//! The model of a page, and its template.

use std::io::{self, Write};

use askama::Template;

use super::chart::TimeChart;
use super::table::{Cell, PageTable};

/// A page.
#[derive(Debug, Clone, PartialEq, Template)]
#[template(path = "page.html")]
pub struct Page {
    /// What stands in the tab of a browser.
    pub title: String,
    /// The heading.
    pub heading: String,
    /// What the page is about, in a line or two below the heading.
    pub lead: Vec<String>,
    /// What it was narrowed to, an item for each selector.
    pub selectors: Vec<String>,
    /// What a reader should know first.
    pub findings: Vec<Finding>,
    /// The figures at the top.
    pub figures: Vec<Figure>,
    /// The sections.
    pub sections: Vec<PageSection>,
    /// How the page was made: what, and its value.
    pub made: Vec<(&'static str, String)>,
}

/// How something is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    #[default]
    Plain,
    /// Somebody should look at it.
    Notice,
    /// Something is missing.
    Alarm,
}

impl Tone {
    /// Its class.
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Plain => "plain",
            Self::Notice => "notice",
            Self::Alarm => "alarm",
        }
    }

    /// The same in a word, for those who see no colours.
    fn word(self) -> &'static str {
        match self {
            Self::Good => "Fine",
            Self::Plain => "Note",
            Self::Notice => "Check",
            Self::Alarm => "Missing",
        }
    }
}

/// Something that a reader should know first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A sentence.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// The section that tells more.
    pub section: Option<&'static str>,
}

/// A figure at the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What it counts.
    pub name: &'static str,
    /// How many.
    pub value: String,
    /// How it is meant.
    pub tone: Tone,
}

/// A section.
#[derive(Debug, Clone, PartialEq)]
pub struct PageSection {
    /// What links lead to.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it tells, in a sentence or two.
    pub lead: String,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading within the section.
    Heading(&'static str),
    /// A paragraph.
    Text(String),
    /// Sentences.
    List(Vec<String>),
    /// Bars over time.
    Chart(TimeChart),
    /// A picture that somebody else drew.
    Picture(Picture),
    /// A table.
    Table(PageTable),
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What it shows, in words.
    pub caption: String,
    /// The element `svg`, whose texts are escaped already.
    pub svg: String,
}

/// Writes the page.
///
/// # Errors
/// Those of `output`.
pub fn write_page(page: &Page, output: &mut dyn Write) -> io::Result<()> {
    let html = page.render().map_err(io::Error::other)?;
    output.write_all(html.as_bytes())
}
