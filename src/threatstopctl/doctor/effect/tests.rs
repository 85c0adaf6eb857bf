//! What is said of rules, against what pf would do with packets.

use super::*;
use crate::doctor::report::Finding;
use crate::doctor::rules;

mod packets;

const WATCH: Watch<'_> =
    Watch { table: "T", allow: "A", anchor: "", private: false, own: &[], monitor: false };

fn findings(text: &str, interfaces: &Interfaces) -> Vec<Finding> {
    let rules = rules::read(text);
    assert_eq!(rules.unread, [], "{text}");
    let mut report = Report::default();
    judge(&rules, &WATCH, interfaces, &[Direction::In, Direction::Out], &mut report);
    report.findings
}

/// What is said of these rules, without the way out.
fn said(text: &str) -> Vec<String> {
    let interfaces = Interfaces { egress: vec!["em0".into()], skipped: vec!["lo0".into()] };
    let line = |Finding { verdict, text, .. }: Finding| {
        let end = [": put ", ": write ", ": take ", ": if that"]
            .iter()
            .filter_map(|way| text.find(way))
            .min();
        format!("{} {}", verdict.word(), &text[..end.expect("there is no way out")])
    };
    findings(text, &interfaces).into_iter().map(line).collect()
}

const OURS: &str = "\
block drop in log quick from <T> to any
block drop out log quick from any to <T>
";

#[track_caller]
fn assert_said(text: &str, wanted: &[&str]) {
    assert_eq!(said(text), wanted, "{text}");
}

#[test]
fn what_is_in_order() {
    let others = "block return all\npass all flags S/SA\npass in quick on em1 all flags S/SA\n";
    for before in [
        "",
        "block return all\npass all flags S/SA\n",
        "pass in log quick from <A> to any flags S/SA\npass out log quick from any to <A> flags S/SA\n",
        "pass quick on lo0 all flags S/SA\n",
        "block drop in quick on ! em1 inet from 10.0.0.0/8 to any\n",
        "pass in quick inet from 192.168.0.0/16 to any flags S/SA\n",
        "pass in quick from (em1:network) to any flags S/SA\n",
        "pass out quick inet from any to 10.0.0.0/8 flags S/SA\n",
        "match out on em0 inet from any to any nat-to (em0)\n",
        "match in all scrub (no-df)\n",
        "block drop in log quick from <bruteforce> to any\n",
        "anchor \"ftp-proxy/*\" all {\n}\n",
        "anchor \"x\" in quick on em1 from (em1:network) to any {\n  pass all flags S/SA\n}\n",
    ] {
        assert_said(&format!("{before}{OURS}{others}"), &[]);
        // and our rules in an anchor of their own
        assert_said(&format!("{before}anchor \"t\" all {{\n{OURS}}}\n{others}"), &[]);
    }
    // other forms that have the same effect
    for rules in [
        "block drop log quick from <T> to any\nblock drop log quick from any to <T>\n",
        "block return log quick inet from <T> to any\nblock return log quick inet6 from <T> to any\n\
         block return-icmp(host-unr, addr-unr) out log quick from any to <T>\n",
        "pass all flags S/SA\nblock drop in log from <T> to any\nblock drop out log from any to <T>\n",
        "anchor \"t\" quick all {\n  block drop in log from <T> to any\n  block drop out log from any \
         to <T>\n}\npass quick all flags S/SA\n",
        "match in from <T> to any tag BAD\nblock drop in log quick all tagged BAD\n\
         block drop in log quick from <T> to any\nblock drop out log quick from any to <T>\n",
        "block drop log all\nblock drop in log quick inet proto tcp from <T> to any\n\
         block drop out log quick inet proto tcp from any to <T>\n",
    ] {
        assert_said(rules, &[]);
    }
}

/// What keeps state is not for every packet, and what it tags is not all.
#[test]
fn a_tag_of_a_pass_rule() {
    let rules =
        "pass in from <T> to any flags S/SA tag BAD\nblock drop in log quick all tagged BAD\n";
    assert_eq!(said(&format!("{rules}block drop out log quick from any to <T>\n")).len(), 1);
}

