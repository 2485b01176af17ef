//! A flow in Mermaid's language, for a page or an issue.
//! Source: Mermaid documentation, "Flowcharts".

use std::io::{self, Write};

use super::graph::FlowPicture;
use super::labels::{count_text, edge_text};
use crate::output::text::escape::escape_controls;

impl FlowPicture<'_> {
    /// Writes it as a flowchart.
    ///
    /// # Errors
    /// Those of `output`.
    pub fn write_mermaid(&self, output: &mut dyn Write) -> io::Result<()> {
        writeln!(output, "flowchart TD")?;
        for (place, node) in self.nodes.iter().enumerate() {
            let count = count_text(node.count);
            match node.name {
                Some(name) => writeln!(output, "  n{place}[\"{}<br/>{count}\"]", escaped(name))?,
                None => {
                    let name = if place == self.end() { "end" } else { "beginning" };
                    writeln!(output, "  n{place}((\"{name}<br/>{count}\"))")?;
                }
            }
        }
        for drawn in &self.edges {
            let arrow = if drawn.goes_back { "-.->" } else { "-->" };
            let label = edge_text(drawn.edge);
            writeln!(output, "  n{} {arrow}|\"{label}\"| n{}", drawn.from, drawn.to)?;
        }
        for (place, drawn) in self.edges.iter().enumerate() {
            let part = drawn.edge.count as f64 / self.most() as f64;
            writeln!(output, "  linkStyle {place} stroke-width:{:.1}px", 1.0 + 4.0 * part)?;
        }
        Ok(())
    }
}

/// What could end the text, or mean something in Mermaid, Markdown or HTML, is written by its
/// number.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in escape_controls(text).chars() {
        match character {
            '.' | '-' | '_' | '/' | ' ' => escaped.push(character),
            mark if mark.is_ascii_punctuation() => {
                escaped.push_str(&format!("#{};", u32::from(mark)));
            }
            other => escaped.push(other),
        }
    }
    // "1. first" and "- first" would be items of a list.
    escaped.replace(". ", "#46; ").replace("- ", "#45; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::flow::graph::tests::edges;

    #[test]
    fn what_a_type_is_named_ends_no_label() {
        let edges = edges(&["- A\"];`#<b>\n&lt;👋 1200", "A\"];`#<b>\n&lt;👋 B 1100", "B B 1"]);
        let mut output = Vec::new();
        FlowPicture::new(&edges, 50).write_mermaid(&mut output).expect("writing to memory");
        insta::assert_snapshot!(String::from_utf8(output).expect("UTF-8"), @r#"
        flowchart TD
          n0(("beginning<br/>1,200"))
          n1["A#34;#93;#59;#96;#35;#60;b#62;#92;n#38;lt#59;👋<br/>1,200"]
          n2["B<br/>1,101"]
          n3(("end<br/>0"))
          n0 -->|"1,200"| n1
          n1 -->|"1,100 · 0.412s"| n2
          n2 -.->|"1 · 6.592s"| n2
          linkStyle 0 stroke-width:5.0px
          linkStyle 1 stroke-width:4.7px
          linkStyle 2 stroke-width:1.0px
        "#);
        assert_eq!(escaped("1. order-created.v1 - now"), "1#46; order-created.v1 #45; now");
    }
}
