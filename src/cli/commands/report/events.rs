//! The section of events: how many, when, of which type and service.

use std::collections::HashMap;

use super::facts::{Facts, MOST_NAMES};
use super::timeline::Spans;
use crate::count_text::counted;
use crate::output::html::{
    Bar, Block, Cell, Heading, PageSection, PageTable, Series, TimeChart, grouped, percent,
};
use crate::store::EventCount;
use crate::value::Value;

/// How many series a chart tells apart.
const SERIES: usize = 5;

/// How many types and services are listed.
const LISTED: usize = 20;

/// What stands where a name is missing.
const NAMELESS: &str = "none";

pub(super) fn section(facts: &Facts) -> PageSection {
    let mut blocks = Vec::new();
    match facts.spans() {
        Some(spans) => {
            let (chart, outside) = chart(facts, &spans);
            blocks.push(Block::Chart(chart));
            if outside > 0 {
                let events = counted(grouped(outside), "event");
                blocks.push(Block::Text(format!("{events} at other times are not in the chart.")));
            }
        }
        None => blocks.push(Block::Text(
            "The period is too long for a chart: --since and --until make it shorter.".to_owned(),
        )),
    }
    blocks.extend([
        Block::Heading("By type"),
        Block::Table(names("Type", "type", &facts.types, facts)),
        Block::Heading("By service"),
        Block::Table(names("Service", "service", &facts.services, facts)),
    ]);
    PageSection {
        id: "events",
        title: "Events",
        lead: "Every delivery counts, dead letters and repeated deliveries included.".to_owned(),
        blocks,
    }
}

/// The chart, and how many events it does not show.
fn chart(facts: &Facts, spans: &Spans<'_>) -> (TimeChart, i64) {
    let all = u64::try_from(facts.counts.total.rows).unwrap_or_default();
    let (mut series, mut places) = (Vec::new(), HashMap::new());
    if facts.is_by_service {
        for service in facts.services.iter().take(SERIES) {
            places.insert(name(service.keys.first()), series.len());
            let total = service.rows.unsigned_abs();
            series.push(Series { name: name(service.keys.first()), total, is_rest: false });
        }
        let rest = all - series.iter().map(|series| series.total).sum::<u64>().min(all);
        if facts.services.len() > SERIES {
            series.push(Series { name: "others".to_owned(), total: rest, is_rest: true });
        }
    } else {
        series.push(Series { name: "events".to_owned(), total: all, is_rest: false });
    }
    let last = series.len().saturating_sub(1);
    let mut bars: Vec<Bar> = (0..spans.count())
        .map(|index| Bar {
            label: spans.name(index),
            counts: vec![0; series.len()],
            dead_letters: 0,
        })
        .collect();
    let mut outside = 0;
    for group in &facts.over_time {
        let key = group.keys.first().and_then(Value::to_text).unwrap_or_default();
        let Some(bar) = spans.index(&key).and_then(|index| bars.get_mut(index)) else {
            outside += group.rows;
            continue;
        };
        let place = match facts.is_by_service {
            true => places.get(&name(group.keys.get(1))).copied().unwrap_or(last),
            false => 0,
        };
        if let Some(count) = bar.counts.get_mut(place) {
            *count += group.rows.unsigned_abs();
        }
        bar.dead_letters += group.dead_letters.unsigned_abs();
    }
    let by = if facts.is_by_service { ", by service" } else { "" };
    let chart = TimeChart {
        caption: format!("Events {}{by}", spans.unit.name()),
        strip_caption: format!("Dead letters {}", spans.unit.name()),
        series,
        bars,
        labels: spans.labels(),
    };
    (chart, outside)
}

fn name(key: Option<&Value<'static>>) -> String {
    key.and_then(Value::to_text).unwrap_or_else(|| NAMELESS.to_owned())
}

/// A table of types or services.
fn names(
    heading: &'static str,
    noun: &'static str,
    groups: &[EventCount],
    facts: &Facts,
) -> PageTable {
    let all = facts.counts.total.rows;
    let row = |group: &EventCount| {
        let last = group.last.map(|last| facts.times.text(last)).unwrap_or_default();
        vec![
            Cell::code(name(group.keys.first())),
            Cell::new(grouped(group.rows)),
            Cell::new(percent(group.rows, all)).with_share(group.rows, all),
            Cell::new(grouped(group.dead_letters)),
            Cell::new(last),
        ]
    };
    let listed: i64 = groups.iter().take(LISTED).map(|group| group.rows).sum();
    let note = (groups.len() > LISTED).then(|| {
        let (more, over) = match groups.len() {
            ..=MOST_NAMES => (groups.len() - LISTED, ""),
            _ => (MOST_NAMES - LISTED, "over "),
        };
        let more = counted(grouped(more as i64), noun);
        let events = counted(grouped(all - listed), "event");
        format!("{over}{more} more, with {events} together.")
    });
    PageTable {
        caption: format!("Events by {noun}"),
        headings: vec![
            Heading::text(heading),
            Heading::number("Events"),
            Heading::number("Share"),
            Heading::number("Dead letters"),
            Heading::time("Last"),
        ],
        rows: groups.iter().take(LISTED).map(row).collect(),
        note,
    }
}
