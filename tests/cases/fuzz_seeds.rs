//! Octets as honest programs and people write them, for the fuzz targets.

use std::os::unix::net::UnixStream;

use apl::{Assembly, ListName, Options, Reply};
use control::{Request, Show};
use imsg::{Channel, EngineMessage, Entries, FileId, Purpose, TableId};
use prefix::{Kind, Prefix};
use tests::item::items;
use tests::sim::wire::{QR, Query};
use tests::sim::{Answer, Data, Layout, SUFFIX, Shape, Zone, apl as rdata, rcode};

type Seed = (&'static str, Vec<u8>);

const ITEMS: &str = "1.2.3.4 5.6.0.0/16 !5.6.7.0/24 5.6.7.8 10.0.0.0/8 198.51.100.0/25 ::1 \
                     2a0b::/29 2001:db8::ff00/120 !2001:db8::ff80/121";
const HOSTS: &str = "1.2.3.4 5.6.7.8 2a0b::1 9.9.9.9";
const LIST: &str = "basic.threatstop.local";

/// All seeds with the names of their targets.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    apl_rdata(&mut seeds);
    dns_messages(&mut seeds);
    imsg_streams(&mut seeds);
    packets(&mut seeds);
    settings(&mut seeds);
    feeds(&mut seeds);
    requests(&mut seeds);
    files(&mut seeds);
    // a universe in the midst of IPv4 without a floor, one at the end of IPv6, and neighbours that
    // the floor keeps apart
    seeds.push(("compose", b"\x01\0\0\x12\0\x80\x0c\x10\x01\x10\x80\x03\x11\x40\x04\x12\0".into()));
    seeds.push(("compose", b"\x05\x03\0\x08\xff\x01\x09\xf0\x02\x0a\0\0\x0b\x01".into()));
    seeds.push(("compose", b"\x01\x09\0\x12\x04\x01\x12\x05".into()));
    seeds.push(("compose", b"\x04\x03\0\x06\0\0\x06\x40\x02\x12\x80".into()));
    seeds
}

/// Octets that go one step too far, and are not to be accepted.
pub fn refused() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = [
        "203.0.113.7",
        "9.9.0.0",
        "9.9.255.255",
        "9.0.0.0/8",
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001::/16",
        "8.0.0.0/7",
        "1.2.3.4 1.2.3.4",
        "1.2.3.0/24 1.2.3.255",
        "5.6.7.8 1.2.3.4",
    ]
    .map(|set| {
        (
            "imsg_stream",
            [vec![1], stream(&transaction(TableId::BLOCK, set, Purpose::Publish))].concat(),
        )
    })
    .into();
    let mut record = include_bytes!("../../src/pflog/tests/data/captured.pcap")[..40].to_vec();
    record[32..36].copy_from_slice(&(pflog::MAX_CAPTURE + 1).to_le_bytes());
    seeds.push((
        "pcap_file",
        [vec![200], record, vec![0; pflog::MAX_CAPTURE as usize + 1]].concat(),
    ));
    seeds.push(("local_list", line(policy::LOCAL_MAX_LINE + 1)));
    for list in [
        "\0<html>1.2.3.4",
        "\0# 1.2.3.4",
        "\x011.2.3.4",
        "\x02address\n1.2.3.4",
        "\x011.2.3.4,\"5.6.7.8",
        "\x03{\"prefixes\":[{\"ip\":\"1.2.3.4\"}]",
        "\x05{\"cidr\":\"1.2.3.4\"",
    ] {
        seeds.push(("feed_list", list.into()));
    }
    seeds
}

/// A prefix and blanks, so many octets in all.
fn line(octets: usize) -> Vec<u8> {
    format!("{:octets$}", "1.2.3.4").into()
}

fn apl_rdata(seeds: &mut Vec<Seed>) {
    seeds.push(("apl_rdata", rdata::rdata(&items(ITEMS))));
    seeds.push(("apl_rdata", rdata::padded_rdata(&items(ITEMS))));
    let mut odd = Vec::new();
    rdata::push_raw(&mut odd, 3, 200, false, &[1; 127]);
    rdata::push_raw(&mut odd, 1, 8, true, &[10, 1, 2, 3]);
    rdata::push_raw(&mut odd, 2, 0, false, &[]);
    seeds.push(("apl_rdata", odd));
}

