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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::html::{Bar, Heading, Series};

    #[test]
    fn sample() {
        let series = [
            ("order-service", 48_210),
            ("payment-service", 36_844),
            ("shipping-service", 12_400),
            ("inventory", 2_804),
        ];
        let bars = (0..168u64).map(|hour| {
            let day = [
                3u64, 2, 2, 1, 1, 2, 4, 8, 14, 18, 21, 20, 17, 18, 20, 19, 17, 14, 11, 9, 8, 7, 5,
                4,
            ][(hour % 24) as usize];
            let wave = |k: u64| {
                day * k * (10 + (hour * 7919 + k) % 5) / 10 * if hour / 24 > 4 { 5 } else { 10 }
                    / 10
            };
            Bar {
                label: format!("Mon {} Nov, {:02}:00", 19 + hour / 24, hour % 24),
                counts: if (60..64).contains(&hour) {
                    vec![0; 4]
                } else {
                    vec![wave(30), wave(22), wave(8), wave(2)]
                },
                dead_letters: if (100..104).contains(&hour) {
                    hour % 7 * 3
                } else if hour % 31 == 0 {
                    1
                } else {
                    0
                },
            }
        });
        let page = Page {
            title: "Audit report".into(),
            heading: "19 Nov 2026 – 25 Nov 2026".into(),
            lead: vec!["Times are those of Europe/Berlin. An event belongs to the period when it happened in it.".into()],
            selectors: vec!["--type 'Order*'".into(), "--no-dlt".into()],
            findings: vec![
                Finding { text: "1,204 offsets in 2 ranges were lost: Kafka had deleted them before they were read.".into(), tone: Tone::Alarm, section: Some("coverage") },
                Finding { text: "37 stories are stuck, the longest silent for 4d06h.".into(), tone: Tone::Notice, section: Some("stuck") },
                Finding { text: "12 of 96 dead letters were not sent back.".into(), tone: Tone::Notice, section: Some("dead-letters") },
            ],
            figures: [("Events", "1,234,567", Tone::Plain), ("Stories", "208,113", Tone::Plain), ("Event types", "14", Tone::Plain), ("Services", "4", Tone::Plain), ("Dead letters", "96", Tone::Notice), ("Quarantined", "3", Tone::Notice), ("Duplicates", "2,110", Tone::Plain), ("Stuck stories", "37", Tone::Notice)]
                .into_iter().map(|(name, value, tone)| Figure { name, value: value.into(), tone }).collect(),
            sections: vec![
                PageSection { id: "events", title: "Events", lead: "What was recorded, dead letters and repeated deliveries included.".into(), blocks: vec![
                    Block::Chart(TimeChart {
                        caption: "Events an hour, by service".into(),
                        strip_caption: "Dead letters an hour".into(),
                        series: series.iter().map(|(name, total)| Series { name: (*name).into(), total: *total, is_rest: *name == "inventory" }).collect(),
                        bars: bars.collect(),
                        labels: (0..7).map(|day| (day * 24, format!("{} Nov", 19 + day))).collect(),
                    }),
                    Block::Heading("By type"),
                    Block::Table(PageTable {
                        caption: "Events by type".into(),
                        headings: vec![Heading::text("Type"), Heading::number("Events"), Heading::number("Share"), Heading::number("Dead letters"), Heading::time("Last")],
                        rows: [("OrderCreated", 208_113i64), ("PaymentAuthorized", 180_220), ("com.example.orders.v1.OrderConfirmed", 90_000), ("</style><script>alert(1)</script>\u{202e}", 12), ("x".repeat(120).as_str(), 1)].iter().map(|(name, count)| vec![Cell::code(*name), Cell::new(super::super::grouped(*count)), Cell::new(super::super::percent(*count, 478_346)).with_share(*count, 478_346), Cell::new("0"), Cell::new("2026-11-25 23:59:58")]).collect(),
                        note: Some("4 more types with 120 events are not listed.".into()),
                    }),
                ] },
                PageSection { id: "flow", title: "Flow", lead: "Which event follows which, in the 208,113 stories that began in the period.".into(), blocks: vec![
                    Block::Heading("Variants"),
                    Block::Table(PageTable {
                        caption: "Variants".into(),
                        headings: vec![Heading::text("Sequence"), Heading::number("Stories"), Heading::number("Share"), Heading::number("Median"), Heading::number("95 % within"), Heading::text("Example")],
                        rows: vec![vec![Cell::chain(["OrderCreated", "PaymentAuthorized", "PaymentCaptured", "OrderConfirmed", "OrderShipped"].map(str::to_owned).to_vec()), Cell::new("180,001"), Cell::new("86.5 %").with_share(865, 1000), Cell::new("2.113s"), Cell::new("3m12s"), Cell::code("order-4711")]],
                        note: None,
                    }),
                ] },
                PageSection { id: "dead-letters", title: "Dead letters", lead: String::new(), blocks: vec![
                    Block::Table(PageTable {
                        caption: "Dead letters by error".into(),
                        headings: vec![Heading::text("Error"), Heading::text("Topic"), Heading::number("Records"), Heading::number("Sent back"), Heading::number("Came back"), Heading::time("Last")],
                        rows: vec![vec![Cell::code("SocketTimeoutException").with_detail("Read timed out after 30000 ms while calling psp.example"), Cell::code("payments.commands").with_detail("group payment-service"), Cell::new("84"), Cell::new("84"), Cell::new("0"), Cell::new("2026-11-25 23:59:58")], vec![Cell::code("JsonParseException").with_detail("Unexpected character"), Cell::code("orders.events"), Cell::new("12"), Cell::new("0").alarming(true), Cell::new("0"), Cell::new("2026-11-25 23:59:58")]],
                        note: None,
                    }),
                ] },
                PageSection { id: "coverage", title: "Coverage", lead: "How far each partition is recorded.".into(), blocks: vec![
                    Block::Heading("What this page did not check"),
                    Block::List(vec!["`audit verify` was not run: whether every offset is a row, and whether rows were changed, is not known from this page.".into(), "Kafka was not asked: what it holds that is not recorded yet is unknown.".into()]),
                ] },
            ],
            made: vec![("Command", "audit report week.html --since 2026-11-18T23:00:00Z --until 2026-11-25T23:00:00Z --type 'Order*' --no-dlt --tz Europe/Berlin".into()), ("Version", "audit 0.1.0".into()), ("Installation", "7b0f6a0e-3d0c-4f64-9a5b-1f0f3b0e8c11".into()), ("Recorded up to", "batch 4,711, at 2026-11-25 23:59:58".into()), ("Made", "2026-11-26 10:00:00".into())],
        };
        let mut html = Vec::new();
        write_page(&page, &mut html).expect("writing to memory");
        std::fs::write("/tmp/report-sample.html", html).expect("writing");
    }
}