#[test]
fn a_quick_rule_before() {
    let before = |rule: &str| said(&format!("{rule}\n{OURS}"));
    let whole = |rule: &str, lost: &str| {
        let text = format!("\"{rule}\" stands before the rules for <T>: {lost} is blocked");
        assert_eq!(before(rule), [format!("FAIL {text}")], "{rule}");
    };
    whole("pass out quick all flags S/SA", "nothing out");
    whole("pass in quick all flags S/SA", "nothing in");
    whole("pass quick all flags S/SA", "nothing in and nothing out");
    whole("pass quick all no state", "nothing in and nothing out");
    whole("pass out quick inet all flags S/SA", "nothing out of IPv4");
    whole("pass out quick inet6 all flags S/SA", "nothing out of IPv6");
    whole("pass out quick on egress all flags S/SA", "nothing out on em0");
    whole("pass out quick on em0 all flags S/SA", "nothing out on em0");
    whole("pass out quick on em all flags S/SA", "nothing out on em, em0");
    whole("pass in quick on ! em1 all flags S/SA", "nothing in on em0, other interfaces");
    whole("pass in quick from <T> to any flags S/SA", "nothing in");
    whole("pass in quick from ! <A> to any flags S/SA", "nothing in");
    let part = |rule: &str, lost: &str| {
        let text = format!("\"{rule}\" stands before the rules for <T>: {lost} is blocked");
        assert_eq!(before(rule), [format!("note {text}")], "{rule}");
    };
    part("pass in quick on em1 all flags S/SA", "nothing in on em1");
    part("pass out quick proto tcp all flags S/SA", "no TCP out");
    part("pass in quick inet proto icmp all", "no ICMP in of IPv4");
    let passed = "nothing of what it passes in";
    part("pass in quick proto tcp from any to any port = 22 flags S/SA", passed);
    part("pass in quick from <friends> to any flags S/SA", passed);
    part("pass in quick inet from 203.0.113.9 to any flags S/SA", passed);
    part("pass in quick all flags S/SA tagged X", passed);
    part("pass in quick all flags S/SA received-on em1", passed);
    part("pass in quick all flags S/SA probability 50%", passed);
    part("pass in quick on rdomain 1 all flags S/SA", passed);
    part("pass out quick proto tcp all user = 0 flags S/SA", "nothing of what it passes out");
    part("pass quick proto tcp from any to any port = 22 flags S/SA", "nothing of what it passes");
    part("pass in quick on em1 proto udp all", "no UDP in on em1");
    // two that together leave nothing
    let both = said(&format!(
        "pass out quick proto tcp all flags S/SA\npass out quick proto udp all\n{OURS}"
    ));
    assert_eq!(both.len(), 2);
    assert!(both[0].starts_with("FAIL ") && both[0].ends_with(": no TCP out is blocked"));
    assert!(both[1].starts_with("FAIL ") && both[1].ends_with(": no UDP out is blocked"));
    // others that block some of it beforehand do not make it a part
    assert_said(
        &format!(
            "block drop out log quick from any to <bogons>\npass out quick all flags S/SA\n{OURS}"
        ),
        &[
            "FAIL \"pass out quick all flags S/SA\" stands before the rules for <T>: nothing out is \
           blocked by them",
        ],
    );
    // what is not for the Internet is a note, and nobody knows what is
    let unknown =
        findings(&format!("pass out quick on em0 all flags S/SA\n{OURS}"), &Interfaces::default());
    assert_eq!((unknown.len(), unknown[0].verdict), (1, Verdict::Note));
}

#[test]
fn a_rule_before_in_an_anchor() {
    let said = |text: &str| said(&format!("{text}{OURS}"));
    assert_eq!(
        said("anchor \"x\" out all {\n  pass quick all flags S/SA\n}\n"),
        ["FAIL \"pass quick all flags S/SA\" in anchor \"x\" stands before the rules for <T>: \
          nothing out is blocked"]
    );
    assert_eq!(
        said("anchor \"x\" in on em1 all {\n  pass quick all flags S/SA\n}\n"),
        ["note \"pass quick all flags S/SA\" in anchor \"x\" stands before the rules for <T>: \
          nothing in on em1 is blocked"]
    );
    // quick is what the anchor is
    assert_eq!(said("anchor \"x\" out quick all {\n  pass all flags S/SA\n}\n").len(), 1);
    assert_eq!(said("anchor \"x/*\" out quick all {\n  anchor \"y\" all {\n    pass all flags S/SA\n  }\n}\n").len(), 1);
    assert_eq!(said("anchor \"x\" out all {\n  pass all flags S/SA\n}\n"), [""; 0]);
    // deeper, it is not
    assert_eq!(
        said(
            "anchor \"x\" out quick all {\n  anchor \"y\" all {\n    pass all flags S/SA\n  }\n}\n"
        ),
        [""; 0]
    );
}

