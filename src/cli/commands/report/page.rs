//! The page of what was found.

use super::facts::{Facts, MOST_NAMES};
use super::question::sentence;
use super::{coverage, events, flow, letters, stuck};
use crate::cli::shared::left_to_count;
use crate::count_text::counted_with;
use crate::output::html::{Figure, Finding, Page, Tone, grouped};
use crate::store::Duplicates;

/// The page; `selectors` and `command` as a shell takes them.
pub(super) fn page(facts: &Facts, selectors: Vec<String>, command: String) -> Page {
    let heading = facts.times.heading(&facts.selection);
    let is_empty = facts.counts.total.rows == 0;
    let mut sections = Vec::new();
    if !is_empty {
        sections.extend([events::section(facts), flow::section(&facts.flow)]);
        sections.extend(letters::section(facts));
        sections.extend(stuck::section(&facts.stuck, &facts.times));
    }
    sections.push(coverage::section(facts));
    Page {
        title: format!("audit report: {heading}"),
        lead: vec![format!(
            "What was recorded of the events of this period. Times are those of {}.",
            facts.times.zone
        )],
        heading,
        selectors,
        findings: findings(facts),
        figures: if is_empty { Vec::new() } else { figures(facts) },
        sections,
        made: vec![
            ("Command", command),
            ("Version", format!("audit {}", env!("CARGO_PKG_VERSION"))),
            ("Database", format!("installation {}", facts.installation)),
            ("Recorded up to", format!("batch {}", grouped(facts.batch_no))),
            ("Made", format!("{} {}", facts.times.instant(facts.now), facts.times.zone)),
        ],
    }
}

fn figures(facts: &Facts) -> Vec<Figure> {
    let names = |count: usize| match count {
        ..=MOST_NAMES => grouped(count as i64),
        _ => format!("over {}", grouped(MOST_NAMES as i64)),
    };
    let unless_none = |count: i64| if count > 0 { Tone::Notice } else { Tone::Plain };
    let figure = |name, value, tone| Figure { name, value, tone };
    let (dead_letters, quarantined) = (facts.dead_letters(), facts.quarantined());
    let duplicates = match facts.duplicates {
        Duplicates::Exactly(rows) => grouped(rows),
        Duplicates::AtLeast(rows) => format!("{} or more", grouped(rows)),
    };
    let stories =
        facts.flow.stories().map_or_else(|| "not read".to_owned(), |all| grouped(all as i64));
    let stuck = facts.stuck.count();
    vec![
        figure("Events", grouped(facts.counts.total.rows), Tone::Plain),
        figure("Stories", stories, Tone::Plain),
        figure("Event types", names(facts.types.len()), Tone::Plain),
        figure("Services", names(facts.services.len()), Tone::Plain),
        figure("Dead letters", grouped(dead_letters), unless_none(dead_letters)),
        figure("Quarantined", grouped(quarantined), unless_none(quarantined)),
        figure("Duplicates", duplicates, Tone::Plain),
        figure(
            "Stuck stories",
            stuck.map_or_else(|| "not judged".to_owned(), grouped),
            unless_none(stuck.unwrap_or(0)),
        ),
    ]
}

/// What a reader should know first, the worst first.
fn findings(facts: &Facts) -> Vec<Finding> {
    let finding = |text: String, tone, section| Finding { text, tone, section };
    let mut findings = Vec::new();
    if facts.counts.total.rows == 0 {
        let text = "No event of this period is recorded.".to_owned();
        findings.push(finding(text, Tone::Notice, None));
    }
    findings.extend(coverage::finding(facts));
    findings.extend(facts.stuck.finding());
    findings.extend(letters::finding(facts));
    let quarantined = facts.quarantined();
    if quarantined > 0 {
        let text = counted_with(grouped(quarantined), "record", ["is", "are"]);
        let text = format!("{text} quarantined: they could not become events.");
        findings.push(finding(text, Tone::Notice, Some("events")));
    }
    if findings.is_empty() {
        let stuck = if facts.stuck.count().is_some() { ", no story is stuck" } else { "" };
        let text = format!("Nothing was lost, no dead letter waits{stuck}.");
        findings.push(finding(text, Tone::Good, None));
    }
    if let (Duplicates::AtLeast(_), Some(left)) = (facts.duplicates, left_to_count(&facts.counting))
    {
        findings.push(finding(sentence(&left), Tone::Plain, None));
    }
    for text in facts.left_out() {
        findings.push(finding(sentence(&text), Tone::Plain, None));
    }
    findings
}
