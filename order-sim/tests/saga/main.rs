//! Both services as processes, on a real PostgreSQL and a real Kafka.

mod crashes;
mod dead_letters;
mod formats;
mod isolation;
mod outcomes;
mod world;
