//! What there is of each leaf of `event_logs`, beside what `event_log_leaves` tells of it.

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::evidence::leaf::RetirementLeaf;
use crate::store::connection::query;
use crate::store::error::Error;
use crate::time::PostgresMicros;

/// A leaf that is a partition of `event_logs`, or that `event_log_leaves` names, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafFacts {
    /// The table.
    pub name: String,
    /// What `event_log_leaves` tells of it; `None` where it does not name it.
    pub registered: Option<RegisteredLeaf>,
    /// What is there; `None` where it is no partition.
    pub partition: Option<LeafPartition>,
    /// Its retirement, as the evidence log tells it.
    pub logged: Option<Retirement>,
}

/// What was retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retirement {
    /// The first id, and one past the last.
    pub ids: (i64, i64),
    /// How many rows.
    pub rows: i64,
    /// When the oldest and the newest of their events happened.
    pub created: (Option<PostgresMicros>, Option<PostgresMicros>),
    /// When.
    pub retired_at: PostgresMicros,
}

impl From<&RetirementLeaf> for Retirement {
    fn from(leaf: &RetirementLeaf) -> Self {
        Self {
            ids: (leaf.first_id, leaf.next_id),
            rows: leaf.rows,
            created: (leaf.min_created_at, leaf.max_created_at),
            retired_at: leaf.retired_at,
        }
    }
}

/// What `event_log_leaves` tells of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisteredLeaf {
    /// The first id, and one past the last.
    pub ids: (i64, i64),
    /// Whether no batch enters it any more.
    pub is_closed: bool,
    /// Whether it has all indexes.
    pub is_sealed: bool,
    /// Its retirement; `None` where it is still there.
    pub retirement: Option<Retirement>,
}

/// What there is of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafPartition {
    /// The first id that it takes, and one past the last; `None` where its bounds are no numbers.
    pub ids: Option<(i64, i64)>,
    /// Whether it has the trigger of a closed leaf.
    pub has_late_row: bool,
    /// The indexes that a leaf which is as far as this one has, and that it lacks.
    pub missing: Vec<String>,
    /// Those that it has, but can't be used.
    pub invalid: Vec<String>,
    /// Whether it is closed and has rows before or behind the times that are told of it.
    pub has_untold_times: bool,
    /// Whether reading it gives its rows and nothing else: it is a table of the schema public, on
    /// PostgreSQL's own storage, without rules, row security and children.
    pub is_plain: bool,
}

/// Reads all of them, by their names, and those of which only the log tells. The rows are not read:
/// of a closed leaf the first and the last time, by their index.
///
/// # Errors
/// `Error::Query`.
pub(super) async fn read(client: &impl GenericClient) -> Result<Vec<LeafFacts>, Error> {
    let what = "reading the leaves of event_logs";
    let mut leaves = query::rows(client, what, LEAVES, &[], |row| {
        let retirement = match (row.try_get(11)?, row.try_get(14)?) {
            (Some(rows), Some(retired_at)) => Some(Retirement {
                ids: (row.try_get(1)?, row.try_get(2)?),
                rows,
                created: (row.try_get(12)?, row.try_get(13)?),
                retired_at,
            }),
            _ => None,
        };
        let registered = match (row.try_get(1)?, row.try_get(2)?) {
            (Some(first), Some(next)) => Some(RegisteredLeaf {
                ids: (first, next),
                is_closed: row.try_get(3)?,
                is_sealed: row.try_get(4)?,
                retirement,
            }),
            _ => None,
        };
        let bounds: (Option<i64>, Option<i64>) = (row.try_get(6)?, row.try_get(7)?);
        let partition = match row.try_get(5)? {
            true => Some(LeafPartition {
                ids: bounds.0.zip(bounds.1),
                has_late_row: row.try_get(8)?,
                missing: row.try_get(9)?,
                invalid: row.try_get(10)?,
                has_untold_times: false,
                is_plain: row.try_get(15)?,
            }),
            false => None,
        };
        Ok(LeafFacts { name: row.try_get(0)?, registered, partition, logged: None })
    })
    .await?;
    for leaf in logged_retirements(client).await? {
        let logged = Some(Retirement::from(&leaf));
        match leaves.iter_mut().find(|known| known.name == leaf.name) {
            Some(known) => known.logged = logged,
            None => leaves.push(LeafFacts {
                name: leaf.name,
                registered: None,
                partition: None,
                logged,
            }),
        }
    }
    for leaf in &mut leaves {
        let is_closed = leaf.registered.is_some_and(|registered| registered.is_closed);
        if let Some(partition) = leaf.partition.as_mut().filter(|part| is_closed && part.is_plain) {
            partition.has_untold_times = has_untold_times(client, &leaf.name).await?;
        }
    }
    Ok(leaves)
}