/// The dialogue of an assembly with a zone, as the target takes it: one question at a time, each
/// answer with its length; with `raw` the whole message, else without identifier and question. The
/// server fails at the question of the number given.
fn dialogue(zone: &Zone, raw: bool, fails: Option<usize>) -> Vec<u8> {
    let options = Options { suffix: ListName::parse(SUFFIX).unwrap(), apl_before: false };
    let mut assembly = Assembly::new(ListName::parse(LIST).unwrap(), options);
    let mut out = vec![0];
    let mut number = 0;
    while let Some(ask) = assembly.next_question() {
        let query = Query::read(&ask.question.to_message(7, ask.edns)).unwrap();
        let mut answer = zone.answer(&query.name, query.rtype);
        if fails == Some(number) {
            answer = Answer { rcode: rcode::SERVFAIL, truncated: false, records: Vec::new() };
        }
        number += 1;
        let message = query.reply(&answer, zone.origin());
        if raw {
            out.extend((message.len() as u16 | 0x8000).to_be_bytes());
            out.extend(&message);
        } else {
            let question = Query::new(7, &query.name, query.rtype).encode().len();
            let short = [&message[..4], &message[6..12], &message[question..]].concat();
            out.extend((short.len() as u16).to_be_bytes());
            out.extend(short);
        }
        assert!(message.len() < 0x8000 && message[2] & (QR >> 8) as u8 != 0);
        if assembly.answer(ask.ticket, &Reply::parse(&message).unwrap()).is_some() {
            break;
        }
    }
    out
}

fn dns_messages(seeds: &mut Vec<Seed>) {
    let zone = |items: &str, shape: Shape| {
        let mut zone = Zone::new(SUFFIX);
        zone.set_list(LIST, &tests::item::items(items), shape);
        zone
    };
    for (layout, items) in [
        (Layout::Single, ITEMS),
        (Layout::Index, ITEMS),
        (Layout::Continuation, ITEMS),
        (Layout::Chain, ITEMS),
        (Layout::Txt, HOSTS),
        (Layout::Numbered, HOSTS),
    ] {
        let names = if layout == Layout::Single { 1 } else { 2 };
        let zone = zone(items, Shape::from(layout).per_record(3).names(names));
        seeds.push(("dns_message", dialogue(&zone, false, None)));
        seeds.push(("dns_message", dialogue(&zone, true, None)));
    }
    // an alias and a name outside the suffix; then a part that is there when asked again
    let mut odd = zone(ITEMS, Layout::Single.into());
    odd.add_ptr(LIST, "elsewhere.example").add_ptr(LIST, "part.threatstop.local");
    odd.add("part.threatstop.local", Data::Cname("other.threatstop.local".into()));
    odd.add("other.threatstop.local", Data::Apl(rdata::rdata(&items("192.0.2.0/24"))));
    let sound = dialogue(&odd, false, None);
    seeds.push(("dns_message", sound));
    seeds.push(("dns_message", dialogue(&odd, false, Some(2))));
}

/// What the engine sends behind its greeting, as it stands on its socket.
fn stream(messages: &[EngineMessage]) -> Vec<u8> {
    let (engine, helper) = UnixStream::pair().unwrap();
    let end = engine.try_clone().unwrap();
    let mut channel = Channel::new(engine.into(), 1 << 20);
    imsg::greet(&mut channel).unwrap();
    for (message, request) in messages.iter().zip(1..) {
        message.queue(&mut channel, request).unwrap();
    }
    assert_eq!(channel.flush().unwrap(), imsg::Output::Sent);
    // a program that another test starts at this moment has a copy of it until it runs
    end.shutdown(std::net::Shutdown::Write).unwrap();
    helper.set_nonblocking(true).unwrap();
    let mut octets = Vec::new();
    std::io::Read::read_to_end(&mut &helper, &mut octets).unwrap();
    octets
}

