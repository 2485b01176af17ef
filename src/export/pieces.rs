//! The ranges of ids that are read one after the other, or side by side.

use crate::store::RecordedBatch;

/// How many ids a piece spans at most: enough that asking for it costs nothing beside reading it,
/// and few enough that several sessions end at about the same time.
const WIDTH: i64 = 16_384;

/// A range of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdRange {
    /// The id behind which it begins.
    pub after: i64,
    /// Its last id, inclusive.
    pub last: i64,
}

impl IdRange {
    /// Whether it spans as few ids as a piece does.
    pub(super) fn is_small(&self) -> bool {
        self.last.saturating_sub(self.after) <= WIDTH
    }
}

/// All ids of a range, in order.
pub(super) fn by_id(whole: IdRange) -> Vec<IdRange> {
    let mut pieces = Vec::new();
    cut(whole, &mut pieces);
    pieces
}

/// The ids of these batches, in the order of the batches. Neighbours are read together.
pub(super) fn of_batches(batches: &[RecordedBatch]) -> Vec<IdRange> {
    let mut pieces = Vec::new();
    let mut whole: Option<IdRange> = None;
    for (first, last) in batches.iter().filter_map(|batch| batch.ids) {
        let range = IdRange { after: first.saturating_sub(1), last };
        whole = Some(match whole {
            Some(before) if before.last == range.after => IdRange { last, ..before },
            Some(before) => {
                cut(before, &mut pieces);
                range
            }
            None => range,
        });
    }
    whole.into_iter().for_each(|range| cut(range, &mut pieces));
    pieces
}

fn cut(range: IdRange, pieces: &mut Vec<IdRange>) {
    let mut after = range.after;
    while after < range.last {
        let last = after.saturating_add(WIDTH).min(range.last);
        pieces.push(IdRange { after, last });
        after = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(ids: &[Option<(i64, i64)>]) -> Vec<RecordedBatch> {
        let numbered = (1..).zip(ids);
        numbered.map(|(batch_no, ids)| RecordedBatch { batch_no, ids: *ids }).collect()
    }

    #[test]
    fn every_id_is_in_one_piece() {
        assert_eq!(by_id(IdRange { after: 6, last: 7 }), [IdRange { after: 6, last: 7 }]);
        let pieces = by_id(IdRange { after: 0, last: 2 * WIDTH + 1 });
        assert_eq!(pieces.len(), 3);
        assert_eq!((pieces[0].after, pieces[2].last), (0, 2 * WIDTH + 1));
        assert!(pieces.windows(2).all(|pair| pair[0].last == pair[1].after));
    }

    #[test]
    fn neighbouring_batches_are_one_piece_and_the_order_of_batches_is_kept() {
        let pieces = of_batches(&batches(&[
            Some((1, 10)),
            None,
            Some((11, 12)),
            Some((31, 40)),
            Some((13, 20)),
        ]));
        let range = |after, last| IdRange { after, last };
        assert_eq!(pieces, [range(0, 12), range(30, 40), range(12, 20)]);
        let wide = of_batches(&batches(&[Some((1, WIDTH)), Some((WIDTH + 1, WIDTH + 5))]));
        assert_eq!(wide, [range(0, WIDTH), range(WIDTH, WIDTH + 5)]);
    }
}
