//! A flow as SVG: from top to bottom, edges as wide as they are frequent.

mod curve;
mod items;
mod layers;
mod place;
mod ports;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use curve::{ARROW, curve};
use layers::{Extents, Layers};
use ports::Ports;

use super::graph::{Drawn, FlowPicture};
use super::labels::{count_text, edge_text, share_text, time_text};
use crate::output::text::escape::escape_controls;
use crate::output::text::width::{clip, display_width};

/// Where the picture stands, which says what its colours are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SvgTheme {
    /// In a file of its own, on paper of its own: light, or dark where the reader prefers that.
    File,
    /// Within a page: in the colour of its text (`currentColor`). `--flow-paper` is the page's
    /// background, `--flow-back` the colour of ways back, `--flow-fill` that of nodes.
    Page,
}

/// The widest name that is drawn, in columns: all of it is in the title.
const WIDEST_NAME: usize = 36;

const MARGIN: f64 = 14.0;
const NODE_HEIGHT: f64 = 46.0;
const LABEL_HEIGHT: f64 = 22.0;
/// Between two layers.
const LAYER_GAP: f64 = 16.0;
const RADIUS: f64 = 13.0;
/// How far a loop leads out of its node.
const LOOP: f64 = 34.0;

/// The widths of a character: names, labels. A wider font overlaps nothing but gaps.
const NAME_CHARACTER: f64 = 8.3;
const LABEL_CHARACTER: f64 = 6.4;

const STYLE: &str = "\
.flow text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;fill:currentColor;text-anchor:middle}
.flow .flow-name{font-size:13px;font-weight:600}
.flow .flow-label{font-size:11px;stroke-width:4px;stroke-linejoin:round;paint-order:stroke}
.flow .flow-way{fill:none;stroke:currentColor;stroke-opacity:.5}
.flow .flow-tip{fill:currentColor;fill-opacity:.7}
.flow .flow-back .flow-way{stroke-dasharray:5 4}
.flow .flow-node{stroke:currentColor;stroke-opacity:.55;stroke-width:1.2}
.flow .flow-dot{fill:currentColor}
.flow .flow-ring{fill:none;stroke:currentColor;stroke-width:3}";

