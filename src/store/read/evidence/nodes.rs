//! The hashes of the log that a root or a proof is made of, in one round trip.

use tokio_postgres::types::Type;

use super::log::hash_of;
use crate::evidence::Hash;
use crate::evidence::log_nodes::{HashRange, LogQuestion};
use crate::store::connection::session::Session;
use crate::store::error::Error;

/// Answers a question to a log; `None` where it has no such leaf or size.
///
/// # Errors
/// `Error::Query`; `Error::EvidenceLacks` where leaves or tiles are missing.
pub async fn log_nodes(
    session: &Session,
    log_no: i32,
    question: LogQuestion,
) -> Result<Option<Vec<Hash>>, Error> {
    let Some(ranges) = question.hashes() else { return Ok(None) };
    let hashes = hashes(session, log_no, &ranges).await?;
    Ok(question.answer(&hashes))
}

/// The level that stands for leaves.
const LEAVES: i16 = -1;

async fn hashes(
    session: &Session,
    log_no: i32,
    ranges: &[HashRange],
) -> Result<Vec<Vec<Hash>>, Error> {
    const WHAT: &str = "reading the log of evidence";
    let level = |range: &HashRange| range.tile_level.map_or(LEAVES, i16::from);
    let levels: Vec<i16> = ranges.iter().map(level).collect();
    let firsts: Vec<i64> = ranges.iter().map(|range| range.first.cast_signed()).collect();
    let lasts: Vec<i64> = ranges.iter().map(|range| range.last().cast_signed()).collect();
    let found: Vec<Option<Vec<Vec<u8>>>> = session
        .rows(
            WHAT,
            "SELECT CASE range.level
                    WHEN -1 THEN (SELECT array_agg(leaf.hash ORDER BY leaf.leaf_index) FROM evidence_leaves leaf
                                   WHERE leaf.log_no = $1 AND leaf.leaf_index BETWEEN range.first AND range.last)
                    ELSE (SELECT array_agg(tile.hash ORDER BY tile.tile_no) FROM evidence_tiles tile
                           WHERE tile.log_no = $1 AND tile.level = range.level
                             AND tile.tile_no BETWEEN range.first AND range.last) END
               FROM unnest($2::smallint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS range (level, first, last, place)
              ORDER BY range.place",
            &[
                (&log_no, Type::INT4),
                (&levels, Type::INT2_ARRAY),
                (&firsts, Type::INT8_ARRAY),
                (&lasts, Type::INT8_ARRAY),
            ],
            |row| row.try_get(0),
        )
        .await?;
    let mut hashes = Vec::with_capacity(ranges.len());
    for (range, found) in ranges.iter().zip(found) {
        let found = found.unwrap_or_default();
        if found.len() as u64 != range.count {
            return Err(lacking(log_no, range));
        }
        hashes.push(found.iter().map(|hash| hash_of(hash)).collect::<Result<_, _>>()?);
    }
    Ok(hashes)
}

fn lacking(log_no: i32, range: &HashRange) -> Error {
    let HashRange { first, .. } = range;
    let what = match range.tile_level {
        None => format!("leaves {first} to {}", range.last()),
        Some(level) => format!("tiles {first} to {} of level {level}", range.last()),
    };
    Error::EvidenceLacks { what: format!("log {log_no} has not all of its {what}") }
}
