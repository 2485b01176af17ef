//! Stories as their definition has them, of rows in memory: slow and simple, to hold the program
//! against.

use std::collections::{BTreeMap, BTreeSet};

use super::random_log::Row;

/// The rows that are steps: of each event the delivery that committed first.
pub(crate) fn steps(rows: &[Row]) -> Vec<&Row> {
    let is_delivery = |row: &&Row| row.is_dlt != Some(true) && !row.is_own();
    let mut deliveries: Vec<&Row> = rows.iter().filter(is_delivery).collect();
    deliveries.sort_by_key(|row| (row.batch, row.id));
    let mut seen = BTreeSet::new();
    deliveries.retain(|row| seen.insert(row.event_id));
    deliveries
}

/// What tells a story from all others.
pub(crate) fn key(row: &Row) -> Option<String> {
    match (row.correlation, row.aggregate) {
        (Some(correlation), _) => Some(correlation.to_string()),
        (None, Some(aggregate)) => Some(format!("aggregate:{aggregate}")),
        (None, None) => None,
    }
}

/// The stories that are chosen: their steps in order.
pub(crate) fn stories<'a>(
    rows: &'a [Row],
    begins_within: &dyn Fn(i64) -> bool,
    matches: &dyn Fn(&Row) -> bool,
) -> Vec<Vec<&'a Row>> {
    let mut stories: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for step in steps(rows) {
        if let Some(key) = key(step) {
            stories.entry(key).or_default().push(step);
        }
    }
    let matching: BTreeSet<String> =
        rows.iter().filter(|row| matches(row)).filter_map(key).collect();
    stories.retain(|key, steps| {
        steps.sort_by_key(|step| (step.at, step.id));
        matching.contains(key) && begins_within(steps[0].at)
    });
    stories.into_values().collect()
}

/// What a flow has for one pair: count, share, percentiles in microseconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ways {
    pub(crate) count: u64,
    /// In billionths: reading JSON may round the last digit.
    pub(crate) share: i64,
    pub(crate) percentiles: Option<[i64; 2]>,
}

pub(crate) type Pair = (Option<String>, Option<String>);

/// The directly-follows graph.
pub(crate) fn flow(stories: &[Vec<&Row>]) -> BTreeMap<Pair, Ways> {
    let mut times: BTreeMap<Pair, Vec<i64>> = BTreeMap::new();
    let name = |row: &&Row| Some(row.event_type.clone());
    for story in stories {
        let ends = [(None, story.first().and_then(name)), (story.last().and_then(name), None)];
        ends.into_iter().for_each(|pair| times.entry(pair).or_default().push(0));
        for two in story.windows(2) {
            let pair = (name(&two[0]), name(&two[1]));
            times.entry(pair).or_default().push(two[1].at - two[0].at);
        }
    }
    let leaving = |from: &Option<String>| -> usize {
        times.iter().filter(|((other, _), _)| other == from).map(|(_, times)| times.len()).sum()
    };
    let ways = times.iter().map(|(pair, times)| {
        let is_pair = pair.0.is_some() && pair.1.is_some();
        let ways = Ways {
            count: times.len() as u64,
            share: billionths(times.len() as f64 / leaving(&pair.0) as f64),
            percentiles: is_pair.then(|| percentiles(times)),
        };
        (pair.clone(), ways)
    });
    ways.collect()
}

/// What all stories of one sequence have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variant {
    pub(crate) stories: u64,
    pub(crate) share: i64,
    pub(crate) percentiles: [i64; 2],
    pub(crate) example: String,
}

/// The variants.
pub(crate) fn variants(stories: &[Vec<&Row>]) -> BTreeMap<Vec<String>, Variant> {
    let mut by_types: BTreeMap<Vec<String>, Vec<&Vec<&Row>>> = BTreeMap::new();
    for story in stories {
        let types = story.iter().map(|step| step.event_type.clone()).collect();
        by_types.entry(types).or_default().push(story);
    }
    let variant = |(types, of): (Vec<String>, Vec<&Vec<&Row>>)| {
        let times: Vec<i64> =
            of.iter().map(|steps| steps[steps.len() - 1].at - steps[0].at).collect();
        let last = of.iter().map(|steps| steps[0]).max_by_key(|first| (first.at, first.id));
        let id = |first: &Row| match (&first.text, first.correlation, first.aggregate) {
            (Some(text), ..) => text.clone(),
            (None, Some(id), _) | (None, None, Some(id)) => id.to_string(),
            (None, None, None) => String::new(),
        };
        let variant = Variant {
            stories: of.len() as u64,
            share: billionths(of.len() as f64 / stories.len() as f64),
            percentiles: percentiles(&times),
            example: last.map(id).unwrap_or_default(),
        };
        (types, variant)
    };
    by_types.into_iter().map(variant).collect()
}

/// A fraction as a number that can be compared.
pub(crate) fn billionths(fraction: f64) -> i64 {
    (fraction * 1e9).round() as i64
}

/// The median and the 95th percentile as PostgreSQL's `percentile_cont` defines them, to the
/// microsecond.
fn percentiles(times: &[i64]) -> [i64; 2] {
    let mut times = times.to_vec();
    times.sort_unstable();
    [50, 95].map(|percent| {
        let hundredths = percent * (times.len() as i64 - 1);
        let (low, high) = (hundredths / 100, (hundredths + 99) / 100);
        let (low, high) = (times[low as usize], times[high as usize]);
        (low * 100 + (high - low) * (hundredths % 100) + 50).div_euclid(100)
    })
}
