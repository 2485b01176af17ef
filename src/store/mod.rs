//! PostgreSQL: one function for each query, its SQL beside it.

mod connection;
mod error;
mod read;
mod search;
pub mod write;

pub use connection::parameters::{ConnectionParameter, ParameterSource};
pub use connection::pool::SessionPool;
pub use connection::schema::{Migration, SchemaState};
pub use connection::session::{Notifications, ReadMode, ReadTransaction, Session};
pub use connection::settings::Settings;
pub use connection::url::DatabaseUrl;
pub use error::Error;
pub use read::batches::{RecordedBatch, batches_after, last_in_commit_order};
pub use read::counts::{Bucket, CountGroup, Grouping, groups, histogram};
pub use read::dead_letters::{
    DeadLetterGroup, RawDeadLetter, dead_letter_groups, raw_dead_letters, replay_candidates,
};
pub use read::events::{
    DeadLetterSummary, EventLookup, ReplaySummary, StoredEvent, dead_letter_summaries,
    event_before, event_of_row, events, find_event, replay_summaries,
};
pub use read::ledger_scan::{BatchScan, KnownPartition, LedgerScan, RowScan};
pub use read::status::{
    DatabaseStatus, IngesterStatus, LostRange, PartitionStatus, count_duplicates, database_status,
    ingester_statuses, lost_ranges, partition_statuses,
};
pub use search::cursor::{Cursor, CursorError, Order, Snapshot};
pub use search::event_column::EventColumn;
pub use search::event_query::{EventQuery, RowOrder, snapshot, time_span};
pub use search::event_row::EventRow;
pub use search::resolve::{DistinctColumn, ResolvedSelection, RowScope, distinct_values, resolve};
pub use write::batch::{
    BATCH_CHANNEL, Batch, BatchStatus, DEAD_LETTER_COLUMN_COUNT, EVENT_COLUMN_COUNT, IdBlock,
    OffsetRange, RangeKind, Writer, Written, back_off,
};
pub use write::migrate::{apply_roles, migrate, pending, schema_state};
pub use write::partitions::{
    Claim, PartitionKey, PartitionProgress, begin_incarnation, claim, end_lock_holders,
    installation_id, known_topics, partition_progress,
};
pub use write::replays::{
    PendingReplay, ReplayIntent, ReplayOutcome, ReplayResult, lock_replays, pending_replays,
    replay_outcomes, settle_replays, write_intents,
};
