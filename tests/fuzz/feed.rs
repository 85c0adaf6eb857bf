//! Lists from web servers, in all their formats.

use std::net::{IpAddr, Ipv4Addr};

use feed::{Format, LONGEST_LINE, LONGEST_NAME, Read, Reader, Refused};
use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};
use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};

use crate::input::{Input, is_one_line};

/// More than an input can make: the longest range of all is 254 prefixes.
const MAX_ENTRIES: usize = 4_000_000;
const FORMATS: [&str; 6] =
    ["lines", "csv:2", "csv:ip", "json:/prefixes/*/ip", "json:/*/1", "jsonl:/cidr"];

/// A list: an octet for the format, and its octets.
pub fn feed_list(data: &[u8]) -> bool {
    let mut input = Input(data);
    let format = FORMATS[input.octet() as usize % FORMATS.len()];
    let text = input.0;
    let read = read(format, text, usize::MAX);
    let size = 1 + text.len() % 5;
    assert_eq!(read, self::read(format, text, size), "in pieces of {size}");
    match &read {
        Ok(Read { told, .. }) => assert!(is_one_line(&told.to_string()), "{told:?}"),
        Err(why) => assert!(is_one_line(&why.to_string()), "{why:?}"),
    }
    if let Some(naive) = naive(format, text) {
        compare(&read, naive);
    }
    read.is_ok()
}

fn read(format: &str, text: &[u8], size: usize) -> Result<Read, Refused> {
    let mut reader = Reader::new(&Format::parse(format).unwrap(), MAX_ENTRIES);
    for piece in text.chunks(size) {
        reader.push(piece)?;
    }
    reader.finish()
}

/// What the naive reading has found.
#[derive(Default)]
struct Naive {
    v4: Vec<String>,
    v6: Vec<String>,
    lines: u64,
    comments: u64,
    names: u64,
    wrong: u64,
    /// The line of the first that was skipped, where the reading knows it.
    first: Option<Option<u64>>,
    /// Whether it is no document at all.
    broken: bool,
}

fn compare(read: &Result<Read, Refused>, naive: Naive) {
    let Naive { v4, v6, lines, comments, names, wrong, first, broken } = naive;
    let none = v4.is_empty() && v6.is_empty();
    let told = match read {
        Ok(read) => {
            assert!(!broken && !none && (wrong <= 20 || wrong * 20 <= lines));
            assert_eq!(read.told.entries as usize, read.items.len());
            let read4: Vec<_> = read.items.v4.iter().map(|item| text4(item.net())).collect();
            let read6: Vec<_> = read.items.v6.iter().map(|item| text6(item.net())).collect();
            assert_eq!((read4, read6), (v4, v6));
            &read.told
        }
        Err(Refused::Empty(told)) => {
            assert!(!broken && none);
            told
        }
        Err(Refused::Wrong(told)) => {
            assert!(!broken && !none && wrong > 20 && wrong * 20 > lines);
            told
        }
        Err(other) => {
            assert!(broken, "{other}");
            return;
        }
    };
    assert_eq!(
        (told.lines, told.comments, told.names, told.wrong),
        (lines, comments, names, wrong)
    );
    assert_eq!(told.first.is_some(), first.is_some());
    if let (Some(shown), Some(Some(line))) = (&told.first, first) {
        assert_eq!(shown.line, line);
    }
}

fn text4(net: prefix::Net<u32>) -> String {
    Ipv4Net::new(net.addr().into(), net.len()).unwrap().to_string()
}

fn text6(net: prefix::Net<u128>) -> String {
    Ipv6Net::new(net.addr().into(), net.len()).unwrap().to_string()
}

impl Naive {
    fn skip(&mut self, name: bool, line: Option<u64>) {
        *if name { &mut self.names } else { &mut self.wrong } += 1;
        self.lines += 1;
        self.first.get_or_insert(line);
    }

    fn nets(&mut self, nets: Vec<IpNet>) {
        self.lines += 1;
        for net in nets {
            match net {
                IpNet::V4(net) => self.v4.push(net.to_string()),
                IpNet::V6(net) => self.v6.push(net.to_string()),
            }
        }
    }

    /// A text that should be an entry and nothing beside.
    fn text(&mut self, text: &[u8], line: Option<u64>) {
        match str::from_utf8(text).ok().and_then(entry) {
            Some(nets) => self.nets(nets),
            None => self.skip(is_name(text), line),
        }
    }
}

/// The second reading; `None` where there is none.
fn naive(format: &str, text: &[u8]) -> Option<Naive> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if text.trim_ascii_start().starts_with(b"<") {
        return Some(Naive { broken: true, ..Naive::default() });
    }
    match format {
        "lines" => Some(lines(text)),
        "csv:2" => Some(csv(text, Some(1))),
        "csv:ip" => Some(csv(text, None)),
        "json:/prefixes/*/ip" => document(text, &["prefixes", "*", "ip"]),
        "json:/*/1" => document(text, &["*", "1"]),
        _ => documents(text, &["cidr"]),
    }
}

