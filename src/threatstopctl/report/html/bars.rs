//! Tables with bars below the names: what is drawn stands beside it as a number.

use super::chart::Percent;
use super::words::grouped;

/// A table of what was hit, in and out.
#[derive(Debug, Default)]
pub struct Bars {
    /// What the names are names of.
    pub key: &'static str,
    /// The rows, in their order.
    pub rows: Vec<Drawn>,
    /// How exact the numbers are, where they are not.
    pub note: Option<String>,
}

/// A row before it is known how long its bars are.
#[derive(Debug)]
pub struct Row {
    name: String,
    came: u64,
    went: u64,
    under: String,
}

/// A row.
#[derive(Debug)]
pub struct Drawn {
    /// The name.
    pub name: String,
    /// How long the bar of packets that came in is, and how many these are.
    pub came: (Percent, String),
    /// The same of those that went out.
    pub went: (Percent, String),
    /// What more there is to say of it.
    pub under: String,
}

impl Row {
    /// A name and its packets.
    pub fn new(name: String, came: u64, went: u64) -> Self {
        Self { name, came, went, under: String::new() }
    }

    /// With what more there is to say of it.
    pub fn with(mut self, under: String) -> Self {
        self.under = under;
        self
    }

    /// Whether there was a packet.
    pub fn is_hit(&self) -> bool {
        self.both() > 0
    }

    /// Packets in both directions.
    pub fn both(&self) -> u64 {
        self.came.saturating_add(self.went)
    }
}

impl Bars {
    /// The table. The longest bar is that of the largest number, of whichever direction.
    pub fn new(key: &'static str, rows: Vec<Row>) -> Self {
        let largest = rows.iter().map(|row| row.came.max(row.went)).max().unwrap_or_default();
        let bar = |number| (Percent::of(number, largest), grouped(number));
        let drawn = |row: Row| Drawn {
            name: row.name,
            came: bar(row.came),
            went: bar(row.went),
            under: row.under,
        };
        let rows = rows.into_iter().map(drawn).collect();
        Self { key, rows, note: None }
    }

    /// Says by how much a number of `one` may be too low at most.
    pub fn missing(mut self, most: u64, one: &str) -> Self {
        let packets = if most == 1 { "packet" } else { "packets" };
        let note = || format!("Of {one}, at most {} {packets} more may have come.", grouped(most));
        self.note = (most > 0).then(note);
        self
    }
}
