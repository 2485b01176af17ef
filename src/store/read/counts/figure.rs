//! Figures of the numbers that paths find in payloads: sums, averages, percentiles.

use super::grouping::found;
use crate::store::connection::statement::Parameters;
use crate::store::search::selected_column::PayloadPath;

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureKind {
    /// All of them together.
    Sum,
    /// Their mean.
    Average,
    /// The lowest.
    Lowest,
    /// The highest.
    Highest,
    /// The median.
    Median,
    /// What 95 % of them do not exceed.
    Percentile95,
}

impl FigureKind {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [Self; 6] =
        [Self::Sum, Self::Average, Self::Lowest, Self::Highest, Self::Median, Self::Percentile95];

    /// Its name, as an option and in a column's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Average => "avg",
            Self::Lowest => "min",
            Self::Highest => "max",
            Self::Median => "p50",
            Self::Percentile95 => "p95",
        }
    }

    /// The fraction of the numbers that it does not exceed.
    fn percentile(self) -> Option<&'static str> {
        match self {
            Self::Median => Some("0.5"),
            Self::Percentile95 => Some("0.95"),
            Self::Sum | Self::Average | Self::Lowest | Self::Highest => None,
        }
    }
}

/// A figure of the numbers that a path finds first in each payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What is computed.
    pub kind: FigureKind,
    /// Where the numbers are.
    pub path: PayloadPath,
}

impl Figure {
    /// Its name: `sum($.amount)`.
    pub fn name(&self) -> String {
        format!("{}({})", self.kind.name(), self.path.as_str())
    }
}

/// The figures of a statement, by their paths.
pub(super) struct Figures<'a> {
    figures: &'a [Figure],
    paths: Vec<&'a PayloadPath>,
}

impl<'a> Figures<'a> {
    pub(super) fn new(figures: &'a [Figure]) -> Self {
        let mut paths: Vec<&PayloadPath> = Vec::new();
        for figure in figures {
            if !paths.contains(&&figure.path) {
                paths.push(&figure.path);
            }
        }
        Self { figures, paths }
    }

    /// The paths, each once.
    pub(super) fn paths(&self) -> &[&'a PayloadPath] {
        &self.paths
    }

    /// The columns `found_1`, … that the payload of a row gives.
    pub(super) fn found(&self, parameters: &mut Parameters) -> Vec<String> {
        let paths = (1..).zip(&self.paths);
        paths
            .map(|(number, path)| format!("{} AS found_{number}", found(path, parameters)))
            .collect()
    }

    /// A query of the rows that `query` gives, with the numbers, and with their ranks among those
    /// that `keys` has in common, where these are asked for. Every step is planned by itself
    /// (OFFSET 0 does that): a path is walked once for each row.
    pub(super) fn with_numbers(&self, query: &str, keys: &[String]) -> String {
        if self.paths.is_empty() {
            return query.to_owned();
        }
        let numbers: Vec<_> = (1..=self.paths.len())
            .map(|path| format!(",\n       {} AS number_{path}", number(path)))
            .collect();
        let numbered = format!(
            "SELECT event.*{}\n  FROM ({query}\nOFFSET 0) event\nOFFSET 0",
            numbers.concat()
        );
        let partition = if keys.is_empty() {
            String::new()
        } else {
            format!("PARTITION BY {} ", keys.join(", "))
        };
        let ranks: Vec<_> = (1..=self.paths.len())
            .filter(|path| self.is_ranked(*path))
            .map(|path| {
                format!(
                    ",\n       row_number() OVER ({partition}ORDER BY number_{path}) - 1 AS rank_{path},\n       \
                     count(number_{path}) OVER ({partition}) - 1 AS last_{path}"
                )
            })
            .collect();
        if ranks.is_empty() {
            return numbered;
        }
        format!("SELECT event.*{}\n  FROM ({numbered}) event", ranks.concat())
    }

    fn is_ranked(&self, path: usize) -> bool {
        self.figures
            .iter()
            .any(|figure| figure.kind.percentile().is_some() && self.number(figure) == path)
    }

    /// The number of a figure's path.
    fn number(&self, figure: &Figure) -> usize {
        self.paths.iter().position(|path| **path == figure.path).unwrap_or_default() + 1
    }

    /// The aggregates that give the figures as text, of the rows that `filter` lets through.
    pub(super) fn aggregates(&self, filter: &str) -> Vec<String> {
        let filtered = |more: &str| match (filter, more) {
            ("", "") => String::new(),
            (only, "") | ("", only) => format!(" FILTER (WHERE {only})"),
            (one, other) => format!(" FILTER (WHERE {one} AND {other})"),
        };
        let aggregate = |figure: &Figure| {
            let path = self.number(figure);
            let number = format!("number_{path}");
            let all = filtered("");
            let exact = match (figure.kind, figure.kind.percentile()) {
                (FigureKind::Lowest, _) => format!("min({number}){all}"),
                (FigureKind::Highest, _) => format!("max({number}){all}"),
                (FigureKind::Average, _) => {
                    // A quotient has at least as many decimals as what is divided.
                    let decimals = format!("greatest(max(scale({number})){all}, 6)");
                    format!(
                        "round(round(sum({number}){all}, {decimals} + 20) / nullif(count({number}){all}, 0), {decimals})"
                    )
                }
                (_, Some(fraction)) => {
                    // The number at a rank between two is as near to each as the rank is.
                    let distance = format!("abs(rank_{path} - {fraction} * last_{path})");
                    let near = filtered(&format!("{distance} < 1"));
                    format!("sum({number} * (1 - {distance})){near}")
                }
                (_, None) => format!("sum({number}){all}"),
            };
            format!("trim_scale({exact})::text")
        };
        self.figures.iter().map(aggregate).collect()
    }

    /// For each path, an aggregate that counts what is there and no number.
    pub(super) fn not_numbers(&self, filter: &str) -> Vec<String> {
        let filter = if filter.is_empty() { String::new() } else { format!("{filter} AND ") };
        (1..=self.paths.len())
            .map(|path| {
                format!("count(*) FILTER (WHERE {filter}found_{path} IS NOT NULL AND number_{path} IS NULL)")
            })
            .collect()
    }
}

/// The SQL of what was found as a number; NULL where it is none. What has more than 1,000 digits
/// or an exponent beyond three counts as none: not every sum of such numbers is a number to
/// PostgreSQL.
fn number(path: usize) -> String {
    format!(
        "CASE jsonb_typeof(found_{path})
         WHEN 'number' THEN CASE WHEN length(found_{path} #>> '{{}}') <= 2000 THEN found_{path}::numeric END
         WHEN 'string' THEN CASE WHEN length(found_{path} #>> '{{}}') <= 1000 AND found_{path} #>> '{{}}' ~
              '^[ \\t\\n\\r]*[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?0*[0-9]{{1,3}})?[ \\t\\n\\r]*$'
              THEN (found_{path} #>> '{{}}')::numeric END
       END"
    )
}
