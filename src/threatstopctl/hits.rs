//! The text of `show hits`.

use std::fmt::Write as _;

use control::Hits;

use crate::units::when;

/// The tables, the busiest first, as of `now` in epoch seconds.
pub fn render(hits: &Hits, now: u64) -> String {
    let mut text = format!(
        "counting since:  {}\npackets:         {} in, {} out\n",
        when(hits.since, now),
        hits.r#in,
        hits.out
    );
    let lists = hits.lists.iter().map(|hit| (hit.list.clone(), hit.r#in, hit.out, String::new()));
    table(&mut text, "list", lists);
    let protocols =
        hits.protocols.iter().map(|hit| (hit.protocol.clone(), hit.r#in, hit.out, String::new()));
    table(&mut text, "protocol", protocols);
    let ports = hits
        .ports
        .iter()
        .map(|hit| (format!("{}/{}", hit.port, hit.protocol), hit.r#in, hit.out, String::new()));
    table(&mut text, "port", ports);
    let addresses = hits.addresses.iter().map(|hit| {
        let more = format!("  {}  {}", when(hit.last, now), hit.lists.join(", "));
        (hit.address.to_string(), hit.r#in, hit.out, more)
    });
    table(&mut text, "address", addresses);
    text
}

/// One table: a key, both directions, and perhaps more.
fn table(text: &mut String, head: &str, rows: impl Iterator<Item = (String, u64, u64, String)>) {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let width = rows.iter().map(|(key, ..)| key.chars().count()).max().unwrap_or(0).max(head.len());
    // writing to memory does not fail
    let _ = writeln!(text, "\n{head:width$} {:>10} {:>10}", "in", "out");
    for (key, r#in, out, more) in rows {
        let _ = writeln!(text, "{key:width$} {in:>10} {out:>10}{more}", in = r#in);
    }
}

#[cfg(test)]
mod tests {
    use control::{AddressHits, ListHits, PortHits, ProtocolHits};

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

list                           in        out
basic.threatstop.local         34          1

protocol         in        out
tcp              34          1

port           in        out
22/tcp         34          1

address              in        out
198.51.100.7         34          1  10s ago  basic.threatstop.local
";
        assert_eq!(render(&hits, 1000), expected);
        assert_eq!(
            render(&Hits::default(), 0),
            "counting since:  now\npackets:         0 in, 0 out\n"
        );
    }
}
