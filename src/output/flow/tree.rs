//! A flow with characters: each type, and below it what follows.

use std::borrow::Cow;
use std::io::{self, Write};

use super::graph::{Drawn, FlowPicture, Node};
use super::labels::{count_text, share_text, time_text};
use crate::output::style::Style;
use crate::output::text::escape::escape_controls;
use crate::output::text::palette::{self, paint};
use crate::output::text::width::{clip, display_width};

/// `├→ `.
const BRANCH: usize = 3;

/// Between two columns.
const GAP: usize = 2;

/// A shorter bar tells nothing.
const SHORTEST_BAR: usize = 5;

/// A longer bar tells no more.
const LONGEST_BAR: usize = 30;

/// Less of a name tells too little: rather the times are left out.
const SHORTEST_NAME: usize = 16;

/// What stands behind the name of an edge, and how wide each column is.
struct Columns {
    name: usize,
    facts: Vec<usize>,
    bar: usize,
}

impl FlowPicture<'_> {
    /// Draws it: the types in the order of the flow, below each what follows, the most frequent
    /// first. `↑` leads back, `↻` is the type itself.
    ///
    /// # Errors
    /// Those of `output`.
    pub fn write_text(&self, style: Style, output: &mut dyn Write) -> io::Result<()> {
        let columns = self.columns(style);
        let header = ["count", "share", "p50", "p95"];
        let heads = header.iter().zip(&columns.facts);
        let heads: String = heads.map(|(head, width)| format!("  {head:>width$}")).collect();
        let header = format!("{:1$}{heads}", "what follows", BRANCH + columns.name);
        writeln!(output, "{}", paint(style.color, palette::HEADER, header.trim_end()))?;
        for (place, node) in self.nodes.iter().enumerate() {
            let mut edges = self.edges.iter().filter(|drawn| drawn.from == place).peekable();
            if edges.peek().is_none() {
                continue;
            }
            self.write_node(node, place, &columns, style, output)?;
            let (folded, count) = node.folded;
            while let Some(drawn) = edges.next() {
                let is_last = edges.peek().is_none() && folded == 0;
                let corner = if is_last { '└' } else { '├' };
                self.write_edge(corner, drawn, &columns, style, output)?;
            }
            if folded > 0 {
                let (name, facts) = (columns.name, columns.facts[0]);
                let line = format!(
                    "└… {:name$}  {:>facts$}",
                    format!("{} more", count_text(folded as u64)),
                    count_text(count)
                );
                writeln!(output, "{}", paint(style.color, palette::DIM, line))?;
            }
        }
        Ok(())
    }

    fn write_node(
        &self,
        node: &Node<'_>,
        place: usize,
        columns: &Columns,
        style: Style,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let width = BRANCH + columns.name;
        let name = clip(&shown(node.name, place == self.end()), width).into_owned();
        let pad = width.saturating_sub(display_width(&name));
        let name_style = node.name.map_or(palette::HEADER, palette::category);
        let count = columns.facts.first().copied().unwrap_or_default();
        if place > 0 {
            writeln!(output)?;
        }
        writeln!(
            output,
            "{}{:pad$}  {}",
            paint(style.color, name_style.bold(), name),
            "",
            paint(style.color, palette::HEADER, format!("{:>count$}", count_text(node.count)))
        )
    }

    fn write_edge(
        &self,
        corner: char,
        drawn: &Drawn<'_>,
        columns: &Columns,
        style: Style,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let is_end = drawn.to == self.end();
        let (mark, mark_style) = match drawn {
            _ if drawn.is_loop() => ('↻', palette::NOTICE),
            Drawn { goes_back: true, .. } => ('↑', palette::NOTICE),
            _ => ('→', anstyle::Style::new()),
        };
        let name = self.nodes[drawn.to].name;
        let text = clip(&shown(name, is_end), columns.name).into_owned();
        let pad = columns.name.saturating_sub(display_width(&text));
        let name_style = name.map_or(palette::DIM, palette::category);
        let facts: Vec<String> = facts(drawn)
            .into_iter()
            .zip(&columns.facts)
            .map(|(fact, width)| format!("{fact:>width$}"))
            .collect();
        let length = drawn.edge.count as f64 / self.most() as f64 * columns.bar as f64;
        let bar = if columns.bar > 0 { format!("  {}", bar(length)) } else { String::new() };
        let line = format!(
            "{corner}{} {}{:pad$}  {}{bar}",
            paint(style.color, mark_style, mark),
            paint(style.color, name_style, text),
            "",
            facts.join("  "),
        );
        writeln!(output, "{}", line.trim_end())
    }

    /// How wide everything is.
    fn columns(&self, style: Style) -> Columns {
        let mut facts_widths = vec![5, 5, 3, 3];
        let mut name = display_width("what follows") - BRANCH;
        for drawn in &self.edges {
            for (width, fact) in facts_widths.iter_mut().zip(facts(drawn)) {
                *width = (*width).max(display_width(&fact));
            }
            let is_end = drawn.to == self.end();
            name = name.max(display_width(&shown(self.nodes[drawn.to].name, is_end)));
        }
        for node in &self.nodes {
            facts_widths[0] = facts_widths[0].max(count_text(node.count).len());
        }
        let width = style.width.map_or(100, usize::from);
        let room = |facts: &[usize]| {
            let taken: usize = facts.iter().map(|fact| GAP + fact).sum();
            width.saturating_sub(BRANCH + taken)
        };
        while facts_widths.len() > 2 && room(&facts_widths) < name.min(SHORTEST_NAME) {
            facts_widths.pop();
        }
        let room = room(&facts_widths);
        let name = name.min(room.max(1));
        let bar = (room - name.min(room)).saturating_sub(GAP).min(LONGEST_BAR);
        let bar = if bar < SHORTEST_BAR { 0 } else { bar };
        Columns { name, facts: facts_widths, bar }
    }
}

