//! A CSV file of somebody else's, with an amount for each key.

use std::io::{self, Read};

use csv::{ByteRecord, ReaderBuilder};
use uuid::Uuid;

use super::csv_amount::{DecimalMark, read_amount};
use crate::analysis::decimal::Decimal;

/// How the file is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvLayout {
    /// The column of the keys.
    pub key: String,
    /// The column of the amounts.
    pub amount: String,
    /// What stands between fields.
    pub delimiter: u8,
    /// What stands before the decimals, where it was agreed on.
    pub decimal: Option<DecimalMark>,
}

/// What a row is about. A UUID is the same one in any spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CsvKey {
    /// A UUID.
    Uuid(Uuid),
    /// Anything else.
    Text(Box<str>),
}

impl CsvKey {
    fn new(text: &str) -> Self {
        Uuid::try_parse(text).map_or_else(|_| Self::Text(text.into()), Self::Uuid)
    }

    /// As it stands in results.
    pub fn to_text(&self) -> String {
        match self {
            Self::Uuid(uuid) => uuid.to_string(),
            Self::Text(text) => text.to_string(),
        }
    }
}

/// The sum of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvEntry {
    /// The key.
    pub key: CsvKey,
    /// The sum of its amounts.
    pub amount: Decimal,
}

/// A row that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFault {
    /// The line on which it begins.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsvStatement {
    /// The keys, each once, in their order.
    pub entries: Vec<CsvEntry>,
    /// How many rows it has, the header aside.
    pub rows: u64,
    /// How many keys stand in several rows.
    pub repeated_keys: u64,
    /// How many rows could not be compared.
    pub faulty_rows: u64,
    /// The first of them.
    pub faults: Vec<CsvFault>,
}

/// How many faults are told.
const FAULTS_TOLD: usize = 10;

/// The longest part of a file that is told.
const LONGEST_TOLD: usize = 60;

/// Why a file can't be read at all.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// It has not even a header.
    #[error("it is empty, without a header")]
    Empty,
    /// It has no such column.
    #[error("it has no column '{column}'")]
    NoColumn {
        /// The option that named the column.
        option: &'static str,
        /// The column.
        column: String,
        /// The columns that it has.
        columns: Vec<String>,
    },
    /// Several columns have the name.
    #[error("it has several columns '{column}'")]
    RepeatedColumn {
        /// The option that named the column.
        option: &'static str,
        /// The column.
        column: String,
    },
    /// Its text is of another encoding.
    #[error("line {line} is not UTF-8")]
    NotUtf8 {
        /// The line.
        line: u64,
        /// Whether it begins as UTF-16 does.
        is_utf16: bool,
    },
    /// It can't be read.
    #[error("{0}")]
    Read(#[from] io::Error),
}

impl From<csv::Error> for CsvError {
    fn from(error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => Self::Read(error),
            // Rows of bytes, of any number of fields, fail for nothing else.
            other => Self::Read(io::Error::other(format!("{other:?}"))),
        }
    }
}

/// A row of its own behind the last one: it comes back as such, unless a quote before it is not
/// closed.
const END_ROW: &str = "\n\u{1}audit: the end of the file\u{1}\n";