fn lines(text: &[u8]) -> Naive {
    let mut naive = Naive::default();
    for (line, number) in text.split(|octet| *octet == b'\n').zip(1..) {
        let cut = line.len() > LONGEST_LINE;
        let line = line[..line.len().min(LONGEST_LINE)].trim_ascii();
        if line.is_empty() {
            continue;
        }
        if line.starts_with(b"#") || line.starts_with(b";") || line.starts_with(b"//") {
            naive.comments += 1;
            continue;
        }
        // what is not UTF-8 is no field of any entry, and has no octet of ASCII in it
        let line = String::from_utf8_lossy(line).into_owned();
        let fields: Vec<&str> = line.split([' ', '\t', ';', '#', ',', '|']).collect();
        let columns: Vec<&str> = line.split([' ', '\t']).filter(|part| !part.is_empty()).collect();
        let nets = match fields[..] {
            [_] if cut => None,
            _ => dshield(&columns, fields[0])
                .or_else(|| spaced_range(&line, fields[0]))
                .or_else(|| entry(fields[0])),
        };
        match nets {
            Some(nets) => naive.nets(nets),
            None => naive.skip(is_name(fields[0].as_bytes()), Some(number)),
        }
    }
    naive
}

fn until_end_of_field(text: &str) -> &str {
    text.split([' ', '\t', ';', '#', ',', '|']).next().unwrap()
}

fn dshield(columns: &[&str], field: &str) -> Option<Vec<IpNet>> {
    let [first, last, len, ..] = columns else { return None };
    let (last, len) = (*last, until_end_of_field(len));
    if *first != field {
        return None;
    }
    let (first, last): (Ipv4Addr, Ipv4Addr) = (first.parse().ok()?, last.parse().ok()?);
    let net = Ipv4Net::new(first, len.parse().ok().filter(|n: &u8| n.to_string() == len)?).ok()?;
    (net.network() == first && net.broadcast() == last).then(|| vec![net.into()])
}

fn spaced_range(line: &str, field: &str) -> Option<Vec<IpNet>> {
    let behind = line.strip_prefix(field)?.trim_start_matches([' ', '\t', '\r', '\x0c']);
    let last = behind.strip_prefix('-')?.trim_start_matches([' ', '\t', '\r', '\x0c']);
    range(field, until_end_of_field(last))
}

fn range(first: &str, last: &str) -> Option<Vec<IpNet>> {
    match (first.parse().ok()?, last.parse().ok()?) {
        (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
            Some(Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect())
        }
        (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
            Some(Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect())
        }
        _ => None,
    }
}

/// The prefixes of an entry.
fn entry(text: &str) -> Option<Vec<IpNet>> {
    if let Ok(addr) = text.parse::<IpAddr>() {
        return Some(vec![addr.into()]);
    }
    if let Some((first, last)) = text.split_once('-') {
        return range(first, last);
    }
    let (addr, len) = text.split_once('/')?;
    if let (Ok(addr), "24") = (format!("{addr}.0").parse::<Ipv4Addr>(), len) {
        return Some(vec![Ipv4Net::new(addr, 24).unwrap().into()]);
    }
    let addr: IpAddr = addr.parse().ok()?;
    let (bits, masked) = if addr.is_ipv4() { (32, 16) } else { (128, 48) };
    let same = |n: &u8| {
        n.to_string() == len
            || (bits == 32
                && Ipv4Net::new(Ipv4Addr::UNSPECIFIED, *n).unwrap().netmask().to_string() == len)
    };
    let len = (0..=bits).find(same)?;
    let net = IpNet::new(addr, len).unwrap();
    (len >= masked || net.network() == addr).then(|| vec![net.trunc()])
}

fn is_name(text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else { return false };
    let text = text.strip_suffix('.').unwrap_or(text);
    let labels: Vec<&str> = text.split('.').collect();
    let letters = |label: &&str| {
        label.chars().all(|char| char.is_ascii_alphanumeric() || char == '-' || char == '_')
    };
    labels.len() > 1
        && text.len() <= 253
        && labels.iter().all(letters)
        && labels.iter().all(|label| !label.is_empty() && label.len() <= 63)
        && labels[labels.len() - 1].len() > 1
        && labels[labels.len() - 1].starts_with(|char: char| char.is_ascii_alphabetic())
}

fn clean(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    match field {
        [b'"', inner @ .., b'"'] => inner.trim_ascii(),
        _ => field,
    }
}

