//! Where the parts of a chart stand, in percent of its room: how wide that is CSS says, for the page is
//! as wide as whoever reads it has room.

use super::words::{grouped, short};

/// Dates that stand below a chart at most, and how far they are apart then: a week where they are days.
const DATES: usize = 8;
/// The least that is seen, in percent.
const LEAST: f64 = 0.8;

/// What a chart shows of a day.
pub struct Day<'a> {
    /// Its date, as `2026-11-22`.
    pub date: &'a str,
    /// The number; none where nobody counted.
    pub number: Option<u64>,
}

/// What is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Packets that came in on a day: bars.
    Came,
    /// Packets that went out on it: bars.
    Went,
    /// Prefixes that there were at its end: a line with steps.
    Size,
}

impl Of {
    /// The class, for the colour.
    fn class(self) -> &'static str {
        match self {
            Self::Came => "came",
            Self::Went => "went",
            Self::Size => "size",
        }
    }
}

/// A chart of some days. All lengths are percents.
#[derive(Debug, Default)]
pub struct Chart {
    /// Its name within the page.
    pub id: String,
    /// What is drawn, for its colour.
    pub class: &'static str,
    /// What it shows, and of what unit.
    pub title: String,
    /// The same as a sentence with figures, for who cannot see it.
    pub words: String,
    /// The lines across, with their numbers.
    pub marks: Vec<Mark>,
    /// The days, the oldest first.
    pub days: Vec<Drawn>,
    /// The dates below.
    pub dates: Vec<Date>,
    /// Whether there is a day of which nothing is known.
    pub has_unknown: bool,
    /// Whether there is a day on which nothing happened.
    pub has_nothing: bool,
}

/// A line across.
#[derive(Debug)]
pub struct Mark {
    /// Its distance from above.
    pub y: Percent,
    /// The number that it is for.
    pub label: String,
}

/// A date below.
#[derive(Debug)]
pub struct Date {
    /// The middle of the day.
    pub x: Percent,
    /// Month and day.
    pub label: String,
    /// Whether it is left out where there is little room.
    pub is_minor: bool,
}

/// A day.
#[derive(Debug)]
pub struct Drawn {
    /// Date and number, shown to who points at it.
    pub words: String,
    /// Where it begins.
    pub x: Percent,
    /// How wide it is.
    pub width: Percent,
    /// Where it ends.
    pub end: Percent,
    /// What stands there.
    pub shape: Shape,
}

/// What stands for a number.
#[derive(Debug)]
pub enum Shape {
    /// Nobody counted: an empty frame.
    Unknown,
    /// Nothing happened: a thick line at the bottom.
    Nothing,
    /// So much.
    Bar {
        /// Where it ends, from above.
        y: Percent,
        /// How high it is.
        height: Percent,
    },
    /// So much there was.
    Step {
        /// The line, from above.
        y: Percent,
        /// The line of the day after, where that is known.
        next: Option<Percent>,
    },
}

/// A part of the room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(f64);

impl core::fmt::Display for Percent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:.2}%", self.0)
    }
}

impl Percent {
    /// What part a number is of the largest; what is not 0 is seen, however small.
    pub fn of(number: u64, largest: u64) -> Self {
        // exact to a part in 2^52, and a percent has four digits here
        let part = 100.0 * number as f64 / largest.max(1) as f64;
        Self(if number == 0 { 0.0 } else { part.clamp(LEAST, 100.0) })
    }

    fn rest(self) -> Self {
        Self(100.0 - self.0)
    }
}