/// Reads a file. Rows that have no key, no amount, or another number of fields than the header
/// are faults.
///
/// # Errors
/// Where the file can't be read at all.
pub fn read_statement(input: impl Read, layout: &CsvLayout) -> Result<CsvStatement, CsvError> {
    let mut reader = ReaderBuilder::new()
        .delimiter(layout.delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(input.chain(END_ROW.as_bytes()));
    let mut record = ByteRecord::new();
    reader.read_byte_record(&mut record)?;
    if is_end(&record) {
        return Err(CsvError::Empty);
    }
    if holds_end(&record) {
        return Err(CsvError::Read(io::Error::other("a quote in its header is not closed")));
    }
    let header: Vec<String> = fields(&record)?.map(str::to_owned).collect();
    let key_place = place(&header, "--csv-key", &layout.key)?;
    let amount_place = place(&header, "--csv-amount", &layout.amount)?;
    let mut statement = CsvStatement::default();
    while reader.read_byte_record(&mut record)? {
        if is_end(&record) {
            break;
        }
        statement.rows += 1;
        let line = record.position().map_or(0, csv::Position::line);
        let fields: Vec<&str> = fields(&record)?.collect();
        let entry = match holds_end(&record) {
            true => Err("its quote is not closed: it reaches to the end of the file".to_owned()),
            false => entry(&fields, header.len(), key_place, amount_place, layout.decimal),
        };
        match entry {
            Ok(entry) => statement.entries.push(entry),
            Err(what) => {
                statement.faulty_rows += 1;
                if statement.faults.len() < FAULTS_TOLD {
                    statement.faults.push(CsvFault { line, what });
                }
            }
        }
    }
    statement.sum_by_key();
    Ok(statement)
}

fn is_end(record: &ByteRecord) -> bool {
    record.len() == 1 && record.as_slice() == END_ROW.trim_ascii().as_bytes()
}

/// Whether a quote that is not closed has swallowed the end.
fn holds_end(record: &ByteRecord) -> bool {
    record.as_slice().trim_ascii_end().ends_with(END_ROW.trim_ascii().as_bytes())
}

/// The fields of a record, without the blanks around them.
fn fields(record: &ByteRecord) -> Result<impl Iterator<Item = &str>, CsvError> {
    let line = record.position().map_or(0, csv::Position::line);
    let not_utf8 = || CsvError::NotUtf8 {
        line,
        is_utf16: line <= 1
            && [b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| record.as_slice().starts_with(*mark)),
    };
    let checked = str::from_utf8(record.as_slice()).map_err(|_| not_utf8())?;
    // The end of a field may lie within a character, where each half is in another one.
    if !record.iter().all(|field| str::from_utf8(field).is_ok()) {
        return Err(not_utf8());
    }
    Ok((0..record.len()).filter_map(move |place| checked.get(record.range(place)?)).map(str::trim))
}

fn place(header: &[String], option: &'static str, column: &str) -> Result<usize, CsvError> {
    let mut places = header.iter().enumerate().filter(|(_, name)| *name == column);
    let (place, _) = places.next().ok_or_else(|| CsvError::NoColumn {
        option,
        column: column.to_owned(),
        columns: header.to_vec(),
    })?;
    match places.next() {
        None => Ok(place),
        Some(_) => Err(CsvError::RepeatedColumn { option, column: column.to_owned() }),
    }
}

/// What a row says, or what is wrong with it.
fn entry(
    fields: &[&str],
    expected: usize,
    key_place: usize,
    amount_place: usize,
    decimal: Option<DecimalMark>,
) -> Result<CsvEntry, String> {
    let (Some(key), Some(amount), true) =
        (fields.get(key_place), fields.get(amount_place), fields.len() == expected)
    else {
        return Err(format!("it has {} fields, and the header {expected}", fields.len()));
    };
    if key.is_empty() {
        return Err("it has no key".to_owned());
    }
    let read = read_amount(amount, decimal);
    let amount = read.ok_or_else(|| format!("'{}' is no amount", told(amount)))?;
    Ok(CsvEntry { key: CsvKey::new(key), amount })
}

/// The beginning of a text.
fn told(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TOLD) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl CsvStatement {
    /// Makes one entry of those with the same key.
    fn sum_by_key(&mut self) {
        self.entries.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        let (mut repeated, mut is_counted) = (0, false);
        self.entries.dedup_by(|entry, before| {
            let is_same = entry.key == before.key;
            if is_same {
                before.amount += &entry.amount;
                repeated += u64::from(!is_counted);
            }
            is_counted = is_same;
            is_same
        });
        self.repeated_keys = repeated;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn layout() -> CsvLayout {
        CsvLayout {
            key: "Order".to_owned(),
            amount: "Amount".to_owned(),
            delimiter: b',',
            decimal: None,
        }
    }

    fn read(text: impl AsRef<[u8]>, layout: &CsvLayout) -> CsvStatement {
        read_statement(text.as_ref(), layout).unwrap_or_else(|error| panic!("{error}"))
    }

    fn entries(statement: &CsvStatement) -> Vec<String> {
        let told = |entry: &CsvEntry| format!("{} {}", entry.key.to_text(), entry.amount);
        statement.entries.iter().map(told).collect()
    }

    fn faults(statement: &CsvStatement) -> Vec<String> {
        statement.faults.iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect()
    }

    #[test]
    fn quotes_a_byte_order_mark_and_any_ends_of_lines_are_read() {
        let text = "\u{feff}Note,\"Order\",Amount\r\n\"a, \"\"b\"\"\r\nc\",order-2,5\r\n,\" order-1 \",\"12.50\"\n\n,x,1";
        let statement = read(text, &layout());
        assert_eq!(entries(&statement), ["order-1 12.5", "order-2 5", "x 1"]);
        assert_eq!((statement.rows, statement.faulty_rows), (3, 0));
    }

    #[test]
    fn semicolons_tabs_and_decimal_commas_are_read_where_they_are_asked_for() {
        let german = CsvLayout { delimiter: b';', decimal: Some(DecimalMark::Comma), ..layout() };
        assert_eq!(entries(&read("Order;Amount\na;1.234,50\n", &german)), ["a 1234.5"]);
        let tabs = CsvLayout { delimiter: b'\t', ..layout() };
        assert_eq!(entries(&read("Order\tAmount\na,b\t1\n", &tabs)), ["a,b 1"]);
    }

    #[test]
    fn amounts_of_one_key_are_summed_in_whatever_spelling_it_stands() {
        let text = "Order,Amount\nb,1\n{019AA4C5-7D1E-7C3A-9B0E-3F6F1D2C4B5A},1\nb,2\nb,-0.5\n019aa4c57d1e7c3a9b0e3f6f1d2c4b5a,2\na,1\n";
        let statement = read(text, &layout());
        assert_eq!(entries(&statement), ["019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a 3", "a 1", "b 2.5"]);
        assert_eq!((statement.rows, statement.repeated_keys), (6, 2));
    }

    #[test]
    fn a_row_that_can_not_be_compared_is_told_with_its_line() {
        let text = "Order,Amount\na,1\n,2\n\"b\nb\",\"1,5\"\nc\nd,1,2\ne,\nf,1 EUR\n";
        let statement = read(text, &layout());
        assert_eq!(entries(&statement), ["a 1"]);
        assert_eq!(
            faults(&statement),
            [
                "3: it has no key",
                "4: '1,5' is no amount",
                "6: it has 1 fields, and the header 2",
                "7: it has 3 fields, and the header 2",
                "8: '' is no amount",
                "9: '1 EUR' is no amount",
            ]
        );
        let many = read(format!("Order,Amount\n{}", "a,b\n".repeat(1_000)), &layout());
        assert_eq!((many.faulty_rows, many.faults.len()), (1_000, 10));
        let long = read(format!("Order,Amount\na,{}\n", "ü".repeat(100)), &layout());
        assert_eq!(faults(&long), [format!("2: '{}…' is no amount", "ü".repeat(60))]);
    }

    #[test]
    fn a_quote_that_is_not_closed_swallows_no_row_in_silence() {
        let text = "Order,Amount,Note\na,1,x\nb,2,\"cut\nc,3,y\n";
        let statement = read(text, &layout());
        assert_eq!(entries(&statement), ["a 1"]);
        assert_eq!(
            faults(&statement),
            ["3: its quote is not closed: it reaches to the end of the file"]
        );
        assert_eq!(entries(&read("Order,Amount\na,1,\n\"b\",2", &layout())), ["b 2"]);
    }

    #[test]
    fn a_file_that_is_no_such_file_is_refused() {
        let refused = |text: &[u8]| {
            read_statement(text, &layout())
                .map_or_else(|error| error.to_string(), |_| String::new())
        };
        assert_eq!(refused(b""), "it is empty, without a header");
        assert_eq!(refused(b"\"Order,Amount\na,1\n"), "a quote in its header is not closed");
        assert_eq!(refused(b"order,Amount\n"), "it has no column 'Order'");
        assert_eq!(refused(b"Order,Amount,Order\n"), "it has several columns 'Order'");
        assert_eq!(refused(b"Order,Amount\na,1\nM\xfcller,1\n"), "line 3 is not UTF-8");
        assert_eq!(refused(b"Order,Amount\na\xc3,\xbc1\n"), "line 2 is not UTF-8");
        assert_eq!(refused(b"\xff\xfeO\0r\0"), "line 1 is not UTF-8");
    }

    proptest! {
        #[test]
        fn sums_are_those_of_a_naive_model(rows in proptest::collection::vec(("[a-e \",;\n]{1,3}", -99i64..99), 0..60)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["Amount", "Order"]).expect("memory takes all");
            let mut expected = BTreeMap::<String, Vec<i64>>::new();
            for (key, amount) in &rows {
                writer.write_record([&amount.to_string(), key]).expect("memory takes all");
                if !key.trim().is_empty() {
                    expected.entry(key.trim().to_owned()).or_default().push(*amount);
                }
            }
            let statement = read(writer.into_inner().expect("memory takes all"), &layout());
            let sums: Vec<_> = expected.iter().map(|(key, amounts)| format!("{key} {}", amounts.iter().sum::<i64>())).collect();
            prop_assert_eq!(entries(&statement), sums);
            prop_assert_eq!(statement.rows as usize, rows.len());
            prop_assert_eq!(statement.repeated_keys as usize, expected.values().filter(|amounts| amounts.len() > 1).count());
        }

        #[test]
        fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = read_statement(&[b"Order,Amount\n", &text[..]].concat()[..], &layout());
        }
    }
}
