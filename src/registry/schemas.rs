//! The schemas of a registry: fetched once, and kept for all threads.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use record_file::RegisteredSchema;

use super::client::Client;
use super::error::Error;
use super::given::gathered;
use super::references::{Gathered, Outcome, gather};
use super::schema::{Schema, schema_type};
use super::settings::Settings;
use crate::event::{Reason, SchemaType, Unreadable};

/// How long it is remembered that a schema is unknown, or can't be read.
const REMEMBERED: Duration = Duration::from_secs(60);
/// With more ids than this, those without a schema are forgotten as soon as they may be.
const MANY: usize = 10_000;
/// How many schemas are fetched at once.
const LOADS: usize = 16;

/// The largest id that a registry gives.
const LARGEST_ID: u32 = i32::MAX as u32;

/// The schemas of a registry. What is not there yet is told as [`Missing`], and fetched by
/// [`Schemas::load`].
#[derive(Debug)]
pub struct Schemas {
    /// `None` where all schemas are given.
    client: Option<Client>,
    known: RwLock<HashMap<u32, Arc<Known>>>,
    /// One request at a time for each id.
    loading: [tokio::sync::Mutex<()>; LOADS],
}

/// A schema that has to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its id.
    pub id: u32,
    /// The topic whose subject may have it, where that matters.
    pub(in crate::registry) topic: Option<String>,
}

/// What is known of an id.
#[derive(Debug)]
pub(in crate::registry) struct Known {
    content: Content,
    since: Instant,
    subjects: RwLock<Subjects>,
}

#[derive(Debug)]
enum Content {
    Schema(Schema),
    /// Values are quarantined for this reason.
    Unreadable(Option<SchemaType>, Unreadable),
}

/// Where a schema is registered.
#[derive(Debug, Default)]
struct Subjects {
    names: Vec<Arc<str>>,
    /// The topics for which the registry was asked.
    asked_for: HashSet<String>,
}

/// What a value is read by.
#[derive(Debug, Clone)]
pub(in crate::registry) struct Found {
    pub(in crate::registry) known: Arc<Known>,
    pub(in crate::registry) subject: Option<Arc<str>>,
}

/// How far what is known may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Trust {
    /// As long as it holds.
    WhileFresh,
    /// For ever: the same answer as before is wanted.
    Always,
}

impl Known {
    fn new(content: Content) -> Arc<Self> {
        Arc::new(Self { content, since: Instant::now(), subjects: RwLock::default() })
    }

    fn unreadable(schema_type: Option<SchemaType>, reason: Reason, detail: &str) -> Arc<Self> {
        let detail = format!("{}: {detail}", reason.describe());
        Self::new(Content::Unreadable(schema_type, Unreadable { reason, detail }))
    }

    fn is_schema(&self) -> bool {
        matches!(self.content, Content::Schema(_))
    }

    fn holds(&self) -> bool {
        self.is_schema() || self.since.elapsed() < REMEMBERED
    }

    pub(in crate::registry) fn schema(&self) -> Result<&Schema, &Unreadable> {
        match &self.content {
            Content::Schema(schema) => Ok(schema),
            Content::Unreadable(_, unreadable) => Err(unreadable),
        }
    }

    pub(in crate::registry) fn schema_type(&self) -> Option<SchemaType> {
        match &self.content {
            Content::Schema(schema) => Some(schema.schema_type()),
            Content::Unreadable(schema_type, _) => *schema_type,
        }
    }

    /// The subject of a topic's values: its own, where the schema is registered there, else the
    /// first. `Err` where the registry has to be asked.
    fn subject(&self, topic: &str, trust: Trust) -> Result<Option<Arc<str>>, ()> {
        let subjects = read(&self.subjects);
        let is_own = |name: &&Arc<str>| name.strip_suffix("-value") == Some(topic);
        if let Some(own) = subjects.names.iter().find(is_own) {
            return Ok(Some(Arc::clone(own)));
        }
        let may_ask = trust == Trust::WhileFresh && self.is_schema();
        if may_ask && !subjects.asked_for.contains(topic) {
            return Err(());
        }
        Ok(subjects.names.first().cloned())
    }
}

