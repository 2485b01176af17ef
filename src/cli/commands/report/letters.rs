//! The section of dead letters.

use super::facts::Facts;
use crate::count_text::{counted, counted_with};
use crate::dead_letter::{UNKNOWN_ERROR, short_class};
use crate::output::html::{Block, Cell, Finding, Heading, PageSection, PageTable, Tone, grouped};
use crate::store::DeadLetterGroup;

/// How many groups are listed.
const LISTED: usize = 20;

/// The most characters of a message that are shown.
const MESSAGE: usize = 300;

pub(super) fn section(facts: &Facts) -> Option<PageSection> {
    let groups = &facts.letters;
    if groups.is_empty() {
        return None;
    }
    let note = (groups.len() > LISTED).then(|| {
        let records = groups.iter().skip(LISTED).map(|group| group.records).sum::<i64>();
        let more = counted(grouped((groups.len() - LISTED) as i64), "group");
        format!("{more} more, with {} together.", counted(grouped(records), "dead letter"))
    });
    let table = PageTable {
        caption: "Dead letters by error".to_owned(),
        headings: vec![
            Heading::text("Error"),
            Heading::text("From"),
            Heading::number("Dead letters"),
            Heading::number("Sent back"),
            Heading::number("Came back"),
            Heading::time("Last"),
        ],
        rows: groups.iter().take(LISTED).map(|group| row(group, facts)).collect(),
        note,
    };
    let lead = "What a consumer gave up on, by error and the topic that it came from; how many were \
                sent back, and how many of them came back again.";
    Some(PageSection {
        id: "dead-letters",
        title: "Dead letters",
        lead: lead.to_owned(),
        blocks: vec![Block::Table(table)],
    })
}

fn row(group: &DeadLetterGroup, facts: &Facts) -> Vec<Cell> {
    let error = match &group.exception_class {
        Some(class) => Cell::code(short_class(class)),
        None => Cell::new(UNKNOWN_ERROR),
    };
    let error = match &group.example_message {
        Some(message) if !message.is_empty() => error.with_detail(begin(message)),
        _ => error,
    };
    let topic = group.origin_topic.as_deref();
    let origin = topic.map_or_else(|| Cell::new("unknown"), Cell::code);
    let origin = match &group.consumer_group {
        Some(consumer) => origin.with_detail(format!("given up by {consumer}")),
        None => origin,
    };
    vec![
        error,
        origin,
        Cell::new(grouped(group.records)),
        Cell::new(grouped(group.replayed)).alarming(group.replayed < group.records),
        Cell::new(grouped(group.returned)).alarming(group.returned > 0),
        Cell::new(facts.times.text(group.last_at)),
    ]
}

/// The beginning of a message.
fn begin(message: &str) -> String {
    match message.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// What a reader should know first.
pub(super) fn finding(facts: &Facts) -> Option<Finding> {
    let records: i64 = facts.letters.iter().map(|group| group.records).sum();
    let replayed: i64 = facts.letters.iter().map(|group| group.replayed).sum();
    let waiting = records - replayed;
    (waiting > 0).then(|| {
        let text = match (records, replayed) {
            (1, _) => "1 dead letter was not sent back.".to_owned(),
            (all, 0) => format!("None of {} dead letters was sent back.", grouped(all)),
            (all, _) => {
                let not_sent = counted_with(grouped(waiting), "dead letter", ["was", "were"]);
                format!("{not_sent} not sent back, of {}.", grouped(all))
            }
        };
        Finding { text, tone: Tone::Notice, section: Some("dead-letters") }
    })
}
