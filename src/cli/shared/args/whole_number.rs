//! Whole numbers, with an error that says which there are.

use std::ops::{Bound, RangeBounds};

use clap::builder::{StringValueParser, TypedValueParser};

/// Reads a whole number within a range.
pub(crate) fn whole_number<N>(
    range: impl RangeBounds<i64> + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = N>
where
    N: TryFrom<i64> + Clone + Send + Sync + 'static,
{
    StringValueParser::new().try_map(move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| expected(&range))
    })
}

fn expected(range: &impl RangeBounds<i64>) -> String {
    match (range.start_bound(), range.end_bound()) {
        (Bound::Included(first), Bound::Included(last)) => {
            format!("expected a whole number from {first} to {last}")
        }
        (Bound::Included(first), _) => format!("expected a whole number, {first} or more"),
        _ => "expected a whole number".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn read<N: TryFrom<i64> + Clone + Send + Sync + 'static>(
        range: impl RangeBounds<i64> + Clone + Send + Sync + 'static,
        text: &str,
    ) -> Result<N, String> {
        let parser = whole_number::<N>(range);
        parser
            .parse_ref(&clap::Command::new("audit"), None, OsStr::new(text))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_error_says_which_numbers_there_are() {
        assert_eq!(read::<u32>(1..=16, "16"), Ok(16));
        assert_eq!(read::<i64>(1.., "9223372036854775807"), Ok(i64::MAX));
        for (text, told) in [
            (read::<u32>(1..=16, "17").map(i64::from), "expected a whole number from 1 to 16"),
            (read::<i64>(1.., "0"), "expected a whole number, 1 or more"),
            (read::<i64>(1.., "ten"), "expected a whole number, 1 or more"),
            (read::<i32>(0.., "4294967296").map(i64::from), "expected a whole number, 0 or more"),
        ] {
            assert!(text.is_err_and(|error| error.contains(told)), "{told}");
        }
    }
}
