//! PostgreSQL: one function for each query, its SQL beside it.

mod batch;
mod connect;
pub mod copy;
mod error;
mod migrate;
mod partitions;
mod password_file;

pub use batch::{
    BATCH_CHANNEL, Batch, DEAD_LETTER_COLUMN_COUNT, EVENT_COLUMN_COUNT, IdBlock, OffsetRange, RangeKind,
    Standing, Writer, Written, back_off,
};
pub use connect::{Notifications, Settings, connect, connect_listening};
pub use error::Error;
pub use migrate::{AppliedMigration, SchemaState, apply_roles, check_schema, migrate, pending, schema_state};
pub use partitions::{
    Claim, PartitionKey, Recorded, begin_incarnation, claim, end_lock_holders, installation_id, recorded,
};
