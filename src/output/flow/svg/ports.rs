//! Where edges leave nodes and come to them: beside each other, in the order of where they lead.

use super::layers::Layers;
use crate::output::flow::graph::FlowPicture;

/// Edges are no farther from each other at a node.
const WIDEST_GAP: f64 = 18.0;

/// How far from the middle of its node each edge is.
pub(super) struct Ports {
    /// At the node above, which it is below of.
    pub(super) below: Vec<f64>,
    /// At the node below.
    pub(super) above: Vec<f64>,
}

impl Ports {
    /// `room` is what edges may take of a node, from left to right.
    pub(super) fn new(
        picture: &FlowPicture<'_>,
        layers: &Layers,
        room: impl Fn(usize) -> f64,
    ) -> Self {
        let spread = |node_of: fn(&[usize]) -> Option<(usize, usize)>| {
            let mut by_node: Vec<Vec<(f64, usize)>> = vec![Vec::new(); picture.nodes.len()];
            for (edge, route) in layers.routes.iter().enumerate() {
                if let Some((node, next)) = node_of(route) {
                    by_node[node].push((layers.items[next].x, edge));
                }
            }
            let mut offsets = vec![0.0; layers.routes.len()];
            let types = by_node.iter_mut().enumerate();
            // A circle has one place for all.
            for (node, edges) in types.filter(|(node, _)| picture.nodes[*node].name.is_some()) {
                edges.sort_by(|one, other| one.0.total_cmp(&other.0));
                let gap = WIDEST_GAP.min(room(node) / edges.len() as f64);
                let middle = edges.len().saturating_sub(1) as f64 / 2.0;
                for (place, (_, edge)) in edges.iter().enumerate() {
                    offsets[*edge] = (place as f64 - middle) * gap;
                }
            }
            offsets
        };
        Self {
            below: spread(|route| Some((*route.first()?, *route.get(1)?))),
            above: spread(|route| Some((*route.last()?, *route.get(route.len().checked_sub(2)?)?))),
        }
    }
}
