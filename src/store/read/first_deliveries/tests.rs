//! The statements as they are sent.

use super::*;
use crate::store::search::event_column::EventColumn;

#[test]
fn each_statement_asks_for_the_same_rows() {
    let selection = ResolvedSelection { dead_letters: None, ..ResolvedSelection::default() };
    let chosen = Chosen { selection: &selection, deliveries: Deliveries::known_below(700) };
    let is_first = chosen.is_first(&mut Parameters::default());
    let columns = [EventColumn::SourceService.into()];
    let statements = [
        chosen.types(),
        chosen.objects(ObjectKind::Aggregate),
        chosen.objects(ObjectKind::Correlation),
        chosen.events(&columns),
    ];
    let shown: Vec<_> = statements
        .iter()
        .map(|statement| {
            assert!(statement.sql.contains(&is_first), "{statement:?}");
            format!("{statement:?}").replace(&is_first, "IS FIRST")
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"), @"");
}
