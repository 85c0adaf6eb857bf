use proptest::prelude::*;

use super::*;

/// As OpenBSD 7.8 prints the rules of the sample, behind those of its own pf.conf.
const SAMPLE: &str = "\
block return all
pass all flags S/SA
block return in on ! lo0 proto tcp from any to any port 6000:6010
block return out log proto tcp all user = 55
pass in log quick from <ThreatSTOP-Allow> to any flags S/SA
pass out log quick from any to <ThreatSTOP-Allow> flags S/SA
block drop in log quick from <ThreatSTOP-Block> to any
block drop out log quick from any to <ThreatSTOP-Block>
";

fn flat(items: &[Item]) -> Vec<Rule> {
    let rules = items.iter().flat_map(|item| match item {
        Item::Rule(rule) => vec![rule.clone()],
        Item::Anchor(anchor) => flat(&anchor.items),
    });
    rules.collect()
}

#[track_caller]
fn one(line: &str) -> Rule {
    let rules = read(line);
    assert_eq!(rules.unread, [], "{line}");
    match rules.items.as_slice() {
        [Item::Rule(rule)] => rule.clone(),
        other => panic!("{line}: {other:?}"),
    }
}

fn table(name: &str, not: bool) -> End {
    End { address: Address::Table(name.into()), not, also: vec![] }
}

#[test]
fn the_rules_of_the_sample() {
    let rules = read(SAMPLE);
    assert_eq!(rules.unread, []);
    let rules = flat(&rules.items);
    assert_eq!(rules.len(), 8);
    let text = "block drop in log quick from <ThreatSTOP-Block> to any";
    assert_eq!(
        rules[6],
        Rule {
            direction: Some(Direction::In),
            log: Some(0),
            quick: true,
            ends: [table("ThreatSTOP-Block", false), End::ANY],
            ..Rule::new("", text, Action::Block)
        }
    );
    let out = &rules[5];
    assert_eq!((out.action, out.direction), (Action::Pass, Some(Direction::Out)));
    assert_eq!(out.ends, [End::ANY, table("ThreatSTOP-Allow", false)]);
    assert_eq!(rules[0].conditions(0), [""; 0]);
    assert_eq!(rules[2].conditions(0), ["on ! lo0", "proto tcp", "to port 6000:6010"]);
    assert_eq!(rules[3].conditions(1), ["proto tcp", "user = 55"]);
    let logs: Vec<bool> = rules.iter().map(|rule| rule.log.is_some()).collect();
    assert_eq!(logs, [false, false, false, true, true, true, true, true]);
}

