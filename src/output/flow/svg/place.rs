//! Where the items of each layer are from left to right: as near to what they are joined with as
//! their neighbours let them.

use super::items::{Item, Links};

/// Between two items.
const GAP: f64 = 18.0;

/// How often the layers are gone through, downwards and upwards in turn.
const SWEEPS: usize = 30;

/// Places the items; the leftmost begins at 0.
pub(super) fn place(items: &mut [Item], layers: &[Vec<usize>], links: &Links) {
    for layer in layers {
        let aims: Vec<(f64, f64)> = layer.iter().map(|_| (0.0, 1.0)).collect();
        settle(items, layer, &aims);
    }
    for sweep in 0..SWEEPS {
        let is_last = sweep + 2 >= SWEEPS;
        let is_down = sweep % 2 == 0;
        for step in 0..layers.len() {
            let layer = &layers[if is_down { step } else { layers.len() - 1 - step }];
            let aims: Vec<(f64, f64)> = layer
                .iter()
                .map(|item| {
                    let above = links.above[*item].iter().filter(|_| is_down || is_last);
                    let below = links.below[*item].iter().filter(|_| !is_down || is_last);
                    let (mut sum, mut weights) = (0.0, 0.0);
                    for (other, weight) in above.chain(below) {
                        sum += items[*other].x * weight;
                        weights += weight;
                    }
                    if weights > 0.0 { (sum / weights, weights) } else { (items[*item].x, 0.01) }
                })
                .collect();
            settle(items, layer, &aims);
        }
    }
    let leftmost = items.iter().map(|item| item.x - item.left).fold(f64::INFINITY, f64::min);
    items.iter_mut().for_each(|item| item.x -= leftmost);
}

/// Places the items of a layer, which stay in their order and apart, with the least sum of weighted
/// squares of the distances to where they want to be. Items that would overlap make a block, which
/// has the mean of their places (pool adjacent violators).
fn settle(items: &mut [Item], layer: &[usize], aims: &[(f64, f64)]) {
    // Where each item would be if all stood as near to each other as they may.
    let mut offsets = Vec::with_capacity(layer.len());
    let mut offset = 0.0;
    for (index, item) in layer.iter().enumerate() {
        if index > 0 {
            offset += items[layer[index - 1]].right + GAP + items[*item].left;
        }
        offsets.push(offset);
    }
    // A block: its mean, its weight, how many items.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for ((aim, weight), offset) in aims.iter().zip(&offsets) {
        let mut block = (aim - offset, *weight, 1);
        while let Some(before) = blocks.pop_if(|before| before.0 > block.0) {
            let weight = before.1 + block.1;
            let mean = (before.0 * before.1 + block.0 * block.1) / weight;
            block = (mean, weight, before.2 + block.2);
        }
        blocks.push(block);
    }
    let means = blocks.iter().flat_map(|(mean, _, count)| std::iter::repeat_n(*mean, *count));
    for ((item, offset), mean) in layer.iter().zip(&offsets).zip(means) {
        items[*item].x = mean + offset;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stand_where_they_want_to_and_never_overlap() {
        let item = Item { layer: 0, left: 10.0, right: 10.0, x: 0.0 };
        let mut items = [item; 4];
        settle(&mut items, &[0, 1, 2, 3], &[(0.0, 1.0), (100.0, 1.0), (100.0, 1.0), (500.0, 1.0)]);
        let places: Vec<f64> = items.iter().map(|item| item.x).collect();
        assert_eq!(places, [0.0, 81.0, 119.0, 500.0]);
    }
}