fn transaction(table: TableId, text: &str, purpose: Purpose) -> Vec<EngineMessage> {
    let nets = text.split_whitespace().map(|word| word.parse().unwrap());
    let nets: Vec<Prefix> = nets.collect();
    let mut all = vec![EngineMessage::TableBegin { table, entries: nets.len() as u32, purpose }];
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    nets.into_iter().for_each(|net| match net {
        Prefix::V4(net) => v4.push(net),
        Prefix::V6(net) => v6.push(net),
    });
    let parts = Entries::split(&v4).chain(Entries::split(&v6));
    all.extend(parts.map(EngineMessage::TableEntries));
    all.push(EngineMessage::TableCommit);
    all
}

fn imsg_streams(seeds: &mut Vec<Seed>) {
    let list = |table| EngineMessage::Open(FileId::Kernel(table));
    let file = |table, previous| {
        EngineMessage::Open(if previous { FileId::Previous(table) } else { FileId::Table(table) })
    };
    let (block, allow) = (TableId::BLOCK, TableId::ALLOW);
    let more = TableId::all(3).last().unwrap();
    let all = [
        vec![EngineMessage::TableStats],
        transaction(block, "1.2.3.4 5.6.0.0/16 198.51.100.0/25 2a0b::/29 2a0c::1", Purpose::Trial),
        transaction(allow, "9.9.9.9 64.87.26.147", Purpose::Publish),
        transaction(
            block,
            "1.2.3.4 5.6.0.0/16 198.51.100.0/25 2a0b::/29 2a0c::1",
            Purpose::Publish,
        ),
        vec![list(block), file(block, false), file(block, true)],
        transaction(block, "1.2.3.4 5.6.0.0/17 2a0b::/29", Purpose::Publish),
        transaction(block, "1.2.3.4 2a0b::/29", Purpose::Repair),
        vec![list(block), file(block, true)],
        transaction(more, "1.2.3.4 2a0b::/29", Purpose::Publish),
        vec![list(more), EngineMessage::TableMend { table: more }],
        transaction(allow, "", Purpose::Publish),
        vec![
            list(allow),
            EngineMessage::TableMend { table: block },
            EngineMessage::Open(FileId::Log(3)),
            EngineMessage::Open(FileId::Local(Kind::Allow)),
        ],
    ]
    .concat();
    let raw = stream(&all);
    // the same with the target's own short headers
    let mut short = vec![0];
    let mut rest = raw.as_slice();
    while let Some((head, behind)) = rest.split_first_chunk::<16>() {
        let len = u32::from_ne_bytes([head[4], head[5], head[6], head[7]]) as usize - 16;
        let kind = u32::from_ne_bytes([head[0], head[1], head[2], head[3]]);
        short.extend([kind as u8, len as u8]);
        short.extend(&behind[..len]);
        rest = &behind[len..];
    }
    seeds.push(("imsg_stream", short));
    seeds.push(("imsg_stream", [vec![1], raw].concat()));
    // the neighbours of what is protected
    let beside = "9.8.255.255 9.10.0.0 203.0.113.6 203.0.113.8 \
                  2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9::";
    seeds.push((
        "imsg_stream",
        [vec![1], stream(&transaction(block, beside, Purpose::Publish))].concat(),
    ));
}

/// Records of the captures that the crate pflog is tested with.
fn packets(seeds: &mut Vec<Seed>) {
    const FILE_HEADER: usize = 24;
    let captures: [&[u8]; 6] = [
        include_bytes!("../../src/pflog/tests/data/captured.pcap"),
        include_bytes!("../../src/pflog/tests/data/generated.pcap"),
        include_bytes!("../../src/pflog/tests/data/protocols.pcap"),
        include_bytes!("../../src/pflog/tests/data/unasked.pcap"),
        include_bytes!("../../src/pflog/tests/data/variants.pcap"),
        include_bytes!("../../src/pflog/tests/data/mutated.pcap"),
    ];
    for capture in captures {
        let (head, mut rest) = capture.split_at(FILE_HEADER);
        let mut records = Vec::new();
        while let Some((record, behind)) = rest.split_first_chunk::<16>() {
            let word = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap());
            let (captured, behind) = behind.split_at(word(8) as usize);
            records.push([record, captured].concat());
            rest = behind;
        }
        for record in records.iter().filter(|record| flows(&record[16..])) {
            let len = u32::from_le_bytes(record[12..16].try_into().unwrap());
            seeds.push(("pflog_record", [&len.to_be_bytes(), &record[16..]].concat()));
        }
        for (step, records) in records.chunks(5).take(4).enumerate() {
            seeds.push(("pcap_file", [&[7 * step as u8], head, &records.concat()].concat()));
        }
    }
}

