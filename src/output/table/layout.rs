//! What gives way where a table is wider than the terminal, in this order: payloads are cut, times
//! become shorter, explanations move below their rows, optional columns are left out, texts are
//! cut. Ids and numbers are never cut: half of one is another one.

use super::shown::{Kind, Shown};
use crate::output::column::Column;
use crate::output::text::moment::{CommonTime, ShortTime};
use crate::output::text::width::display_width;

/// Between two columns.
pub(super) const GAP: usize = 2;

/// A column of text is never narrower, not even for its name.
const NARROWEST: usize = 4;

/// As much of a payload, or of another text, has room before something else gives way for it.
const LEAST_JSON: usize = 16;
const LEAST_TEXT: usize = 36;

/// Less of a text tells too little: a name that must be whole gives its place.
const TELLING_TEXT: usize = 16;

/// How a table is laid out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Which part of a time is shown.
    pub(super) form: ShortTime,
    /// What of the times is the same, and stands above the table.
    pub(super) caption: Option<String>,
    /// The columns that stand beside each other, by their places.
    pub(super) inline: Vec<usize>,
    /// How wide each of them is.
    pub(super) widths: Vec<usize>,
    /// Those that stand below each row.
    pub(super) below: Vec<usize>,
    /// The one of them, if there is one only, that may stand behind a row that has room for it.
    pub(super) beside: Option<usize>,
    /// The room behind each row.
    room: usize,
}

impl Layout {
    /// Whether there is room behind a row for what explains it.
    pub(super) fn has_room(&self, shown: &Shown) -> bool {
        display_width(&shown.text) <= self.room
    }

    /// The layout of these rows in `width` columns; `None` is no limit.
    pub(super) fn fit(columns: &[Column], rows: &[Vec<Shown>], width: Option<usize>) -> Self {
        let table = Measured::new(columns, rows);
        let is_needless = |index: &usize| {
            let column = &columns[*index];
            column.explains && column.rank > 0 && table.is_empty[*index]
        };
        let all: Vec<usize> = (0..columns.len()).filter(|index| !is_needless(index)).collect();
        let Some(limit) = width else {
            return table.laid_out(ShortTime::WHOLE, all, Vec::new(), None);
        };
        let forms = [ShortTime::WHOLE, table.times.exact(), table.times.rounded(3)];
        for left_out in 0..=table.optional.len() {
            let shown: Vec<usize> = all
                .iter()
                .copied()
                .filter(|index| !table.optional[..left_out].contains(index))
                .collect();
            for is_below in [false, true] {
                let (below, inline): (Vec<usize>, Vec<usize>) =
                    shown.iter().partition(|index| is_below && columns[**index].explains);
                if is_below && below.is_empty() {
                    continue;
                }
                let fits = |form: &&ShortTime| table.needed(**form, &inline, LEAST_TEXT) <= limit;
                if let Some(form) = forms.iter().find(fits) {
                    return table.laid_out(*form, inline, below, Some(limit));
                }
            }
        }
        let shown: Vec<usize> =
            all.into_iter().filter(|index| !table.optional.contains(index)).collect();
        let divided = |is_below: &dyn Fn(&Column) -> bool| -> (Vec<usize>, Vec<usize>) {
            shown.iter().partition(|index| is_below(&columns[**index]))
        };
        let (mut below, mut inline) = divided(&|column| column.explains);
        if table.needed(table.times.rounded(0), &inline, TELLING_TEXT) > limit {
            (below, inline) = divided(&|column| column.explains || column.whole);
        }
        let form = table.times.rounded(3);
        let fits = table.needed(form, &inline, NARROWEST) <= limit;
        let form = if fits { form } else { table.times.rounded(0) };
        table.laid_out(form, inline, below, Some(limit))
    }
}

/// What the cells of each column need.
struct Measured<'a> {
    columns: &'a [Column],
    rows: &'a [Vec<Shown>],
    times: CommonTime,
    /// Which columns can be left out, and in which order: those first that hold nothing.
    optional: Vec<usize>,
    /// Whether a cell of the column may be cut.
    can_be_cut: Vec<bool>,
    is_json: Vec<bool>,
    is_time: Vec<bool>,
    is_empty: Vec<bool>,
}

