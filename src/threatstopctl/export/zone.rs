//! A zone file (RFC 1035, section 5) with tables as lists, in the layout that our own engine reads:
//! pages of PTR records, which name the parts and the next page, and parts with APL records (RFC 3123).
//!
//! Each page stands before its parts, and the first names a last one behind all of them: in a text that
//! ends early something is named that is not there, and whoever reads such a list fails and takes no
//! part of it for the whole. The names of pages and parts have the serial, so that a list which is read
//! while the zone changes is not put together of two.

use std::fmt::Write as _;
use std::io::{self, Write};

use control::{Exported, Snapshot};
use prefix::Prefix;

use super::form::{Form, Unfit};

/// Seconds that answers may be kept; our engine keeps none.
const TTL: u32 = 3600;
/// Refresh, retry and expiry of secondaries, and the time for which it is kept that there is no name:
/// a secondary that has lost its primary goes on for a week.
const TIMES: &str = "3600 600 604800 60";
/// Items of a record: nsd, that of base too, reads no more from a file or a transfer (its MAXRDATALEN).
const ITEMS: u64 = 64;
/// Records of a name: with IPv6 it has some 40,000 octets, of 65,535 possible.
const RECORDS: u64 = 31;
/// Parts that a page names.
const PARTS: u64 = 200;
/// Most names that our engine reads a list from (`apl::MAX_NAMES`), less the end of the list, and an
/// apex that is the list, too.
const MOST_NAMES: u64 = 1022;
/// Hexadecimal digits between two blanks: the words of some readers are not longer than a line.
const WORD: usize = 128;
/// Longest name in octets, so that the longest label of ours before it fits.
const LONGEST: usize = 160;

/// A zone file that is being written.
pub struct Zone {
    /// Its name, without the final dot.
    name: String,
    serial: u32,
    /// The list that is being written, without the zone's name.
    list: String,
    /// Its parts, and how many of them have begun.
    parts: u64,
    begun: u64,
    /// Records of the part, items of the record.
    records: u64,
    items: u64,
    /// The record, in hexadecimal.
    rdata: String,
}

impl Zone {
    /// A zone of this name.
    ///
    /// # Errors
    /// Why it is no name of a zone.
    pub fn new(name: &str) -> Result<Self, String> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let label = |label: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            (1..=63).contains(&label.len()) && label.chars().all(allowed)
        };
        if name.len() > LONGEST || !name.split('.').all(label) {
            return Err(format!(
                "-z: {name}: no name of a zone: labels of letters, digits, - and _, at most \
                 {LONGEST} octets in all"
            ));
        }
        let list = String::new();
        let (parts, begun, records, items) = (0, 0, 0, 0);
        Ok(Self { name, serial: 0, list, parts, begun, records, items, rdata: String::new() })
    }

    /// Begins a part, and before it the page that names it.
    fn part(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.begun.is_multiple_of(PARTS) {
            self.page(out, self.begun / PARTS)?;
        }
        (self.begun, self.records) = (self.begun + 1, 0);
        Ok(())
    }

    /// Writes a page: the parts that it has, and the next page if there is one.
    fn page(&self, out: &mut dyn Write, page: u64) -> io::Result<()> {
        let Self { name: zone, serial, list, .. } = self;
        // the first page is the list itself
        let owner = match page {
            0 => format!("{list}.{zone}."),
            page => format!("i{page}-{serial}.{list}.{zone}."),
        };
        if page == 0 {
            writeln!(out, "{owner} PTR e-{serial}.{list}.{zone}.")?;
        }
        let first = page * PARTS;
        let next = first + PARTS;
        for part in first..next.min(self.parts) {
            writeln!(out, "{owner} PTR p{part}-{serial}.{list}.{zone}.")?;
        }
        if next < self.parts {
            let next = page + 1;
            writeln!(out, "{owner} PTR i{next}-{serial}.{list}.{zone}.")?;
        }
        Ok(())
    }

    /// Writes the record that is full, or the last one, in the form for records that a reader may not
    /// know (RFC 3597, section 5): of the other form nsd 4.6 takes no /128.
    fn record(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let Self { name: zone, serial, list, rdata, .. } = self;
        let part = self.begun.saturating_sub(1);
        write!(out, "p{part}-{serial}.{list}.{zone}. APL \\# {}", rdata.len() / 2)?;
        for word in rdata.as_bytes().chunks(WORD) {
            out.write_all(b" ")?;
            out.write_all(word)?;
        }
        out.write_all(b"\n")?;
        rdata.clear();
        (self.items, self.records) = (0, self.records + 1);
        Ok(())
    }
}

