//! What is drawn: the frequent edges of a flow, its nodes in the order in which they happen.

use std::collections::{BTreeMap, BTreeSet};

/// One way from an event to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowEdge {
    /// The type that it leads from; `None` is the beginning.
    pub from: Option<String>,
    /// The type that it leads to; `None` is the end.
    pub to: Option<String>,
    /// How often it was taken.
    pub count: u64,
    /// The part of all that leaves `from`, 0 to 1.
    pub share: f64,
    /// The median of the time between, in microseconds.
    pub p50: Option<i64>,
    /// Nineteen of twenty took no longer.
    pub p95: Option<i64>,
}

/// A flow that can be drawn.
#[derive(Debug)]
pub struct FlowPicture<'a> {
    /// The first is the beginning, the last the end; the others are in the order of the flow.
    pub(super) nodes: Vec<Node<'a>>,
    /// The most frequent first.
    pub(super) edges: Vec<Drawn<'a>>,
    left_out: usize,
}

/// Where edges begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node<'a> {
    /// `None` for the beginning and the end.
    pub(super) name: Option<&'a str>,
    /// How often it happened, in edges that are not drawn, too.
    pub(super) count: u64,
    /// How many steps it is from the beginning, at most.
    pub(super) rank: usize,
    /// How many edges that leave it are not drawn, and how often they were taken.
    pub(super) folded: (usize, u64),
}

/// An edge that is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn<'a> {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) edge: &'a FlowEdge,
    /// Whether it leads back to what usually comes before.
    pub(super) goes_back: bool,
}

impl Drawn<'_> {
    /// Whether a type follows itself.
    pub(super) fn is_loop(&self) -> bool {
        self.from == self.to
    }
}

const BEGINNING: usize = 0;

impl<'a> FlowPicture<'a> {
    /// The picture of the `most` first edges, which are the most frequent ones, and of a few more:
    /// no type is drawn without its most frequent way in and out.
    pub fn new(edges: &'a [FlowEdge], most: usize) -> Self {
        let chosen = choose(edges, most);
        let left_out = edges.len() - chosen.len();
        let names: BTreeSet<&str> = chosen
            .iter()
            .flat_map(|edge| [&edge.from, &edge.to])
            .flatten()
            .map(|name| &**name)
            .collect();
        let names: Vec<&str> = names.into_iter().collect();
        let end = names.len() + 1;
        let place = |name: &Option<String>, without: usize| match name {
            Some(name) => names.binary_search(&&**name).map_or(without, |place| place + 1),
            None => without,
        };
        let mut drawn: Vec<Drawn<'a>> = chosen
            .into_iter()
            .map(|edge| Drawn {
                from: place(&edge.from, BEGINNING),
                to: place(&edge.to, end),
                edge,
                goes_back: false,
            })
            .collect();
        mark_ways_back(&mut drawn, end + 1);
        let ranks = ranks(&drawn, end);
        let mut counts = vec![0; end + 1];
        let mut leaving = vec![(0, 0); end + 1];
        for edge in edges {
            let is_drawn = |name: &str| names.binary_search(&name).is_ok();
            if edge.to.as_deref().is_none_or(is_drawn) {
                counts[place(&edge.to, end)] += edge.count;
            }
            if edge.from.as_deref().is_none_or(is_drawn) {
                let (edges, count) = &mut leaving[place(&edge.from, BEGINNING)];
                (*edges, *count) = (*edges + 1, *count + edge.count);
            }
        }
        counts[BEGINNING] = leaving[BEGINNING].1;
        for drawn in &drawn {
            let (edges, count) = &mut leaving[drawn.from];
            (*edges, *count) = (*edges - 1, *count - drawn.edge.count);
        }
        let mut order: Vec<usize> = (1..end).collect();
        order.sort_by_key(|node| (ranks[*node], std::cmp::Reverse(counts[*node]), *node));
        order.insert(0, BEGINNING);
        order.push(end);
        let node = |place: &usize| Node {
            name: place.checked_sub(1).and_then(|index| names.get(index)).copied(),
            count: counts[*place],
            rank: ranks[*place],
            folded: leaving[*place],
        };
        let nodes = order.iter().map(node).collect();
        let mut moved = vec![0; end + 1];
        order.iter().enumerate().for_each(|(new, old)| moved[*old] = new);
        for edge in &mut drawn {
            (edge.from, edge.to) = (moved[edge.from], moved[edge.to]);
        }
        Self { nodes, edges: drawn, left_out }
    }

