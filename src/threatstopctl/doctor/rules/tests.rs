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

fn one(line: &str) -> Rule {
    let mut rules = parse(line).unwrap_or_else(|why| panic!("{why:?}"));
    assert_eq!(rules.len(), 1, "{line}");
    rules.remove(0)
}

fn plain(table: &str) -> Option<End> {
    Some(End { table: table.into(), negated: false })
}

#[test]
fn the_rules_of_the_sample() {
    let rules = parse(SAMPLE).unwrap();
    assert_eq!(rules.len(), 8);
    assert_eq!(
        rules[6],
        Rule {
            anchor: String::new(),
            text: "block drop in log quick from <ThreatSTOP-Block> to any".into(),
            action: Action::Block,
            direction: [true, false],
            log: Some(0),
            quick: true,
            from: plain("ThreatSTOP-Block"),
            to: None,
        }
    );
    let out = &rules[5];
    assert_eq!((out.action, out.direction), (Action::Pass, [false, true]));
    assert_eq!((&out.from, &out.to), (&None, &plain("ThreatSTOP-Allow")));
    assert!(rules[..4].iter().all(|rule| rule.from.is_none() && rule.to.is_none() && !rule.quick));
    let logs: Vec<bool> = rules.iter().map(|rule| rule.log.is_some()).collect();
    assert_eq!(logs, [false, false, false, true, true, true, true, true]);
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
    assert_eq!(one("pass from <t> to any").direction, [true, true]);
    assert_eq!(one("match in on ! rdomain 3 from <t> to any").action, Action::Match);
}

#[test]
fn what_stands_between_and_behind_the_ends() {
    let ends = |line: &str| {
        let rule = one(line);
        (rule.from, rule.to)
    };
    let not = |table: &str| Some(End { table: table.into(), negated: true });
    assert_eq!(ends("pass in from ! <t> to any flags S/SA"), (not("t"), None));
    assert_eq!(ends("pass proto tcp from <a> port = 80 to ! <b> port 1:2"), (plain("a"), not("b")));
    assert_eq!(ends("block drop from <a> os \"Linux\" to <b>"), (plain("a"), plain("b")));
    assert_eq!(ends("pass inet from 10.0.0.1 - 10.0.0.9 to (em0:0)"), (None, None));
    assert_eq!(ends("pass from no-route to urpf-failed"), (None, None));
    // where the table is only filled, or a place to send to, or part of a label
    for line in [
        "pass proto tcp from any to any flags S/SA keep state (max-src-conn 9, overload <t> flush)",
        "match in inet from any to 192.0.2.1 rdr-to <t> round-robin",
        "pass all flags S/SA label \"from <t> to <t>\"",
    ] {
        assert_eq!(ends(line), (None, None), "{line}");
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
    let rules = parse(text).unwrap();
    let found: Vec<&str> = rules.iter().map(|rule| rule.anchor.as_str()).collect();
    let wanted =
        ["", "threatstop", "threatstop/deeper", "banned", "site/x", "relayd/web", "_/named", ""];
    assert_eq!(found, wanted);
}

#[test]
fn what_is_not_understood_is_said() {
    for (text, line) in [
        ("pass all\nscrub in all\n", 2),
        ("action(17) all\n", 1),
        ("pass in\n", 1),
        ("pass from <t>\n", 1),
        ("pass from <t> port = 80\n", 1),
        ("pass log (all\n", 1),
        ("pass log (to pflogx) all\n", 1),
        ("}\n", 1),
        ("anchor \"a\" all {\n", 1),
        ("pfctl: Anchor does not exist\n", 1),
    ] {
        assert_eq!(parse(text).unwrap_err().0, line, "{text}");
    }
    let deep = "anchor \"a\" all {\n".repeat(DEEPEST + 1);
    assert_eq!(parse(&deep).unwrap_err().0, DEEPEST + 1);
    assert_eq!(parse(""), Ok(vec![]));
}

proptest! {
    /// Whatever is printed, it is read to its end, and no rule is made up.
    #[test]
    fn nothing_panics(text in "(pass|block|anchor|from|to|log|on|all|in|\\(|\\)|!|<t>|\\{|\\}|\"|\n| )*") {
        if let Ok(rules) = parse(&text) {
            prop_assert!(rules.len() <= text.lines().count());
            for rule in rules {
                prop_assert!(text.contains(&rule.text));
            }
        }
    }
}
