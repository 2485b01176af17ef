//! What to group by, as it was typed.

use crate::cli::shared::{ListItems, unknown_name};
use crate::cli::ui::Failure;
use crate::store::{Grouping, PayloadPath};

/// The groupings of these lists. What is named twice is one column: an object has each member once.
pub(super) fn groupings(lists: &[ListItems]) -> Result<Vec<Grouping>, Failure> {
    let mut groupings = Vec::new();
    for name in lists.iter().flat_map(ListItems::items) {
        let grouping = grouping(name)?;
        if !groupings.contains(&grouping) {
            groupings.push(grouping);
        }
    }
    Ok(groupings)
}

fn grouping(name: &str) -> Result<Grouping, Failure> {
    if let Some(path) = PayloadPath::new(name) {
        return Ok(Grouping::Payload(path));
    }
    let found = Grouping::NAMED.into_iter().find(|grouping| grouping.name() == name);
    found.ok_or_else(|| {
        let all = Grouping::NAMED;
        let names: Vec<_> = all.iter().map(Grouping::name).collect();
        let besides = ", and JSON paths of the payload, such as '$.currency'";
        unknown_name("--by", "key", name, &names, besides)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let lists = [text.parse().map_err(|error| format!("{error}"))?];
        let groupings = groupings(&lists).map_err(|failure| failure.message().to_owned())?;
        Ok(groupings.iter().map(|grouping| grouping.name().to_owned()).collect())
    }

    #[test]
    fn keys_are_names_and_paths_each_once() {
        let read = |text| read(text).unwrap_or_default();
        assert_eq!(read("type, hour-of-day,type"), ["type", "hour-of-day"]);
        assert_eq!(read(r#"$.a[0,1],$."x,y",day"#), ["$.a[0,1]", r#"$."x,y""#, "day"]);
    }

    #[test]
    fn a_wrong_key_is_answered_with_the_nearest() {
        assert_eq!(
            read("type,weak"),
            Err("--by: there is no key 'weak'; did you mean week?".to_owned())
        );
    }
}
