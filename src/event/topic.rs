//! Which topics hold dead letters, by their names.

/// Whether a topic's name is one that dead letters usually have: `…-dlt`, `….DLT`, `…-dlq`, `….dlq`
/// in any case, `dead-letter-topic-…` (`SmallRye`), `error.{destination}.{group}` (Spring Cloud
/// Stream).
pub(crate) fn is_dead_letter_topic(topic: &str) -> bool {
    dead_letter_stem(topic).is_some()
        || strip_prefix_in_any_case(topic, "dead-letter-topic-")
            .is_some_and(|channel| !channel.is_empty())
        || strip_prefix_in_any_case(topic, "error.").is_some_and(|rest| {
            rest.split_once('.')
                .is_some_and(|(destination, group)| !destination.is_empty() && !group.is_empty())
        })
}

/// The name without the ending that marks a topic of dead letters.
pub(crate) fn dead_letter_stem(topic: &str) -> Option<&str> {
    let (stem, ending) = topic.split_at_checked(topic.len().checked_sub(4)?)?;
    ["-dlt", ".dlt", "-dlq", ".dlq"]
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
        .then_some(stem)
}

fn strip_prefix_in_any_case<'a>(topic: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = topic.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::{dead_letter_stem, is_dead_letter_topic};

    #[test]
    fn topics_of_dead_letters_are_known_by_their_names() {
        for topic in [
            "orders.events-dlt",
            "orders.events.DLT",
            "orders-DLQ",
            "orders.dlq",
            "orders.events-retry-0-dlt",
            "dead-letter-topic-orders",
            "DEAD-LETTER-TOPIC-orders",
            "error.orders.billing",
            "error.orders.events.billing",
        ] {
            assert!(is_dead_letter_topic(topic), "{topic}");
        }
    }

    #[test]
    fn other_topics_are_not_taken_for_dead_letters() {
        for topic in [
            "orders.events",
            "dlt",
            "ordersdlt",
            "orders_dlq",
            "error.orders",
            "error.orders.",
            "dead-letter-topic-",
            "é",
        ] {
            assert!(!is_dead_letter_topic(topic), "{topic}");
        }
    }

    #[test]
    fn the_stem_is_the_name_without_the_ending() {
        assert_eq!(dead_letter_stem("orders.events-dlt"), Some("orders.events"));
        assert_eq!(dead_letter_stem("orders.events.DLQ"), Some("orders.events"));
        assert_eq!(dead_letter_stem("orders.events"), None);
    }
}
