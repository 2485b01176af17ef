//! What may have been meant, where a word was wrong or an id too short.

use std::collections::BTreeSet;

use super::args::shell_words::in_a_shell;
use super::retired::{Retired, tell_retired};
use super::where_types::warn_of_types;
use crate::cli::ui::{Failure, Ui};
use crate::dead_letter::{CLASS_SEPARATORS, short_class};
use crate::filter::{Glob, GlobList, Selection, nearest};
use crate::store;
use crate::store::{
    DeadLetterError, DistinctColumn, EventColumn, IdColumn, Session, StoredEvent, columns_of_id,
    some_values,
};
use crate::time::{Timestamp, timestamp_text};

/// How many values are listed where no value is like the word.
const LISTED: usize = 12;

/// How many names are looked at: more would take longer than a person waits for a hint.
const MOST_NAMES: i64 = 1_000;

/// How many dead letters are looked at, where an error matches none of them.
const NEWEST_ERRORS: i64 = 1_000;

/// As [`explain_names`]; and of events that were retired and may be among those that are asked for.
pub(crate) async fn explain_selection(
    session: &Session,
    selection: &Selection,
    is_found: bool,
    ui: Ui,
) -> Result<(), Failure> {
    explain_names(session, selection, is_found, ui).await?;
    tell_retired(session, selection, Retired::Missing, ui).await
}

/// Says of each type, service, topic, error and id that was asked for and doesn't exist what may
/// have been meant, and of `--where` what it can't compare. Of a selection that found something,
/// only what can be wrong all the same is looked up.
pub(crate) async fn explain_names(
    session: &Session,
    selection: &Selection,
    is_found: bool,
    ui: Ui,
) -> Result<(), Failure> {
    let is_doubtful = |globs: &GlobList| {
        let least = if is_found { 2 } else { 1 };
        globs.included.len() >= least || !globs.excluded.is_empty()
    };
    if is_doubtful(&selection.event_types) {
        let names = Names::of(session, DistinctColumn::EventType, &selection.event_types).await?;
        say(ui, "event type", &selection.event_types, &names, "audit stats --by type");
    }
    if is_doubtful(&selection.services) {
        let names = Names::of(session, DistinctColumn::SourceService, &selection.services).await?;
        say(ui, "service", &selection.services, &names, "audit stats --by service");
    }
    if is_doubtful(&selection.topics) {
        let names = Names { values: store::known_topics(session).await?, are_all: true };
        say(ui, "topic", &selection.topics, &names, "audit status");
    }
    if !is_found && !selection.errors.is_empty() {
        let newest = store::newest_errors(session, NEWEST_ERRORS).await?;
        for line in error_suggestions(&selection.errors, &newest) {
            ui.status(&line);
        }
    }
    say_ids(session, selection, is_found, ui).await?;
    warn_of_types(session, selection, ui).await
}

/// Says which ids nothing has, and where they stand instead.
async fn say_ids(
    session: &Session,
    selection: &Selection,
    is_found: bool,
    ui: Ui,
) -> Result<(), Failure> {
    let event_ids: Vec<_> = selection.event_ids.iter().map(ToString::to_string).collect();
    for (wanted, texts) in [
        (IdColumn::Aggregate, &selection.aggregates),
        (IdColumn::Correlation, &selection.correlations),
        (IdColumn::Event, &event_ids),
    ] {
        if is_found && texts.len() < 2 {
            continue;
        }
        for text in texts {
            let found = columns_of_id(session, text).await?;
            if !found.contains(&wanted) {
                ui.status(&missing_id(wanted, text, &found));
            }
        }
    }
    Ok(())
}

fn missing_id(wanted: IdColumn, text: &str, found: &[IdColumn]) -> String {
    let none = match wanted {
        IdColumn::Event => format!("no event has the id '{text}'"),
        IdColumn::Aggregate => format!("no event has the aggregate '{text}'"),
        IdColumn::Correlation => format!("no event has the correlation '{text}'"),
    };
    let text = in_a_shell(text);
    let elsewhere: Vec<_> = found
        .iter()
        .map(|column| match column {
            IdColumn::Event => format!("an event: --event-id {text}"),
            IdColumn::Aggregate => format!("an aggregate: --aggregate {text}"),
            IdColumn::Correlation => format!("a correlation: --correlation {text}"),
        })
        .collect();
    if elsewhere.is_empty() {
        none
    } else {
        format!("{none}; it is the id of {}", elsewhere.join(", or of "))
    }
}