/// The retirements that the log tells of; what can't be read is found where the log is walked.
async fn logged_retirements(client: &impl GenericClient) -> Result<Vec<RetirementLeaf>, Error> {
    let sql = "SELECT body FROM evidence_leaves WHERE kind = 6 ORDER BY log_no, leaf_index";
    let what = "reading which leaves were retired";
    let bodies: Vec<Option<Vec<u8>>> =
        query::rows(client, what, sql, &[], |row| row.try_get(0)).await?;
    let read = |body: Option<Vec<u8>>| RetirementLeaf::decode(&body?).ok();
    Ok(bodies.into_iter().filter_map(read).collect())
}

async fn has_untold_times(client: &impl GenericClient, leaf: &str) -> Result<bool, Error> {
    let table = leaf.replace('"', "\"\"");
    let sql = format!(
        "SELECT earliest IS NOT NULL AND NOT coalesce(min_created_at <= earliest AND max_created_at >= latest, false)
           FROM (SELECT min(created_at) AS earliest, max(created_at) AS latest FROM \"{table}\") AS found, event_log_leaves
          WHERE name = $1"
    );
    let what = "comparing the times of a leaf";
    query::row(client, what, &sql, &[(&leaf, Type::TEXT)], |row| row.try_get(0)).await
}

// Which indexes a leaf needs is what `seal_event_log_leaf` builds, and what a light leaf is made
// with. Leaves from before version 11 have an index on the same columns in another order.
const LEAVES: &str = "
WITH part AS (
    SELECT oid, relname::text AS name,
           regexp_match(pg_get_expr(relpartbound, oid), '^FOR VALUES FROM \\(''(\\d+)''\\) TO \\(''(\\d+)''\\)$') AS bound,
           relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT relrowsecurity
           AND relam = (SELECT oid FROM pg_am WHERE amname = 'heap')
           AND NOT EXISTS (SELECT FROM pg_rewrite WHERE ev_class = pg_class.oid)
           AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = pg_class.oid) AS is_plain
      FROM pg_class
     WHERE oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.event_logs'::regclass)
)
SELECT name, first_id, next_id, closed_at IS NOT NULL, sealed_at IS NOT NULL,
       part.oid IS NOT NULL, bound[1]::bigint, bound[2]::bigint,
       EXISTS (SELECT FROM pg_trigger WHERE tgrelid = part.oid AND tgname = 'late_row'),
       coalesce(missing, '{}'), coalesce(invalid, '{}'), retired_rows, min_created_at, max_created_at, retired_at,
       coalesce(is_plain, false)
  FROM part FULL JOIN event_log_leaves USING (name)
  LEFT JOIN LATERAL (
       SELECT array_agg(wanted.definition) FILTER (WHERE is_valid IS NULL) AS missing,
              array_agg(wanted.definition) FILTER (WHERE NOT is_valid) AS invalid
         FROM event_log_leaf_indexes() AS wanted
        CROSS JOIN LATERAL (SELECT bool_or(valid) AS is_valid FROM event_log_indexes_of(part.oid::regclass::text) AS index_
                             WHERE index_.definition = wanted.definition
                                OR wanted.definition = 'btree (event_type, source_service, partition_id)'
                               AND index_.definition = 'btree (partition_id, event_type, source_service, is_dlt)') AS found
        WHERE wanted.sealed = (sealed_at IS NOT NULL)) AS needed ON part.oid IS NOT NULL
 ORDER BY name";
