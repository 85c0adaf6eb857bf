//! What fits into the 80 columns of a terminal.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _};

use crate::columns::Stand;

/// Columns of a terminal.
pub const WIDE: usize = 80;
/// The least that is left of a long name.
const LEAST: usize = 8;

/// A heading, and how the cells below it stand.
pub type Heading = (&'static str, Stand);

/// Columns that a table on standard output may take. Whoever reads a pipe, a file or a mail looks for names,
/// and finds them whole.
pub fn room() -> usize {
    if io::stdout().is_terminal() { WIDE } else { usize::MAX }
}

/// What `draw` makes of what [`fit`] leaves of the names.
pub fn fitted<const N: usize>(
    room: usize,
    names: [&[String]; N],
    draw: impl Fn(&[Vec<String>; N]) -> String,
) -> String {
    draw(&fit(room, names, &draw))
}

/// The names of some columns, or what is left of them where the lines that `draw` makes of them would
/// have no room: the longest lose their middle, as long as those of a column can be told apart.
pub fn fit<const N: usize>(
    room: usize,
    names: [&[String]; N],
    draw: impl Fn(&[Vec<String>; N]) -> String,
) -> [Vec<String>; N] {
    let mut shown = names.map(<[String]>::to_vec);
    let mut is_done = [false; N];
    let long = |names: &[String]| widest(names.iter().map(String::as_str));
    while widest(draw(&shown).lines()) > room {
        let columns = names.iter().zip(&mut shown).zip(&mut is_done);
        let left = columns.filter(|(_, is_done)| !**is_done);
        let Some(((names, shown), is_done)) = left.max_by_key(|((_, shown), _)| long(shown)) else {
            break;
        };
        let most = long(shown).saturating_sub(1);
        match cut_all(names, most).filter(|_| most >= LEAST) {
            Some(cut) => *shown = cut,
            None => *is_done = true,
        }
    }
    shown
}

/// The rows with these names in the column `at`.
pub fn with(rows: &[Vec<String>], at: usize, names: &[String]) -> Vec<Vec<String>> {
    let mut rows = rows.to_vec();
    for (cell, name) in rows.iter_mut().filter_map(|row| row.get_mut(at)).zip(names) {
        cell.clone_from(name);
    }
    rows
}

/// How many there are of the names in a cell, where those take more room.
pub fn counted(cell: String, several: &str) -> String {
    let count = format!("{} {several}", cell.split(", ").count());
    let is_long = cell.contains(", ") && cell.chars().count() > count.chars().count();
    if is_long { count } else { cell }
}

/// Characters of the longest line.
pub fn widest<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    lines.map(|line| line.chars().count()).max().unwrap_or_default()
}

/// Names of at most so many characters; none when two of them would be the same then that are not.
fn cut_all(names: &[String], most: usize) -> Option<Vec<String>> {
    let cut: Vec<String> = names.iter().map(|name| cut(name, most)).collect();
    let distinct = |names: &[String]| names.iter().collect::<BTreeSet<_>>().len();
    (distinct(&cut) == distinct(names)).then_some(cut)
}

/// A name without its middle: lists of one service begin alike or end alike.
fn cut(name: &str, most: usize) -> String {
    let long = name.chars().count();
    if long <= most {
        return name.to_owned();
    }
    let left = most.saturating_sub(2);
    let end = left / 3;
    let head: String = name.chars().take(left - end).collect();
    let tail: String = name.chars().skip(long - end).collect();
    format!("{head}..{tail}")
}

/// A number in at most four characters.
pub fn short(number: u64) -> String {
    shorter(number, 10_000)
}

/// A number in as few characters as there are below `most`, and in at most four.
pub fn shorter(number: u64, mut most: u64) -> String {
    let (mut left, mut unit) = (number, "");
    for next in ["k", "M", "G", "T", "P", "E"] {
        if left < most {
            break;
        }
        (left, unit, most) = (left / 1000, next, 1000);
    }
    format!("{left}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (0, "0"),
            (9999, "9999"),
            (10_000, "10k"),
            (999_999, "999k"),
            (1_000_000, "1M"),
            (4_294_967_296, "4G"),
            (u64::MAX, "18E"),
        ] {
            assert_eq!(short(number), text);
        }
    }

    /// Fails when two rows of the same name, such as those of `block` and `allow`, keep all others long.
    #[test]
    fn a_name_that_stands_twice_keeps_none_from_being_cut() {
        let names = ["own".to_owned(), "own".into(), "x".repeat(200)];
        let text = fitted(WIDE, [&names], |[names]| names.join("\n"));
        assert!(widest(text.lines()) <= WIDE, "{text}");
        let alike = [format!("{0}1{0}", "x".repeat(90)), format!("{0}2{0}", "x".repeat(90))];
        let [shown] = fit(WIDE, [&alike], |[names]| names.join("\n"));
        assert!(shown[0].contains("x1..x") && shown[1].contains("x2..x"), "{shown:?}");
    }
}
