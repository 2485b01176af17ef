//! `audit maintain`, and ingesters that leave that to it.

use std::time::Duration;

use sandbox::Sandbox;

use super::{fill_first_leaf, go_to_leaf, index, unsealed, wrong_indexes};
use crate::support::{Audit, Database, Producer, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn what_waits_is_sealed_and_an_index_that_is_gone_is_built_again() {
    let scope = Sandbox::shared().scope("maintain");
    let audit = Audit::migrated(&scope);
    let database = Database::open(&audit.database_url);
    assert!(audit.succeed(&["maintain"]).ends_with("no index is missing\n"));
    fill_first_leaf(&database, 100);
    assert_eq!(unsealed(&database), 1);
    let done = audit.succeed(&["maintain"]);
    let steps: Vec<_> = done.lines().collect();
    assert_eq!(steps.first(), Some(&"event_logs_000000: closed"));
    assert!(steps.contains(&"event_logs_000000: sealed"), "{done}");
    assert_eq!(unsealed(&database), 0);
    let correlations = index(&database, "event_logs_000000", "btree (correlation_id)");
    database.execute(&format!("DROP INDEX {correlations}"));
    assert_eq!(audit.succeed(&["maintain"]), "event_logs_000000: built btree (correlation_id)\n");
    assert_eq!(wrong_indexes(&database), Vec::<Vec<String>>::new());
    assert!(audit.succeed(&["maintain"]).ends_with("no index is missing\n"));
}

#[test]
fn an_ingester_that_leaves_it_to_others_seals_nothing_and_one_that_follows_does() {
    let scope = Sandbox::shared().scope("maintain_follows");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 2));
    let database = Database::open(&audit.database_url);
    Producer::new(scope.brokers()).native_events(&topic, 0..2_000);
    let arguments = ["ingest", "--until-end", "--no-maintenance", "--topics", &topic];
    audit.succeed(&arguments);
    go_to_leaf(&database, 1);
    Producer::new(scope.brokers()).native_events(&topic, 2_000..4_000);
    audit.succeed(&arguments);
    assert_eq!(unsealed(&database), 1);
    assert_eq!(database.number("SELECT sum(summarized_pages) FROM event_log_leaves"), 0);
    let mut maintainer = audit.start(&["maintain", "--follow"]);
    wait_until("the full leaf is sealed", LIMIT, || unsealed(&database) == 0);
    wait_until("the other one is summarised", LIMIT, || {
        database.number("SELECT sum(summarized_pages) FROM event_log_leaves") > 0
    });
    maintainer.stop();
    audit.succeed(&["verify"]);
}
