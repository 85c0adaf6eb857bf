//! The text of `show hits`.

use control::units::ago;
use control::{Hits, HostHits, Missed, PortHits};

use crate::columns::{Stand::*, columns};
use crate::narrow::{Heading, counted, fitted, widest, with};

/// What stands above where nothing is blocked.
const MONITORING: &str =
    "monitoring: these packets would have been blocked; with tables.monitor nothing is\n\n";

/// The tables in so many columns, the busiest first, as of `now` in epoch seconds.
pub fn render(hits: &Hits, now: u64, room: usize) -> String {
    let mut text = if hits.monitoring { MONITORING.to_owned() } else { String::new() };
    text += &format!(
        "counting since:  {}\npackets:         {} in, {} out\n",
        ago(hits.since, now),
        hits.r#in,
        hits.out
    );
    if let Some(missed) = missed(&hits.missed) {
        text += &format!("not counted:     {missed}\n");
    }
    let host = |hit: &HostHits| {
        vec![
            hit.address.to_string(),
            hit.out.to_string(),
            hit.r#in.to_string(),
            ago(hit.last, now),
            hit.far.map(|far| far.to_string()).unwrap_or_default(),
            hit.lists.join(", "),
        ]
    };
    let headings =
        [("host", Left), ("out", Right), ("in", Right), ("last", Left), ("with", Left), LISTED];
    table(&mut text, room, &headings, hits.hosts.iter().map(host).collect(), 5);
    let row =
        |key: &str, r#in: u64, out: u64| vec![key.to_owned(), r#in.to_string(), out.to_string()];
    let lists = hits.lists.iter().map(|hit| row(&hit.list, hit.r#in, hit.out));
    table(&mut text, room, &counts("list"), lists.collect(), 0);
    let protocols = hits.protocols.iter().map(|hit| row(&hit.protocol, hit.r#in, hit.out));
    table(&mut text, room, &counts("protocol"), protocols.collect(), 0);
    let port = |hit: &PortHits| format!("{}/{}", hit.port, hit.protocol);
    let ports = hits.ports.iter().map(|hit| row(&port(hit), hit.r#in, hit.out));
    table(&mut text, room, &counts("port"), ports.collect(), 0);
    let addresses = hits.addresses.iter().map(|hit| {
        let mut cells = row(&hit.address.to_string(), hit.r#in, hit.out);
        cells.extend([ago(hit.last, now), hit.lists.join(", ")]);
        cells
    });
    table(&mut text, room, &counts("address"), addresses.collect(), 4);
    text
}

const LISTED: Heading = ("listed by", Left);

/// The headings of a key and both directions, and perhaps more.
fn counts(key: &'static str) -> [Heading; 5] {
    [(key, Left), ("in", Right), ("out", Right), ("last", Left), LISTED]
}

/// One table, with the names of lists in the column `at`.
fn table(text: &mut String, room: usize, headings: &[Heading], rows: Vec<Vec<String>>, at: usize) {
    let mut table = columns(headings, &rows);
    if widest(table.lines()) > room {
        let cells = rows.iter().filter_map(|row| row.get(at).cloned());
        let names: Vec<String> = cells.map(|cell| counted(cell, "lists")).collect();
        table = fitted(room, [&names], |[names]| columns(headings, &with(&rows, at, names)));
    }
    if !table.is_empty() {
        text.push('\n');
        *text += &table;
    }
}

/// How many packets each may have had besides, while there were more of them than are counted.
fn missed(missed: &Missed) -> Option<String> {
    let Missed { addresses, ports, hosts } = *missed;
    let of = [(addresses, "an address"), (ports, "a port"), (hosts, "a host")];
    let some = of.iter().filter(|(most, _)| *most > 0);
    let some: Vec<String> = some.map(|(most, one)| format!("{most} of {one}")).collect();
    (!some.is_empty()).then(|| format!("at most {}", some.join(", ")))
}

#[cfg(test)]
mod tests;
