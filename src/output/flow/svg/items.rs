//! What a layered drawing is made of.

/// What has a place of its own in a layer: a node, or a point that an edge passes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) layer: usize,
    /// The room at its left and right.
    pub(super) left: f64,
    pub(super) right: f64,
    /// Where it is.
    pub(super) x: f64,
}

/// A piece of an edge, from one layer to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) upper: usize,
    pub(super) lower: usize,
    /// How much it matters that it is straight.
    pub(super) weight: f64,
}

/// What is above and below each item, with the weights.
pub(super) struct Links {
    pub(super) above: Vec<Vec<(usize, f64)>>,
    pub(super) below: Vec<Vec<(usize, f64)>>,
}

impl Links {
    /// Those of these pieces.
    pub(super) fn new(items: usize, pieces: &[Piece]) -> Self {
        let mut links = Self { above: vec![Vec::new(); items], below: vec![Vec::new(); items] };
        for piece in pieces {
            links.above[piece.lower].push((piece.upper, piece.weight));
            links.below[piece.upper].push((piece.lower, piece.weight));
        }
        links
    }
}
