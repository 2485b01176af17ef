//! The section of coverage: how far each partition is recorded, and what the page did not check.

use std::cmp::Reverse;

use super::facts::{Facts, MOST_LOSSES};
use crate::count_text::{counted, counted_with};
use crate::output::html::{Block, Cell, Finding, Heading, PageSection, PageTable, Tone, grouped};
use crate::store::{Amount, EvidenceCoverage, LostRange, PartitionStatus};

/// How many partitions are listed.
const LISTED: usize = 100;

/// What a page can't know.
const NOT_CHECKED: [&str; 2] = [
    "audit verify was not run: whether every offset is a row or a declared hole, and whether rows \
     were changed since, is not known from this page.",
    "Kafka was not asked: what it holds that is not recorded yet is not known from this page.",
];

pub(super) fn section(facts: &Facts) -> PageSection {
    let mut blocks = Vec::new();
    if facts.partitions.is_empty() {
        blocks.push(Block::Text("Nothing was recorded from Kafka.".to_owned()));
    } else {
        blocks.push(Block::Table(partitions(facts)));
    }
    if !facts.lost.is_empty() {
        blocks.push(Block::Heading("Lost ranges"));
        blocks.push(Block::Table(lost(facts)));
    }
    blocks.push(Block::Heading("Evidence"));
    blocks.push(Block::Table(evidence(facts)));
    blocks.push(Block::Heading("What this page did not check"));
    blocks.push(Block::List(NOT_CHECKED.map(str::to_owned).to_vec()));
    PageSection {
        id: "coverage",
        title: "Coverage",
        lead:
            "How far each partition was recorded when the page was made, whatever the period. Lost \
               are offsets that Kafka had deleted before they were read."
                .to_owned(),
        blocks,
    }
}

fn partitions(facts: &Facts) -> PageTable {
    let mut partitions: Vec<&PartitionStatus> = facts.partitions.iter().collect();
    if partitions.len() > LISTED {
        // Those with losses must not be the ones that are cut off.
        partitions.sort_by_key(|known| Reverse(known.lost));
    }
    let row = |known: &&PartitionStatus| {
        let recorded_at = known.recorded_at.map(|at| facts.times.instant(at));
        vec![
            Cell::code(&known.partition.topic),
            Cell::new(grouped(known.partition.partition)),
            Cell::new(known.recorded.map_or("–".to_owned(), |it| grouped(it.next_offset))),
            Cell::new(grouped(known.lost)).alarming(known.lost > 0),
            Cell::new(recorded_at.unwrap_or_else(|| "never".to_owned())),
        ]
    };
    let note = (partitions.len() > LISTED).then(|| {
        let more = &partitions[LISTED..];
        let lost: i64 = more.iter().map(|known| known.lost).sum();
        let count = counted(grouped(more.len() as i64), "partition");
        match lost {
            0 => format!("{count} more, without losses."),
            _ => format!("{count} more, which lost {}.", counted(grouped(lost), "offset")),
        }
    });
    PageTable {
        caption: "Partitions".to_owned(),
        headings: vec![
            Heading::text("Topic"),
            Heading::number("Partition"),
            Heading::number("Recorded up to offset"),
            Heading::number("Lost"),
            Heading::time("Last recorded"),
        ],
        rows: partitions.iter().take(LISTED).map(row).collect(),
        note,
    }
}

fn lost(facts: &Facts) -> PageTable {
    let row = |range: &LostRange| {
        vec![
            Cell::code(&range.partition.topic),
            Cell::new(grouped(range.partition.partition)),
            Cell::new(grouped(range.first_offset)),
            Cell::new(grouped(range.next_offset - 1)),
            Cell::new(grouped(range.next_offset - range.first_offset)).alarming(true),
            Cell::new(facts.times.instant(range.recorded_at)),
        ]
    };
    let note = (facts.lost.len() > MOST_LOSSES)
        .then(|| format!("The latest {MOST_LOSSES}; audit status -o json has more."));
    PageTable {
        caption: "Lost ranges".to_owned(),
        headings: vec![
            Heading::text("Topic"),
            Heading::number("Partition"),
            Heading::number("First offset"),
            Heading::number("Last offset"),
            Heading::number("Offsets"),
            Heading::time("Declared"),
        ],
        rows: facts.lost.iter().take(MOST_LOSSES).map(row).collect(),
        note,
    }
}

/// How much of everything that is recorded a checkpoint covers.
fn evidence(facts: &Facts) -> PageTable {
    let EvidenceCoverage { checkpoint, covered, behind, unproven, behind_since } = &facts.evidence;
    let row = |name: &str, amount: &Amount| {
        vec![
            Cell::new(name.to_owned()),
            Cell::new(grouped(amount.batches)),
            Cell::new(grouped(amount.rows)),
        ]
    };
    let last = match checkpoint {
        Some(checkpoint) => format!(
            "The last checkpoint is of {}, signed {}.",
            counted(grouped(checkpoint.size.cast_signed()), "leaf"),
            facts.times.instant(checkpoint.signed_at)
        ),
        None => "No checkpoint was signed.".to_owned(),
    };
    let since = behind_since.map(|since| {
        format!(" The first batch that none covers was recorded {}.", facts.times.instant(since))
    });
    PageTable {
        caption: "What a checkpoint covers".to_owned(),
        headings: vec![Heading::text("State"), Heading::number("Batches"), Heading::number("Rows")],
        rows: vec![
            row("under a checkpoint", covered),
            row("behind the last checkpoint", behind),
            row("in no log", unproven),
        ],
        note: Some(last + &since.unwrap_or_default()),
    }
}

/// What a reader should know first.
pub(super) fn finding(facts: &Facts) -> Option<Finding> {
    let lost: i64 = facts.partitions.iter().map(|known| known.lost).sum();
    (lost > 0).then(|| {
        let offsets = counted_with(grouped(lost), "offset", ["was", "were"]);
        let partitions = facts.partitions.iter().filter(|known| known.lost > 0).count();
        let partitions = counted(grouped(partitions as i64), "partition");
        let text = format!(
            "{offsets} lost in {partitions}: Kafka had deleted them before they were read."
        );
        Finding { text, tone: Tone::Alarm, section: Some("coverage") }
    })
}