/// The names that exist, as far as they are looked at.
struct Names {
    values: Vec<String>,
    are_all: bool,
}

impl Names {
    /// The first names of a column, and those that are asked for.
    async fn of(
        session: &Session,
        column: DistinctColumn,
        globs: &GlobList,
    ) -> Result<Self, Failure> {
        let mut values = some_values(session, column, "", MOST_NAMES + 1).await?;
        let are_all = values.len() as i64 <= MOST_NAMES;
        if !are_all {
            for literal in globs.included.iter().chain(&globs.excluded).filter_map(Glob::literal) {
                values.extend(some_values(session, column, &literal, 1).await?);
            }
        }
        Ok(Self { values, are_all })
    }

    /// Whether a glob certainly matches nothing.
    fn lack(&self, glob: &Glob) -> bool {
        (self.are_all || glob.literal().is_some())
            && !self.values.iter().any(|value| glob.matches(value))
    }
}

/// Says what may have been meant by those of the globs that match none of the names. `listing` is
/// the command that shows all.
fn say(ui: Ui, what: &str, globs: &GlobList, names: &Names, listing: &str) {
    for glob in globs.included.iter().chain(&globs.excluded).filter(|glob| names.lack(glob)) {
        ui.status(&suggestion(what, glob, &names.values, listing));
    }
}

fn suggestion(what: &str, glob: &Glob, values: &[String], listing: &str) -> String {
    let none = format!("no {what} matches '{glob}'");
    let typed = |names: &[&str]| -> Vec<_> { names.iter().map(|name| Glob::typed(name)).collect() };
    let in_other_case: Vec<_> =
        values.iter().filter(|value| glob.matches_in_any_case(value)).map(String::as_str).collect();
    if !in_other_case.is_empty() {
        let are = if in_other_case.len() == 1 { "is" } else { "are" };
        return format!("{none}: case counts, and there {are} {}", some_of(&typed(&in_other_case)));
    }
    let alike = nearest(&glob.to_string(), values);
    if !alike.is_empty() {
        return format!("{none}; did you mean {}?", typed(&alike).join(" or "));
    }
    match values.len() {
        0 => none,
        1..=LISTED => {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            format!("{none}; there are {}", typed(&values).join(", "))
        }
        count if count as i64 > MOST_NAMES => {
            format!("{none}; there are more than {MOST_NAMES}: see `{listing}`")
        }
        count => format!("{none}; there are {count}: see `{listing}`"),
    }
}

/// The first of these names, and whether there are more.
fn some_of(names: &[String]) -> String {
    let more = if names.len() > LISTED { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(LISTED)].join(", "))
}

/// What is said of the globs that match the error of no dead letter among the newest.
fn error_suggestions(globs: &GlobList, newest: &[DeadLetterError]) -> Vec<String> {
    if newest.is_empty() {
        return vec!["no dead letter has an error: nothing can match --error".to_owned()];
    }
    let classes: BTreeSet<_> =
        newest.iter().filter_map(|error| error.class.as_deref()).map(short_class).collect();
    let classes: Vec<String> = classes.into_iter().map(str::to_owned).collect();
    let what = match newest.len() as i64 {
        NEWEST_ERRORS => format!("error of the newest {NEWEST_ERRORS} dead letters"),
        _ => "error of a dead letter".to_owned(),
    };
    let globs = globs.included.iter().chain(&globs.excluded);
    globs
        .filter(|glob| !newest.iter().any(|error| is_of_error(glob, error)))
        .map(|glob| suggestion(&what, glob, &classes, "audit dlt"))
        .collect()
}

/// Whether `--error GLOB` finds a dead letter: its class, with or without the package, or its
/// message.
fn is_of_error(glob: &Glob, error: &DeadLetterError) -> bool {
    let in_a_package = CLASS_SEPARATORS.map(|separator| Glob::new(&format!("*{separator}{glob}")));
    let is_of = |class| glob.matches(class) || in_a_package.iter().any(|it| it.matches(class));
    error.class.as_deref().is_some_and(is_of)
        || error.message.as_deref().is_some_and(|message| glob.matches(message))
}

