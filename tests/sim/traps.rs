//! Zones and records that a careless client falls for.

use super::apl;
use super::data::Data;
use super::zone::Zone;
use crate::item::{Item, items};

/// The list points to itself, and has the items.
pub fn ptr_to_self(zone: &mut Zone, list: &str, items: &[Item]) {
    zone.add_ptr(list, list).add(list, Data::Apl(apl::rdata(items)));
}

/// The list and two further names point to one another in a circle; each has a share of the items.
pub fn ptr_circle(zone: &mut Zone, list: &str, items: &[Item]) {
    let names = [list.to_string(), format!("1.{list}"), format!("2.{list}")];
    for (index, name) in names.iter().enumerate() {
        let share = &items[items.len() * index / 3..items.len() * (index + 1) / 3];
        zone.add_ptr(name, &names[(index + 1) % 3]).add(name, Data::Apl(apl::rdata(share)));
    }
}

/// The list has the items and points, besides, to names outside the zone, one of which only looks
/// as if it were inside.
pub fn ptr_outside(zone: &mut Zone, list: &str, items: &[Item]) {
    let lookalike = format!("evil{}", zone.origin());
    zone.add_ptr(list, "lists.example.com").add_ptr(list, &lookalike);
    zone.add(list, Data::Apl(apl::rdata(items)));
}

/// The list points to so many names, each with an item. More than 1,000 pointers do not fit in an
/// answer of hickory-server, which compresses few names; [`super::HostileService`] sends 1,400.
pub fn ptr_many(zone: &mut Zone, list: &str, count: u32) {
    for number in 1..=count {
        let name = format!("{number}.{list}");
        let item = Item::v4(0x5b10_0000 + 2 * number, 32);
        zone.add_ptr(list, &name).add(&name, Data::Apl(apl::rdata(&[item])));
    }
}

/// The list is an alias of an alias and so on; so many aliases before the name with the items.
pub fn aliases(zone: &mut Zone, list: &str, count: usize, items: &[Item]) {
    let name = |index: usize| if index == 0 { list.into() } else { format!("alias{index}.{list}") };
    for index in 0..count {
        zone.add(&name(index), Data::Cname(name(index + 1)));
    }
    zone.add(&name(count), Data::Apl(apl::rdata(items)));
}

/// APL data that no client may take, each with its name. A sound item stands before the broken one,
/// so that a partial reading would show.
pub fn broken_apl() -> Vec<(&'static str, Vec<u8>)> {
    let raw = |family, len, afd: &[u8]| {
        let mut out = apl::rdata(&items("5.5.5.5"));
        apl::push_raw(&mut out, family, len, false, afd);
        out
    };
    let cut = |octets: &[u8]| [apl::rdata(&items("5.5.5.5")), octets.to_vec()].concat();
    vec![
        ("three octets left", cut(&[0, 1, 32])),
        ("AFDLENGTH past the end", cut(&[0, 1, 32, 4, 5, 6])),
        ("AFDLENGTH 5 for IPv4", raw(apl::FAMILY_V4, 32, &[5, 6, 7, 8, 9])),
        ("AFDLENGTH 17 for IPv6", raw(apl::FAMILY_V6, 128, &[0x20; 17])),
        ("prefix 33 for IPv4", raw(apl::FAMILY_V4, 33, &[5, 6, 7, 8])),
        ("prefix 129 for IPv6", raw(apl::FAMILY_V6, 129, &[0x20, 1])),
    ]
}

/// APL data that is odd but must be taken, each with its name and the items that it means.
pub fn odd_apl() -> Vec<(&'static str, Vec<u8>, Vec<Item>)> {
    let raw = |family, len, afd: &[u8]| {
        let mut out = apl::rdata(&items("5.5.5.5"));
        apl::push_raw(&mut out, family, len, false, afd);
        out
    };
    vec![
        ("empty record", Vec::new(), Vec::new()),
        ("host bits set", raw(apl::FAMILY_V4, 24, &[5, 6, 7, 8]), items("5.5.5.5 5.6.7.0/24")),
        (
            "trailing zero octets",
            apl::padded_rdata(&items("5.5.5.5 6.0.0.0/8 2a0b::/32")),
            items("5.5.5.5 6.0.0.0/8 2a0b::/32"),
        ),
        ("unknown family", raw(3, 8, &[1, 2, 3]), items("5.5.5.5")),
        ("negated host", apl::rdata(&items("5.5.5.0/31 !5.5.5.1")), items("5.5.5.0/31 !5.5.5.1")),
    ]
}

#[cfg(test)]
mod tests;
