//! A flow in Graphviz's language.
//! Source: Graphviz documentation, "DOT Language", and "escString".

use std::io::{self, Write};

use super::graph::FlowPicture;
use super::labels::{count_text, edge_text};
use crate::output::text::escape::escape_controls;

impl FlowPicture<'_> {
    /// Writes it in DOT, which `dot -Tsvg` draws.
    ///
    /// # Errors
    /// Those of `output`.
    pub fn write_dot(&self, output: &mut dyn Write) -> io::Result<()> {
        writeln!(output, "digraph flow {{")?;
        writeln!(output, "  node [shape=box, style=rounded, fontname=\"sans-serif\"];")?;
        writeln!(output, "  edge [fontname=\"sans-serif\", fontsize=10];")?;
        for (place, node) in self.nodes.iter().enumerate() {
            let count = count_text(node.count);
            match node.name {
                Some(name) => {
                    writeln!(output, "  n{place} [label=\"{}\\n{count}\"];", escaped(name))?;
                }
                None => {
                    let name = if place == self.end() { "end" } else { "beginning" };
                    writeln!(output, "  n{place} [shape=circle, label=\"{name}\\n{count}\"];")?;
                }
            }
        }
        for drawn in &self.edges {
            let part = drawn.edge.count as f64 / self.most() as f64;
            let style = if drawn.goes_back { ", style=dashed" } else { "" };
            writeln!(
                output,
                "  n{} -> n{} [label=\"{}\", penwidth={:.1}, weight={}{style}];",
                drawn.from,
                drawn.to,
                edge_text(drawn.edge),
                1.0 + 4.0 * part,
                1 + (part * 20.0) as u32,
            )?;
        }
        writeln!(output, "}}")
    }
}

/// In quotes a backslash begins an escape and an ampersand a character of HTML.
fn escaped(text: &str) -> String {
    escape_controls(text).replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::flow::graph::tests::edges;

    #[test]
    fn what_a_type_is_named_ends_no_label() {
        let edges = edges(&["- A\"];x\\N<b>\n&lt; 1200", "A\"];x\\N<b>\n&lt; B 1100", "B B 1"]);
        let mut output = Vec::new();
        FlowPicture::new(&edges, 50).write_dot(&mut output).expect("writing to memory");
        insta::assert_snapshot!(String::from_utf8(output).expect("UTF-8"), @r#"
digraph flow {
  node [shape=box, style=rounded, fontname="sans-serif"];
  edge [fontname="sans-serif", fontsize=10];
  n0 [shape=circle, label="beginning\n1,200"];
  n1 [label="A\"];x\\N<b>\\n&amp;lt;\n1,200"];
  n2 [label="B\n1,101"];
  n3 [shape=circle, label="end\n0"];
  n0 -> n1 [label="1,200", penwidth=5.0, weight=21];
  n1 -> n2 [label="1,100 · 0.412s", penwidth=4.7, weight=19];
  n2 -> n2 [label="1 · 6.592s", penwidth=1.0, weight=1, style=dashed];
}
"#);
    }
}
