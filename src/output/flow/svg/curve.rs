//! Edges as curves.

use std::fmt::Write as _;

/// How long a tip is.
pub(super) const ARROW: f64 = 8.0;

/// A curve through points that lie below each other, or above, with a tip at its end. It begins and
/// ends upright, and between two points it leads no farther to a side than they are (Fritsch,
/// Butland: "A method for constructing local monotone piecewise cubic interpolants").
pub(super) fn curve(points: &[(f64, f64)], stroke: f64) -> String {
    let [first, .., before, last] = points else { return String::new() };
    let onward = if last.1 >= before.1 { 1.0 } else { -1.0 };
    // The tip begins where the line ends.
    let mut points = points.to_vec();
    let end = points.len() - 1;
    points[end].1 -= onward * ARROW;
    let slants: Vec<f64> = points
        .windows(2)
        .map(|ends| match ends[1].1 - ends[0].1 {
            height if height.abs() < 0.1 => 0.0,
            height => (ends[1].0 - ends[0].0) / height,
        })
        .collect();
    let slant_at = |point: usize| match (
        point.checked_sub(1).and_then(|at| slants.get(at)),
        slants.get(point),
    ) {
        (Some(before), Some(behind)) if before * behind > 0.0 => {
            2.0 * before * behind / (before + behind)
        }
        _ => 0.0,
    };
    let mut path = format!("M{:.1} {:.1}", first.0, first.1);
    for (place, ends) in points.windows(2).enumerate() {
        let [(x, y), (next_x, next_y)] = [ends[0], ends[1]];
        let third = (next_y - y) / 3.0;
        let _ = write!(
            path,
            "C{:.1} {:.1} {:.1} {:.1} {next_x:.1} {next_y:.1}",
            x + slant_at(place) * third,
            y + third,
            next_x - slant_at(place + 1) * third,
            next_y - third,
        );
    }
    let tip = ARROW / 2.0 + stroke / 2.0;
    format!(
        "<path class=\"flow-way\" stroke-width=\"{stroke:.1}\" d=\"{path}\"/><path class=\"flow-tip\" d=\"M{:.1} {:.1}l{:.1} {:.1}h{:.1}z\"/>",
        last.0,
        last.1,
        -tip,
        -onward * ARROW,
        2.0 * tip
    )
}

#[cfg(test)]
mod tests {
    use super::curve;

    #[test]
    fn a_curve_goes_through_its_points_and_ends_in_a_tip() {
        let down = curve(&[(0.0, 0.0), (10.0, 30.0), (10.0, 68.0)], 1.0);
        assert!(
            down.contains("M0.0 0.0C0.0 10.0 10.0 20.0 10.0 30.0C10.0 40.0 10.0 50.0 10.0 60.0"),
            "{down}"
        );
        assert!(down.contains("M10.0 68.0l-4.5 -8.0h9.0z"), "{down}");
        let up = curve(&[(10.0, 60.0), (5.0, 30.0), (0.0, 0.0)], 1.0);
        assert!(up.contains("M0.0 0.0l-4.5 8.0h9.0z"), "{up}");
    }
}
