//! A plain reading of pf_match_rule(): one packet at a time, against made-up rules.
//!
//! 1. Make rules that pf might have, of all that this reading knows.
//! 2. Print them as pfctl does, and let them be judged.
//! 3. Send packets of every kind that come from the table or go to it through the rules, as pf
//!    would. Where nothing was said every one of them must be blocked, and logged unless a rule for
//!    the table has it; where nothing of a direction was said to be blocked, none may be.

use core::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// Who has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Blocked,
    Own,
    Private,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    way: &'static str,
    interface: &'static str,
    family: &'static str,
    protocol: &'static str,
    begins: bool,
    ends: [Who; 2],
    port: u16,
    tag: Option<&'static str>,
    luck: bool,
}

#[derive(Clone, Debug)]
struct Made {
    action: &'static str,
    way: Option<&'static str>,
    log: bool,
    /// Whether it also logs what other rules do.
    matches: bool,
    quick: bool,
    interface: Option<&'static str>,
    family: Option<&'static str>,
    protocol: Option<&'static str>,
    ends: [&'static str; 2],
    port: Option<u16>,
    syn: bool,
    tagged: Option<&'static str>,
    tag: bool,
    luck: bool,
    rewrites: Option<usize>,
}

#[derive(Clone, Debug)]
enum Part {
    Rule(Made),
    Anchor(Made, Vec<Part>),
    Below(Made, Vec<Vec<Part>>),
}

/// What matched last: the rule, and the anchor that it stands in.
#[derive(Clone, Copy, Debug, Default)]
struct Last<'p> {
    rule: Option<&'p Made>,
    anchor: Option<*const Made>,
    /// Whether a quick match rule has made a record.
    logged: bool,
    /// Whether a match rule has all that others do logged.
    recorded: bool,
}

/// Behind a `!`, and what is behind it.
fn negated(text: &str) -> (bool, &str) {
    text.strip_prefix("! ").map_or((false, text), |text| (true, text))
}

/// Whether a name behind `on` is for an interface: em0 is egress, em1 of the group lan.
fn on(name: &str, interface: &str) -> bool {
    let (not, name) = negated(name);
    let is = match name {
        "any" => true,
        "em" => interface.starts_with("em"),
        "egress" => interface == "em0",
        "lan" => interface == "em1",
        name => name == interface,
    };
    is != not
}

/// Whether an address of a rule is that of somebody.
fn is(address: &str, who: Who) -> bool {
    let (not, address) = negated(address);
    let is = match address {
        "any" => true,
        "<T>" => who == Who::Blocked,
        "<A>" | "no-route" => false,
        "<mixed>" => matches!(who, Who::Blocked | Who::Private),
        "(em0)" => who == Who::Own,
        "10.0.0.0/8" => who == Who::Private,
        "203.0.113.0/24" => who == Who::Blocked,
        other => panic!("{other}"),
    };
    is != not
}

impl Made {
    /// A line of setup.
    fn ours(way: &'static str, ends: [&'static str; 2]) -> Self {
        Self {
            action: "block",
            way: Some(way),
            log: true,
            matches: false,
            quick: true,
            interface: None,
            family: None,
            protocol: None,
            ends,
            port: None,
            syn: false,
            tagged: None,
            tag: false,
            luck: false,
            rewrites: None,
        }
    }

    fn matches(&self, packet: &Packet) -> bool {
        let ported = matches!(packet.protocol, "tcp" | "udp");
        self.way.is_none_or(|way| way == packet.way)
            && self.interface.is_none_or(|name| on(name, packet.interface))
            && self.family().is_none_or(|family| family == packet.family)
            && self.protocol.is_none_or(|wanted| wanted == packet.protocol)
            && is(self.ends[0], packet.ends[0])
            && is(self.ends[1], packet.ends[1])
            && self.port.is_none_or(|port| !ported || port == packet.port)
            && (!self.syn() || packet.protocol != "tcp" || packet.begins)
            && self.tagged.is_none_or(|tagged| {
                let (not, tag) = negated(tagged);
                (packet.tag == Some(tag)) != not
            })
            && (!self.luck || packet.luck)
    }

    /// pfctl prints the family of a rule with a network.
    fn family(&self) -> Option<&'static str> {
        let net = self.ends.iter().any(|end| end.contains('/'));
        if net { Some("inet") } else { self.family }
    }

    /// What a pass rule asks of TCP.
    fn syn(&self) -> bool {
        (self.action == "pass" || self.syn) && self.protocol.is_none_or(|name| name == "tcp")
    }

    fn print(&self, begin: &str) -> String {
        let port = self.port.map(|port| format!(" port = {port}")).unwrap_or_default();
        let words = [
            Some(begin.to_owned()),
            (self.action == "block").then(|| "drop".into()),
            self.way.map(str::to_owned),
            self.log.then(|| if self.matches { "log (matches)" } else { "log" }.into()),
            self.quick.then(|| "quick".into()),
            self.interface.map(|name| format!("on {name}")),
            self.family().map(str::to_owned),
            self.protocol.map(|name| format!("proto {name}")),
            Some(format!("from {} to {}{port}", self.ends[0], self.ends[1])),
            self.syn().then(|| "flags S/SA".into()),
            self.luck.then(|| "probability 50%".into()),
            self.tag.then(|| "tag X".into()),
            self.tagged.map(|tagged| match negated(tagged) {
                (true, tag) => format!("! tagged {tag}"),
                (false, tag) => format!("tagged {tag}"),
            }),
            self.rewrites.map(|end| ["nat-to (em0)", "rdr-to 10.0.0.2"][end].into()),
        ];
        words.into_iter().flatten().collect::<Vec<String>>().join(" ")
    }
}

