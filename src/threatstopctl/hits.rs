//! The text of `show hits`.

use control::{Hits, PortHits};

use crate::columns::{Stand::*, columns};
use crate::units::ago;

/// The tables, the busiest first, as of `now` in epoch seconds.
pub fn render(hits: &Hits, now: u64) -> String {
    let mut text = format!(
        "counting since:  {}\npackets:         {} in, {} out\n",
        ago(hits.since, now),
        hits.r#in,
        hits.out
    );
    let row =
        |key: &str, r#in: u64, out: u64| vec![key.to_owned(), r#in.to_string(), out.to_string()];
    let lists = hits.lists.iter().map(|hit| row(&hit.list, hit.r#in, hit.out));
    table(&mut text, "list", lists.collect());
    let protocols = hits.protocols.iter().map(|hit| row(&hit.protocol, hit.r#in, hit.out));
    table(&mut text, "protocol", protocols.collect());
    let port = |hit: &PortHits| format!("{}/{}", hit.port, hit.protocol);
    let ports = hits.ports.iter().map(|hit| row(&port(hit), hit.r#in, hit.out));
    table(&mut text, "port", ports.collect());
    let addresses = hits.addresses.iter().map(|hit| {
        let mut cells = row(&hit.address.to_string(), hit.r#in, hit.out);
        cells.extend([ago(hit.last, now), hit.lists.join(", ")]);
        cells
    });
    table(&mut text, "address", addresses.collect());
    text
}

/// One table: a key, both directions, and perhaps more.
fn table(text: &mut String, head: &str, rows: Vec<Vec<String>>) {
    let headings =
        [(head, Left), ("in", Right), ("out", Right), ("last", Left), ("listed by", Left)];
    let table = columns(&headings, &rows);
    if !table.is_empty() {
        text.push('\n');
        *text += &table;
    }
}

#[cfg(test)]
mod tests {
    use control::{AddressHits, ListHits, ProtocolHits};

    use super::*;

    #[test]
    fn one_table_for_each() {
        let hits = Hits {
            since: 940,
            r#in: 34,
            out: 1,
            addresses: vec![AddressHits {
                address: "198.51.100.7".parse().unwrap(),
                r#in: 34,
                out: 1,
                last: 990,
                lists: vec!["basic.threatstop.local".into()],
            }],
            lists: vec![ListHits { list: "basic.threatstop.local".into(), r#in: 34, out: 1 }],
            protocols: vec![ProtocolHits { protocol: "tcp".into(), r#in: 34, out: 1 }],
            ports: vec![PortHits { protocol: "tcp".into(), port: 22, r#in: 34, out: 1 }],
        };
        let expected = "\
counting since:  1m ago
packets:         34 in, 1 out

list                    in  out
basic.threatstop.local  34    1

protocol  in  out
tcp       34    1

port    in  out
22/tcp  34    1

address       in  out  last     listed by
198.51.100.7  34    1  10s ago  basic.threatstop.local
";
        assert_eq!(render(&hits, 1000), expected);
        assert_eq!(
            render(&Hits::default(), 0),
            "counting since:  0s ago\npackets:         0 in, 0 out\n"
        );
    }
}
