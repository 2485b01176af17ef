//! One line a row, at once: what `tail` shows to people. A column is as wide as the widest value so
//! far.

use std::borrow::Cow;
use std::io::{self, Write};

use super::column::{Column, Emphasis};
use super::renderer::Renderer;
use super::style::{Style, TimeForm};
use super::text::cell::{cell_style, cell_text};
use super::text::kind::Kind;
use super::text::moment::ShortTime;
use super::text::palette;
use super::text::width::{clip, display_width};
use super::text::wrap::write_below;
use crate::time::timestamp_text;
use crate::value::Value;

/// A wider value moves the rest of its own line only; on a terminal a wider text is cut.
const WIDEST_COLUMN: usize = 40;

/// Less of a payload tells nothing.
const LEAST_JSON: usize = 16;

/// A narrower terminal has no room for the day on every line: it stands on a line of its own where
/// it changes.
const WIDE: u16 = 100;

pub(super) struct Lines {
    style: Style,
    columns: Vec<Column>,
    widths: Vec<usize>,
    form: ShortTime,
    /// How wide a column becomes, so that there is room for others.
    widest: usize,
    /// The day of the line before, where lines don't tell it.
    day: String,
}

impl Lines {
    pub(super) fn new(style: Style) -> Self {
        let is_narrow = style.width.is_some_and(|width| width < WIDE);
        let form = if is_narrow { ShortTime::CLOCK } else { ShortTime::WHOLE };
        let third = style.width.map_or(usize::MAX, |width| usize::from(width) / 3);
        let widest = WIDEST_COLUMN.min(third);
        Self { style, columns: Vec::new(), widths: Vec::new(), form, widest, day: String::new() }
    }

    /// A cell of a row whose times are of this day, unless they tell another.
    fn text<'a>(&self, column: &Column, cell: &'a Value<'_>, day: Option<&str>) -> Cow<'a, str> {
        let text = cell_text(column, cell, self.style);
        if !matches!(cell, Value::Timestamp(_)) || self.form.day(&text) != day {
            return text;
        }
        Cow::Owned(self.form.of(&text).into_owned())
    }

    /// How wide a column becomes for a cell of this width. What is cut leaves room for others.
    fn kept(&self, width: usize, kind: Kind) -> usize {
        if matches!(kind, Kind::Text | Kind::Json) { width.min(self.widest) } else { width }
    }

    /// The day that stands above the row rather than in it: that of its first time that has one.
    fn day(&self, cells: &[Value<'_>]) -> Option<String> {
        cells.iter().find_map(|cell| match cell {
            Value::Timestamp(time) if self.style.times != Some(TimeForm::Sql) => {
                self.form.day(&timestamp_text(*time)).map(str::to_owned)
            }
            _ => None,
        })
    }

    /// Writes the day where it is another one than that of the line before.
    fn say_day(&mut self, day: Option<&str>, output: &mut dyn Write) -> io::Result<()> {
        match day {
            Some(day) if day != self.day => {
                self.day = day.to_owned();
                let line = palette::paint(self.style.color, palette::DIM, format!("{day} UTC"));
                writeln!(output, "{line}")
            }
            _ => Ok(()),
        }
    }
}

impl Renderer for Lines {
    fn begin(&mut self, columns: &[Column], _: &mut dyn Write) -> io::Result<()> {
        self.columns = columns.to_vec();
        self.widths = vec![0; columns.len()];
        Ok(())
    }

    fn expect(&mut self, cells: &[Value<'_>]) {
        let day = self.day(cells);
        for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            if !column.explains {
                let text = self.text(column, cell, day.as_deref());
                let width = self.kept(display_width(&text), Kind::of(cell, self.style));
                self.widths[index] = self.widths[index].max(width);
            }
        }
    }