/// A record at the beginning of a text, and the rest; `None` when its quotes have no end.
fn record(mut text: &[u8]) -> Option<(Vec<Vec<u8>>, &[u8])> {
    let (mut fields, mut quoted) = (vec![Vec::new()], false);
    let mut at_begin = true;
    while let Some((octet, rest)) = text.split_first() {
        let field = fields.last_mut().unwrap();
        text = rest;
        match octet {
            b'"' if quoted && rest.first() == Some(&b'"') => {
                field.push(b'"');
                text = &rest[1..];
            }
            b'"' if quoted => quoted = false,
            _ if quoted => field.push(*octet),
            b'"' if at_begin => quoted = true,
            b'\n' | b'\r' => return Some((fields, rest)),
            b',' => {
                fields.push(Vec::new());
                at_begin = true;
                continue;
            }
            _ => field.push(*octet),
        }
        at_begin = false;
    }
    (!quoted).then_some((fields, text))
}

fn csv(text: &[u8], column: Option<usize>) -> Naive {
    let (mut naive, mut column, mut rest) = (Naive::default(), column, text);
    while let Some(first) = rest.first() {
        let line =
            1 + text[..text.len() - rest.len()].iter().filter(|o| **o == b'\n').count() as u64;
        if matches!(first, b'\n' | b'\r') {
            rest = &rest[1..];
        } else if matches!(first, b'#' | b';') {
            let end = rest.iter().position(|octet| *octet == b'\n').unwrap_or(rest.len());
            naive.comments += 1;
            let comment = &rest[..end.min(513)];
            let skip = comment.iter().take_while(|octet| b"#; \t".contains(octet)).count();
            let mut fields = comment[skip..].split(|octet| *octet == b',');
            column = column.or_else(|| fields.position(|field| clean(field) == b"ip"));
            rest = rest.get(end + 1..).unwrap_or_default();
        } else {
            let Some((fields, behind)) = record(rest) else {
                naive.broken = true;
                return naive;
            };
            rest = behind;
            let Some(column) = column else {
                column = fields.iter().position(|field| clean(field) == b"ip");
                naive.broken = column.is_none();
                if naive.broken {
                    return naive;
                }
                continue;
            };
            match fields.get(column) {
                Some(field) if field.len() > 512 => naive.skip(false, Some(line)),
                Some(field) if clean(field).is_empty() => {}
                Some(field) => naive.text(clean(field), Some(line)),
                None if fields.len() == 1 && clean(&fields[0]).is_empty() => {}
                None => naive.skip(false, Some(line)),
            }
        }
    }
    naive.broken = column.is_none();
    naive
}

/// A JSON document with the members of its objects in their order, repeated ones too.
enum Tree {
    Null,
    Text(String),
    Other,
    List(Vec<Tree>),
    Members(Vec<(String, Tree)>),
}

struct Anything;

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Anything)
    }
}

impl<'de> Visitor<'de> for Anything {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = from.next_element()? {
            list.push(element);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = from.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Members(members))
    }
}

impl Tree {
    fn depth(&self) -> usize {
        match self {
            Self::List(list) => 1 + list.iter().map(Self::depth).max().unwrap_or(0),
            Self::Members(members) => {
                1 + members.iter().map(|(_, tree)| tree.depth()).max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    fn walk(&self, steps: &[&str], naive: &mut Naive) {
        let Some((step, rest)) = steps.split_first() else {
            match self {
                Self::Null => {}
                Self::Text(text) if text.len() <= LONGEST_NAME => {
                    naive.text(text.trim_ascii().as_bytes(), None);
                }
                _ => naive.skip(false, None),
            }
            return;
        };
        match self {
            Self::List(list) => {
                for (index, tree) in list.iter().enumerate() {
                    if *step == "*" || *step == index.to_string() {
                        tree.walk(rest, naive);
                    }
                }
            }
            Self::Members(members) => {
                for (name, tree) in members {
                    if *step == "*" || step == name {
                        tree.walk(rest, naive);
                    }
                }
            }
            _ => {}
        }
    }
}

/// A document; `None` where serde_json has bounds of its own.
fn parse(text: &str) -> Option<Result<Tree, ()>> {
    match serde_json::from_str::<Tree>(text) {
        Ok(tree) if tree.depth() > feed::DEEPEST => Some(Err(())),
        Ok(tree) => Some(Ok(tree)),
        Err(why) if why.to_string().contains("out of range") => None,
        Err(_) => Some(Err(())),
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|char| matches!(char, ' ' | '\t' | '\n' | '\r'))
}

fn document(text: &[u8], steps: &[&str]) -> Option<Naive> {
    let text = str::from_utf8(text).ok()?;
    let mut naive = Naive::default();
    if !is_blank(text) {
        match parse(text)? {
            Ok(tree) => tree.walk(steps, &mut naive),
            Err(()) => naive.broken = true,
        }
    }
    Some(naive)
}

fn documents(text: &[u8], steps: &[&str]) -> Option<Naive> {
    let text = str::from_utf8(text).ok()?;
    let mut naive = Naive::default();
    for (line, number) in text.split('\n').zip(1..) {
        if is_blank(line) {
            continue;
        }
        match parse(line)? {
            Ok(tree) => tree.walk(steps, &mut naive),
            Err(()) => naive.skip(false, Some(number)),
        }
    }
    Some(naive)
}
