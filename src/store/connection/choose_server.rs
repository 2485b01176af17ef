//! Which of several servers is connected to: the first that answers and can do what is asked for.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use tokio::sync::watch;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::connect;
use super::parameters::{Server, Settings, TargetSession};
use crate::store::error::Error;

/// What a session can do. The text forms hold whatever version the server has.
const ABILITIES: &str = "SELECT pg_catalog.current_setting('transaction_read_only') = 'on', \
                         pg_catalog.pg_is_in_recovery()";

/// Connects to the first server that answers and can do what `target_session_attrs` asks for.
/// `application` is what `pg_stat_activity` shows; `notified` counts the notifications that arrive.
///
/// # Errors
/// `Error::Connect`, `Error::NoAnswer` and `Error::WrongServer` where there is one server,
/// `Error::NoServer` where there are several.
pub(super) async fn connect(
    settings: &Settings,
    application: &str,
    notified: Option<watch::Sender<u64>>,
) -> Result<Client, Error> {
    let mut order: Vec<&Server> = settings.servers.iter().collect();
    if settings.is_shuffled {
        let random = RandomState::new();
        order.sort_by_cached_key(|server| random.hash_one((&server.host, server.port)));
    }
    let targets = match settings.target_session {
        TargetSession::PreferStandby => vec![TargetSession::Standby, TargetSession::Any],
        target => vec![target],
    };
    let mut failures = Vec::new();
    for target in targets {
        failures.clear();
        for server in &order {
            let connected =
                connect::connect(settings, server, application, notified.as_ref()).await;
            match connected {
                Ok(client) => match check(settings, server, &client, target).await {
                    Ok(()) => return Ok(client),
                    Err(error) => failures.push(error),
                },
                Err(error) => failures.push(error),
            }
        }
    }
    match (failures.pop(), failures.is_empty()) {
        (Some(only), true) => Err(only),
        (last, _) => Err(Error::NoServer { tried: failures.into_iter().chain(last).collect() }),
    }
}

/// Asks the server whether its sessions can do what is asked for.
async fn check(
    settings: &Settings,
    server: &Server,
    client: &Client,
    target: TargetSession,
) -> Result<(), Error> {
    if target == TargetSession::Any {
        return Ok(());
    }
    let what = "asking the server for target_session_attrs";
    let answer = client.simple_query(ABILITIES).await.map_err(Error::query(what))?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let is = |column| {
        let value = row.map(|row| row.try_get(column)).transpose().map_err(Error::query(what))?;
        Ok(value.flatten() == Some("t"))
    };
    let (is_read_only, is_standby) = (is(0)?, is(1)?);
    match target.accepts(is_read_only, is_standby) {
        true => Ok(()),
        false => Err(Error::WrongServer {
            target: settings.target_at(server),
            wanted: target.name(),
            found: match (is_read_only, is_standby) {
                (_, true) => "a standby",
                (true, false) => "a primary whose sessions only read",
                (false, false) => "a primary whose sessions write",
            },
        }),
    }
}
