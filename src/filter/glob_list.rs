//! What a selector of names means: globs of which one has to match, and others of which no one may.

use super::error::Error;
use super::glob::Glob;

/// Globs, and globs that exclude (`!GLOB`). The empty list means every name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GlobList {
    /// One of these has to match; without one, every name does.
    pub included: Vec<Glob>,
    /// None of these may match.
    pub excluded: Vec<Glob>,
}

impl GlobList {
    /// Reads the items of a list. `\!` begins a name with an exclamation mark.
    ///
    /// # Errors
    /// `Error::EmptyItem` where nothing follows the `!`.
    pub fn new<'a>(items: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut list = Self::default();
        for item in items {
            match item.strip_prefix('!').map(str::trim_start) {
                None => list.included.push(Glob::new(item)),
                Some("") => return Err(Error::EmptyItem),
                Some(excluded) => list.excluded.push(Glob::new(excluded)),
            }
        }
        Ok(list)
    }

    /// Whether every name is meant.
    pub fn is_empty(&self) -> bool {
        self.included.is_empty() && self.excluded.is_empty()
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        (self.included.is_empty() || self.included.iter().any(|glob| glob.matches(name)))
            && !self.excludes(name)
    }

    /// Whether a name is excluded.
    pub fn excludes(&self, name: &str) -> bool {
        self.excluded.iter().any(|glob| glob.matches(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[&str]) -> GlobList {
        GlobList::new(items.iter().copied()).expect("no item is empty")
    }

    #[test]
    fn what_is_excluded_is_taken_from_what_is_included_or_from_all() {
        let orders = list(&["Order*", "Payment*", "!*Cancelled"]);
        assert!(orders.matches("OrderCreated") && orders.matches("PaymentDeclined"));
        assert!(!orders.matches("OrderCancelled") && !orders.matches("Shipped"));
        let others = list(&["! Order*"]);
        assert!(others.matches("Shipped") && !others.matches("OrderCreated"));
        assert!(list(&[]).matches("anything"));
    }

    #[test]
    fn an_escaped_exclamation_mark_is_part_of_the_name() {
        let list = list(&["\\!important"]);
        assert!(list.matches("!important") && list.excluded.is_empty());
        assert_eq!(GlobList::new(["!"]), Err(Error::EmptyItem));
    }
}
