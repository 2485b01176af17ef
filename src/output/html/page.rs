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
    output.write_all(html.as_bytes())?;
    output.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::html::{Bar, Heading, Series};

    fn shown(page: &Page) -> String {
        let mut html = Vec::new();
        write_page(page, &mut html).expect("writing to memory");
        String::from_utf8(html).expect("UTF-8")
    }

    /// A page that says `name` wherever a name can stand.
    fn page(name: &str) -> Page {
        let text = || name.to_owned();
        let table = PageTable {
            caption: text(),
            headings: vec![Heading::text(name), Heading::number("Events")],
            rows: vec![
                vec![Cell::code(name).with_detail(name), Cell::new("1").with_share(1, 3)],
                vec![Cell::chain(vec![text(), text()]), Cell::new(name).with_share(1, 0)],
            ],
            note: Some(text()),
        };
        let chart = TimeChart {
            caption: text(),
            strip_caption: text(),
            series: vec![Series { name: text(), total: 2, is_rest: false }],
            bars: vec![Bar { label: text(), counts: vec![2, 5], dead_letters: 1 }],
            labels: vec![(0, text()), (9, text())],
        };
        Page {
            title: text(),
            heading: text(),
            lead: vec![text()],
            selectors: vec![text()],
            findings: vec![Finding { text: text(), tone: Tone::Alarm, section: Some("events") }],
            figures: vec![Figure { name: "Events", value: text(), tone: Tone::Plain }],
            sections: vec![PageSection {
                id: "events",
                title: "Events",
                lead: text(),
                blocks: vec![
                    Block::Text(text()),
                    Block::List(vec![text()]),
                    Block::Chart(chart),
                    Block::Table(table),
                ],
            }],
            made: vec![("Command", text())],
        }
    }

    #[test]
    fn a_name_changes_nothing_but_the_text_wherever_it_stands() {
        const HOSTILE: &str = "</style>\"'<script x=\u{202e}>&\u{1b}{{7*7}}";
        const ESCAPED: &str =
            "&#60;/style&#62;&#34;&#39;&#60;script x=\\u{202e}&#62;&#38;\\u{1b}{{7*7}}";
        let html = shown(&page(HOSTILE));
        assert!(html.matches(ESCAPED).count() > 20, "{html}");
        assert_eq!(html.replace(ESCAPED, "plain"), shown(&page("plain")));
    }

    #[test]
    fn a_bar_has_the_colours_of_its_series_and_tells_what_it_is() {
        let html = shown(&page("a"));
        assert!(html.contains(r#"<rect class="s0" x="1""#), "{html}");
        // What belongs to no series is drawn as the rest.
        assert!(html.contains(r#"<rect class="rest" x="1""#), "{html}");
        assert!(html.contains("<title>a: 7; a 2; 1 of them dead letters</title>"), "{html}");
    }
}
