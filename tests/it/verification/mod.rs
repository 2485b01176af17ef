//! What `audit verify` finds: alterations by somebody who has every right on the database, and
//! knows the schema.

mod alterations;
mod attacked;
mod attacker;
mod binary;
mod canonical;
mod harmless;
mod random;
mod trusted;
mod upgraded;
mod world;
