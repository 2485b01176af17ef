//! A layered drawing (Sugiyama, Tagawa, Toda 1981): nodes in layers, long edges cut into pieces
//! that lead from one layer to the next, each layer ordered so that few pieces cross.

use super::items::{Item, Links, Piece};
use super::place::place;
use crate::output::flow::graph::{Drawn, FlowPicture};

/// How often the layers are ordered, downwards and upwards in turn.
const SWEEPS: usize = 24;

/// The drawing: where everything is from left to right.
#[derive(Debug)]
pub(super) struct Layers {
    /// The nodes, in the order of the picture; behind them the points of the edges.
    pub(super) items: Vec<Item>,
    /// From top to bottom, each from left to right.
    pub(super) layers: Vec<Vec<usize>>,
    /// The items that each edge passes, from top to bottom; empty for loops.
    pub(super) routes: Vec<Vec<usize>>,
    /// The item that holds the label of each edge but loops.
    pub(super) labels: Vec<Option<usize>>,
}

/// The room that a node or a label takes at its left and right.
pub(super) struct Extents<'a> {
    pub(super) node: &'a dyn Fn(usize) -> (f64, f64),
    pub(super) label: &'a dyn Fn(&Drawn<'_>) -> f64,
}

impl Layers {
    /// Lays a picture out: layers of nodes and, between them, layers of labels.
    pub(super) fn new(picture: &FlowPicture<'_>, extents: &Extents<'_>) -> Self {
        let item = |layer, left, right| Item { layer, left, right, x: 0.0 };
        let nodes = picture.nodes.iter().enumerate();
        let mut items: Vec<Item> = nodes
            .map(|(place, node)| {
                let (left, right) = (extents.node)(place);
                item(2 * node.rank, left, right)
            })
            .collect();
        let (mut routes, mut labels, mut pieces) = (Vec::new(), Vec::new(), Vec::new());
        for drawn in &picture.edges {
            let (mut route, mut label) = (Vec::new(), None);
            if !drawn.is_loop() {
                let [mut upper, mut lower] = [drawn.from, drawn.to];
                if items[upper].layer > items[lower].layer {
                    (upper, lower) = (lower, upper);
                }
                let (first, last) = (items[upper].layer, items[lower].layer);
                // A layer between two of nodes, near the middle.
                let middle = ((first + last) / 2) | 1;
                route.push(upper);
                for layer in first + 1..last {
                    let half = if layer == middle { (extents.label)(drawn) / 2.0 } else { 4.0 };
                    if layer == middle {
                        label = Some(items.len());
                    }
                    route.push(items.len());
                    items.push(item(layer, half, half));
                }
                route.push(lower);
                let part = drawn.edge.count as f64 / picture.most() as f64;
                let straight = if route.len() > 3 { 4.0 } else { 1.0 };
                pieces.extend(route.windows(2).map(|ends| Piece {
                    upper: ends[0],
                    lower: ends[1],
                    weight: straight * (0.2 + part),
                }));
            }
            routes.push(route);
            labels.push(label);
        }
        let depth = items.iter().map(|item| item.layer + 1).max().unwrap_or(0);
        let mut layers = vec![Vec::new(); depth];
        for place in depth_first(&items, &pieces, picture.nodes.len()) {
            layers[items[place].layer].push(place);
        }
        let links = Links::new(items.len(), &pieces);
        let layers = ordered(layers, items.len(), &pieces, &links);
        place(&mut items, &layers, &links);
        Self { items, layers, routes, labels }
    }
}

/// All items, each before those that are reached from it: what belongs together begins together.
fn depth_first(items: &[Item], pieces: &[Piece], nodes: usize) -> Vec<usize> {
    let mut below = vec![Vec::new(); items.len()];
    for piece in pieces {
        below[piece.upper].push(piece.lower);
    }
    let mut seen = vec![false; items.len()];
    let mut order = Vec::with_capacity(items.len());
    for start in 0..nodes {
        let mut waiting = vec![start];
        while let Some(next) = waiting.pop() {
            if !std::mem::replace(&mut seen[next], true) {
                order.push(next);
                // The most frequent edge comes first.
                waiting.extend(below[next].iter().rev());
            }
        }
    }
    order
}

/// The layers, each item near the middle of those that it is joined with, in the order with the
/// fewest crossings that was found.
fn ordered(
    mut layers: Vec<Vec<usize>>,
    items: usize,
    pieces: &[Piece],
    links: &Links,
) -> Vec<Vec<usize>> {
    let mut positions = vec![0.0; items];
    let note = |layer: &[usize], positions: &mut Vec<f64>| {
        let middle = layer.len() as f64 / 2.0;
        layer.iter().enumerate().for_each(|(at, item)| positions[*item] = at as f64 - middle);
    };
    layers.iter().for_each(|layer| note(layer, &mut positions));
    let mut best = (crossings(&layers, pieces, &positions), layers.clone());
    for sweep in 0..SWEEPS {
        let is_down = sweep % 2 == 0;
        for step in 1..layers.len() {
            let index = if is_down { step } else { layers.len() - 1 - step };
            let joined = if is_down { &links.above } else { &links.below };
            let aim = |item: &usize| {
                let weights: f64 = joined[*item].iter().map(|(_, weight)| weight).sum();
                let sum = joined[*item].iter().map(|(other, weight)| positions[*other] * weight);
                if weights > 0.0 { sum.sum::<f64>() / weights } else { positions[*item] }
            };
            let mut aims: Vec<(f64, usize)> =
                layers[index].iter().map(|item| (aim(item), *item)).collect();
            aims.sort_by(|one, other| one.0.total_cmp(&other.0));
            layers[index] = aims.into_iter().map(|(_, item)| item).collect();
            note(&layers[index], &mut positions);
        }
        let crossed = crossings(&layers, pieces, &positions);
        if crossed < best.0 {
            best = (crossed, layers.clone());
        }
    }
    best.1
}

/// How many pieces cross.
fn crossings(layers: &[Vec<usize>], pieces: &[Piece], positions: &[f64]) -> usize {
    let mut layer_of = vec![0; positions.len()];
    for (index, layer) in layers.iter().enumerate() {
        layer.iter().for_each(|item| layer_of[*item] = index);
    }
    let mut between: Vec<Vec<(f64, f64)>> = vec![Vec::new(); layers.len()];
    for piece in pieces {
        let ends = (positions[piece.upper], positions[piece.lower]);
        between[layer_of[piece.upper]].push(ends);
    }
    let mut crossed = 0;
    for ends in &mut between {
        ends.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let mut seen: Vec<f64> = Vec::with_capacity(ends.len());
        for (_, lower) in ends {
            let place = seen.partition_point(|before| before <= lower);
            crossed += seen.len() - place;
            seen.insert(place, *lower);
        }
    }
    crossed
}