/// The label of a table as a list.
fn label(table: &Exported) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    table.word.chars().map(fit).collect()
}

/// Appends an item of RDATA (RFC 3123, section 4): no zeros at its end.
fn push(rdata: &mut String, prefix: Prefix) {
    let (family, octets) = match prefix {
        Prefix::V4(net) => (1, net.addr().to_be_bytes().to_vec()),
        Prefix::V6(net) => (2, net.addr().to_be_bytes().to_vec()),
    };
    let len = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    // to a String it cannot fail
    let _ = write!(rdata, "{family:04x}{:02x}{len:02x}", prefix.len());
    for octet in octets.iter().take(len) {
        let _ = write!(rdata, "{octet:02x}");
    }
}

impl Form for Zone {
    fn begin(&mut self, out: &mut dyn Write, snapshot: &Snapshot) -> Result<(), Unfit> {
        self.serial = snapshot.serial;
        let labels: Vec<String> = snapshot.tables.iter().map(label).collect();
        for (at, table) in snapshot.tables.iter().enumerate() {
            if labels.iter().take(at).any(|one| one == &label(table)) {
                let why =
                    format!("two of the tables would be the list {}.{}", label(table), self.name);
                return Err(Unfit::Why(why));
            }
            let count = table.v4 + table.v6;
            let most = (MOST_NAMES - MOST_NAMES.div_ceil(PARTS)) * ITEMS * RECORDS;
            if count > most {
                let why = format!(
                    "table {} has {count} prefixes, and a list over DNS at most {most}: fewer lists \
                     in one table (a [[table]] for some of them)",
                    table.word
                );
                return Err(Unfit::Why(why));
            }
        }
        let Self { name: zone, serial, .. } = self;
        // nobody finds the zone by delegation
        write!(
            out,
            "$TTL {TTL}\n\
             {zone}. SOA localhost. root.localhost. {serial} {TIMES}\n\
             {zone}. NS localhost.\n"
        )?;
        if let [label] = labels.as_slice() {
            writeln!(out, "{zone}. PTR {label}.{zone}.")?;
        }
        Ok(())
    }

    fn table(&mut self, out: &mut dyn Write, table: &Exported) -> io::Result<()> {
        let count = table.v4 + table.v6;
        (self.parts, self.begun) = (count.div_ceil(ITEMS * RECORDS).max(1), 0);
        self.list = label(table);
        self.part(out)
    }

    fn prefix(&mut self, out: &mut dyn Write, prefix: Prefix) -> io::Result<()> {
        if self.items == ITEMS {
            self.record(out)?;
            if self.records == RECORDS {
                self.part(out)?;
            }
        }
        self.items += 1;
        push(&mut self.rdata, prefix);
        Ok(())
    }

    fn end_table(&mut self, out: &mut dyn Write) -> io::Result<()> {
        // a list with nothing in it has a record that says so
        if self.items > 0 || self.records == 0 {
            self.record(out)?;
        }
        // it leads back, for a name has to have something
        let Self { name: zone, serial, list, .. } = self;
        writeln!(out, "e-{serial}.{list}.{zone}. PTR {list}.{zone}.")
    }

    fn end(&mut self, _: &mut dyn Write, _: &Snapshot) -> io::Result<()> {
        Ok(())
    }
}
