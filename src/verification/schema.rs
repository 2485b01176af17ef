//! Whether the tables are guarded as `migrate` made them: triggers, rights, indexes, constraints.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Check;
use crate::ledger::Finding;
use crate::store::{Error, LedgerScan, MIGRATED_FACTS, SchemaFact};

/// The kinds of facts of which a database may have more than `migrate` made.
const MAY_BE_ADDED: [&str; 3] = ["column", "constraint", "index"];

/// Stands behind the definition of an index that is not usable.
const INVALID: &str = " is invalid";

/// Compares the schema with the one that `migrate` makes.
pub(super) async fn check(scan: &LedgerScan<'_>) -> Result<Check, Error> {
    let facts = scan.schema_facts().await?;
    let findings = compare(MIGRATED_FACTS, &facts);
    Ok(Check {
        check: "schema",
        subject: "schema".to_owned(),
        findings,
        detail: match facts.len() {
            0 => String::new(),
            count => format!("{count} facts: triggers, rights, indexes"),
        },
    })
}

/// Finds where the facts differ from the lines of `migrated`.
fn compare(migrated: &str, facts: &[SchemaFact]) -> Vec<Finding> {
    let mut expected: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for line in migrated.lines() {
        let mut parts = line.splitn(3, " | ");
        if let (Some(object), Some(kind), Some(fact)) = (parts.next(), parts.next(), parts.next()) {
            expected.entry(object).or_default().insert((kind, fact));
        }
    }
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut found: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let mut findings = Vec::new();
    // Of these a table or function has what was changed in the place of what is missing.
    let mut changed: BTreeSet<(&str, &str)> = BTreeSet::new();
    for fact in facts {
        let (kind, text) = (fact.kind.as_str(), fact.fact.as_str());
        if kind == "role" {
            findings
                .push(Finding::altered(&fact.name, format!("{text}; migrate made it otherwise")));
            continue;
        }
        let Some(of_object) = expected.get(fact.object.as_str()) else {
            // What others keep in the same schema is theirs, but not a function that takes the name
            // of one of ours.
            if kind == "function" && is_overload(&fact.object, &expected) {
                findings
                    .push(Finding::altered(&fact.name, "has the name of a function of migrate's"));
            }
            continue;
        };
        names.entry(&fact.object).or_default().insert(&fact.name);
        found.insert((&fact.name, kind, text));
        let is_ours = |text| of_object.contains(&(kind, text));
        let is_fine = match text.strip_suffix(INVALID) {
            Some(definition) => !is_ours(definition),
            None => is_ours(text) || MAY_BE_ADDED.contains(&kind),
        };
        if !is_fine {
            findings.push(Finding::altered(&fact.name, beyond(kind, text)));
            changed.insert((&fact.name, kind));
        }
    }
    for (object, of_object) in &expected {
        let Some(names) = names.get(object) else {
            findings.push(Finding::altered(*object, "is not there: migrate made it"));
            continue;
        };
        for name in names {
            for (kind, text) in of_object {
                // A right that is missing endangers nothing: roles.sql is not applied everywhere.
                // Definitions of views are not known of every version of PostgreSQL.
                let is_there = matches!(*kind, "right" | "definition")
                    || found.contains(&(*name, *kind, *text));
                if !is_there && !changed.contains(&(*name, *kind)) {
                    findings.push(Finding::altered(*name, missing(kind, text)));
                }
            }
        }
    }
    findings
}

/// Whether a function has the name of an expected one, with other arguments.
fn is_overload(object: &str, expected: &BTreeMap<&str, BTreeSet<(&str, &str)>>) -> bool {
    let name = |object: &str| object.split_once('(').map(|(name, _)| name.to_owned());
    let own = name(object);
    own.is_some() && expected.keys().any(|known| name(known) == own)
}

/// Words for what is there beyond what `migrate` made, or in the place of it.
fn beyond(kind: &str, fact: &str) -> String {
    match kind {
        "right" => {
            let (grantee, right) = fact.split_once(' ').unwrap_or((fact, ""));
            format!("{grantee} has the right {right}, which roles.sql does not give")
        }
        "function" => "is not the function that migrate made".to_owned(),
        "definition" => "is not the view that migrate made".to_owned(),
        "relation" => format!("is a {fact}, which migrate did not make"),
        "index" => format!("the index {fact}"),
        _ => format!("has a {kind} that migrate did not make: {fact}"),
    }
}

/// Words for what is missing.
fn missing(kind: &str, fact: &str) -> String {
    format!("the {kind} is missing: {fact}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIGRATED: &str = "\
leaf | index | btree (id)
leaf | trigger | append_only of type 58 calls refuse_change, always
ledger | relation | table
ledger | right | audit_reader SELECT
refuse() | function | abc";

    fn fact(name: &str, object: &str, kind: &str, fact: &str) -> SchemaFact {
        SchemaFact {
            name: name.to_owned(),
            object: object.to_owned(),
            kind: kind.to_owned(),
            fact: fact.to_owned(),
        }
    }

    fn whole() -> Vec<SchemaFact> {
        let trigger = "append_only of type 58 calls refuse_change, always";
        vec![
            fact("leaf_0", "leaf", "index", "btree (id)"),
            fact("leaf_0", "leaf", "trigger", trigger),
            fact("leaf_1", "leaf", "index", "btree (id)"),
            fact("leaf_1", "leaf", "trigger", trigger),
            fact("ledger", "ledger", "relation", "table"),
            fact("refuse()", "refuse()", "function", "abc"),
        ]
    }

    fn findings(facts: &[SchemaFact]) -> Vec<String> {
        let findings = compare(MIGRATED, facts);
        findings.iter().map(|found| format!("{}: {}", found.subject, found.text)).collect()
    }

    #[test]
    fn a_schema_as_migrate_made_it_has_no_findings_whatever_others_keep_beside_it() {
        let mut facts = whole();
        facts.push(fact("theirs", "theirs", "right", "PUBLIC DELETE"));
        facts.push(fact("leaf_1", "leaf", "index", "btree (payload)"));
        facts.push(fact("leaf_1", "leaf", "index", "btree (attributes) is invalid"));
        facts.push(fact("theirs()", "theirs()", "function", "abc"));
        facts.push(fact("ledger", "ledger", "right", "audit_reader SELECT"));
        assert_eq!(findings(&facts), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_disabled_replaced_or_given_away_is_named() {
        let mut facts = whole();
        facts[1].fact = "append_only of type 58 calls refuse_change, disabled".to_owned();
        facts.remove(2);
        facts.push(fact("ledger", "ledger", "right", "PUBLIC DELETE"));
        let found = findings(&facts);
        assert_eq!(
            found,
            [
                "leaf_0: has a trigger that migrate did not make: append_only of type 58 calls \
                 refuse_change, disabled",
                "ledger: PUBLIC has the right DELETE, which roles.sql does not give",
                "leaf_1: the index is missing: btree (id)",
            ]
        );
        facts.retain(|fact| fact.object != "refuse()");
        assert!(findings(&facts).contains(&"refuse(): is not there: migrate made it".to_owned()));
    }
}
