//! One side as it is typed: types, and where their amount stands.

use std::str::FromStr;

use crate::cli::ui::Failure;
use crate::filter::{GlobList, split_list};
use crate::store::{AmountSide, PayloadPath, Session, types_of};

/// `TYPE:$.path`.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// The types, as `--type` takes them.
    pub(super) types: GlobList,
    path: PayloadPath,
    /// As it was typed.
    pub(super) text: String,
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || "expected TYPE:$.path, such as 'OrderConfirmed:$.total_amount'".to_owned();
        let (types, _) = text
            .split_once(":$")
            .filter(|(types, _)| !types.trim().is_empty())
            .ok_or_else(expected)?;
        let path = PayloadPath::new(&text[types.len() + 1..]).ok_or_else(expected)?;
        let items = split_list(types).map_err(|error| error.to_string())?;
        let types =
            GlobList::new(items.iter().map(String::as_str)).map_err(|error| error.to_string())?;
        Ok(Self { types, path, text: text.to_owned() })
    }
}

impl Side {
    /// The side in this database. `argument` is what it was given as.
    pub(super) async fn resolve(
        &self,
        session: &Session,
        argument: &'static str,
    ) -> Result<AmountSide, Failure> {
        self.path.check(session, argument).await?;
        Ok(AmountSide { types: types_of(session, &self.types).await?, path: self.path.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_begins_behind_the_first_colon_before_a_dollar() {
        for (text, matched, path) in [
            ("OrderConfirmed:$.total_amount", "OrderConfirmed", "$.total_amount"),
            ("orders:confirmed:$.a.b[*]", "orders:confirmed", "$.a.b[*]"),
            ("A, B\\,C:$.x ? (@ > 1)", "B,C", "$.x ? (@ > 1)"),
            ("Payment*:$", "PaymentCaptured", "$"),
            ("A:$.x == \"b:$\"", "A", "$.x == \"b:$\""),
        ] {
            let side: Side = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(side.types.matches(matched), "{text}");
            assert_eq!(side.path.as_str(), path);
        }
        for text in
            ["", "OrderConfirmed", "OrderConfirmed:", "$.total", ":$.total", "A:total", "A,,B:$.x"]
        {
            assert!(text.parse::<Side>().is_err(), "{text}");
        }
    }
}
