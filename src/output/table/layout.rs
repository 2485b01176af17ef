//! What gives way where a table is wider than the terminal, in this order: payloads are cut, times
//! become shorter, explanations move below their rows, optional columns are left out, texts are
//! cut, then names; what still has no room moves below the rows, too. Ids and numbers are never
//! cut: half of one is another one. Of a text that must be whole and is long, the beginning stands
//! in its row and all of it below.

use super::shown::Shown;
use crate::output::column::Column;
use crate::output::text::kind::Kind;
use crate::output::text::moment::{CommonTime, ShortTime};
use crate::output::text::width::display_width;

/// Between two columns.
pub(super) const GAP: usize = 2;

/// A column of text is never narrower, not even for its name.
const NARROWEST: usize = 4;

/// As much of a text that must be whole stands in its row. A UUID fits.
const LONGEST_WHOLE: usize = 36;

/// How narrow cells may become, by what they are.
#[derive(Debug, Clone, Copy)]
struct Least {
    name: usize,
    text: usize,
    json: usize,
    whole: usize,
}

/// Nothing is cut.
const NATURAL: Least =
    Least { name: usize::MAX, text: usize::MAX, json: usize::MAX, whole: usize::MAX };
/// As much has room before something else gives way for it.
const READABLE: Least = Least { name: usize::MAX, text: 36, json: 16, whole: LONGEST_WHOLE };
/// Less of a text tells too little: what must be whole gives its place.
const TELLING: Least = Least { text: 16, ..READABLE };
/// Nothing can be narrower.
const TIGHT: Least =
    Least { name: NARROWEST, text: NARROWEST, json: NARROWEST, whole: LONGEST_WHOLE };

/// What gives way one after the other: payloads, texts down to the names of their columns, names.
const SQUEEZES: [Least; 3] =
    [Least { json: READABLE.json, ..NATURAL }, Least { name: usize::MAX, ..TIGHT }, TIGHT];

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
    pub(super) room: usize,
}

impl Layout {
    /// Whether there is room behind a row for what explains it.
    pub(super) fn has_room(&self, shown: &Shown) -> bool {
        self.room > 0 && shown.width(self.form) <= self.room
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
                let fits = |form: &&ShortTime| table.needed(**form, &inline, READABLE) <= limit;
                if let Some(form) = forms.iter().find(fits) {
                    return table.laid_out(*form, inline, below, Some(limit));
                }
            }
        }
        let shown: Vec<usize> =
            all.into_iter().filter(|index| !table.optional.contains(index)).collect();
        let (mut below, mut inline): (Vec<usize>, Vec<usize>) =
            shown.iter().partition(|index| columns[**index].explains);
        let shortest = table.times.rounded(0);
        while table.needed(shortest, &inline, TELLING) > limit
            && let Some(place) =
                inline.iter().rposition(|index| table.widest[*index].whole > TELLING.text)
        {
            below.push(inline.remove(place));
        }
        let form = table.times.rounded(3);
        let fits = table.needed(form, &inline, SQUEEZES[1]) <= limit;
        let form = if fits { form } else { shortest };
        while table.needed(form, &inline, TIGHT) > limit
            && let Some(last) = inline.pop()
        {
            below.push(last);
        }
        below.sort_unstable();
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
    /// How wide the widest cell of each column is, by what it is.
    widest: Vec<Widest>,
    is_time: Vec<bool>,
    is_empty: Vec<bool>,
}

/// The widest cells of a column.
#[derive(Debug, Clone, Copy, Default)]
struct Widest {
    /// Those of which nothing is cut, times aside.
    fixed: usize,
    /// Those that are cut.
    text: usize,
    json: usize,
    /// Those of which all stands below where they are cut.
    whole: usize,
}

