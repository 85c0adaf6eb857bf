//! One record, one line.

use std::fmt;

use crate::header::{Action, Direction, Family, Header, HeaderError};
use crate::lines::Lines;
use crate::print::connections::Connections;
use crate::print::{Inside, Line, ether, ip, ip6};
use crate::reader::Record;
use crate::stamp::{self, Stamp};
use crate::text::{Room, Text, printable};

/// What headers have inside.
const INSIDE: Inside =
    Inside { ip: ip::print, ip6: ip6::print, ether: ether::print, etherip: ether::print_etherip };

/// Seconds of a quarter of an hour.
const QUARTER: u32 = 15 * 60;

/// Prints the records of one file as `tcpdump -n -e -r FILE` of OpenBSD 7.8 does.
///
/// TCP sequence numbers are printed relative to the first ones seen of a connection, so a
/// printer has a memory and belongs to one file, as a run of tcpdump does.
pub struct Printer {
    stamp: Stamp,
    zone: i32,
    /// The quarter of an hour that `zone` is of.
    quarter: Option<u32>,
    connections: Connections,
}

impl fmt::Debug for Printer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printer").field("stamp", &self.stamp).field("zone", &self.zone).finish()
    }
}

impl Printer {
    /// A printer with a style of time stamps. `zone` is the offset of local time from UTC in
    /// seconds, east positive.
    ///
    /// For [`Stamp::Time`] tcpdump takes the offset of the moment at which it starts and keeps it
    /// for the whole file (`gmt2local(0)` in its main()), so that a change to or from summer time
    /// between two records does not show. Who wants the same text leaves it at that. For
    /// [`Stamp::Date`] tcpdump asks localtime(3) record by record (`ts_print()` in util.c):
    /// [`Printer::follow_zone`].
    pub fn new(stamp: Stamp, zone: i32) -> Printer {
        Printer { stamp, zone, quarter: None, connections: Connections::default() }
    }

    /// Takes the offset of local time at the time of a record, from `offset`, for the records
    /// that follow. Where clocks are changed, it is on a quarter of an hour: `offset` is asked
    /// once for each quarter in which records come.
    pub fn follow_zone(&mut self, seconds: u32, offset: impl FnOnce(u32) -> i32) {
        let quarter = seconds / QUARTER;
        if self.quarter != Some(quarter) {
            self.quarter = Some(quarter);
            self.zone = offset(seconds);
        }
    }

    /// Appends the text of a record, at most [`MAX_TEXT`](crate::MAX_TEXT) octets, with its line feed.
    ///
    /// Only printable ASCII is written. A few protocols take several lines; of each but the first
    /// [`goes_on`](crate::goes_on) is true, and any other line feed ends the record.
    pub fn print(&mut self, record: &Record<'_>, out: &mut Lines) {
        out.append(|room| self.line(record, room));
    }

    /// Writes the line of a record, and says how many octets it has.
    fn line(&mut self, record: &Record<'_>, room: &mut Room) -> usize {
        let mut text = Text::new(room);
        stamp::put(&mut text, self.stamp, self.zone, record.seconds, record.micros);
        let mut line = Line::new(text, record.data, &INSIDE, &mut self.connections);
        match Header::parse(record.data) {
            Err(HeaderError::Truncated) => {
                line.put("[|pflog]");
            }
            Err(HeaderError::Length(_)) => {
                line.put("[pflog: invalid header length!]");
            }
            Ok(header) => {
                rule(&mut line, &header);
                let packet = header.packet();
                let length = record.len.wrapping_sub(header.size() as u32);
                match header.af() {
                    Family::Inet => ip::print(&mut line, packet, length),
                    Family::Inet6 => ip6::print(&mut line, packet, length),
                    Family::Other(number) => {
                        line.put("unknown-af ").dec(number.into());
                    }
                }
            }
        }
        line.end();
        line.len()
    }
}

/// `rule 4.anchor.0/(match) block in on em0: `
fn rule(line: &mut Text<'_>, header: &Header<'_>) {
    line.put("rule ");
    match header.rule() {
        None => {
            line.put("def");
        }
        Some(rule) => {
            line.dec(rule);
            let ruleset = header.ruleset();
            if !ruleset.is_empty() {
                line.ch(b'.').bounded_name(ruleset).ch(b'.');
                match header.subrule() {
                    None => line.put("def"),
                    Some(subrule) => line.dec(subrule),
                };
            }
        }
    }
    let reason = header.reason();
    match reason.word() {
        Some(_) if reason.0 == 0 => line.put("/(match) "),
        Some(word) => line.put("/(").put(word).put(") "),
        None => line.put("/(unkn ").dec(reason.0.into()).put(") "),
    };
    // The usual ones first: text of constant size is cheaper.
    match (header.action(), header.direction()) {
        (Action::BLOCK, Direction::In) => line.put("block in on "),
        (Action::BLOCK, Direction::Out) => line.put("block out on "),
        (Action::PASS, Direction::In) => line.put("pass in on "),
        (Action::PASS, Direction::Out) => line.put("pass out on "),
        (action, direction) => line.put(action.word()).ch(b' ').put(direction.word()).put(" on "),
    };
    let name = header.ifname();
    if name.len() <= 16 && name.iter().all(|&octet| printable(octet)) {
        line.begin(&header.ifname_field(), name.len());
    } else {
        line.bounded_name(name);
    }
    line.put(": ");
}

#[cfg(test)]
mod tests;
