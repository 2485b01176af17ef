//! Numbers as people read them.

/// `1,234,567`.
pub fn grouped(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.3 %`; what is there but rounds to nothing is `< 0.1 %`, and what is not all of it is never
/// `100.0 %`.
pub fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "–".to_owned();
    }
    let share = part as f64 * 100.0 / whole as f64;
    match share {
        _ if part == 0 => "0 %".to_owned(),
        _ if part == whole => "100 %".to_owned(),
        ..0.1 => "< 0.1 %".to_owned(),
        99.95.. => "> 99.9 %".to_owned(),
        _ => format!("{share:.1} %"),
    }
}

/// `1.5M`, `20k`, `950`: where there is room for a few characters.
pub(super) fn compact(number: u64) -> String {
    let scaled = |unit: u64, name: &str| {
        let tenths = number / (unit / 10);
        match tenths % 10 {
            0 => format!("{}{name}", tenths / 10),
            rest => format!("{}.{rest}{name}", tenths / 10),
        }
    };
    match number {
        0..10_000 => grouped(number),
        10_000..1_000_000 => scaled(1_000, "k"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "M"),
        _ => scaled(1_000_000_000, "G"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        let shown = [0, 7, 999, 1_000, 1_234_567, -1_000].map(|number: i64| grouped(number));
        assert_eq!(shown, ["0", "7", "999", "1,000", "1,234,567", "-1,000"]);
        let shown = [950, 9_500, 20_000, 12_500, 1_500_000, 3_000_000_000].map(compact);
        assert_eq!(shown, ["950", "9,500", "20k", "12.5k", "1.5M", "3G"]);
    }

    #[test]
    fn shares_never_round_to_nothing_or_to_all() {
        let shown = [(0, 9), (1, 10_000), (1, 3), (9_999, 10_000), (9, 9), (1, 0)]
            .map(|(part, whole)| percent(part, whole));
        assert_eq!(shown, ["0 %", "< 0.1 %", "33.3 %", "> 99.9 %", "100 %", "–"]);
    }
}