impl<'a> Measured<'a> {
    fn new(columns: &'a [Column], rows: &'a [Vec<Shown>]) -> Self {
        let mut times = CommonTime::default();
        let count = columns.len();
        let (mut can_be_cut, mut is_json) = (vec![false; count], vec![false; count]);
        let (mut is_time, mut is_empty) = (vec![false; count], vec![true; count]);
        for (index, shown) in rows.iter().flat_map(|row| row.iter().enumerate()) {
            if shown.kind == Kind::Time {
                times.add(&shown.text);
                is_time[index] = true;
            }
            can_be_cut[index] |=
                matches!(shown.kind, Kind::Text | Kind::Json) && !columns[index].is_whole();
            is_json[index] |= shown.kind == Kind::Json;
            is_empty[index] &= shown.is_empty();
        }
        for (can_be_cut, is_empty) in can_be_cut.iter_mut().zip(&is_empty) {
            *can_be_cut |= is_empty;
        }
        let mut optional: Vec<usize> = (0..count)
            .filter(|index| columns[*index].rank > 0 && !columns[*index].explains)
            .collect();
        optional.sort_by_key(|index| (!is_empty[*index], u8::MAX - columns[*index].rank));
        Self { columns, rows, times, optional, can_be_cut, is_json, is_time, is_empty }
    }

    /// How wide a column is if nothing is cut.
    fn natural(&self, form: ShortTime, index: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[index].width(form)).max();
        cells.unwrap_or(0).max(display_width(self.columns[index].name()))
    }

    /// How wide a table of these columns is at least, if nothing is cut but payloads, and texts
    /// down to `least_text`.
    fn needed(&self, form: ShortTime, inline: &[usize], least_text: usize) -> usize {
        let width = |index: &usize| {
            let natural = self.natural(form, *index);
            if !self.can_be_cut[*index] {
                return natural;
            }
            let least = if self.is_json[*index] { LEAST_JSON } else { least_text };
            natural.min(least.max(display_width(self.columns[*index].name())))
        };
        inline.iter().map(width).sum::<usize>() + gaps(inline.len())
    }

    /// The layout with these columns, which share what room there is.
    fn laid_out(
        &self,
        form: ShortTime,
        inline: Vec<usize>,
        below: Vec<usize>,
        limit: Option<usize>,
    ) -> Layout {
        let mut widths: Vec<usize> =
            inline.iter().map(|index| self.natural(form, *index)).collect();
        if let Some(limit) = limit {
            self.share(&inline, &mut widths, limit);
        }
        let has_times = inline.iter().any(|index| self.is_time[*index]);
        let caption = self.times.caption(form).filter(|_| has_times);
        let taken = widths.iter().sum::<usize>() + gaps(widths.len() + 1);
        let room = limit.unwrap_or(usize::MAX).saturating_sub(taken);
        let beside = if let [only] = below[..] { Some(only) } else { None };
        // Where its name has no room, nothing of it stands there.
        let has_name = |index: usize| display_width(self.columns[index].name()) <= room;
        let room = if beside.is_some_and(has_name) { room } else { 0 };
        Layout { form, caption, inline, widths, below, beside, room }
    }

    /// Makes columns narrower until they fit, one at a time: the widest that can, the payloads
    /// before all others. The names are cut where that isn't enough; where that isn't either, the
    /// table is wider than the terminal rather than cut.
    fn share(&self, inline: &[usize], widths: &mut [usize], limit: usize) {
        let names = inline.iter().map(|index| display_width(self.columns[*index].name()));
        let mut least: Vec<usize> = names.collect();
        while let Some(excess) =
            (widths.iter().sum::<usize>() + gaps(widths.len())).checked_sub(limit)
            && excess > 0
        {
            let can_give =
                |place: &usize| self.can_be_cut[inline[*place]] && widths[*place] > least[*place];
            let is_long_json =
                |place: &usize| self.is_json[inline[*place]] && widths[*place] > LEAST_JSON;
            let widest = |is_asked: &dyn Fn(&usize) -> bool| {
                let places = (0..widths.len()).filter(can_give).filter(is_asked);
                places.max_by_key(|place| widths[*place])
            };
            let Some(place) = widest(&is_long_json).or_else(|| widest(&|_| true)) else {
                if least.iter().all(|width| *width <= NARROWEST) {
                    break;
                }
                least.iter_mut().for_each(|width| *width = (*width).min(NARROWEST));
                continue;
            };
            // Down to the next widest, so that several wide columns share what there is.
            let next = (0..widths.len())
                .filter(can_give)
                .filter(|other| *other != place)
                .map(|other| widths[other])
                .filter(|width| *width < widths[place])
                .max()
                .unwrap_or(0);
            let floor = least[place].max(if is_long_json(&place) { LEAST_JSON } else { 0 });
            let step = (widths[place] - next).min(excess);
            widths[place] = (widths[place] - step.max(1)).max(floor);
        }
    }
}

fn gaps(columns: usize) -> usize {
    GAP * columns.saturating_sub(1)
}