impl Schemas {
    /// Of a registry. Asks it nothing yet.
    ///
    /// # Errors
    /// `Error::CaFile` and `Error::Client`.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let client = Some(Client::new(settings)?);
        Ok(Self { client, known: RwLock::default(), loading: Default::default() })
    }

    /// Of schemas that are given; there are no others.
    pub fn given(schemas: &[RegisteredSchema]) -> Self {
        let known = |schema: &RegisteredSchema| {
            let known = match gathered(schema, schemas) {
                Ok(gathered) => parsed(schema.id, gathered),
                Err(reason) => invalid(schema.id, schema.schema_type.as_deref(), &reason),
            };
            // A registry is not asked where a schema is registered that can't be read.
            if known.is_schema() {
                let names = schema.versions.iter().map(|version| version.subject.clone());
                write(&known.subjects).names = names_of(names);
            }
            (schema.id, known)
        };
        let known = RwLock::new(schemas.iter().map(known).collect());
        Self { client: None, known, loading: Default::default() }
    }

    /// The registry, without user and password; nothing where all schemas are given.
    pub fn shown(&self) -> String {
        self.client.as_ref().map(Client::shown).unwrap_or_default()
    }

    /// The schema of an id; for a value of this topic with its subject.
    pub(in crate::registry) fn find(
        &self,
        id: u32,
        topic: Option<&str>,
        trust: Trust,
    ) -> Result<Found, Missing> {
        if id == 0 || id > LARGEST_ID {
            let detail = format!("a registry gives no schema the id {id}");
            let known = Known::unreadable(None, Reason::UnknownSchema, &detail);
            return Ok(Found { known, subject: None });
        }
        let missing = || Missing { id, topic: topic.map(str::to_owned) };
        let known = read(&self.known).get(&id).cloned();
        if self.client.is_none() {
            let known = known.unwrap_or_else(|| unknown(id));
            let subject =
                topic.and_then(|topic| known.subject(topic, Trust::Always).ok().flatten());
            return Ok(Found { known, subject });
        }
        let known = known.ok_or_else(missing)?;
        if trust == Trust::WhileFresh && !known.holds() {
            return Err(missing());
        }
        let subject = match topic {
            Some(topic) => known.subject(topic, trust).map_err(|()| missing())?,
            None => None,
        };
        Ok(Found { known, subject })
    }

    /// Fetches what is missing, unless another thread did meanwhile.
    ///
    /// # Errors
    /// `Error::Unavailable`, after which it can be tried again, and `Error::Refused`.
    pub async fn load(&self, missing: &Missing) -> Result<(), Error> {
        let Missing { id, topic } = missing;
        let Some(client) = &self.client else { return Ok(()) };
        let _alone = self.loading[*id as usize % LOADS].lock().await;
        if self.find(*id, topic.as_deref(), Trust::WhileFresh).is_ok() {
            return Ok(());
        }
        let known = read(&self.known).get(id).filter(|known| known.holds()).cloned();
        let known = match known {
            Some(known) => known,
            None => self.fetch(client, *id).await?,
        };
        let Some(topic) = topic.as_ref().filter(|_| known.is_schema()) else { return Ok(()) };
        let versions = client.subjects(*id).await?;
        let names = names_of(versions.into_iter().map(|version| version.subject));
        let mut subjects = write(&known.subjects);
        subjects.names = names;
        subjects.asked_for.insert(topic.clone());
        Ok(())
    }

    async fn fetch(&self, client: &Client, id: u32) -> Result<Arc<Known>, Error> {
        let known = match gather(client, id).await? {
            Outcome::Unknown => unknown(id),
            Outcome::Invalid(given, reason) => invalid(id, given.as_deref(), &reason),
            Outcome::Gathered(gathered) => parsed(id, gathered),
        };
        let mut all = write(&self.known);
        if all.len() >= MANY {
            all.retain(|_, known| known.holds());
        }
        all.insert(id, Arc::clone(&known));
        Ok(known)
    }
}

