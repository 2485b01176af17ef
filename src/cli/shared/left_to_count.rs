//! What is still to be counted, in words.

use indicatif::HumanCount;

use crate::store::Counting;

/// How many rows are still to be counted or searched, and what does it; `None` where nothing is
/// left.
pub(crate) fn left_to_count(counting: &Counting) -> Option<String> {
    let rows = |count: i64| match count {
        1 => "1 row".to_owned(),
        _ => format!("{} rows", HumanCount(count.unsigned_abs())),
    };
    let counted = (counting.uncounted_rows > 0)
        .then(|| format!("{} still to be counted", rows(counting.uncounted_rows)));
    let searched = (counting.unsearched_rows > 0)
        .then(|| format!("{} still to be searched for duplicates", rows(counting.unsearched_rows)));
    let left = match (counted, searched) {
        (Some(counted), Some(searched)) => format!("{counted}, {searched}"),
        (counted, searched) => counted.or(searched)?,
    };
    Some(format!("{left}: `audit migrate` does it now, a running ingester by and by"))
}
