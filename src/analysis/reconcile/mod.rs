//! Whether two sides of each story agree.

mod amounts;
mod comparison;
mod csv_amount;
mod csv_statement;
mod stated;

pub use amounts::{AmountAssembler, AmountEvent, Amounts, StoryAmounts};
pub use comparison::{Comparison, Reconciliation, Totals, Verdict};
pub use csv_amount::DecimalMark;
pub use csv_statement::{
    CsvEntry, CsvError, CsvFault, CsvKey, CsvLayout, CsvStatement, read_statement,
};
pub use stated::{Candidate, StatedAmount, StatedAmounts};