#[test]
fn a_rule_that_does_not_log_before() {
    let said = |rule: &str| said(&format!("{rule}\n{OURS}"));
    assert_eq!(
        said("block drop in quick all"),
        ["FAIL \"block drop in quick all\" stands before the rules for <T> and does not log: \
          nothing in is reported"]
    );
    assert_eq!(
        said("block drop in quick from <bruteforce> to any"),
        ["note \"block drop in quick from <bruteforce> to any\" stands before the rules for <T> \
          and does not log: nothing of what it blocks in is reported"]
    );
    assert_eq!(said("block drop quick inet6 all").len(), 1);
    assert!(said("block drop quick inet6 all")[0].starts_with("note "));
    // a match rule may have that logged
    for (matches, notes) in [
        ("match log (matches) all", 0),
        ("match in log (matches) inet6 all", 1),
        ("match log (matches) on em1 all", 1),
        ("match log (matches) all probability 50%", 1),
        ("match log (matches, to pflog1) all", 1),
        ("anchor \"x\" all {\n  match log (matches) all\n}", 0),
        ("anchor \"x\" on em0 all {\n  match log (matches) all\n}", 1),
    ] {
        let found = said(&format!("{matches}\nblock drop quick inet6 all"));
        assert_eq!(found.len(), notes, "{matches}");
    }
}

/// pf ends there, and goes by what has matched last.
#[test]
fn a_match_rule_with_quick_before() {
    let said = |before: &str| said(&format!("{before}{OURS}"));
    let stands = "stands before the rules for <T>";
    assert_eq!(
        said("match in quick all scrub (no-df max-mss 1440)\n"),
        [format!(
            "FAIL \"match in quick all scrub (no-df max-mss 1440)\" {stands}: nothing in is blocked"
        )]
    );
    assert_eq!(
        said("match in quick proto tcp from any to any port = 22\n"),
        [format!(
            "note \"match in quick proto tcp from any to any port = 22\" {stands}: nothing of what \
             it matches in is blocked"
        )]
    );
    assert_eq!(
        said("block drop all\nmatch in quick all\n"),
        [format!("FAIL \"match in quick all\" {stands} and does not log: nothing in is reported")]
    );
    assert_eq!(said("block drop all\nmatch in log quick all\n"), [""; 0]);
    assert_eq!(said("block drop in log from <T> to any\nmatch in quick all\n"), [""; 0]);
}

#[test]
fn a_later_rule_without_quick() {
    let ours = "block drop in log from <T> to any\nblock drop out log quick from any to <T>\n";
    assert_said(
        &format!("{ours}pass all flags S/SA\n"),
        &[
            "FAIL \"pass all flags S/SA\" decides after \"block drop in log from <T> to any\", which \
           is without quick: nothing in is blocked",
        ],
    );
    assert_said(
        &format!("{ours}pass in proto tcp from any to any port = 80 flags S/SA\n"),
        &["note \"pass in proto tcp from any to any port = 80 flags S/SA\" decides after \"block \
           drop in log from <T> to any\", which is without quick: nothing of what it passes in is \
           blocked"],
    );
    assert_said(&format!("{ours}pass out all flags S/SA\n"), &[]);
}

