//! Bars over time: where they stand. The template draws them.

use super::numbers::{compact, grouped};

/// How high the bars may be, in pixels: the picture is stretched in width alone.
const HEIGHT: u64 = 180;

/// The same of the dead letters below.
const STRIP: u64 = 28;

/// How far one bar begins behind another, and how wide it is, in units that stretch.
const STEP: usize = 10;
const WIDTH: usize = 8;

/// Counts over time, those of several series on top of each other, dead letters below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeChart {
    /// What is counted: `Events an hour, by service`.
    pub caption: String,
    /// What the dead letters' strip is called.
    pub strip_caption: String,
    /// What the bars are made of, from below.
    pub series: Vec<Series>,
    /// The bars, in the order of time, the empty ones included.
    pub bars: Vec<Bar>,
    /// The bars with a label below, and the label.
    pub labels: Vec<(usize, String)>,
}

/// One of the series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// All of it.
    pub total: u64,
    /// Whether it holds what has no series of its own.
    pub is_rest: bool,
}

/// One span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// Which one.
    pub label: String,
    /// How many of each series.
    pub counts: Vec<u64>,
    /// How many of all of these are dead letters.
    pub dead_letters: u64,
}

impl Bar {
    /// All series together.
    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What the bar tells where a pointer stays on it.
    pub(super) fn tip(&self, series: &[Series]) -> String {
        let mut tip = format!("{}: {}", self.label, grouped(self.total()));
        for (series, count) in series.iter().zip(&self.counts).filter(|(_, count)| **count > 0) {
            tip.push_str(&format!("; {} {}", series.name, grouped(*count)));
        }
        if self.dead_letters > 0 {
            tip.push_str(&format!("; {} of them dead letters", grouped(self.dead_letters)));
        }
        tip
    }
}

/// A rectangle of a series.
pub(super) struct Piece {
    pub(super) series: usize,
    pub(super) y: u64,
    pub(super) height: u64,
}

/// A line across, with the number that it stands for.
pub(super) struct Line {
    pub(super) y: u64,
    pub(super) label: String,
}

impl TimeChart {
    /// A count as people read it.
    pub(super) fn number(&self, count: &u64) -> String {
        grouped(*count)
    }

    /// The height of the picture.
    pub(super) fn height(&self) -> u64 {
        HEIGHT
    }

    /// The height of the dead letters' picture.
    pub(super) fn strip_height(&self) -> u64 {
        STRIP
    }

    /// The class that gives a series its colour.
    pub(super) fn class(&self, series: &usize) -> String {
        match self.series.get(*series) {
            Some(Series { is_rest: false, .. }) => format!("s{series}"),
            _ => "rest".to_owned(),
        }
    }

    /// The width of both, in units that stretch.
    pub(super) fn width(&self) -> usize {
        self.bars.len().max(1) * STEP
    }

    /// Where a bar begins.
    pub(super) fn x(&self, index: &usize) -> usize {
        index * STEP + (STEP - WIDTH) / 2
    }

    /// How wide a bar is.
    pub(super) fn bar_width(&self) -> usize {
        WIDTH
    }

    /// Where the middle of a bar is, in percent of the width.
    pub(super) fn middle(&self, index: &usize) -> String {
        format!("{:.2}", (*index as f64 + 0.5) * 100.0 / self.bars.len().max(1) as f64)
    }

    /// Whether there are dead letters to be drawn.
    pub(super) fn has_dead_letters(&self) -> bool {
        self.bars.iter().any(|bar| bar.dead_letters > 0)
    }

    /// The most dead letters of a bar.
    pub(super) fn most_dead_letters(&self) -> String {
        compact(self.bars.iter().map(|bar| bar.dead_letters).max().unwrap_or_default())
    }

    /// The rectangles of a bar, from below: each ends exactly where the next begins.
    pub(super) fn pieces(&self, bar: &Bar) -> Vec<Piece> {
        let top = self.top();
        let mut pieces = Vec::new();
        let (mut sum, mut below) = (0, 0);
        for (series, count) in bar.counts.iter().enumerate() {
            sum += count;
            // What is there is seen.
            let reach = scaled(sum, top, HEIGHT).max(u64::from(sum > 0));
            if reach > below {
                pieces.push(Piece { series, y: HEIGHT - reach, height: reach - below });
                below = reach;
            }
        }
        pieces
    }

