//! A reader of Prometheus' text format (version 0.0.4) that takes nothing which is not in its
//! specification, and asks more than it: one HELP and one TYPE before the samples of each family.

use std::collections::{BTreeMap, BTreeSet};

/// A metric with all of its samples.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    /// By name and labels: `name{label="value"}`.
    samples: BTreeMap<String, Sample>,
}

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// What an ingester exposes.
#[derive(Debug)]
pub(super) struct Exposition(BTreeMap<String, Family>);

impl Exposition {
    /// Reads a text; panics where it is not as it has to be.
    pub(super) fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line ends, too");
        let (mut families, mut current) = (BTreeMap::<String, Family>::new(), String::new());
        let mut helped = BTreeSet::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect("a HELP has a text");
                assert!(!help.trim().is_empty() && is_name(name, true), "{line}");
                assert!(helped.insert(name.to_owned()), "a second HELP: {line}");
                name.clone_into(&mut current);
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a TYPE has a kind");
                assert_eq!(name, current, "TYPE follows the HELP of the same metric");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                let family = Family { kind: kind.to_owned(), samples: BTreeMap::new() };
                assert!(families.insert(name.to_owned(), family).is_none(), "a second {line}");
            } else {
                let sample = sample(line);
                let family = families.get_mut(&current).expect("samples follow a TYPE");
                let suffix = sample.name.strip_prefix(&current).expect("samples follow their TYPE");
                let is_right = match family.kind.as_str() {
                    "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
                    "counter" => suffix.is_empty() && sample.name.ends_with("_total"),
                    _ => suffix.is_empty() && !sample.name.ends_with("_total"),
                };
                assert!(is_right, "{line} in a {} {current}", family.kind);
                let key = line.rsplit_once(' ').map_or(line, |(key, _)| key).to_owned();
                assert!(family.samples.insert(key, sample).is_none(), "{line} is there twice");
            }
        }
        for (name, family) in &families {
            assert!(!family.samples.is_empty(), "{name} has no sample");
            if family.kind == "histogram" {
                family.check_histogram(name);
            }
            if family.kind == "counter" {
                let mut samples = family.samples.values();
                assert!(samples.all(|sample| sample.value >= 0.0), "{name} is negative");
            }
        }
        Self(families)
    }

    /// The names of all metrics.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether a query may name this: a metric, or a part of a histogram.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.values().any(|family| family.samples.values().any(|sample| sample.name == name))
    }

    /// The value of a sample, as it is written: `name` or `name{label="value"}`.
    pub(super) fn value(&self, key: &str) -> f64 {
        let found = self.0.values().find_map(|family| family.samples.get(key));
        found.unwrap_or_else(|| panic!("no {key} in {self:#?}")).value
    }

    /// The values of a metric by one of its labels; empty where it is not there.
    pub(super) fn by(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let samples = self.0.get(name).into_iter().flat_map(|family| family.samples.values());
        samples.map(|sample| (sample.labels[label].clone(), sample.value)).collect()
    }
}

impl Family {
    /// Buckets grow with their bounds, and the last one holds all.
    fn check_histogram(&self, name: &str) {
        let of = |suffix: &str| {
            let name = format!("{name}{suffix}");
            self.samples.values().filter(move |sample| sample.name == name)
        };
        let mut buckets: Vec<(f64, f64)> =
            of("_bucket").map(|sample| (number(&sample.labels["le"]), sample.value)).collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        assert!(buckets.is_sorted_by(|one, other| one.0 < other.0 && one.1 <= other.1), "{name}");
        let counts: Vec<f64> = of("_count").map(|sample| sample.value).collect();
        let last = buckets.last().expect("a histogram has buckets");
        assert_eq!((last.0, vec![last.1]), (f64::INFINITY, counts), "{name}");
        assert_eq!(of("_sum").count(), 1, "{name}");
    }
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        _ => text.parse().unwrap_or_else(|_| panic!("{text} is no number")),
    }
}

/// `name value` or `name{label="value",…} value`.
fn sample(line: &str) -> Sample {
    let (key, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
    let (name, labels) = match key.split_once('{') {
        None => (key, BTreeMap::new()),
        Some((name, rest)) => {
            let inner = rest.strip_suffix('}').unwrap_or_else(|| panic!("no }}: {line}"));
            (name, labels(inner, line))
        }
    };
    assert!(is_name(name, true), "{line}");
    Sample { name: name.to_owned(), labels, value: number(value) }
}

fn labels(mut rest: &str, line: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    loop {
        let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        assert!(is_name(label, false), "{line}");
        let (mut value, mut characters) = (String::new(), after.char_indices());
        let end = loop {
            match characters.next() {
                Some((at, '"')) => break at,
                Some((_, '\\')) => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                    _ => panic!("an unknown escape: {line}"),
                },
                Some((_, character)) => value.push(character),
                None => panic!("a label does not end: {line}"),
            }
        };
        assert!(labels.insert(label.to_owned(), value).is_none(), "a label twice: {line}");
        match &after[end + 1..] {
            "" => return labels,
            more => rest = more.strip_prefix(',').unwrap_or_else(|| panic!("no comma: {line}")),
        }
    }
}

fn is_name(name: &str, is_metric: bool) -> bool {
    let is_first = |character: char| {
        character.is_ascii_alphabetic() || character == '_' || (is_metric && character == ':')
    };
    name.starts_with(is_first)
        && name.chars().all(|character| is_first(character) || character.is_ascii_digit())
}

#[test]
fn labels_with_escapes_are_read_as_they_were_meant() {
    let text = "# HELP a_total b\n# TYPE a_total counter\na_total{x=\"1,\\\"}\\n\\\\\",y=\"\"} 2\n";
    let found = Exposition::read(text);
    assert_eq!(found.by("a_total", "x"), BTreeMap::from([("1,\"}\n\\".to_owned(), 2.0)]));
}

#[test]
fn what_is_not_in_the_format_is_refused() {
    for text in [
        "a 1\n",
        "# HELP a b\n# TYPE a gauge\na 1",
        "# HELP a b\n# TYPE a gauge\na one\n",
        "# HELP a b\n# TYPE a gauge\na 1\na 1\n",
        "# HELP a b\n# TYPE a counter\na 1\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1} 1\n",
        "# HELP a b\n# TYPE a gauge\na{x=1} 1\n",
        "# HELP a b\n# TYPE a gauge\nb 1\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_sum 1\na_count 1\n",
        "# HELP a b\n# TYPE a gauge\na 1\n# EOF\n",
    ] {
        assert!(std::panic::catch_unwind(|| Exposition::read(text)).is_err(), "{text}");
    }
}
