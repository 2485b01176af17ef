//! The dashboard, the alerts and the documentation name the metrics that there are.

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;
use sandbox::Sandbox;

use super::{LIMIT, Watched};
use crate::support::{Audit, Producer, wait_until};

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Everything in a text that looks like a metric.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let name = Regex::new("audit_(checkpoint|ingest|leaf|leaves|duplicate)[a-z_]*")
        .expect("it is well formed");
    name.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

#[test]
fn what_the_dashboard_the_alerts_and_the_documentation_name_is_exposed() {
    let scope = Sandbox::shared().scope("metrics_shipped");
    let (audit, topic) = (Audit::migrated(&scope), scope.create_topic("orders.events", 1));
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let key = folder.path().join("audit.key").display().to_string();
    audit.succeed(&["evidence", "keygen", "--out", &key]);
    let signs = ["--checkpoint-key", &key, "--checkpoint-every", "1s"];
    Producer::new(scope.brokers()).native_events(&topic, 0..1);
    let mut watched = Watched::start(&audit, &[&["--topics", &topic], &signs[..]].concat());
    wait_until("everything is measured", LIMIT, || {
        let found = watched.metrics();
        found.has("audit_leaves")
            && found.has("audit_ingest_lag_records")
            && found.has("audit_checkpoint_age_seconds")
    });
    let exposed = watched.metrics();
    for file in ["deploy/grafana-dashboard.json", "deploy/alerts.yaml"] {
        let named = metrics_in(&text(file));
        assert!(named.len() > 3, "{file} names metrics");
        let unknown: Vec<_> = named.iter().filter(|name| !exposed.has(name)).collect();
        assert!(unknown.is_empty(), "{file} names what is not exposed: {unknown:?}");
    }
    let documentation = text("docs/operation.md");
    let untold: Vec<_> =
        exposed.names().filter(|name| !documentation.contains(&format!("`{name}`"))).collect();
    assert!(untold.is_empty(), "docs/operation.md does not tell of {untold:?}");
    watched.ingester.stop();
}

#[test]
fn the_dashboard_asks_prometheus_in_every_panel() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&text("deploy/grafana-dashboard.json")).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels");
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_i64()), "each panel has an id of its own: {panel}");
        let targets = panel["targets"].as_array().expect("a panel asks something");
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            let asked = target["expr"].as_str().unwrap_or_default();
            assert!(!metrics_in(asked).is_empty(), "{target}");
        }
    }
    assert!(panels.len() > 5);
}