    /// The height of a bar's dead letters.
    pub(super) fn strip(&self, bar: &Bar) -> u64 {
        let most = self.bars.iter().map(|bar| bar.dead_letters).max().unwrap_or_default();
        scaled(bar.dead_letters, most.max(1), STRIP).max(2 * u64::from(bar.dead_letters > 0))
    }

    /// The lines across, the lowest first.
    pub(super) fn lines(&self) -> Vec<Line> {
        let top = self.top();
        let step = step(top);
        let numbers = (0..=5).map(|number: u64| number.saturating_mul(step));
        let numbers = numbers.take_while(|number| *number <= top);
        let line =
            |number| Line { y: HEIGHT - scaled(number, top, HEIGHT), label: compact(number) };
        numbers.map(line).collect()
    }

    /// The number at the upper edge: a multiple of the lines' step.
    fn top(&self) -> u64 {
        let most = self.bars.iter().map(Bar::total).max().unwrap_or_default().max(1);
        most.div_ceil(step(most)).saturating_mul(step(most))
    }
}

/// A step of 1, 2 or 5 with zeros behind, so that there are two to five steps up to `most`.
fn step(most: u64) -> u64 {
    let mut step = 1_u64;
    for factor in [2, 5, 10].iter().cycle() {
        if most.div_ceil(step) <= 4 {
            return step;
        }
        let power = 10_u64.pow(step.ilog10());
        step = power.saturating_mul(*factor);
    }
    step
}

/// A part of `height`, to the nearest pixel.
fn scaled(number: u64, top: u64, height: u64) -> u64 {
    let scaled =
        (u128::from(number) * u128::from(height) * 2 + u128::from(top)) / (u128::from(top) * 2);
    u64::try_from(scaled).unwrap_or(height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(counts: &[(&[u64], u64)]) -> TimeChart {
        let bar = |(counts, dead_letters): &(&[u64], u64)| Bar {
            label: "10:00".to_owned(),
            counts: counts.to_vec(),
            dead_letters: *dead_letters,
        };
        TimeChart {
            caption: String::new(),
            strip_caption: String::new(),
            series: ["a", "b"]
                .map(|name| Series { name: name.to_owned(), total: 0, is_rest: false })
                .to_vec(),
            bars: counts.iter().map(bar).collect(),
            labels: Vec::new(),
        }
    }

    #[test]
    fn lines_stand_at_round_numbers() {
        let labels = |most: u64| {
            let lines = chart(&[(&[most], 0)]).lines();
            lines.into_iter().map(|line| line.label).collect::<Vec<_>>().join(" ")
        };
        let shown = [0, 1, 3, 7, 40, 41, 1_234, 999_999, i64::MAX as u64].map(labels).join("\n");
        insta::assert_snapshot!(shown, @r"
0 1
0 1
0 1 2 3
0 2 4 6 8
0 10 20 30 40
0 20 40 60
0 500 1,000 1,500
0 500k 1M
0 5000000000G 10000000000G
");
    }

    #[test]
    fn the_pieces_of_a_bar_stand_on_each_other_and_what_is_there_is_seen() {
        let chart = chart(&[(&[100, 300], 0), (&[0, 1], 1), (&[0, 0], 0)]);
        let pieces = |index: usize| {
            let pieces = chart.pieces(&chart.bars[index]);
            pieces.iter().map(|piece| (piece.series, piece.y, piece.height)).collect::<Vec<_>>()
        };
        assert_eq!(pieces(0), [(0, 135, 45), (1, 0, 135)]);
        assert_eq!(pieces(1), [(1, 179, 1)]);
        assert_eq!(pieces(2), []);
        let strips: Vec<u64> = chart.bars.iter().map(|bar| chart.strip(bar)).collect();
        assert_eq!(strips, [0, 28, 0]);
        assert_eq!(chart.bars[1].tip(&chart.series), "10:00: 1; b 1; 1 of them dead letters");
    }
}