fn unknown(id: u32) -> Arc<Known> {
    Known::unreadable(None, Reason::UnknownSchema, &format!("schema id {id}"))
}

fn parsed(id: u32, gathered: Gathered) -> Arc<Known> {
    let given = gathered.schema_type.clone();
    match Schema::parse(gathered) {
        Ok(schema) => Known::new(Content::Schema(schema)),
        Err(reason) => invalid(id, Some(&given), &reason),
    }
}

fn invalid(id: u32, given: Option<&str>, reason: &str) -> Arc<Known> {
    let schema_type = given.and_then(schema_type);
    Known::unreadable(schema_type, Reason::SchemaInvalid, &format!("schema id {id}: {reason}"))
}

/// The names of subjects, each once, in the registry's order.
fn names_of(names: impl Iterator<Item = String>) -> Vec<Arc<str>> {
    let mut seen = HashSet::new();
    names.filter(|name| seen.insert(name.clone())).map(Arc::from).collect()
}

/// A thread that panicked leaves nothing half-written here.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Credentials;

    fn schemas() -> Schemas {
        let url = "http://127.0.0.1:9".into();
        let settings = Settings::new(&url, Credentials::default(), None).expect("a usable URL");
        Schemas::new(&settings).expect("a client")
    }

    /// As if it had been fetched that long ago.
    fn known(content: Content, age: Duration) -> Arc<Known> {
        let since = Instant::now().checked_sub(age).expect("the clock runs for longer");
        Arc::new(Known { content, since, subjects: RwLock::default() })
    }

    fn unreadable() -> Content {
        let reason = Reason::UnknownSchema;
        Content::Unreadable(None, Unreadable { reason, detail: "unknown".to_owned() })
    }

    #[test]
    fn an_unknown_schema_is_asked_for_again_after_a_minute_and_a_schema_never() {
        let schemas = schemas();
        let put = |id, content, age| {
            write(&schemas.known).insert(id, known(content, age));
        };
        put(1, unreadable(), REMEMBERED - Duration::from_secs(30));
        put(2, unreadable(), REMEMBERED);
        put(3, Content::Schema(Schema::json("{}")), REMEMBERED * 2);
        let finds = |id, trust| schemas.find(id, None, trust).is_ok();
        assert_eq!([1, 2, 3, 4].map(|id| finds(id, Trust::WhileFresh)), [true, false, true, false]);
        // The same record is told the same again.
        assert!(finds(2, Trust::Always));
    }

    #[test]
    fn an_id_that_no_registry_gives_is_unknown_without_asking() {
        for id in [0, LARGEST_ID + 1, u32::MAX] {
            let found = schemas().find(id, Some("orders"), Trust::WhileFresh).expect("it is known");
            let refused = found.known.schema().expect_err("there is none");
            assert_eq!(refused.reason, Reason::UnknownSchema);
        }
        let found = schemas().find(LARGEST_ID, Some("orders"), Trust::WhileFresh);
        let missing = found.expect_err("it is asked for");
        assert_eq!(missing, Missing { id: LARGEST_ID, topic: Some("orders".to_owned()) });
    }

    #[test]
    fn the_subject_is_that_of_the_topic_else_the_first_once_it_was_asked_for() {
        let known = known(Content::Schema(Schema::json("{}")), Duration::ZERO);
        assert_eq!(known.subject("orders", Trust::WhileFresh), Err(()));
        write(&known.subjects).names = vec!["first".into(), "orders-value".into()];
        let subject = |topic| {
            let found = known.subject(topic, Trust::WhileFresh);
            found.map(|found| found.map(|name| name.to_string()))
        };
        assert_eq!(subject("orders"), Ok(Some("orders-value".to_owned())));
        assert_eq!(subject("payments"), Err(()));
        write(&known.subjects).asked_for.insert("payments".to_owned());
        assert_eq!(subject("payments"), Ok(Some("first".to_owned())));
    }
}