/// Every word that print_rule() knows, none of which is to be passed over.
#[test]
fn a_rule_is_read_whole() {
    for line in [
        "block return-rst in proto tcp all",
        "block return-rst(ttl 5) in proto tcp all",
        "block return-icmp(host-unr, addr-unr) out quick all",
        "block return-icmp6(3) inet6 all",
        "pass out on egress inet from 10.0.0.0/8 to any flags S/SA nat-to (egress:0) round-robin",
        "match out on em0 inet from any to any nat-to 192.0.2.1 port 1024:65535 static-port",
        "match out inet from 10.0.0.0/24 to any nat-to 192.0.2.0/28 source-hash \
         0x0123456789abcdef0123456789abcdef sticky-address",
        "pass in on em0 inet proto tcp from any to 192.0.2.1 port = 80 flags S/SA rdr-to 10.0.0.2 \
         port 8080",
        "pass in inet6 from any to 64:ff9b::/96 flags S/SA af-to inet from (em0) round-robin to \
         192.0.2.0/24",
        "pass in on em1 all flags S/SA route-to 192.0.2.1@em0",
        "pass in on em1 all flags S/SA reply-to (em0)",
        "pass out all flags S/SA dup-to <mirrors> round-robin",
        "pass in proto tcp from any to any port = 22 flags S/SA keep state (source-track rule, \
         max-src-conn 10, max-src-conn-rate 5/3, overload <bruteforce> flush global, if-bound, \
         tcp.first 30)",
        "pass proto tcp all flags S/SA modulate state",
        "pass proto tcp all flags S/SA synproxy state (max 100)",
        "pass all no state probability 12.5%",
        "pass in from any os \"Windows XP\" to any flags S/SA",
        "pass in all flags any set (prio(5, 6), queue(std, ack), tos 0x10) label \"a (b) once\" tag x",
        "match in all scrub (no-df random-id min-ttl 5 reassemble tcp max-mss 1440)",
        "block drop in all fragment",
        "pass all flags S/SA allow-opts once",
        "pass in all flags S/SA label \"quoted\"word\" ! tagged LAN rtable 3",
        "pass in on ! rdomain 3 all flags S/SA tos 0x10 prio 3 max-pkt-rate 100/10",
        "pass in proto tcp all flags S/SA divert-to 127.0.0.1 port 8025",
        "pass out inet proto udp all divert-reply",
        "pass in quick proto tcp from any to any port = 80 flags S/SA divert-packet port 700",
        "pass in from no-route to urpf-failed flags S/SA",
        "pass in from route \"ISP 1\" to any flags S/SA",
        "pass inet from 10.0.0.1 - 10.0.0.9 to (em0:network) flags S/SA",
        "pass proto udp from any port 1 >< 9 to any port 5 <> 7",
        "pass out proto tcp all user != unknown group 1:99 flags S/SA",
        "pass in inet proto icmp all icmp-type unreach code needfrag",
        "pass in inet6 proto ipv6-icmp all icmp6-type 200",
        "pass out all flags S/SA !received-on em0",
        "pass out all flags S/SA received-on em0",
        "pass in all flags /SFRA",
        "pass proto 99 from fe80::1 to ff02::/16",
        "block drop log (all, matches, user, to pflog3) from <t> to any",
    ] {
        one(line);
    }
}

#[test]
fn what_stands_before_the_ends() {
    let log = |line: &str| one(line).log;
    assert_eq!(log("block drop from <t> to any"), None);
    assert_eq!(log("block drop log (all) from <t> to any"), Some(0));
    assert_eq!(log("pass in log (all, matches, user, to pflog3) quick on em0 all"), Some(3));
    assert_eq!(log("pass log (to pflog1) from <t> to any flags S/SA"), Some(1));
    // these are an interface, a label and a tag
    assert_eq!(log("pass on log all flags S/SA"), None);
    assert_eq!(log("pass on ! log all label \"log quick\""), None);
    assert!(!one("pass on quick all tag quick").quick);
    assert!(one("block return-icmp(host-unr, addr-unr) out quick inet6 all").quick);
    assert_eq!(one("pass from <t> to any").direction, None);
    assert_eq!(one("match in on ! rdomain 3 from <t> to any").also, ["on ! rdomain 3"]);
    // a group may be called so
    let named = Named { name: "rdomain".into(), not: false };
    assert_eq!(one("pass on rdomain all").interface, Some(named));
}

#[test]
fn the_ends() {
    let ends = |line: &str| {
        let [from, to] = one(line).ends;
        (from, to)
    };
    let ported = |name, not, port: &str| End { also: vec![port.into()], ..table(name, not) };
    assert_eq!(ends("pass in from ! <t> to any flags S/SA"), (table("t", true), End::ANY));
    assert_eq!(
        ends("pass proto tcp from <a> port = 80 to ! <b> port 1:2"),
        (ported("a", false, "port = 80"), ported("b", true, "port 1:2"))
    );
    assert_eq!(
        ends("block drop from <a> os \"Linux\" to <b>"),
        (ported("a", false, "os Linux"), table("b", false))
    );
    let text = "inet from 10.0.0.1/8 to 192.0.2.1";
    let net = |text: &str| Address::Net(text.parse().unwrap());
    let (from, to) = ends(&format!("pass {text}"));
    assert_eq!((from.address, to.address), (net("10.0.0.0/8"), net("192.0.2.1")));
    // where the table is only filled, or a place to send to, or part of a label
    for line in [
        "pass proto tcp from any to any flags S/SA keep state (max-src-conn 9, overload <t> flush)",
        "match in inet from any to any rdr-to <t> round-robin",
        "pass all flags S/SA label \"from <t> to <t>\"",
    ] {
        assert_eq!(ends(line), (End::ANY, End::ANY), "{line}");
    }
}

