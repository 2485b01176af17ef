//! PostgreSQL: one function for each query, its SQL beside it.

mod audit_trail;
mod batch;
mod columns;
mod conditions;
mod connect;
pub mod copy;
mod cursor;
mod dead_letters;
mod error;
mod follow;
mod migrate;
mod overview;
mod partitions;
mod parts;
mod password_file;
mod replays;
mod resolve;
mod select;
mod statement;
mod stats;
mod story;
mod tls;
mod url;

pub use audit_trail::{AuditTrail, Batches, KnownPartition, Rows};
pub use batch::{
    BATCH_CHANNEL, Batch, DEAD_LETTER_COLUMN_COUNT, EVENT_COLUMN_COUNT, IdBlock, OffsetRange, RangeKind,
    Standing, Writer, Written, back_off,
};
pub use columns::{EventColumn, Value};
pub use connect::{Notifications, Settings, connect, connect_listening};
pub use cursor::{Cursor, CursorError, Order, Snapshot};
pub use dead_letters::{
    DeadLetterGroup, RawDeadLetter, dead_letter_groups, raw_dead_letters, replay_candidates,
};
pub use error::Error;
pub use follow::{RecordedBatch, batches_after, last_in_commit_order};
pub use migrate::{AppliedMigration, SchemaState, apply_roles, check_schema, migrate, pending, schema_state};
pub use overview::{
    DatabaseOverview, IngesterOverview, LostRange, PartitionOverview, count_duplicates, database_overview,
    ingester_overviews, lost_ranges, partition_overviews,
};
pub use partitions::{
    Claim, PartitionKey, Recorded, begin_incarnation, claim, end_lock_holders, installation_id, known_topics,
    recorded,
};
pub use parts::{Origin, Part};
pub use replays::{
    Intent, Outcome, PendingReplay, ReplayOutcome, lock_replays, pending_replays, replay_outcomes,
    settle_replays, write_intents,
};
pub use resolve::{Distinct, Reach, ResolvedSelection, distinct_values, resolve};
pub use select::{EventQuery, Reading, RowOrder, begin_reading, count, end_reading, snapshot, time_span};
pub use statement::Statement;
pub use stats::{Bucket, Group, Grouping, groups, histogram};
pub use story::{
    Found, Letter, Replay, StoredEvent, event_before, event_of_row, events, find_event, letters, replays,
};
pub use url::DatabaseUrl;