impl Chart {
    /// The chart, `id` being its name within the page, of letters and digits.
    pub fn new(id: &str, title: String, of: Of, days: &[Day<'_>]) -> Self {
        let top = top(days.iter().filter_map(|day| day.number).max().unwrap_or_default());
        let slot = 100.0 / days.len().max(1) as f64;
        // a few days are no wall of colour
        let filled = match (of, days.len()) {
            (Of::Size, _) => 1.0,
            (_, few @ 0..10) => f64::min(0.08 * few as f64, 0.4),
            _ => 0.7,
        };
        let line = |number| Percent::of(number, top).rest();
        let drawn = |(at, day): (usize, &Day<'_>)| {
            let (x, width) = (slot * (at as f64 + (1.0 - filled) / 2.0), slot * filled);
            let next = days.get(at + 1).and_then(|next| next.number);
            let shape = match (day.number, of) {
                (None, _) => Shape::Unknown,
                (Some(number), Of::Size) => Shape::Step { y: line(number), next: next.map(line) },
                (Some(0), _) => Shape::Nothing,
                (Some(number), _) => {
                    Shape::Bar { y: line(number), height: Percent::of(number, top) }
                }
            };
            let number = day.number.map_or_else(|| "nothing is known".into(), grouped);
            let words = format!("{}: {number}", day.date);
            Drawn { words, x: Percent(x), width: Percent(width), end: Percent(x + width), shape }
        };
        Self {
            id: id.into(),
            class: of.class(),
            title,
            words: words(of, days),
            marks: marks(top),
            days: days.iter().enumerate().map(drawn).collect(),
            dates: dates(days, slot),
            has_unknown: days.iter().any(|day| day.number.is_none()),
            has_nothing: of != Of::Size && days.iter().any(|day| day.number == Some(0)),
        }
    }
}

/// The first round number that is not below another one, half of which is whole unless it is 1.
fn top(number: u64) -> u64 {
    let mut power: u64 = 1;
    loop {
        let rounds = [1, 2, 4, 6, 8].map(|digit| power.checked_mul(digit));
        if let Some(top) = rounds.into_iter().flatten().find(|round| *round >= number) {
            return top;
        }
        match power.checked_mul(10) {
            Some(next) => power = next,
            None => return number,
        }
    }
}

/// The lines at the bottom, in the middle and above.
fn marks(top: u64) -> Vec<Mark> {
    let numbers = if top > 1 { vec![0, top / 2, top] } else { vec![0, top] };
    let mark = |number| Mark { y: Percent::of(number, top).rest(), label: short(number) };
    numbers.into_iter().map(mark).collect()
}

/// The dates below, counted from the last day, which is always there.
fn dates(days: &[Day<'_>], slot: f64) -> Vec<Date> {
    let apart = match days.len() {
        0..=DATES => 1,
        _ => 7,
    };
    let date = |(at, day): (usize, &Day<'_>)| {
        let before = days.len() - 1 - at;
        let label: String = day.date.chars().skip("2026-".len()).take("11-22".len()).collect();
        let x = Percent(slot * (at as f64 + 0.5));
        let is_minor = before / apart % 2 == 1;
        before.is_multiple_of(apart).then_some(Date { x, label, is_minor })
    };
    days.iter().enumerate().filter_map(date).collect()
}

/// What the chart says, in a sentence.
fn words(of: Of, days: &[Day<'_>]) -> String {
    let known: Vec<(u64, &str)> =
        days.iter().filter_map(|day| Some((day.number?, day.date))).collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return "Nothing is known of these days.".into();
    };
    let most = known.iter().rev().max_by_key(|(number, _)| *number).unwrap_or(first);
    let mut text = match of {
        Of::Came | Of::Went => {
            let sum = known.iter().fold(0, |sum: u64, (number, _)| sum.saturating_add(*number));
            format!("{} packets in all; most on {}: {}.", grouped(sum), most.1, grouped(most.0))
        }
        Of::Size => format!(
            "From {} prefixes on {} to {} on {}; most on {}: {}.",
            grouped(first.0),
            first.1,
            grouped(last.0),
            last.1,
            most.1,
            grouped(most.0)
        ),
    };
    match days.len() - known.len() {
        0 => {}
        1 => text += " Of 1 day nothing is known.",
        unknown => text += &format!(" Of {unknown} days nothing is known."),
    }
    text
}

#[cfg(test)]
mod tests;