#[test]
fn rules_in_anchors() {
    let text = "\
block return all
anchor \"threatstop\" all {
  pass in log quick from <a> to any flags S/SA
  anchor \"deeper\" on em0 all {
    block drop from <a> to any
  }
  anchor \"../banned\" all {
    block drop from <b> to any
  }
  anchor \"/site/x\" inet all {
    block drop from <c> to any
  }
}
anchor \"relayd/*\" all {
  anchor \"web\" all {
    pass from <d> to any flags S/SA
  }
}
anchor in all {
  anchor \"named\" all {
    pass from <e> to any flags S/SA
  }
}
anchor \"ftp-proxy/*\" all {
}
pass from <f> to any flags S/SA
";
    let rules = read(text);
    assert_eq!(rules.unread, []);
    let found = flat(&rules.items);
    let found: Vec<&str> = found.iter().map(|rule| rule.anchor.as_str()).collect();
    let wanted =
        ["", "threatstop", "threatstop/deeper", "banned", "site/x", "relayd/web", "_/named", ""];
    assert_eq!(found, wanted);
    let Item::Anchor(anchor) = &rules.items[1] else { panic!("{:?}", rules.items[1]) };
    let [_, Item::Anchor(deeper), ..] = anchor.items.as_slice() else { panic!("{anchor:?}") };
    assert_eq!(deeper.head.conditions(0), ["on em0"]);
    let wildcards: Vec<bool> = rules
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Anchor(anchor) => Some(anchor.wildcard),
            Item::Rule(_) => None,
        })
        .collect();
    assert_eq!(wildcards, [false, true, false, true]);
}

#[test]
fn what_is_not_understood_is_said() {
    for (text, line, what) in [
        ("pass all\nscrub in all\n", 2, "scrub in all"),
        ("action(17) all\n", 1, "action(17) all"),
        ("}\n", 1, "}"),
        ("anchor \"a\" all {\n", 1, "an anchor without its end"),
        ("pfctl: Anchor does not exist\n", 1, "pfctl: Anchor does not exist"),
    ] {
        let wanted = Unread { line, what: what.into(), rule: None };
        assert_eq!(read(text).unread, [wanted], "{text}");
    }
    for (text, what) in [
        ("pass in", "its end is missing"),
        ("pass from <t>", "its end is missing"),
        ("pass from <t> port = 80", "its end is missing"),
        ("pass log (all", "(all"),
        ("pass log (to pflogx) all", "all"),
        ("pass in sideways all", "sideways all"),
        ("pass from ? to any", "to any"),
        ("pass all flags S/SA frobnicate 3 label \"x\"", "frobnicate 3 label \"x\""),
        ("pass all label \"x", "label \"x"),
        ("anchor \"*\" all {\n}", "the anchors below it, which pfctl does not print"),
        ("anchor \"x/*\" all {\n  pass all\n}", "the anchors below it, which pfctl does not print"),
    ] {
        let unread = read(text).unread;
        assert_eq!(unread.len(), 1, "{text}");
        assert_eq!((unread[0].line, unread[0].what.as_str()), (1, what), "{text}");
        assert!(unread[0].rule.is_some(), "{text}");
    }
    let deep = "anchor \"a\" all {\n".repeat(DEEPEST + 1);
    assert_eq!(read(&deep).unread[0].line, DEEPEST + 1);
    assert_eq!(read(""), Ruleset::default());
}

proptest! {
    /// Whatever is printed, it is read to its end, and no rule is made up.
    #[test]
    fn nothing_panics(text in "(pass|block|anchor|from|to|log|on|all|in|port|label|user|\\(|\\)|!|<t>|\\{|\\}|\"|=|\\*|é|\n| )*") {
        let rules = read(&text);
        let found = flat(&rules.items);
        prop_assert!(found.len() <= text.lines().count());
        for rule in found {
            prop_assert!(text.contains(&rule.text));
        }
    }
}
