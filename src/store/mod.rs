//! PostgreSQL: one function for each query, its SQL beside it.

mod connection;
mod error;
mod read;
mod search;
pub mod write;

pub use connection::parameters::{ConnectionParameter, DatabaseUrl, ParameterSource, Settings};
pub use connection::pool::SessionPool;
pub use connection::schema::home::Home;
pub use connection::schema::{Migration, SchemaState};
pub use connection::session::{
    Notifications, ReadMode, ReadTransaction, Session, SharedReading, SharedSnapshot,
};
pub use connection::session_lock::SessionLock;
pub use error::Error;
pub use read::analysis::repeated::repeated_deliveries;
pub use read::analysis::stated_stories::stated_stories;
pub use read::analysis::stories::{Stories, steps_without_story, stories, stories_of};
pub use read::analysis::story_amounts::{
    AmountSide, AmountSides, AmountStories, amounts_without_story, story_amounts, types_of,
};
pub use read::analysis::story_ids::{StoryIds, story_ids};
pub use read::analysis::unended::{StoryEnd, UnendedStories, unended_stories};
pub use read::analysis::usual::{LearnFrom, Learned, learn};
pub use read::bounds::{id_span, recorded_rows, snapshot, stored_rows, time_span};
pub use read::commit_order::{
    RecordedBatch, RowBatch, batches_after, batches_of_ids, last_in_commit_order, rows_after,
};
pub use read::counts::figure::{Figure, FigureKind};
pub use read::counts::grouping::Grouping;
pub use read::counts::groups::{CountQuery, Counts, EventCount, TotalCount};
pub use read::counts::over_time::{TimeBucket, histogram, hours_of_week};
pub use read::counts::state::CountState;
pub use read::dead_letters::{
    DeadLetterError, DeadLetterGroup, DeadLetterSummary, dead_letter_groups, dead_letter_summaries,
    newest_errors,
};
pub use read::events::find_event::{EventLookup, deliveries_of, find_event};
pub use read::events::id_columns::{IdColumn, columns_of_id};
pub use read::events::id_events::{IdEvents, MOST_COUNTED, events_of_id};
pub use read::events::stored_event::{StoredEvent, event_before, event_of_row, events};
pub use read::evidence::adoptable::{Adoptable, adoptable, adoptable_batches};
pub use read::evidence::batch_leaves::LedgerBatch;
pub use read::evidence::checkpoints::{StoredCheckpoint, first_checkpoint_over, last_checkpoint};
pub use read::evidence::coverage::{Amount, EvidenceCoverage, evidence_coverage};
pub use read::evidence::covered::{BatchCover, LogCover, batch_cover, log_cover};
pub use read::evidence::log::{
    BatchPlace, LogHead, LogLeaf, log_head, log_leaves, places_of_batch,
};
pub use read::evidence::log_name::log_name;
pub use read::evidence::nodes::log_nodes;
pub use read::evidence::proven_batch::{batch_of_row, proven_batch};
pub use read::evidence::recomputed::recomputed_hashes;
pub use read::evidence::row_forms::{HashedRows, hashed_rows};
pub use read::first_deliveries::{FirstDeliveries, FirstDelivery, ObjectId, ObjectKind, TypeRows};
pub use read::known_values::{KnownValues, known_values};
pub use read::lacking_schemas::{LackingSchemas, lacking_schemas};
pub use read::leaves::{Leaf, LeafBuild, LeafState, last_recorded_id, leaf_build, leaves};
pub use read::migration_progress::{IndexBuild, MigrationStep, backend, migration_step};
pub use read::partitions::{
    PartitionProgress, default_group, installation_id, known_topics, partition_names,
    partition_progress,
};
pub use read::replay_candidates::{RawDeadLetter, raw_dead_letters, replay_candidates};
pub use read::replays::{
    PendingReplay, ReplayOutcome, pending_replays, replay_outcomes, replays_of,
};
pub use read::retirements::{
    ClosedLeaf, RetiredBatches, RetiredLeaf, RetiredTotals, closed_leaves, retired_batches_after,
    retired_leaf_of, retired_totals,
};
pub use read::status::{
    DatabaseStatus, Duplicates, IngesterStatus, LakeWriter, LostRange, PartitionStatus,
    database_status, duplicates, ingester_statuses, known_duplicates, lake_writers, lost_ranges,
    partition_statuses, server_start,
};
pub use read::verification::copied_rows::CopiedRows;
pub use read::verification::duplicates::DuplicateTotals;
pub use read::verification::leaf_facts::{LeafFacts, LeafPartition, RegisteredLeaf, Retirement};
pub use read::verification::ledger_scan::{
    BatchScan, KnownPartition, LedgerScan, LedgerTotals, known_partitions,
};
pub use read::verification::log_scan::{LeafScan, TileScan, Unlogged};
pub use read::verification::row_copy::{RowCopy, RowReader};
pub use read::verification::schema_facts::{MIGRATED_FACTS, SchemaFact};
pub use search::counted::Counting;
pub use search::distinct_values::{DistinctColumn, some_values};
pub use search::event_column::EventColumn;
pub use search::event_query::EventQuery;
pub use search::event_row::EventRow;
pub use search::resolve::selection::resolve;
pub use search::resolved::{ResolvedSelection, RowScope};
pub use search::selected_column::{PayloadPath, SelectedColumn};
pub use search::story_by::StoryBy;
pub use search::text_id::id_text;
pub use search::walk::cursor::{Cursor, CursorError, Order, Snapshot};
pub use search::walk::row_order::RowOrder;
pub use write::adopt::{Adoption, adopt};
pub use write::batch::{
    BATCH_CHANNEL, Batch, BatchStatus, IdBlock, OffsetRange, RangeKind, Roots, Written,
};
pub use write::claims::{
    Claim, TopicIdPartition, begin_incarnation, claim, end_lock_holders, register_partitions,
};
pub use write::event_counts::{CountingStep, EventCounts, commit_without_waiting, count_piece};
pub use write::evidence::adopt_batches::{adopt_batches, check_owner, lock_adoption};
pub use write::evidence::begin_anew::{HeldLog, hold_log};
pub use write::evidence::keep_checkpoint::keep_checkpoint;
pub use write::leaves::{SealStep, Sealing, seal_step, summarize_leaves};
pub use write::migrate::{apply_roles, migrate, pending, schema_state};
pub use write::replays::{
    ReplayIntent, ReplayResult, lock_replays, write_replay_intents, write_replay_results,
};
pub use write::retention::{
    LockHolder, RetentionRight, RetireStep, RetirementNote, begin_retention,
    remove_retired_dead_letters, retire_leaf,
};
pub use write::writer::{
    DEAD_LETTER_COLUMN_COUNT, EVENT_COLUMN_COUNT, Trial, TrialRows, Writer, back_off,
};
