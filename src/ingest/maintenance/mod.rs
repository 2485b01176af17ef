//! What is done to the database beside the recording: events are counted, the leaves that are
//! written to are summarised, and those that are full are sealed.
//!
//! Any number of ingesters may do it, and `audit maintain` besides: the database lets one of them
//! at a time do each. What is not done yet costs readers time, and nothing else.

mod beside;
mod counting;
mod pace;
mod sealing;
mod summaries;

use super::counters::Counters;
use super::stop::Stop;
use crate::store::Settings;

/// Does all of it until a stop, each kind on a connection of its own. `application` is the name of
/// the connections in `pg_stat_activity`, but for a word behind it; `counters` counts the steps of
/// sealing.
pub async fn maintain(settings: &Settings, application: &str, stop: &Stop, counters: &Counters) {
    let counting =
        beside::keep_on(settings, format!("{application} counting"), counters, counting::count);
    let summaries = beside::keep_on(
        settings,
        format!("{application} summarising"),
        counters,
        summaries::summarize,
    );
    let sealing =
        beside::keep_on(settings, format!("{application} sealing"), counters, sealing::seal);
    tokio::select! {
        () = stop.requested() => {}
        never = async { tokio::join!(counting, summaries, sealing) } => match never.0 {},
    }
}

/// What is left to be done after the last row.
pub(super) async fn finish(settings: &Settings, application: &str) {
    summaries::finish(settings, application).await;
}