/// Whether a record has a sound header with a packet of IP: others are not accepted as a whole.
fn flows(captured: &[u8]) -> bool {
    pflog::Header::parse(captured).is_ok_and(|header| pflog::Flow::of(&header).is_some())
}

fn settings(seeds: &mut Vec<Seed>) {
    let sample = include_str!("../../etc/threatstopd.toml");
    let config = config::Config::parse("device_id = \"tdid_abcd1234\"\n", "seed".as_ref()).unwrap();
    let rich = r#"
        device_id = "tdid_abcd1234"
        [policy]
        servers = ["192.124.129.42", "192.0.2.1:5353", "[2001:db8::1]:53", "dns.example.net"]
        [guard]
        never_block = ["198.51.100.0/24", "2001:db8::/32"]
        expect = ["64.87.3.133"]
        [log.request]
        fields = { who = "{device_id}", when = "at {time}" }
        [https]
        proxy = "http://user:pass%40word@[2001:db8::2]:3128"
    "#;
    for text in [sample.to_owned(), config.to_toml(), rich.to_owned()] {
        // the sample has no id of its own
        let text = text.replace("device_id = \"\"", "device_id = \"tdid_abcd1234\"");
        seeds.push(("toml_config", text.into()));
    }
    let old = r#"# ThreatSTOP
DNS_SERVERS="192.124.129.42 64.87.26.147"
BLOCK_LIST="basic.threatstop.local"
export ALLOW_LIST='dns.threatstop.local'; RELOAD_PF=NO

OUT_DIR=/var/db/threatstop-old   # where the files go
BLOCK_FILE="$OUT_DIR/threatstop.block"
ALLOW_FILE="${OUT_DIR}/threatstop.allow"
PFLOG="/var/log/pflog.0.gz"
url="https://logs.threatstop.com/cgi-bin/logupload.pl"
now=`date`
if [ -f /etc/x ]; then echo "$(id)"; fi
long=a\
b"c\"d"'e'
device_id="tdid_abcd1234"
"#;
    seeds.push(("old_conf", old.into()));
    let list = "# mine\n\n1.2.3.4\t# a host\r\n  10.0.0.0/8  \r\n2001:DB8::/32\n::ffff:1.2.3.4";
    seeds.push(("local_list", list.into()));
    seeds.push(("local_list", line(policy::LOCAL_MAX_LINE)));
}

/// Lists as web servers have them, the octet of the format before each.
fn feeds(seeds: &mut Vec<Seed>) {
    for list in [
        "\0; a list\r\n192.0.2.0/24 ; SBL1\r\n\r\n198.51.100.7\n2001:db8::/32\n",
        "\0\u{feff}#\n192.0.2.0\t192.0.2.255\t24\t99\tX\n198.51.100.0-198.51.100.9\n",
        "\x0010.1.2.3/16\n10.2/15\n1.2.2.0/255.255.254.0\n1.2.3/24\n1.2.3.4 - 1.2.3.9 , x\n",
        "\0bad.example\n// c\n::1|x\n2001:db8::-2001:db8::ff\n2001:db8:1:2::/48\n?",
        "\x01# c \"\n\"2026-01-01\",\"192.0.2.1\",\"a \"\"b\"\", c\"\r\nx,198.51.100.0/24\n",
        "\x02# \"first\", \"ip\"\n\"x\", \"192.0.2.1\"\n",
        "\x02first,ip\n\"x\ny\",192.0.2.1\nx,\nshort\n",
        "\x03{\"n\":-1.5e3,\"prefixes\":[{\"ip\":\"192.0.2.0/24\",\"r\":\"\\u00e4\"},{\"ip\":null},{}]}",
        "\x04{\"a\":[true,\"192.0.2.1\"],\"b\":{\"\\u0031\":\"2001:db8::1\"}}",
        "\x05{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"S\"}\n{\"type\":\"metadata\"}\r\n\n?\n",
    ] {
        seeds.push(("feed_list", list.into()));
    }
}

