//! A file for `nft -f` (nftables): one transaction, in which a set for each family is emptied and
//! filled. The table block is opened on the line that empties them, so that a text which ends before
//! its last brace is a syntax error, and changes nothing.

use std::io::{self, Write};

use control::{Exported, Snapshot};
use prefix::Prefix;

use super::form::{Family, Form, Unfit};
use super::names::fit;

/// The sets of nftables live in a table, and this is its name.
const TABLE: &str = "inet threatstop";
/// Longest name of a set without its family: nftables has far more room than pf.
const NAME: usize = 60;

/// What nft(8) reads.
#[derive(Default)]
pub struct Nft {
    /// Whether a prefix of the family has come.
    begun: bool,
}

/// The name of a set, and what is in it.
fn set(table: &Exported, family: Family) -> (String, &'static str) {
    let name = fit(&table.name, NAME, "-_.");
    match family {
        Family::V4 => (format!("{name}-4"), "type ipv4_addr; flags interval;"),
        Family::V6 => (format!("{name}-6"), "type ipv6_addr; flags interval;"),
    }
}

impl Form for Nft {
    fn begin(&mut self, out: &mut dyn Write, snapshot: &Snapshot) -> Result<(), Unfit> {
        // in one piece, for the one line that could do harm without the next
        let mut head = format!("add table {TABLE}\n");
        let mut flush = String::new();
        for table in &snapshot.tables {
            for family in [Family::V4, Family::V6] {
                let (name, kind) = set(table, family);
                head += &format!("add set {TABLE} {name} {{ {kind} }}\n");
                flush += &format!("flush set {TABLE} {name}; ");
            }
        }
        Ok(out.write_all(format!("{head}{flush}table {TABLE} {{\n").as_bytes())?)
    }

    fn family(&mut self, out: &mut dyn Write, table: &Exported, family: Family) -> io::Result<()> {
        self.begun = false;
        let (name, kind) = set(table, family);
        write!(out, "\tset {name} {{\n\t\t{kind}\n")
    }

    fn prefix(&mut self, out: &mut dyn Write, prefix: Prefix) -> io::Result<()> {
        // no elements is what an empty set has, and braces without any are a syntax error
        let before = if self.begun { ",\n\t\t\t" } else { "\t\telements = {\n\t\t\t" };
        self.begun = true;
        write!(out, "{before}{prefix}")
    }

    fn end_family(&mut self, out: &mut dyn Write, _: &Exported) -> io::Result<()> {
        out.write_all(if self.begun { b"\n\t\t}\n\t}\n" } else { b"\t}\n" })
    }

    fn end(&mut self, out: &mut dyn Write, _: &Snapshot) -> io::Result<()> {
        writeln!(out, "}}")
    }
}