impl<'a> Measured<'a> {
    fn new(columns: &'a [Column], rows: &'a [Vec<Shown>]) -> Self {
        let mut times = CommonTime::default();
        let count = columns.len();
        let mut widest = vec![Widest::default(); count];
        let (mut is_time, mut is_empty) = (vec![false; count], vec![true; count]);
        for (index, shown) in rows.iter().flat_map(|row| row.iter().enumerate()) {
            is_empty[index] &= shown.is_empty();
            let (column, widest) = (&columns[index], &mut widest[index]);
            let place = match shown.kind {
                Kind::Time => {
                    times.add(&shown.text);
                    is_time[index] = true;
                    continue;
                }
                Kind::Json => &mut widest.json,
                Kind::Text if column.explains => &mut widest.fixed,
                Kind::Text if column.whole => &mut widest.whole,
                Kind::Text => &mut widest.text,
                Kind::Nothing | Kind::Whole | Kind::Number => &mut widest.fixed,
            };
            *place = (*place).max(display_width(&shown.text));
        }
        let mut optional: Vec<usize> = (0..count)
            .filter(|index| columns[*index].rank > 0 && !columns[*index].explains)
            .collect();
        optional.sort_by_key(|index| (!is_empty[*index], u8::MAX - columns[*index].rank));
        Self { columns, rows, times, optional, widest, is_time, is_empty }
    }

    /// How wide a column is where its cells may be so narrow.
    fn width(&self, form: ShortTime, index: usize, least: Least) -> usize {
        let times = self.rows.iter().filter(|_| self.is_time[index]).map(|row| match &row[index] {
            shown if shown.kind == Kind::Time => shown.width(form),
            _ => 0,
        });
        let widest = self.widest[index];
        [
            display_width(self.columns[index].name()).min(least.name),
            widest.text.min(least.text),
            widest.json.min(least.json),
            widest.whole.min(least.whole),
        ]
        .into_iter()
        .chain(times)
        .fold(widest.fixed, usize::max)
    }

    /// How wide a table of these columns is where its cells may be so narrow.
    fn needed(&self, form: ShortTime, inline: &[usize], least: Least) -> usize {
        let widths = inline.iter().map(|index| self.width(form, *index, least));
        widths.sum::<usize>() + gaps(inline.len())
    }

    /// The layout with these columns, which share what room there is.
    fn laid_out(
        &self,
        form: ShortTime,
        inline: Vec<usize>,
        below: Vec<usize>,
        limit: Option<usize>,
    ) -> Layout {
        let widths_of = |least| -> Vec<usize> {
            inline.iter().map(|index| self.width(form, *index, least)).collect()
        };
        let mut widths = widths_of(NATURAL);
        let room = limit.map_or(usize::MAX, |limit| limit.saturating_sub(gaps(inline.len())));
        for least in SQUEEZES {
            if widths.iter().sum::<usize>() > room {
                share(&mut widths, &widths_of(least), room);
            }
        }
        let has_times = inline.iter().chain(&below).any(|index| self.is_time[*index]);
        let caption = self.times.caption(form).filter(|_| has_times);
        let beside = if let [only] = below[..] { Some(only) } else { None };
        let beside = beside.filter(|_| !inline.is_empty());
        let taken = widths.iter().sum::<usize>() + gaps(widths.len() + 1);
        let room = limit.unwrap_or(usize::MAX).saturating_sub(taken);
        Layout { form, caption, inline, widths, below, beside, room }
    }
}

/// Makes columns narrower, none below its least width, until all have room: the widest first, and
/// those that become equally wide together.
fn share(widths: &mut [usize], least: &[usize], room: usize) {
    let at = |level: usize, place: usize| widths[place].min(level.max(least[place]));
    let needed = |level: usize| (0..widths.len()).map(|place| at(level, place)).sum::<usize>();
    let widest = widths.iter().copied().max().unwrap_or(0);
    let level = (0..=widest).rev().find(|level| needed(*level) <= room).unwrap_or(0);
    let mut left = room.saturating_sub(needed(level));
    let levelled: Vec<usize> = (0..widths.len()).map(|place| at(level, place)).collect();
    for (width, levelled) in widths.iter_mut().zip(levelled) {
        let more = left.min(usize::from(levelled >= level && *width > levelled));
        left -= more;
        *width = levelled + more;
    }
}

fn gaps(columns: usize) -> usize {
    GAP * columns.saturating_sub(1)
}
