//! Schemas on the encoders' threads: what a record needs is fetched, and a registry that is away is
//! waited for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::event::{Record, Unpacked};
use crate::ingest::counters::{Counters, Wait};
use crate::ingest::error::Error;
use crate::ingest::fault::{Fault, FirstFault};
use crate::ingest::mutex::lock_mutex;
use crate::ingest::stop::Stop;
use crate::registry;
use crate::registry::{Missing, Schemas, Unpacker};
use crate::store;

/// How long a schema is still waited for after a stop was requested.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// How often a thread that waits looks whether the session ends.
const LOOK: Duration = Duration::from_millis(50);

/// The registry of an ingester: all sessions and threads share it.
#[derive(Debug)]
pub(in crate::ingest) struct SharedSchemas {
    schemas: Schemas,
    /// Why it is waited for, as far as that was logged.
    told: Mutex<Option<String>>,
}

impl SharedSchemas {
    pub(in crate::ingest) fn new(settings: &registry::Settings) -> Result<Self, registry::Error> {
        Ok(Self { schemas: Schemas::new(settings)?, told: Mutex::default() })
    }
}

/// The way of an encoder to schemas.
#[derive(Debug, Clone)]
pub(in crate::ingest) struct SchemaAccess {
    pub(in crate::ingest) shared: Arc<SharedSchemas>,
    pub(in crate::ingest) runtime: Handle,
    pub(in crate::ingest) stop: Arc<Stop>,
    pub(in crate::ingest) faults: Arc<FirstFault>,
    pub(in crate::ingest) counters: Arc<Counters>,
}

impl SchemaAccess {
    /// Unpacks the records of a batch.
    pub(super) fn unpacker(&self) -> Unpacker<'_> {
        Unpacker::new(&self.shared.schemas)
    }

    /// What schemas make of a record. Waits for the registry where it has to be asked; `None` where
    /// the session ends meanwhile.
    pub(super) fn unpack(
        &self,
        unpacker: &mut Unpacker<'_>,
        record: &Record<'_>,
    ) -> Option<Unpacked> {
        loop {
            let missing = match unpacker.unpack(record) {
                Ok(unpacked) => return Some(unpacked),
                Err(missing) => missing,
            };
            if let Err(fault) = self.runtime.block_on(self.load(&missing)) {
                self.faults.raise(fault);
                return None;
            }
        }
    }

    /// What a record was unpacked to before. Asks nothing.
    pub(super) fn unpack_again(&self, record: &Record<'_>) -> Unpacked {
        Unpacker::again(&self.shared.schemas, record)
    }

    /// Tries until the schema is there. A fault where that can't come true.
    async fn load(&self, missing: &Missing) -> Result<(), Fault> {
        let mut failures = 0;
        let mut waiting = None;
        loop {
            let loaded = tokio::select! {
                loaded = self.shared.schemas.load(missing) => loaded,
                fault = self.end() => return Err(fault),
            };
            let error = match loaded {
                Ok(()) => {
                    self.tell_end();
                    return Ok(());
                }
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(Fault::Fatal(Error::Registry(error))),
            };
            waiting.get_or_insert_with(|| self.counters.begin(Wait::SchemaRegistry));
            self.tell(&error, missing);
            let pause = store::back_off(failures).max(error.retry_after().unwrap_or_default());
            tokio::select! {
                () = tokio::time::sleep(pause) => failures += 1,
                fault = self.end() => return Err(fault),
            }
        }
    }

    /// Waits until nobody wants the batch any more.
    async fn end(&self) -> Fault {
        loop {
            if self.faults.is_raised() {
                return Fault::Recoverable("another part of the session ended".to_owned());
            }
            if self.stop.requested_for().is_some_and(|since| since > STOP_LIMIT) {
                return Fault::Fatal(Error::StoppedEarly);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Logs once for each reason that the registry is waited for, whichever thread waits.
    fn tell(&self, error: &registry::Error, missing: &Missing) {
        let registry::Error::Unavailable { url, reason, .. } = error else { return };
        let mut told = lock_mutex(&self.shared.told);
        if told.as_ref() != Some(reason) {
            let hint = error.hint().unwrap_or_default();
            tracing::warn!(
                url,
                reason,
                schema_id = missing.id,
                hint,
                "waiting for the schema registry; no record is quarantined meanwhile"
            );
            *told = Some(reason.clone());
        }
    }

    fn tell_end(&self) {
        if lock_mutex(&self.shared.told).take().is_some() {
            tracing::info!(
                url = self.shared.schemas.shown(),
                "the schema registry answers; going on"
            );
        }
    }
}

/// Says once that a registry would help, where none is given.
#[derive(Debug, Default)]
pub(in crate::ingest) struct RegistryHint(AtomicBool);

impl RegistryHint {
    /// A record could not be read without its schema.
    pub(super) fn tell(&self, record: &Record<'_>) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                topic = record.topic,
                partition = record.partition,
                offset = record.offset,
                hint =
                    "--schema-registry URL, AUDIT_SCHEMA_REGISTRY, or schema_registry in a profile",
                "records need a schema registry to be read; without it they are quarantined"
            );
        }
    }
}