/// Several events begin like that: names them.
pub(crate) fn ambiguous(id: &str, candidates: &[StoredEvent]) -> Result<Failure, Failure> {
    let mut lines = vec!["give more of its digits:".to_owned()];
    for candidate in candidates {
        let created_at = candidate.time(EventColumn::CreatedAt)?;
        lines.push(format!(
            "  {}  {}  {}",
            candidate.uuid(EventColumn::EventId)?.unwrap_or_default(),
            created_at.map_or_else(
                || "-".to_owned(),
                |time| timestamp_text(Timestamp::without_zone(time))
            ),
            candidate.text(EventColumn::EventType)?.unwrap_or_default(),
        ));
    }
    Ok(Failure::usage(format!("'{id}' is the beginning of several events"))
        .with_hint(lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_glob_that_matches_in_another_case_only_is_told_so() {
        let types = values(&["OrderCancelled", "OrderCreated", "PaymentDeclined"]);
        let said = |glob: &str| suggestion("event type", &Glob::new(glob), &types, "audit stats");
        assert_eq!(
            said("order*"),
            "no event type matches 'order*': case counts, and there are OrderCancelled, OrderCreated"
        );
        assert_eq!(
            said("OrderCraeted"),
            "no event type matches 'OrderCraeted'; did you mean OrderCreated or OrderCancelled?"
        );
        assert_eq!(
            said("Zebra"),
            "no event type matches 'Zebra'; there are OrderCancelled, OrderCreated, PaymentDeclined"
        );
    }

    #[test]
    fn of_names_that_are_not_all_looked_at_only_a_whole_one_is_said_to_be_missing() {
        let names = |are_all| Names { values: values(&["A", "B"]), are_all };
        assert!(names(true).lack(&Glob::new("C*")) && names(true).lack(&Glob::new("C")));
        assert!(!names(false).lack(&Glob::new("C*")) && names(false).lack(&Glob::new("C")));
        assert!(!names(true).lack(&Glob::new("A*")) && !names(false).lack(&Glob::new("B")));
    }

    #[test]
    fn a_name_with_wildcards_is_suggested_as_it_is_typed() {
        let types = values(&["!Bang", "Any*", "A,B"]);
        let said = |glob: &str| suggestion("event type", &Glob::new(glob), &types, "audit stats");
        assert_eq!(said("Bang"), "no event type matches 'Bang'; did you mean \\!Bang?");
        assert_eq!(
            said("any\\*"),
            "no event type matches 'any\\*': case counts, and there is Any\\*"
        );
        assert_eq!(
            said("Zebra"),
            "no event type matches 'Zebra'; there are \\!Bang, Any\\*, A\\,B"
        );
    }

    #[test]
    fn an_error_is_looked_for_as_the_selector_does() {
        let error = |class: &str, message: &str| DeadLetterError {
            class: Some(class.to_owned()),
            message: Some(message.to_owned()),
        };
        let newest = [
            error("java.net.SocketTimeoutException", "Read timed out"),
            error("bank::Declined", "no"),
        ];
        let said = |glob: &str| {
            error_suggestions(&GlobList::new([glob]).expect("an item"), &newest).join("\n")
        };
        for found in ["SocketTimeout*", "java.net.*", "Read*", "!Read*", "Declined"] {
            assert_eq!(said(found), "", "{found}");
        }
        assert_eq!(
            said("*Timout*"),
            "no error of a dead letter matches '*Timout*'; there are Declined, SocketTimeoutException"
        );
    }

    #[test]
    fn an_id_that_stands_elsewhere_is_told_where() {
        assert_eq!(
            missing_id(IdColumn::Aggregate, "order-17", &[IdColumn::Correlation]),
            "no event has the aggregate 'order-17'; it is the id of a correlation: --correlation order-17"
        );
        assert_eq!(
            missing_id(IdColumn::Aggregate, "order 17,1", &[IdColumn::Correlation]),
            r"no event has the aggregate 'order 17,1'; it is the id of a correlation: --correlation 'order 17\,1'"
        );
        assert_eq!(missing_id(IdColumn::Event, "019a", &[]), "no event has the id '019a'");
    }
}
