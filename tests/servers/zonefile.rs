//! A zone in the presentation format of RFC 1035, section 5, and RFC 3123, section 5.

use std::fmt::Write;

use crate::sim::{Data, TTL, Zone, apl};

/// The text of a zone file. Panics over APL data that is broken, which no server would read.
pub(super) fn text(zone: &Zone) -> String {
    let origin = zone.origin();
    let mut out = format!(
        "$TTL {TTL}\n\
         {origin}. SOA ns.{origin}. hostmaster.{origin}. 1 3600 600 86400 60\n\
         {origin}. NS ns.{origin}.\n\
         ns.{origin}. A 127.0.0.1\n"
    );
    for (name, data) in zone.records() {
        let _ = match data {
            Data::A(addr) => writeln!(out, "{name}. A {addr}"),
            Data::Aaaa(addr) => writeln!(out, "{name}. AAAA {addr}"),
            Data::Cname(target) => writeln!(out, "{name}. CNAME {target}."),
            Data::Ptr(target) => writeln!(out, "{name}. PTR {target}."),
            Data::Txt(strings) => {
                let quoted: String =
                    strings.iter().map(|string| format!(" \"{string}\"")).collect();
                writeln!(out, "{name}. TXT{quoted}")
            }
            Data::Apl(rdata) => writeln!(out, "{name}. APL{}", apl_text(name, rdata)),
        };
    }
    out
}

fn apl_text(name: &str, rdata: &[u8]) -> String {
    let items = apl::read(rdata).unwrap_or_else(|why| panic!("{name}: {why}"));
    let mut out = String::new();
    for item in items {
        let not = if item.negated { "!" } else { "" };
        let family = if item.addr.is_ipv4() { apl::FAMILY_V4 } else { apl::FAMILY_V6 };
        let _ = write!(out, " {not}{family}:{}/{}", item.addr, item.len);
    }
    out
}