fn requests(seeds: &mut Vec<Seed>) {
    let mut requests = vec![
        Request::Status {},
        Request::Update { sources: vec!["policy".into()], force: true, dry_run: false },
        Request::Upload { dry_run: true },
        Request::Why { addresses: vec!["2001:db8::1".parse().unwrap()] },
        Request::Why {
            addresses: ["192.0.2.1", "198.51.100.7"].map(|addr| addr.parse().unwrap()).into(),
        },
        Request::Block {
            prefix: "192.0.2.7".into(),
            seconds: Some(14_400),
            reason: "ssh, ticket 12".into(),
        },
        Request::Allow { prefix: "2001:db8::/32".into(), seconds: None, reason: String::new() },
        Request::Forget { prefix: Some("192.0.2.7".into()) },
        Request::Test {},
        Request::Rollback {},
        Request::Reload { broken: None },
        Request::Log { verbose: true },
        Request::Metrics {},
        Request::Report { days: 35 },
    ];
    let shown =
        [Show::Block, Show::Allow, Show::Diff, Show::Hits, Show::Lists, Show::Overlaps, Show::Own];
    requests.extend(shown.map(|what| Request::Show { what }));
    for request in requests {
        let line = serde_json::to_vec(&request).unwrap();
        seeds.push(("control_request", [line, b"\n".to_vec()].concat()));
    }
}

fn files(seeds: &mut Vec<Seed>) {
    let old = "1.2.3.4\n5.6.0.0/16\n2a0b::/29\n";
    let new = "1.2.3.4\n5.6.0.0/17\n198.51.100.0/25\n2a0b::/29\n2a0c::1\n";
    seeds.push(("table_file", format!("{old}\0{new}").into()));
    seeds.push(("table_file", format!("{new}\0{old}").into()));

    let nets = b"\x01\x02\x03\x04\x20\x05\x06\0\0\x10\x2a\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1d";
    let head = b"threatstopd list 1\n{\"list\":\"l\",\"changed\":1700000000,\"v4\":2,\"v6\":1}\n";
    let sum = 1_151_854_249u32.to_le_bytes();
    seeds.push(("engine_lists", [&[1, 2, 1], nets.as_slice()].concat()));
    seeds.push(("engine_lists", [b"\0", head.as_slice(), nets, &sum].concat()));
    let times = [1_700_000_000u32, 7, u32::MAX].map(u32::to_le_bytes).concat();
    seeds.push(("engine_lists", [&[3, 3, 3, 7], times.as_slice()].concat()));

    let memory = r#"{"first_start":1700000000,"last":{"started":1700000001,"seconds":0.31,
        "result":"held back","why":"too few","server":"192.124.129.42:53","ttl":7200},
        "last_good":1700000001,"changed":[1700000001,null],"failures":3,"waiting":false,
        "held":[{"since":1,"text":"too few","can_force":true},null],
        "held_rows":[{"before":[5,5,0],"last":[4,4,0],"at":7},{"before":null,"last":null}],
        "run":3,"lists":{"basic.threatstop.local":{"kept":true,"run":3,"replaced":true,
        "confirmed":1700000001,"held":null,"row":{"before":null,"last":[9,9,0],"at":1700000001},
        "history":[[1795348800,[5,5,0]]]}},
        "sources":{"policy":{"last":1700000001,"last_good":1700000000,"error":"no answer"}},
        "rolled_back":null,"apl":["basic.threatstop.local"]}"#;
    seeds.push(("engine_memory", memory.into()));

    let block = r#"{"prefix":"192.0.2.7","action":"block","since":1700000000,"until":1700014400,
        "uid":0,"reason":"ssh, \"ticket\" 12","seconds":14400}"#;
    let allow = r#"{"prefix":"2001:db8::/32","action":"allow","since":7,"until":null,
        "uid":1000,"reason":"","seconds":null}"#;
    let lines = [block, allow].map(|line| line.replace("\n        ", ""));
    let own = format!("\x01{}\n{}", lines[0], lines[1]);
    seeds.push(("engine_own", own.into()));
}