    /// How many edges are not drawn.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The highest count of an edge.
    pub(super) fn most(&self) -> u64 {
        self.edges.iter().map(|drawn| drawn.edge.count).max().unwrap_or(1).max(1)
    }

    /// The place of the end among the nodes.
    pub(super) fn end(&self) -> usize {
        self.nodes.len() - 1
    }
}

/// The edges to draw, in their order.
fn choose(edges: &[FlowEdge], most: usize) -> Vec<&FlowEdge> {
    let mut is_chosen = vec![false; edges.len()];
    is_chosen.iter_mut().take(most).for_each(|chosen| *chosen = true);
    // The first edge from and to a type is the most frequent one.
    let (mut leaving, mut coming) = (BTreeMap::new(), BTreeMap::new());
    for (place, edge) in edges.iter().enumerate() {
        // Who follows only itself leads nowhere.
        if edge.from != edge.to {
            leaving.entry(&edge.from).or_insert(place);
            coming.entry(&edge.to).or_insert(place);
        }
    }
    let mut looked_at: BTreeSet<&String> = BTreeSet::new();
    let mut waiting: Vec<usize> = (0..edges.len().min(most)).collect();
    while let Some(place) = waiting.pop() {
        for name in [&edges[place].from, &edges[place].to].into_iter().flatten() {
            if !looked_at.insert(name) {
                continue;
            }
            let known = Some(name.clone());
            for way in [leaving.get(&known), coming.get(&known)].into_iter().flatten() {
                if !std::mem::replace(&mut is_chosen[*way], true) {
                    waiting.push(*way);
                }
            }
        }
    }
    let chosen = edges.iter().zip(is_chosen).filter(|(_, is_chosen)| *is_chosen);
    chosen.map(|(edge, _)| edge).collect()
}