fn facts(drawn: &Drawn<'_>) -> [String; 4] {
    let time = |time: Option<i64>| time.map(time_text).unwrap_or_default();
    let edge = drawn.edge;
    [count_text(edge.count), share_text(edge.share), time(edge.p50), time(edge.p95)]
}

fn shown(name: Option<&str>, is_end: bool) -> Cow<'_, str> {
    match name {
        Some(name) => escape_controls(name),
        None if is_end => "■ end".into(),
        None => "● beginning".into(),
    }
}

/// A bar with a resolution of an eighth of a character; what is there is seen.
fn bar(length: f64) -> String {
    let eighths = ((length.max(0.0) * 8.0).round() as usize).max(1);
    let end = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{end}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::flow::graph::tests::edges;

    fn drawn(lines: &[&str], most: usize, width: u16) -> String {
        let edges = edges(lines);
        let style = Style { width: Some(width), ..Style::default() };
        let mut output = Vec::new();
        FlowPicture::new(&edges, most).write_text(style, &mut output).expect("writing to memory");
        String::from_utf8(output).expect("UTF-8")
    }

    const SAGA: [&str; 9] = [
        "- OrderCreated 12000",
        "OrderCreated PaymentAuthorized 10900",
        "PaymentAuthorized OrderConfirmed 10890",
        "OrderConfirmed - 10890",
        "OrderCreated PaymentDeclined 1100",
        "PaymentDeclined OrderCancelled 1099",
        "OrderCancelled - 1099",
        "PaymentAuthorized PaymentAuthorized 9",
        "PaymentAuthorized OrderCreated 1",
    ];

    #[test]
    fn a_saga_is_read_from_its_beginning_to_its_end() {
        insta::assert_snapshot!(drawn(&SAGA, 50, 80), @r#"
what follows           count    share     p50      p95
● beginning           12,000
└→ OrderCreated       12,000  100.0 %                   ████████████████████████

OrderCreated          12,001
├→ PaymentAuthorized  10,900   90.8 %  0.412s   1.236s  █████████████████████▊
└→ PaymentDeclined     1,100    9.2 %   1m45s    5m16s  ██▎

PaymentAuthorized     10,909
├→ OrderConfirmed     10,890   99.9 %  6.592s  19.776s  █████████████████████▊
├↻ PaymentAuthorized       9    0.1 %  16m29s   49m27s  ▏
└↑ OrderCreated            1   <0.1 %  28m07s    1h24m  ▏

PaymentDeclined        1,100
└→ OrderCancelled      1,099  100.0 %   4m17s   12m52s  ██▎

OrderConfirmed        10,890
└→ ■ end              10,890  100.0 %                   █████████████████████▊

OrderCancelled         1,099
└→ ■ end               1,099  100.0 %                   ██▎
"#);
    }

    #[test]
    fn a_single_type_is_a_beginning_and_an_end() {
        insta::assert_snapshot!(drawn(&["- A\u{1b}[2J 3", "A\u{1b}[2J - 3"], 50, 40), @r#"
what follows   count    share  p50  p95
● beginning        3
└→ A\u{1b}[2J      3  100.0 %

A\u{1b}[2J         3
└→ ■ end           3  100.0 %
"#);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let long = "A".repeat(100);
        let lines = [
            format!("- {long} 5"),
            format!("{long} 日本語のイベント 5"),
            "日本語のイベント - 5".to_owned(),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        for width in [40, 80, 120, 200] {
            let text = drawn(&lines, 50, width);
            assert!(text.lines().all(|line| display_width(line) <= usize::from(width)), "{text}");
        }
    }
}
