//! PostgreSQL: one function for each query, its SQL beside it.

mod columns;
mod connect;
mod cursor;
mod error;
mod follow;
mod migrate;
mod password_file;
mod resolve;
mod select;
mod statement;

pub use columns::{EventColumn, Value};
pub use connect::{Notifications, Settings, connect, connect_listening};
pub use cursor::{Cursor, CursorError, Order, Snapshot};
pub use error::Error;
pub use follow::{Batch, batches_after, last_in_commit_order};
pub use migrate::{AppliedMigration, SchemaState, apply_roles, check_schema, migrate, pending, schema_state};
pub use resolve::{Distinct, ResolvedSelection, Rows, distinct_values, resolve};
pub use select::{EventQuery, RowOrder, begin_reading, count, end_reading, snapshot};
pub use statement::Statement;
