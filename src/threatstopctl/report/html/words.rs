//! Numbers as the page has them.

use std::fmt::Write as _;

/// A number with a comma between thousands: `26,424`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same, or what stands for a number that nobody knows.
pub fn known(number: Option<u64>) -> String {
    number.map_or_else(|| "unknown".into(), grouped)
}

/// From one number to another: `+26`, `-1,200`, and `0` without a change.
pub fn change(before: u64, now: u64) -> String {
    match (now.checked_sub(before), before.checked_sub(now)) {
        (Some(0), _) => "0".into(),
        (Some(more), _) => format!("+{}", grouped(more)),
        (_, less) => format!("-{}", grouped(less.unwrap_or_default())),
    }
}

/// A round number for an axis, in at most four characters: `800`, `20k`, `1.5M`.
pub fn short(number: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (1_000_000_000_000_000_000, "E"),
        (1_000_000_000_000_000, "P"),
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
        (1_000, "k"),
    ];
    let Some((unit, letter)) = UNITS.into_iter().find(|(unit, _)| number >= *unit) else {
        return number.to_string();
    };
    let mut text = (number / unit).to_string();
    if let (0..10, tenth @ 1..) = (number / unit, number % unit / (unit / 10)) {
        // it is a String, which takes everything
        let _ = write!(text, ".{tenth}");
    }
    text + letter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let all = [0, 999, 1000, 26_424, 1_234_567, u64::MAX].map(grouped);
        let told = ["0", "999", "1,000", "26,424", "1,234,567", "18,446,744,073,709,551,615"];
        assert_eq!(all, told);
        assert_eq!(known(None), "unknown");
        assert_eq!([change(5, 5), change(5, 1005), change(1005, 5)], ["0", "+1,000", "-1,000"]);
    }

    #[test]
    fn round_numbers_are_short() {
        let all = [0, 800, 1000, 1500, 20_000, 1_500_000, 4_000_000_000].map(short);
        assert_eq!(all, ["0", "800", "1k", "1.5k", "20k", "1.5M", "4G"]);
        assert!(short(u64::MAX).len() <= 4);
    }
}