const FILE_STYLE: &str = "
.flow{color:#1f2328}
.flow .flow-paper{fill:#fff}
.flow .flow-label{stroke:#fff}
.flow .flow-node{fill:#eef3fb}
.flow .flow-back{color:#b35900}
@media (prefers-color-scheme:dark){
.flow{color:#e6edf3}
.flow .flow-paper{fill:#0d1117}
.flow .flow-label{stroke:#0d1117}
.flow .flow-node{fill:#1c2735}
.flow .flow-back{color:#f0a35e}
}";

const PAGE_STYLE: &str = "
.flow .flow-label{stroke:var(--flow-paper,Canvas)}
.flow .flow-node{fill:var(--flow-fill,transparent)}
.flow .flow-back{color:var(--flow-back,#b35900)}";

impl FlowPicture<'_> {
    /// Writes the `<svg>` element. `title` says what it shows, also to those who hear it.
    ///
    /// # Errors
    /// Those of `output`.
    pub fn write_svg(
        &self,
        title: &str,
        theme: SvgTheme,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let node_extents = |place: usize| self.node_extents(place);
        let label_extent = |drawn: &Drawn<'_>| label_width(drawn);
        let layers = Layers::new(self, &Extents { node: &node_extents, label: &label_extent });
        let heights: Vec<f64> = (0..layers.layers.len())
            .map(|layer| if layer % 2 == 0 { NODE_HEIGHT } else { LABEL_HEIGHT })
            .collect();
        let mut middles = Vec::with_capacity(heights.len());
        let mut height = MARGIN;
        for layer in &heights {
            middles.push(height + layer / 2.0);
            height += layer + LAYER_GAP;
        }
        let height = (height - LAYER_GAP + MARGIN).max(2.0 * MARGIN);
        let ends = layers.items.iter().map(|item| item.x + item.right);
        let width = ends.fold(0.0, f64::max) + 2.0 * MARGIN;
        let at = |item: usize| {
            let item = &layers.items[item];
            (MARGIN + item.x, middles[item.layer])
        };
        writeln!(
            output,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flow\" role=\"img\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\">"
        )?;
        writeln!(output, "<title>{}</title>", escaped(title))?;
        let own_style = if theme == SvgTheme::File { FILE_STYLE } else { PAGE_STYLE };
        writeln!(output, "<style>{STYLE}{own_style}</style>")?;
        if theme == SvgTheme::File {
            writeln!(output, "<rect class=\"flow-paper\" width=\"100%\" height=\"100%\"/>")?;
        }
        let mut labels = String::new();
        let ports = Ports::new(self, &layers, |place| self.name_width(place) * 0.7);
        for (place, drawn) in self.edges.iter().enumerate() {
            let part = drawn.edge.count as f64 / self.most() as f64;
            let stroke = 1.0 + 4.5 * part;
            let (way, label) = match layers.labels[place].map(at) {
                None => self.loop_way(drawn, at(drawn.from), stroke),
                Some(label) => {
                    let route = &layers.routes[place];
                    let mut points: Vec<_> = route.iter().copied().map(at).collect();
                    let last = points.len() - 1;
                    points[0].0 += ports.below[place];
                    points[0].1 += self.half_height(route[0]);
                    points[last].0 += ports.above[place];
                    points[last].1 -= self.half_height(route[last]);
                    if route[0] != drawn.from {
                        points.reverse();
                    }
                    (curve(&points, stroke), label)
                }
            };
            let back = if drawn.goes_back { "flow-back" } else { "" };
            let title = escaped(&self.edge_title(drawn));
            writeln!(output, "<g class=\"{back}\"><title>{title}</title>{way}</g>")?;
            // No edge leads across the label of another.
            let _ = writeln!(
                labels,
                "<g class=\"{back}\"><text class=\"flow-label\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
                label.0,
                label.1 + 4.0,
                escaped(&edge_text(drawn.edge))
            );
        }
        output.write_all(labels.as_bytes())?;
        for place in 0..self.nodes.len() {
            self.write_svg_node(place, at(place), output)?;
        }
        writeln!(output, "</svg>")
    }

    fn write_svg_node(
        &self,
        place: usize,
        (x, y): (f64, f64),
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let node = &self.nodes[place];
        let count = count_text(node.count);
        let Some(name) = node.name else {
            let (class, name) =
                if place == self.end() { ("flow-ring", "end") } else { ("flow-dot", "beginning") };
            return writeln!(
                output,
                "<g><circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{RADIUS}\"/><text style=\"text-anchor:start\" x=\"{:.1}\" y=\"{:.1}\">{name} · {count}</text></g>",
                x + RADIUS + 8.0,
                y + 4.0
            );
        };
        let half = self.name_width(place) / 2.0;
        writeln!(
            output,
            "<g><title>{}</title><rect class=\"flow-node\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{NODE_HEIGHT}\" rx=\"8\"/>",
            escaped(&format!("{name}: {count}")),
            x - half,
            y - NODE_HEIGHT / 2.0,
            half * 2.0,
        )?;
        writeln!(
            output,
            "<text class=\"flow-name\" x=\"{x:.1}\" y=\"{:.1}\">{}</text><text x=\"{x:.1}\" y=\"{:.1}\">{count}</text></g>",
            y - 3.0,
            escaped(&shown(name)),
            y + 14.0
        )
    }

    /// The width of a node's box.
    fn name_width(&self, place: usize) -> f64 {
        let node = &self.nodes[place];
        let name = node.name.map_or(0, |name| display_width(&shown(name)));
        (name.max(count_text(node.count).len()) as f64 * NAME_CHARACTER + 22.0).max(70.0)
    }

    fn node_extents(&self, place: usize) -> (f64, f64) {
        let node = &self.nodes[place];
        if node.name.is_none() {
            // What stands beside the circle.
            let label = display_width("beginning · ") + count_text(node.count).len();
            return (RADIUS, RADIUS + 8.0 + label as f64 * LABEL_CHARACTER * 1.1);
        }
        let half = self.name_width(place) / 2.0;
        let own = self.edges.iter().find(|drawn| drawn.is_loop() && drawn.from == place);
        (half, own.map_or(half, |drawn| half + LOOP + label_width(drawn)))
    }

    fn half_height(&self, place: usize) -> f64 {
        match self.nodes.get(place).map(|node| node.name) {
            Some(Some(_)) => NODE_HEIGHT / 2.0,
            Some(None) => RADIUS,
            None => 0.0,
        }
    }

    /// A loop at the right of its node, and where its label is.
    fn loop_way(&self, drawn: &Drawn<'_>, (x, y): (f64, f64), stroke: f64) -> (String, (f64, f64)) {
        let side = x + self.name_width(drawn.from) / 2.0;
        let out = side + LOOP;
        let way = format!(
            "<path class=\"flow-way\" stroke-width=\"{stroke:.1}\" d=\"M{side:.1} {:.1}C{out:.1} {:.1} {out:.1} {:.1} {:.1} {:.1}\"/>",
            y - 10.0,
            y - 22.0,
            y + 22.0,
            side + ARROW,
            y + 10.0
        );
        let tip = ARROW / 2.0 + stroke / 2.0;
        let tip = format!(
            "<path class=\"flow-tip\" d=\"M{side:.1} {:.1}l{ARROW} {:.1}v{:.1}z\"/>",
            y + 10.0,
            -tip,
            2.0 * tip
        );
        (format!("{way}{tip}"), (out - 2.0 + label_width(drawn) / 2.0, y))
    }

    fn edge_title(&self, drawn: &Drawn<'_>) -> String {
        let edge = drawn.edge;
        let from = edge.from.as_deref().unwrap_or("beginning");
        let to = edge.to.as_deref().unwrap_or("end");
        let mut title =
            format!("{from} → {to}: {}, {}", count_text(edge.count), share_text(edge.share));
        if let (Some(p50), Some(p95)) = (edge.p50, edge.p95) {
            let _ = write!(title, ", p50 {}, p95 {}", time_text(p50), time_text(p95));
        }
        title
    }
}

fn label_width(drawn: &Drawn<'_>) -> f64 {
    display_width(&edge_text(drawn.edge)) as f64 * LABEL_CHARACTER + 6.0
}

/// A name as it is drawn.
fn shown(name: &str) -> Cow<'_, str> {
    match escape_controls(name) {
        Cow::Borrowed(name) => clip(name, WIDEST_NAME),
        Cow::Owned(name) => Cow::Owned(clip(&name, WIDEST_NAME).into_owned()),
    }
}

/// Text within an element. XML has no form for most controls: they are shown.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in escape_controls(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::flow::graph::tests::edges;

    fn svg(lines: &[&str], theme: SvgTheme) -> String {
        let edges = edges(lines);
        let picture = FlowPicture::new(&edges, 50);
        let mut output = Vec::new();
        picture.write_svg("Flow of <3> stories", theme, &mut output).expect("writing to memory");
        String::from_utf8(output).expect("UTF-8")
    }

    #[test]
    fn what_a_type_is_named_ends_no_element() {
        let lines = [
            "- </title><script> 3",
            "</title><script> a&\"b\u{1b}\u{202e} 2",
            "a&\"b\u{1b}\u{202e} - 2",
        ];
        let text = svg(&lines, SvgTheme::File);
        assert!(text.contains("&lt;/title&gt;&lt;script&gt;: 3"), "{text}");
        assert!(text.contains("a&amp;&quot;b\\u{1b}\\u{202e}"), "{text}");
        assert!(!text.contains("<script") && text.contains("Flow of &lt;3&gt; stories"), "{text}");
    }

    #[test]
    fn on_a_page_the_colours_are_those_of_the_page() {
        let text = svg(&["- A 3", "A A 1", "A - 3"], SvgTheme::Page);
        assert!(
            text.contains("currentColor") && text.contains("var(--flow-paper,Canvas)"),
            "{text}"
        );
        assert!(!text.contains("flow-paper\" width") && !text.contains("#fff"), "{text}");
    }

    #[test]
    fn an_empty_flow_is_an_empty_picture() {
        let text = svg(&[], SvgTheme::File);
        assert!(
            text.ends_with("</svg>\n") && !text.contains("NaN") && !text.contains("inf"),
            "{text}"
        );
    }

    proptest::proptest! {
        #[test]
        fn every_place_is_a_number(ways in proptest::collection::vec((0u8..9, 0u8..9, 1u64..1_000), 1..60)) {
            let name = |node: &u8| if *node == 0 { "-".to_owned() } else { node.to_string() };
            let lines: Vec<String> = ways
                .iter()
                .map(|(from, to, count)| format!("{} {} {count}", name(from), name(to)))
                .collect();
            let text = svg(&lines.iter().map(String::as_str).collect::<Vec<_>>(), SvgTheme::File);
            proptest::prop_assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        }
    }
}