    fn row(
        &mut self,
        cells: &[Value<'_>],
        emphasis: Emphasis,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let day = self.day(cells);
        self.say_day(day.as_deref(), output)?;
        let mut line = String::new();
        let mut below = Vec::new();
        let mut left = self.style.width.map_or(usize::MAX, usize::from);
        for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            let text = self.text(column, cell, day.as_deref());
            let width = display_width(&text);
            let style = cell_style(column, cell, emphasis);
            if column.explains {
                // It is about one row, and takes no room in the others.
                if matches!(cell, Value::Null) || width == 0 {
                    continue;
                }
                if width > left {
                    below.push((style, text));
                    continue;
                }
            }
            let kind = Kind::of(cell, self.style);
            let least = match kind {
                Kind::Text => 1,
                Kind::Json => LEAST_JSON,
                // Half an id or a time tells nothing.
                _ => width,
            };
            let named = || Cow::Owned(format!("{}: {text}", column.name()));
            if left < least.min(width) {
                if column.rank == 0 && kind != Kind::Json && kind != Kind::Nothing {
                    below.push((style, named()));
                }
                continue;
            }
            let is_text = kind == Kind::Text && !column.explains;
            let limit = if is_text && self.style.width.is_some() { self.widest } else { left };
            let shown = clip(&text, left.min(limit));
            if is_text && column.whole && shown.len() != text.len() {
                below.push((style, named()));
            }
            let width = display_width(&shown);
            if !column.explains {
                self.widths[index] = self.widths[index].max(self.kept(width, kind));
            }
            line.push_str(&palette::paint(self.style.color, style, shown).to_string());
            // A column in which nothing ever stood takes no room.
            let gap = match self.widths[index].max(width) {
                0 => 0,
                widest => widest.saturating_sub(width) + 2,
            };
            left = left.saturating_sub(width + gap);
            line.extend(std::iter::repeat_n(' ', gap));
        }
        // A row of nothing else begins at the left, too.
        if !line.is_empty() || below.is_empty() {
            writeln!(output, "{}", line.trim_end())?;
        }
        below.iter().try_for_each(|(style, text)| write_below(text, *style, self.style, output))
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::output::render::rendered;
    use crate::output::renderer;
    use crate::output::text::width::display_width;
    use crate::output::{Column, Emphasis, Format, Style};
    use crate::time::{PostgresMicros, Timestamp};
    use crate::value::Value;

    #[test]
    fn rows_that_are_known_beforehand_are_aligned_from_the_first_on() {
        let rows = [["a", "", "x"], ["abc", "DLT", "y"]].map(|row| row.map(Value::from));
        let columns = ["one", "mark", "three"].map(Column::new);
        let lines = |expected: &[[Value<'_>; 3]]| {
            let mut output = Vec::new();
            let mut lines = renderer(Format::Lines, Style::default());
            lines.begin(&columns, &mut output).expect("writing to memory");
            expected.iter().for_each(|row| lines.expect(row));
            for row in &rows {
                lines.row(row, Emphasis::None, &mut output).expect("writing to memory");
            }
            String::from_utf8(output).expect("UTF-8")
        };
        assert_eq!(lines(&[]), "a  x\nabc  DLT  y\n");
        assert_eq!(lines(&rows), "a         x\nabc  DLT  y\n");
    }

    #[test]
    fn a_row_is_a_line_as_soon_as_it_is_there() {
        let style = Style { width: Some(100), terminal: true, ..Style::default() };
        let text = rendered(Format::Lines, style);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        insta::assert_snapshot!(text, @r#"
        1  OrderCreated  019aa4c5…4b5a  false  2026-11-22T10:00:00.120000Z  {"amount": "10.50"}
        2  Pay\u{1b}[31m\u{202e}, "quoted"\…  019aa4c5…4b5a  true   2026-11-22T10:00:00.120000Z
        -                                     -              -      -                            0.5
        3  =1+1                               -              -      -                            []
        "#);
    }

    #[test]
    fn on_a_narrow_terminal_the_day_stands_on_a_line_of_its_own_and_an_error_below_its_row() {
        let columns = [
            Column::new("created_at"),
            Column::new("event_type"),
            Column::new("mark"),
            Column::new("aggregate"),
            Column::new("error").explains(),
            Column::new("payload"),
        ];
        let midnight = 848_620_800_000_000;
        let error = "TimeoutException: the bank did not answer within 30 seconds";
        let rows = [
            (midnight - 1_000, "PaymentAuthorized", "", "order-4711", None),
            (midnight, "OrderCreated", "DLT", "order-4712", Some(error)),
            (midnight + 1_000, "OrderShipped", "", "order-4711", None),
            (midnight + 2_000, "OrderShipped", "DLT", "order-1", Some("CardDeclined")),
        ]
        .map(|(time, event_type, mark, aggregate, error)| {
            let time = Timestamp::without_zone(PostgresMicros(time));
            let payload = Value::Json(r#"{"amount": "10.50"}"#.into());
            [time.into(), event_type.into(), mark.into(), aggregate.into(), error.into(), payload]
        });
        let lines = |width: u16| {
            let mut output = Vec::new();
            let style = Style { width: Some(width), terminal: true, ..Style::default() };
            let mut lines = renderer(Format::Lines, style);
            lines.begin(&columns, &mut output).expect("writing to memory");
            rows.iter().for_each(|row| lines.expect(row));
            for row in &rows {
                lines.row(row, Emphasis::None, &mut output).expect("writing to memory");
            }
            String::from_utf8(output).expect("UTF-8")
        };
        insta::assert_snapshot!([80, 120, 200].map(lines).join("\n"), @r#"
        2026-11-21 UTC
        23:59:59.999  PaymentAuthorized       order-4711  {"amount": "10.50"}
        2026-11-22 UTC
        00:00:00.000  OrderCreated       DLT  order-4712  {"amount": "10.50"}
            TimeoutException: the bank did not answer within 30 seconds
        00:00:00.001  OrderShipped            order-4711  {"amount": "10.50"}
        00:00:00.002  OrderShipped       DLT  order-1     CardDeclined  {"amount": "10.…

        2026-11-21T23:59:59.999000Z  PaymentAuthorized       order-4711  {"amount": "10.50"}
        2026-11-22T00:00:00.000000Z  OrderCreated       DLT  order-4712  {"amount": "10.50"}
            TimeoutException: the bank did not answer within 30 seconds
        2026-11-22T00:00:00.001000Z  OrderShipped            order-4711  {"amount": "10.50"}
        2026-11-22T00:00:00.002000Z  OrderShipped       DLT  order-1     CardDeclined  {"amount": "10.50"}

        2026-11-21T23:59:59.999000Z  PaymentAuthorized       order-4711  {"amount": "10.50"}
        2026-11-22T00:00:00.000000Z  OrderCreated       DLT  order-4712  TimeoutException: the bank did not answer within 30 seconds  {"amount": "10.50"}
        2026-11-22T00:00:00.001000Z  OrderShipped            order-4711  {"amount": "10.50"}
        2026-11-22T00:00:00.002000Z  OrderShipped       DLT  order-1     CardDeclined  {"amount": "10.50"}
        "#);
    }

    #[test]
    fn a_time_of_another_day_than_that_above_tells_its_day() {
        let columns = ["created_at", "recorded_at", "event_type"].map(Column::new);
        let time = |time| Value::from(Timestamp::without_zone(PostgresMicros(time)));
        let midnight = 848_620_800_000_000;
        let rows = [
            [midnight - 1_000, midnight - 500],
            [midnight - 1_000, midnight],
            [midnight, midnight],
            [midnight - 1_000, midnight - 1_000],
            [i64::MAX, midnight],
            [i64::MIN, i64::MIN],
        ]
        .map(|[created, recorded]| [time(created), time(recorded), "OrderCreated".into()]);
        insta::assert_snapshot!(lines(&columns, &rows, 80), @"
        2026-11-21 UTC
        23:59:59.999  23:59:59.999                 OrderCreated
        23:59:59.999  2026-11-22T00:00:00.000000Z  OrderCreated
        2026-11-22 UTC
        00:00:00.000  00:00:00.000                 OrderCreated
        2026-11-21 UTC
        23:59:59.999  23:59:59.999                 OrderCreated
        2026-11-22 UTC
        infinity      00:00:00.000                 OrderCreated
        -infinity     -infinity                    OrderCreated
        ");
    }

    #[test]
    fn an_id_that_has_no_room_in_a_line_stands_below_it() {
        let columns =
            [Column::new("event_type"), Column::new("aggregate").whole(), Column::new("id")];
        let long = "order-".to_owned() + &"4711-".repeat(20) + "end";
        let rows = [
            ["OrderCreated".into(), "order-1".into(), Value::from(1_234_567_890_123_i64)],
            ["OrderCreated".into(), long.as_str().into(), Value::from(2)],
        ];
        insta::assert_snapshot!(lines(&columns, &rows, 40), @"
        OrderCreated  order-1
            id: 1234567890123
        OrderCreated  order-4711-4…  2
            aggregate:
            order-4711-4711-4711-4711-4711-4711-
            4711-4711-4711-4711-4711-4711-4711-4
            711-4711-4711-4711-4711-4711-4711-en
            d
        ");
    }

    fn lines<const N: usize>(columns: &[Column], rows: &[[Value<'_>; N]], width: u16) -> String {
        let mut output = Vec::new();
        let style = Style { width: Some(width), terminal: true, ..Style::default() };
        let mut lines = renderer(Format::Lines, style);
        lines.begin(columns, &mut output).expect("writing to memory");
        rows.iter().for_each(|row| lines.expect(row));
        for row in rows {
            lines.row(row, Emphasis::None, &mut output).expect("writing to memory");
        }
        let text = String::from_utf8(output).expect("UTF-8");
        assert!(text.lines().all(|line| display_width(line) <= width.into()), "{text}");
        text
    }
}