/// Marks the edges that close a circle of more frequent ones.
fn mark_ways_back(drawn: &mut [Drawn<'_>], nodes: usize) {
    let mut onward: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for edge in drawn {
        let (from, to) = (edge.from, edge.to);
        edge.goes_back = reaches(&onward, to, from);
        if !edge.goes_back {
            onward[from].push(to);
        }
    }
}

fn reaches(onward: &[Vec<usize>], from: usize, to: usize) -> bool {
    let mut seen = vec![false; onward.len()];
    let mut waiting = vec![from];
    while let Some(node) = waiting.pop() {
        if node == to {
            return true;
        }
        if !std::mem::replace(&mut seen[node], true) {
            waiting.extend(&onward[node]);
        }
    }
    false
}

/// How many edges it is to each node at most, ways back aside. The end is behind all.
fn ranks(drawn: &[Drawn<'_>], end: usize) -> Vec<usize> {
    let mut ranks = vec![0; end + 1];
    ranks[1..].fill(1);
    // Without circles the longest way has fewer edges than there are nodes.
    for _ in 0..=end {
        let mut is_settled = true;
        for edge in drawn.iter().filter(|edge| !edge.goes_back) {
            if ranks[edge.to] <= ranks[edge.from] {
                ranks[edge.to] = ranks[edge.from] + 1;
                is_settled = false;
            }
        }
        if is_settled {
            break;
        }
    }
    ranks[end] = ranks.iter().copied().max().unwrap_or(0).max(ranks[end]);
    if ranks[..end].contains(&ranks[end]) {
        ranks[end] += 1;
    }
    ranks
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Edges as text: `A B 10`, `- A 10` from the beginning, `A - 10` to the end. They get times
    /// that grow with their place.
    pub(in crate::output::flow) fn edges(lines: &[&str]) -> Vec<FlowEdge> {
        let split = |line: &&str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            (words[0].clone(), words[1].clone(), words[2].parse::<u64>().expect("a count"))
        };
        let all: Vec<_> = lines.iter().map(split).collect();
        let leaving =
            |name: &str| all.iter().filter(|edge| edge.0 == name).map(|edge| edge.2).sum::<u64>();
        let name = |name: &str| (name != "-").then(|| name.to_owned());
        let edge = |(place, (from, to, count)): (usize, &(String, String, u64))| {
            let time = (from != "-" && to != "-").then_some(412_000 * (place as i64).pow(4));
            FlowEdge {
                from: name(from),
                to: name(to),
                count: *count,
                share: *count as f64 / leaving(from) as f64,
                p50: time,
                p95: time.map(|time| time * 3),
            }
        };
        let mut edges: Vec<FlowEdge> = all.iter().enumerate().map(edge).collect();
        edges.sort_by_key(|edge| std::cmp::Reverse(edge.count));
        edges
    }

    #[test]
    fn nodes_are_in_the_order_of_the_flow_and_rare_edges_lead_back() {
        let edges = edges(&["- A 10", "A B 11", "B A 1", "B B 2", "B C 9", "A - 1", "C - 9"]);
        let picture = FlowPicture::new(&edges, 50);
        let names: Vec<_> =
            picture.nodes.iter().map(|node| (node.name, node.count, node.rank)).collect();
        assert_eq!(
            names,
            [
                (None, 10, 0),
                (Some("A"), 11, 1),
                (Some("B"), 13, 2),
                (Some("C"), 9, 3),
                (None, 10, 4)
            ]
        );
        let back: Vec<_> = picture.edges.iter().filter(|edge| edge.goes_back).collect();
        let back: Vec<_> = back.iter().map(|edge| (edge.from, edge.to)).collect();
        assert_eq!(back, [(2, 2), (2, 1)]);
        assert_eq!(picture.left_out(), 0);
    }

    #[test]
    fn a_type_that_is_drawn_has_its_most_frequent_way_in_and_out() {
        let edges = edges(&["- A 10", "A B 9", "B C 5", "B D 4", "C - 5", "D - 4", "A - 1"]);
        let picture = FlowPicture::new(&edges, 2);
        let drawn: Vec<_> = picture
            .edges
            .iter()
            .map(|drawn| (drawn.edge.from.as_deref(), drawn.edge.to.as_deref()))
            .collect();
        let [a, b, c] = [Some("A"), Some("B"), Some("C")];
        assert_eq!(drawn, [(None, a), (a, b), (b, c), (c, None)]);
        assert_eq!(picture.left_out(), 3);
    }

    proptest::proptest! {
        #[test]
        fn ways_on_never_make_a_circle(ways in proptest::collection::vec((0u8..8, 0u8..8, 1u64..100), 1..40)) {
            let lines: Vec<String> = ways
                .iter()
                .map(|(from, to, count)| {
                    let name = |node: &u8| if *node == 0 { "-".to_owned() } else { node.to_string() };
                    format!("{} {} {count}", name(from), name(to))
                })
                .collect();
            let edges = edges(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            let picture = FlowPicture::new(&edges, 10);
            for drawn in picture.edges.iter().filter(|drawn| !drawn.goes_back) {
                let [from, to] = [drawn.from, drawn.to].map(|place| picture.nodes[place].rank);
                proptest::prop_assert!(from < to, "{drawn:?}");
            }
            proptest::prop_assert_eq!(picture.edges.len() + picture.left_out(), edges.len());
        }
    }
}
