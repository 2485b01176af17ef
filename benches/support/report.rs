//! The rounds as lines, and their medians as a table.

use super::usage::Usage;

/// One way, once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measurement {
    pub(crate) usage: Usage,
    /// The processor time of PostgreSQL, in seconds.
    pub(crate) server_cpu_s: Option<f64>,
    /// When the first batch was about to commit, in seconds since the program's start.
    pub(crate) first_row_s: Option<f64>,
    /// When the last batch was.
    pub(crate) last_row_s: Option<f64>,
    /// The bytes of write-ahead log.
    pub(crate) wal_bytes: f64,
    /// What sealing the leaf took afterwards; `None` where rows entered a sealed one.
    pub(crate) sealing: Option<Sealing>,
}

/// What sealing took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sealing {
    pub(crate) wall_s: f64,
    /// The processor time of PostgreSQL, in seconds.
    pub(crate) server_cpu_s: Option<f64>,
    /// The bytes of write-ahead log.
    pub(crate) wal_bytes: f64,
}

/// Measurements of several ways in several rounds. The first two ways are the references.
#[derive(Debug)]
pub(crate) struct Report {
    events: u64,
    ways: Vec<String>,
    /// Each round in the order of the ways.
    rounds: Vec<Vec<Measurement>>,
}

const COLUMNS: [&str; 14] = [
    "wall s",
    "rows/s",
    "of csv",
    "of binary",
    "first s",
    "last s",
    "steady/s",
    "CPU s",
    "PG CPU s",
    "peak MiB",
    "WAL B/row",
    "seal s",
    "all CPU s",
    "all WAL",
];

impl Report {
    pub(crate) fn new(events: u64, ways: Vec<String>) -> Self {
        Self { events, ways, rounds: Vec::new() }
    }

    pub(crate) fn print_heading(&self) {
        println!(
            "\nof csv, of binary: rows/s as a share of \\copy's in the same round; first s, last s: when the first and the \
             last batch\nwas committed; steady/s: rows/s between the two; seal s: building the other indexes afterwards; all CPU s, all WAL: of the \
             program\nand the server, and B/row, sealing included\n"
        );
        self.print_columns();
    }

    fn print_columns(&self) {
        print!("{:width$}", "", width = self.name_width());
        for column in COLUMNS {
            print!(" {column:>9}");
        }
        println!();
    }

    fn name_width(&self) -> usize {
        self.ways.iter().map(String::len).max().unwrap_or(0) + 3
    }

    /// Takes a round in the order in which it was measured, and prints it.
    pub(crate) fn add_round(&mut self, mut measured: Vec<(usize, Measurement)>) {
        measured.sort_by_key(|(index, _)| *index);
        self.rounds.push(measured.into_iter().map(|(_, measurement)| measurement).collect());
        let round = self.rounds.len() - 1;
        for index in 0..self.ways.len() {
            self.print_line(&(round + 1).to_string(), index, &self.values(round, index));
        }
    }

    /// Prints the medians of each column; a median ratio is that of the rounds' ratios.
    pub(crate) fn print_medians(&self) {
        println!("\nmedians of {} rounds", self.rounds.len());
        self.print_columns();
        for index in 0..self.ways.len() {
            let rounds: Vec<_> =
                (0..self.rounds.len()).map(|round| self.values(round, index)).collect();
            let medians: [Option<f64>; COLUMNS.len()] = std::array::from_fn(|column| {
                median(rounds.iter().filter_map(|values| values[column]).collect())
            });
            self.print_line("", index, &medians);
        }
    }

    fn values(&self, round: usize, index: usize) -> [Option<f64>; COLUMNS.len()] {
        let measurement = &self.rounds[round][index];
        let wall_s = |index: usize| self.rounds[round][index].usage.wall.as_secs_f64();
        let own_s = wall_s(index);
        // The first batch's rows were committed at the beginning of the span, and are few.
        let steady = measurement
            .first_row_s
            .zip(measurement.last_row_s)
            .map(|(first, last)| self.events as f64 / (last - first));
        let sealing_cpu_s = measurement.sealing.map_or(Some(0.0), |sealing| sealing.server_cpu_s);
        let all_cpu_s = measurement
            .usage
            .cpu_s
            .zip(measurement.server_cpu_s)
            .zip(sealing_cpu_s)
            .map(|((own, server), sealing)| own + server + sealing);
        let sealing_wal = measurement.sealing.map_or(0.0, |sealing| sealing.wal_bytes);
        [
            Some(own_s),
            Some(self.events as f64 / own_s),
            Some(wall_s(0) / own_s),
            Some(wall_s(1) / own_s),
            measurement.first_row_s,
            measurement.last_row_s,
            steady,
            measurement.usage.cpu_s,
            measurement.server_cpu_s,
            measurement.usage.peak_mib,
            Some(measurement.wal_bytes / self.events as f64),
            measurement.sealing.map(|sealing| sealing.wall_s),
            all_cpu_s,
            Some((measurement.wal_bytes + sealing_wal) / self.events as f64),
        ]
    }

    fn print_line(&self, round: &str, index: usize, values: &[Option<f64>; COLUMNS.len()]) {
        print!("{:2} {:width$}", round, self.ways[index], width = self.name_width() - 3);
        for value in values {
            match value {
                Some(value) if *value >= 1000.0 => print!(" {value:>9.0}"),
                Some(value) => print!(" {value:>9.2}"),
                None => print!(" {:>9}", "-"),
            }
        }
        println!();
    }
}

/// The value in the middle; of an even number, the mean of the two there.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}