fn print(parts: &[Part], out: &mut String) {
    for part in parts {
        match part {
            Part::Rule(rule) => writeln!(out, "{}", rule.print(rule.action)).unwrap(),
            Part::Anchor(head, inner) => {
                writeln!(out, "{} {{", head.print("anchor \"x\"")).unwrap();
                print(inner, out);
                out.push_str("}\n");
            }
            Part::Below(head, children) => {
                writeln!(out, "{} {{", head.print("anchor \"y/*\"")).unwrap();
                for inner in children {
                    out.push_str("anchor \"z\" all {\n");
                    print(inner, out);
                    out.push_str("}\n");
                }
                out.push_str("}\n");
            }
        }
    }
}

/// Whether it is over: by a quick rule, or at the end of a quick anchor in which the last match
/// stands.
fn run<'p>(
    parts: &'p [Part],
    within: Option<*const Made>,
    packet: &mut Packet,
    last: &mut Last<'p>,
) -> bool {
    for part in parts {
        let (Part::Rule(rule) | Part::Anchor(rule, _) | Part::Below(rule, _)) = part;
        if !rule.matches(packet) {
            continue;
        }
        if rule.tag {
            packet.tag = Some("X");
        }
        let here: *const Made = rule;
        let mut enter = |inner: &'p [Part], packet: &mut Packet| {
            run(inner, Some(here), packet, last) || (rule.quick && last.anchor == Some(here))
        };
        let over = match part {
            Part::Anchor(_, inner) => enter(inner, packet),
            Part::Below(_, children) => children.iter().any(|inner| enter(inner, packet)),
            Part::Rule(rule) => {
                match (rule.action, rule.rewrites) {
                    ("match", Some(0)) => packet.ends[0] = Who::Own,
                    ("match", Some(_)) => packet.ends[1] = Who::Private,
                    ("match", None) => {}
                    _ => *last = Last { rule: Some(rule), anchor: within, ..*last },
                }
                last.recorded |= rule.matches;
                last.logged = rule.quick && rule.log;
                rule.quick
            }
        };
        if over {
            return true;
        }
    }
    false
}

/// Whether pf blocks a packet, and whether it gets into the log, or a rule for the table has it:
/// whether those log is looked at elsewhere.
fn decided(parts: &[Part], mut packet: Packet) -> (bool, bool) {
    let far = usize::from(packet.way == "out");
    let mut last = Last::default();
    run(parts, None, &mut packet, &mut last);
    last.rule.map_or((false, false), |rule| {
        (
            rule.action == "block",
            rule.log || last.logged || last.recorded || rule.ends[far] == "<T>",
        )
    })
}

/// Every kind of packet that comes from the table or goes to it.
fn packets() -> Vec<Packet> {
    let mut found = Vec::new();
    let of_v4 = ["tcp", "tcp", "udp", "icmp", "gre"].map(|protocol| ("inet", protocol));
    let of_v6 = ["tcp", "tcp", "udp", "gre"].map(|protocol| ("inet6", protocol));
    for (at, (family, protocol)) in of_v4.into_iter().chain(of_v6).enumerate() {
        // the first of each family begins a connection
        let begins = protocol != "tcp" || at == 0 || at == of_v4.len();
        for interface in ["em0", "em1", "tun0"] {
            for near in [Who::Own, Who::Private, Who::Other] {
                // there is no 10/8 in IPv6
                if (family, near) == ("inet6", Who::Private) {
                    continue;
                }
                for (port, tag, luck) in [
                    (80, None, true),
                    (80, Some("X"), false),
                    (81, None, false),
                    (81, Some("X"), true),
                ] {
                    let there = [("in", [Who::Blocked, near]), ("out", [near, Who::Blocked])];
                    found.extend(there.map(|(way, ends)| Packet {
                        way,
                        interface,
                        family,
                        protocol,
                        begins,
                        ends,
                        port,
                        tag,
                        luck,
                    }));
                }
            }
        }
    }
    found
}

fn rarely(of: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![3 => Just(None), 1 => select(of).prop_map(Some)]
}

const NAMES: &[&str] = &["em0", "em1", "egress", "em", "lan", "any", "lo0", "! em1"];
const ENDS: &[&str] = &[
    "any",
    "any",
    "any",
    "any",
    "<T>",
    "! <T>",
    "<A>",
    "<mixed>",
    "! <mixed>",
    "(em0)",
    "10.0.0.0/8",
    "203.0.113.0/24",
];

