//! How a list is spread over names and records.
//!
//! The service's own way is not published: a list of 26,424 prefixes does not fit in one message, so
//! there is a way to spread it, and PTR is the only candidate. The layouts are the forms that fit
//! what is known.

use std::net::IpAddr;

use super::apl;
use super::data::{Data, LIBRARY_NAMES, name_size};
use crate::item::Item;

/// Where the items of a list stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// APL at the list's name alone.
    Single,
    /// PTR at the list's name, naming all of `1.LIST`, `2.LIST` …, which hold APL.
    Index,
    /// APL at the list's name, and PTR naming all further names, which hold APL.
    Continuation,
    /// APL at each name, and PTR to the next one alone.
    Chain,
    /// A and AAAA at the list's name, then with 1, 2 … appended to its first label. Hosts only; 4,000
    /// at a name, of which hickory-server sends no more than 1,500 in one answer.
    Numbered,
    /// TXT at the list's name: a string for each prefix.
    Txt,
}

/// A layout and how much one record and one name hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Where the items stand.
    pub layout: Layout,
    /// Items in one APL record at most; what is more goes to further records of the name.
    pub per_record: usize,
    /// Over how many names the items are spread evenly; `None` for as few as they fit in.
    pub names: Option<usize>,
}

impl From<Layout> for Shape {
    fn from(layout: Layout) -> Self {
        Self { layout, per_record: usize::MAX, names: None }
    }
}

impl Shape {
    /// So many items in one APL record at most. NSD reads no more than 64 from a zone file.
    pub fn per_record(self, items: usize) -> Self {
        assert!(items > 0, "a record of no items spreads nothing");
        Self { per_record: items, ..self }
    }

    /// The items evenly over so many names.
    pub fn names(self, names: usize) -> Self {
        assert!(names > 0, "a list needs a name");
        Self { names: Some(names), ..self }
    }
}

/// The multi-host A form carries up to 4,000 addresses a name, says the vendor.
const HOSTS_PER_NAME: usize = 4000;

/// The records of a list, those of one name together, the list's own name first.
pub(super) fn records(list: &str, items: &[Item], shape: Shape) -> Vec<(String, Data)> {
    match shape.layout {
        Layout::Numbered => numbered(list, items, shape),
        Layout::Txt => {
            let strings = items.iter().map(|item| format!("{}/{}", item.addr, item.len)).collect();
            assert!(items.iter().all(|item| !item.negated), "{list}: TXT knows no negation");
            vec![(list.to_string(), Data::Txt(strings))]
        }
        _ => prefix_lists(list, items, shape),
    }
}

fn prefix_lists(list: &str, items: &[Item], shape: Shape) -> Vec<(String, Data)> {
    let chunks = match (shape.layout, shape.names) {
        (Layout::Single, _) => vec![items],
        (_, Some(names)) => spread(items, names),
        (_, None) => pack(list, items, shape.per_record),
    };
    let count = chunks.len();
    // The name of chunk `index`: an index has none of its own at the list's name.
    let name = |index: usize| match (shape.layout, index) {
        (Layout::Index, _) => format!("{}.{list}", index + 1),
        (_, 0) => list.to_string(),
        _ => format!("{index}.{list}"),
    };
    let mut out = Vec::new();
    if shape.layout == Layout::Index {
        out.extend((0..count).map(|index| (list.to_string(), Data::Ptr(name(index)))));
    }
    for (index, chunk) in chunks.into_iter().enumerate() {
        for part in chunk.chunks(shape.per_record) {
            out.push((name(index), Data::Apl(apl::rdata(part))));
        }
        if chunk.is_empty() {
            out.push((name(index), Data::Apl(Vec::new())));
        }
        match shape.layout {
            Layout::Continuation if index == 0 => {
                out.extend((1..count).map(|further| (name(0), Data::Ptr(name(further)))));
            }
            Layout::Chain if index + 1 < count => {
                out.push((name(index), Data::Ptr(name(index + 1))));
            }
            _ => {}
        }
    }
    out
}

/// As many chunks as asked for, of nearly equal length.
fn spread(items: &[Item], names: usize) -> Vec<&[Item]> {
    (0..names)
        .map(|index| &items[items.len() * index / names..items.len() * (index + 1) / names])
        .collect()
}

/// As few chunks as fit in a message each, and at least one.
fn pack<'a>(list: &str, items: &'a [Item], per_record: usize) -> Vec<&'a [Item]> {
    // The names of chunks have a label for the number before the list's own.
    let name = name_size(list) + 8;
    // header, question, OPT
    let room = usize::from(u16::MAX) - (12 + name + 4 + 11);
    let mut chunks = Vec::new();
    let (mut start, mut used, mut records, mut in_record) = (0, 0, 0, per_record);
    for (index, item) in items.iter().enumerate() {
        if in_record == per_record {
            (in_record, records) = (0, records + 1);
            // hickory-server compresses some owners, but neither the first nor those after many.
            used += 10 + if (2..=LIBRARY_NAMES).contains(&records) { 2 } else { name };
        }
        in_record += 1;
        used += apl::size(item);
        if used > room {
            chunks.push(&items[start..index]);
            (start, used, records, in_record) = (index, 10 + name + apl::size(item), 1, 1);
        }
    }
    chunks.push(&items[start..]);
    chunks
}

fn numbered(list: &str, items: &[Item], shape: Shape) -> Vec<(String, Data)> {
    let (first, rest) = list.split_once('.').expect("a list has more than one label");
    let per_name = shape.names.map_or(HOSTS_PER_NAME, |names| items.len().div_ceil(names).max(1));
    let mut out = Vec::new();
    for (index, chunk) in items.chunks(per_name).enumerate() {
        let number = if index == 0 { String::new() } else { index.to_string() };
        let name = format!("{first}{number}.{rest}");
        for item in chunk {
            let host = item.len == item.max_len() && !item.negated;
            assert!(host, "{list}: {item} is no host, which is all that A and AAAA can say");
            let data = match item.addr {
                IpAddr::V4(addr) => Data::A(addr),
                IpAddr::V6(addr) => Data::Aaaa(addr),
            };
            out.push((name.clone(), data));
        }
    }
    out
}

#[cfg(test)]
mod tests;