#[test]
fn a_rule_that_is_narrower_than_its_table() {
    let narrow = |rule: &str| {
        said(&format!("{rule}\nblock drop out log quick from any to <T>\npass all flags S/SA\n"))
    };
    let fails = |rule: &str, asks: &str, lost: &str| {
        let text = format!("FAIL \"{rule}\" is narrower than its table ({asks}): {lost}");
        assert_eq!(narrow(rule), [text], "{rule}");
    };
    let rest = "the rest is not blocked";
    fails("block drop in log quick inet from <T> to any", "inet", "nothing in of IPv6 is blocked");
    fails(
        "block drop in log quick inet6 from <T> to any",
        "inet6",
        "nothing in of IPv4 is blocked",
    );
    fails(
        "block drop in log quick proto tcp from <T> to any",
        "proto tcp",
        "nothing but TCP in is blocked",
    );
    for (rule, asks) in [
        ("block drop in log quick from <T> to 192.0.2.1", "to 192.0.2.1"),
        ("block drop in log quick from <T> to ! <own>", "to ! <own>"),
        ("block drop in log quick from <T> to any received-on em0", "received-on em0"),
        ("block drop in log quick from <T> to any !received-on em0", "!received-on em0"),
        ("block drop in log quick from <T> to any probability 50%", "probability 50%"),
        ("block drop in log quick from <T> to any once", "once"),
        ("block drop in log quick from <T> to any tagged X", "tagged X"),
        ("block drop in log quick from <T> to any ! tagged X", "! tagged X"),
        ("block drop in log quick from <T> to any fragment", "fragment"),
        ("block drop in log quick from <T> to any max-pkt-rate 5/1", "max-pkt-rate 5/1"),
        ("block drop in log quick on rdomain 1 from <T> to any tagged X", "tagged X, on rdomain 1"),
        ("block drop in log quick from <T> os \"Linux\" to any", "from os Linux"),
    ] {
        fails(rule, asks, rest);
    }
    fails("block drop in log quick from <T> to any flags S/SA", "flags S/SA", rest);
    // some interfaces are what the administrator wants, perhaps
    assert_eq!(
        narrow("block drop in log quick on egress from <T> to any"),
        [
            "note \"block drop in log quick on egress from <T> to any\" is narrower than its table (on \
          egress): nothing in on other interfaces is blocked"
        ]
    );
    // or some routing domains, of which there is mostly one
    for domain in ["on rdomain 0", "on ! rdomain 1"] {
        let rule = format!("block drop in log quick {domain} from <T> to any");
        let text = format!("note \"{rule}\" is narrower than its table ({domain}): {rest}");
        assert_eq!(narrow(&rule), [text]);
    }
    // the anchor around it
    let anchor = "anchor \"t\" inet proto tcp from any to any port = 25 {\n  block drop log quick \
                  from <T> to any\n}";
    assert_eq!(
        narrow(anchor),
        [
            "FAIL \"block drop log quick from <T> to any\" in anchor \"t\" is narrower than its table \
          (inet, proto tcp, to port = 25): nothing but TCP in of IPv4 and nothing in of IPv6 is \
          blocked"
        ]
    );
    assert_eq!(
        said(&format!("anchor \"t\" in all {{\n{OURS}}}\n")),
        ["FAIL \"block drop out log quick from any to <T>\" in anchor \"t\" is narrower than its \
          table (anchor in): nothing out is blocked"]
    );
    // one direction alone
    assert_said(
        "block drop in log quick from <T> to any\n",
        &["FAIL no block rule is to <T>: your hosts can reach it"],
    );
    assert_said(
        "pass in quick from ! <T> to any flags S/SA\nblock drop out log quick from any to <T>\n",
        &["FAIL no block rule is from <T>: what it sends comes in"],
    );
    assert_said(
        "match in from <T> to any\n",
        &["FAIL no block rule is for <T>: nothing is blocked"],
    );
}

#[test]
fn a_rule_that_rewrites_before() {
    assert_said(
        &format!("match in all nat-to 10.0.0.1\n{OURS}"),
        &["note \"match in all nat-to 10.0.0.1\" rewrites addresses before the rules for <T> see \
           them: nothing of what it rewrites in is blocked"],
    );
    assert_said(&format!("match in all rdr-to 10.0.0.1\n{OURS}"), &[]);
    assert_said(&format!("match out all nat-to 10.0.0.1\n{OURS}"), &[]);
    assert_eq!(said(&format!("match out all rdr-to 10.0.0.1\n{OURS}")).len(), 1);
}

/// A table in an anchor is for the rules of that anchor.
#[test]
fn a_table_in_an_anchor() {
    let rules = rules::read(&format!("{OURS}anchor \"t\" in all {{\n{OURS}}}\n"));
    let interfaces = Interfaces::default();
    let verdicts = |anchor| {
        let mut report = Report::default();
        let watch = Watch { anchor, ..WATCH };
        judge(&rules, &watch, &interfaces, &[Direction::In, Direction::Out], &mut report);
        report.findings.into_iter().map(|finding| finding.verdict).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(""), []);
    assert_eq!(verdicts("t"), [Verdict::Fail]);
    assert_eq!(verdicts("elsewhere"), [Verdict::Fail]);
}

/// A long pf.conf is gone through at once.
#[test]
fn thousands_of_rules() {
    for quick in ["", " quick"] {
        let many: String = (1..=3000)
            .map(|port| {
                format!(
                    "pass in{quick} on em{} proto tcp from any to any port = {port}\n",
                    port % 8
                )
            })
            .collect();
        assert!(
            findings(&format!("{many}{OURS}{many}"), &Interfaces::default()).len() <= NAMED + 1
        );
    }
}

/// Of many rules of one kind some are named, and none is passed over without a word.
#[test]
fn many_rules() {
    let many: String = (1..=20)
        .map(|port| format!("pass in quick proto tcp from any to any port = {port} flags S/SA\n"))
        .collect();
    let found = findings(&format!("{many}{OURS}"), &Interfaces::default());
    assert_eq!(found.len(), NAMED + 1);
    assert_eq!(found[NAMED].text, "15 more rules are like these: pfctl -a '*' -sr shows them");
}