fn made() -> impl Strategy<Value = Made> {
    let first = (
        select(&["pass", "block", "block", "match"][..]),
        select(&[None, Some("in"), Some("out")][..]),
        any::<(bool, bool)>(),
        rarely(NAMES),
        rarely(&["inet", "inet6"]),
        rarely(&["tcp", "udp", "icmp", "gre"]),
    );
    let second = (select(ENDS), select(ENDS), any::<[Index; 6]>());
    (first, second).prop_map(|(first, (from, to, dice))| {
        let (action, way, (log, quick), interface, family, protocol) = first;
        let one_in = |at: usize, of: usize| dice[at].index(of) == 0;
        let ported = matches!(protocol, Some("tcp" | "udp"));
        Made {
            action,
            log,
            quick,
            interface,
            family,
            protocol,
            port: (ported && one_in(0, 3)).then_some(80),
            syn: action == "block" && protocol == Some("tcp") && one_in(1, 4),
            tagged: ["X", "! X"].get(dice[2].index(12)).copied(),
            tag: one_in(3, 8),
            luck: one_in(4, 12),
            rewrites: Some(dice[5].index(4)).filter(|end| *end < 2 && action == "match"),
            matches: action == "match" && log && dice[5].index(4) == 2,
            ..Made { way, ..Made::ours("in", [from, to]) }
        }
    })
}

/// The lines of setup, one of them perhaps changed in one thing.
fn ours() -> impl Strategy<Value = Vec<Part>> {
    (0..14_usize, any::<bool>(), select(NAMES)).prop_map(|(what, second, name)| {
        let mut lines = [Made::ours("in", ["<T>", "any"]), Made::ours("out", ["any", "<T>"])];
        let changed = &mut lines[usize::from(second)];
        match what {
            0 => changed.quick = false,
            1 => changed.family = Some("inet"),
            2 => changed.protocol = Some("tcp"),
            3 => changed.interface = Some(name),
            4 => changed.way = None,
            5 => changed.luck = true,
            6 => changed.tagged = Some("X"),
            7 => changed.syn = true,
            _ => {}
        }
        lines.map(Part::Rule).to_vec()
    })
}

fn head() -> impl Strategy<Value = Made> {
    (made(), any::<bool>()).prop_map(|(mut head, quick)| {
        (head.action, head.rewrites, head.log, head.syn) = ("anchor", None, false, false);
        head.matches = false;
        head.quick = quick;
        // mostly for all, or the rules in it are never met
        if head.protocol.is_none() {
            (head.ends, head.tagged, head.luck) = (["any", "any"], None, false);
        }
        head
    })
}

fn several(
    of: impl Strategy<Value = Vec<Part>> + 'static,
) -> impl Strategy<Value = Vec<Part>> + Clone {
    proptest::collection::vec(of.boxed(), 0..4).prop_map(|parts| parts.concat()).boxed()
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let rule = || made().prop_map(|rule| vec![Part::Rule(rule)]);
    let leaf = prop_oneof![4 => rule(), 2 => ours()];
    let all = leaf.prop_recursive(2, 12, 3, |inner| {
        let one = several(inner.clone());
        let below = proptest::collection::vec(one.clone(), 0..3);
        prop_oneof![
            2 => inner,
            1 => (head(), one).prop_map(|(head, inner)| vec![Part::Anchor(head, inner)]),
            1 => (head(), below).prop_map(|(head, inner)| vec![Part::Below(head, inner)]),
        ]
    });
    (several(all), ours(), several(rule()))
        .prop_map(|(before, ours, behind)| [before, ours, behind].concat())
}

proptest! {
    #[test]
    fn what_is_said_is_what_pf_does(parts in parts(), known in any::<bool>()) {
        let mut text = String::new();
        print(&parts, &mut text);
        let egress = if known { vec!["em0".into()] } else { vec![] };
        let found = findings(&text, &Interfaces { egress, skipped: vec![] });
        for packet in packets() {
            let (blocked, reported) = decided(&parts, packet);
            if found.is_empty() {
                prop_assert!(blocked && reported, "{text}{packet:?}");
            }
            for Finding { text: said, .. } in &found {
                let lost = said.split_once(": n").map_or("", |(_, lost)| lost);
                let lost = lost.split_once(" is blocked: ").map_or("", |(lost, _)| lost);
                let nothing = format!("n{lost}").split(" and ").any(|lost| {
                    let v4 = packet.family == "inet";
                    lost == format!("nothing {}", packet.way)
                        || lost == format!("nothing {} of IPv{}", packet.way, if v4 { 4 } else { 6 })
                        || lost == format!("no TCP {}", packet.way) && packet.protocol == "tcp"
                });
                if nothing && packet.begins {
                    prop_assert!(!blocked, "{said}\n{text}{packet:?}");
                }
            }
        }
    }
}
