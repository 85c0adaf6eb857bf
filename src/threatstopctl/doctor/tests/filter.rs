//! What is said of rules, and of interfaces that pf does not look at.

use super::*;

#[test]
fn no_rule_for_a_table() {
    assert_fails(
        |host| host.rules(|rule| !rule.contains("Block")),
        &[&format!(
            "pf table <ThreatSTOP-Block> is not used by any rule: nothing is blocked: {SETUP}"
        )],
    );
    assert_fails(
        |host| host.rules(|rule| !rule.contains("Allow")),
        &[&format!(
            "pf table <ThreatSTOP-Allow> is not used by any rule: nothing is allowed by it: {SETUP}"
        )],
    );
    // there is nothing to let through
    assert_notes(
        |host| {
            host.rules(|rule| !rule.contains("Allow"));
            host.text(ALLOW, "");
            let command = "/sbin/pfctl -t ThreatSTOP-Allow -T show";
            host.exits(command, 255, "pfctl: Table does not exist.\n");
        },
        &[
            "pf table <ThreatSTOP-Allow> is not used by any rule; nothing is in it either",
            "pf has no table <ThreatSTOP-Allow>, and nothing for it",
        ],
    );
    // all that is there is wrong
    assert_fails(
        |host| host.replace_rules("block drop", "pass"),
        &[&format!("no block rule is for <ThreatSTOP-Block>: nothing is blocked: {SETUP}")],
    );
}

/// What is translated as it goes out is logged with both addresses; as it comes in, the rules for what
/// goes out see this host alone.
#[test]
fn hosts_that_are_behind_nat_before_they_are_logged() {
    let with = |more: &str| {
        let rules = format!("{more}\npass all flags S/SA");
        move |host: &mut Recorded| host.replace_rules("pass all flags S/SA", &rules)
    };
    let nat = "match in on em1 inet from 10.0.0.0/8 to any nat-to 192.0.2.10";
    let note = |more: &str| {
        format!(
            "\"{nat}\" translates what your hosts send before a rule for <ThreatSTOP-Block> logs \
             it{more}: show hits has this host in place of them: write \"block in log quick on em1 \
             to <ThreatSTOP-Block>\" above it in /etc/pf.conf, then pfctl -f /etc/pf.conf"
        )
    };
    assert_notes(with(nat), &[&note("")]);
    assert_notes(with(&format!("{nat}\n{nat}")), &[&note(", as 1 more do")]);
    for fine in [
        "match out on em0 inet from 10.0.0.0/8 to any nat-to (em0)",
        "pass out on em0 inet from 10.0.0.0/8 to any flags S/SA nat-to (em0)",
        "match in on em0 inet from any to 192.0.2.10 rdr-to 10.0.0.2",
    ] {
        assert_notes(with(fine), &[]);
    }
    let inner = "block drop in log quick on em1 from any to <ThreatSTOP-Block>";
    assert_notes(with(&format!("{inner}\n{nat}")), &[]);
}

/// pf passes it as it goes out, whatever the rules are.
#[test]
fn what_is_translated_to_another_family() {
    let with = |host: &mut Recorded, rule: &str| {
        host.replace_rules("pass all flags S/SA", &format!("{rule}\npass all flags S/SA"));
    };
    let rule = "pass in on em1 inet6 from any to 64:ff9b::/96 flags S/SA af-to inet from (em0)";
    let note = |more: &str| {
        format!(
            "\"{rule}\" translates to IPv4{more}, which pf does not look at again as it goes out: what \
             goes that way to <ThreatSTOP-Block> is not blocked: see CAVEATS in threatstopd(8)"
        )
    };
    assert_notes(|host| with(host, rule), &[&note("")]);
    let two = format!("{rule}\n{}", rule.replace("em1", "em2"));
    assert_notes(|host| with(host, &two), &[&note(", as 1 more do")]);
    let notes = |rules: &str| {
        let mut host = Recorded::fine();
        with(&mut host, rules);
        texts(&report(&host), Verdict::Note).len()
    };
    // a server of one's own, and where the address of IPv4 goes on within the other
    for (from, to, wanted) in [
        ("inet6 from any to any", "inet from 198.51.100.1 to 192.0.2.80", 0),
        ("inet6 from any to any", "inet from 198.51.100.1 to 10.0.0.0/24", 0),
        ("inet6 from any to any", "inet from 198.51.100.1 to 198.51.100.80", 1),
        ("inet6 from any to any", "inet from 198.51.100.1 to <servers>", 1),
        ("inet from any to (em0)", "inet6 from fd00::1 to fd00::80", 0),
        ("inet from any to any", "inet6 from (em0) to 64:ff9b::/96", 1),
        ("inet from any to any", "inet6 from 2001:db8::1", 1),
    ] {
        let rule = format!("pass in on em1 {from} flags S/SA af-to {to}");
        assert_eq!(notes(&rule), wanted, "{rule}");
    }
    let clat = "pass in on em1 inet all flags S/SA af-to inet6 from (em0) to 64:ff9b::/96";
    for (before, wanted) in [
        ("block drop in log quick inet from any to <ThreatSTOP-Block>", 0),
        ("block drop log quick on em1 from any to <ThreatSTOP-Block>", 0),
        ("block drop in log quick on em0 from any to <ThreatSTOP-Block>", 1),
        ("block drop in log quick proto tcp from any to <ThreatSTOP-Block>", 1),
        ("block drop in log from any to <ThreatSTOP-Block>", 1),
    ] {
        assert_eq!(notes(&format!("{before}\n{clat}")), wanted, "{before}");
        // what comes in of IPv6 has no address of IPv4
        assert_eq!(notes(&format!("{before}\n{rule}")), 1, "{before}");
    }
}

#[test]
fn rules_of_another_form() {
    assert_notes(
        |host| host.replace_rules("pass", "match"),
        &["no pass rule is for <ThreatSTOP-Allow>: is this meant so? match in log quick from \
           <ThreatSTOP-Allow> to any flags S/SA"],
    );
    assert_notes(
        |host| host.replace_rules("block drop in log quick", "block drop in log (to pflog1) quick"),
        &["a rule does not log to pflog0: log.file must be the file that the pflogd of that \
           interface writes: block drop in log (to pflog1) quick from <ThreatSTOP-Block> to any"],
    );
    // one rule for both directions is as good
    let mut host = Recorded::fine();
    host.replace_rules("block drop in log", "block return log");
    host.replace_rules("block drop out log", "block return log");
    assert_eq!(report(&host).failed(), 0);
    assert_fails(
        |host| host.replace_rules("block return all\n", "scrub in all\n"),
        &["pfctl -a '*' -sr: line 5 is not understood: look yourself: scrub in all"],
    );
    assert_notes(
        |host| host.replace_rules("pass all flags S/SA\n", "pass all flags S/SA sideways 3\n"),
        &["pfctl -a '*' -sr: line 6 is not understood: look yourself: \"sideways 3\" in pass all \
           flags S/SA sideways 3"],
    );
}

/// The rules of three public routers begin so, and ours stand at the end.
#[test]
fn a_rule_before_ours() {
    let way_out = "put the lines of threatstopctl setup above it in /etc/pf.conf, then pfctl -f \
                   /etc/pf.conf";
    let before = |host: &mut Recorded, rule: &str| {
        let rules = format!("{rule}\n{}", recorded::RULES);
        host.says("/sbin/pfctl -a * -sr", &rules);
    };
    let stands = |rule: &str, lost: &str| {
        format!(
            "\"{rule}\" stands before the rules for <ThreatSTOP-Block>: {lost} is blocked: {way_out}"
        )
    };
    let rule = "pass out quick all flags S/SA";
    assert_fails(|host| before(host, rule), &[&stands(rule, "nothing out")]);
    let rule = "pass in quick on em1 all flags S/SA";
    assert_notes(|host| before(host, rule), &[&stands(rule, "nothing in on em1")]);
    let rule = "pass in quick on em0 all flags S/SA";
    assert_fails(|host| before(host, rule), &[&stands(rule, "nothing in on em0")]);
    assert_notes(
        |host| {
            before(host, rule);
            host.exits("/sbin/ifconfig egress", 1, "ifconfig: egress: no such interface\n");
        },
        &[&stands(rule, "nothing in on em0")],
    );
    let mut host = Recorded::fine();
    before(&mut host, rule);
    let report = report(&host);
    let lines = report.findings.iter().filter(|finding| finding.what == "rules");
    assert_eq!(lines.count(), 1, "it is not in order besides");
}

/// antispoof, as pfctl prints it: of the networks of this host nothing is in a table.
#[test]
fn what_is_never_in_a_table() {
    let spoofed = "block drop in quick on ! em0 inet from 192.0.2.0/24 to any\n\
                   block drop in quick inet from 192.0.2.10 to any\n";
    let guarded = "block drop in quick inet from 198.51.100.8 to any\n";
    let before = |host: &mut Recorded, rules: &str| {
        host.says("/sbin/pfctl -a * -sr", &format!("{rules}{}", recorded::RULES));
    };
    assert_notes(|host| before(host, spoofed), &[]);
    assert_notes(
        |host| {
            before(host, guarded);
            let text = "[guard]\nnever_block = [\"198.51.100.0/24\"]\n";
            host.text(CONFIG, &format!("device_id = \"tdid_abcd1234\"\n{text}"));
        },
        &[],
    );
    let mut host = Recorded::fine();
    before(&mut host, &spoofed.replace("192.0.2.0/24", "192.0.0.0/16"));
    assert_eq!(texts(&report(&host), Verdict::Note).len(), 1);
}

#[test]
fn interfaces_that_pf_skips() {
    let skips = |host: &mut Recorded, name: &str| {
        let text = recorded::INTERFACES.replace(&format!("{name}\n"), &format!("{name} (skip)\n"));
        host.says("/sbin/pfctl -v -s Interfaces", &text);
    };
    assert_fails(
        |host| skips(host, "em0"),
        &[
            "pf does not look at em0 (set skip on): nothing is blocked there: take it out of set skip \
           in /etc/pf.conf, then pfctl -f /etc/pf.conf",
        ],
    );
    assert_notes(
        |host| skips(host, "em1"),
        &["pf does not look at em1 (set skip on): what crosses it is not blocked there"],
    );
    // a rule for it has no packets
    assert_notes(
        |host| {
            skips(host, "em1");
            let rules = format!("pass quick on em1 all flags S/SA\n{}", recorded::RULES);
            host.says("/sbin/pfctl -a * -sr", &rules);
        },
        &["pf does not look at em1 (set skip on): what crosses it is not blocked there"],
    );
    assert_notes(
        |host| host.exits("/sbin/pfctl -v -s Interfaces", 1, "pfctl: no\n"),
        &["what pf skips is not known: pfctl -v -s Interfaces: pfctl: no"],
    );
}

#[test]
fn rules_without_log() {
    assert_fails(
        |host| host.replace_rules("block drop out log", "block drop out"),
        &["1 of 2 rules for <ThreatSTOP-Block> do not log, so what they match is not reported: \
           write log behind the direction in /etc/pf.conf, then pfctl -f /etc/pf.conf: block drop \
           out quick from any to <ThreatSTOP-Block>"],
    );
    // a match rule before may log what is decided, if it has all of that
    let ours = "block drop in quick from <ThreatSTOP-Block> to any";
    let failed = |rules: &str| {
        let mut host = Recorded::fine();
        host.replace_rules(&ours.replace("in", "in log"), rules);
        report(&host).failed()
    };
    for (matches, fails) in [
        ("match in log (matches) from <ThreatSTOP-Block> to any", 0),
        ("match log (all, matches) all", 0),
        ("match in log (all) all", 1),
        ("match out log (matches) all", 1),
        ("match in log (matches) on em1 all", 1),
        ("match in log (matches) from <ThreatSTOP-Allow> to any", 1),
        ("match in log (matches, to pflog1) all", 1),
        ("pass in log (matches) all flags S/SA", 1),
    ] {
        assert_eq!(failed(&format!("{matches}\n{ours}")), fails, "{matches}");
    }
    assert_eq!(failed(&format!("{ours}\nmatch log (matches) all")), 1);
    // but each packet several times
    let matches = "match in log (matches) from <ThreatSTOP-Block> to any";
    let several = |instead: &str| {
        format!(
            "\"{matches}\" records each packet of the rules for <ThreatSTOP-Block> several times, and show \
             hits counts all: take log (matches) out of it{instead} in /etc/pf.conf, then pfctl -f \
             /etc/pf.conf"
        )
    };
    let logs = ours.replace("in", "in log");
    for (rule, instead) in
        [(ours, " and write log into the rules for <ThreatSTOP-Block>"), (&logs, "")]
    {
        assert_notes(
            |host| host.replace_rules(&logs, &format!("{matches}\n{rule}")),
            &[&several(instead)],
        );
    }
    let silent = |host: &mut Recorded| {
        host.replace_rules("pass in log", "pass in");
        host.replace_rules("pass out log", "pass out");
    };
    // what is allowed is reported to nobody
    assert_fails(silent, &[]);
    assert_notes(silent, &[]);
    assert_notes(
        |host| {
            silent(host);
            host.text(CONFIG, "device_id = \"tdid_abcd1234\"\n[log]\nscope = \"all\"\n");
        },
        &["2 of 2 rules for <ThreatSTOP-Allow> do not log, so what they match is not reported: \
           write log behind the direction in /etc/pf.conf, then pfctl -f /etc/pf.conf: pass in \
           quick from <ThreatSTOP-Allow> to any flags S/SA"],
    );
}

#[test]
fn block_before_allow() {
    assert_fails(
        |host| {
            let ours = recorded::RULES.lines().filter(|rule| rule.contains('<'));
            let reversed: String = ours.rev().map(|rule| format!("{rule}\n")).collect();
            host.says("/sbin/pfctl -a * -sr", &reversed);
        },
        &[
            "\"block drop in log quick from <ThreatSTOP-Block> to any\" stands before \"pass in log \
           quick from <ThreatSTOP-Allow> to any flags S/SA\": move it behind that in \
           /etc/pf.conf, then pfctl -f /etc/pf.conf",
        ],
    );
    // by direction, each pair in order
    let mut host = Recorded::fine();
    let ours: Vec<&str> = recorded::RULES.lines().filter(|rule| rule.contains('<')).collect();
    let pairs = [ours[0], ours[2], ours[1], ours[3]].join("\n");
    host.says("/sbin/pfctl -a * -sr", &(pairs + "\n"));
    assert_eq!(texts(&report(&host), Verdict::Fail), [""; 0]);
    // and by interface
    let on = |rule: &str, name: &str| rule.replace("quick", &format!("quick on {name}"));
    let failed = |pass: &str| {
        let rules = [&on(ours[2], "em0"), &on(ours[0], pass), ours[1], ours[3], ""].join("\n");
        let mut host = Recorded::fine();
        host.says("/sbin/pfctl -a * -sr", &rules);
        report(&host).failed()
    };
    assert_eq!(["em1", "! em0", "em0", "em", "egress", "any"].map(failed), [0, 0, 1, 1, 1, 1]);
}

#[test]
fn tables_in_an_anchor() {
    let within = |host: &mut Recorded, anchor: &str| {
        let text = "device_id = \"tdid_abcd1234\"\n[tables]\nanchor = \"site/threatstop\"\n";
        host.text(CONFIG, text);
        let rules: String =
            recorded::RULES.lines().map(|rule| format!("  {rule}\n")).collect::<String>();
        host.says("/sbin/pfctl -a * -sr", &format!("anchor \"{anchor}\" all {{\n{rules}}}\n"));
        for table in ["ThreatSTOP-Allow", "ThreatSTOP-Block"] {
            let shown = host.programs.remove(&format!("/sbin/pfctl -t {table} -T show")).unwrap();
            let command = format!("/sbin/pfctl -a site/threatstop -t {table} -T show");
            host.programs.insert(command, shown);
        }
    };
    assert_fails(|host| within(host, "site/threatstop"), &[]);
    assert_notes(
        |host| {
            host.shows("ThreatSTOP-Block", "203.0.113.7\n198.51.100.0/24\n");
            within(host, "site/threatstop");
            let text = "device_id = \"tdid_abcd1234\"\n[tables]\nreload = false\n";
            host.text(CONFIG, &format!("{text}anchor = \"site/threatstop\"\n"));
        },
        &[&format!(
            "pf table <ThreatSTOP-Block> lacks 2 prefixes of its file, and has 0 that are not in it, \
             and tables.reload is false: pfctl -a site/threatstop -t ThreatSTOP-Block -T replace \
             -f {BLOCK}"
        )],
    );
    assert_fails(|host| within(host, "/site/threatstop"), &[]);
    assert_fails(
        |host| within(host, "threatstop"),
        &[
            &format!(
                "pf table <ThreatSTOP-Allow> is not used by any rule: no rule calls anchor \
                 \"site/threatstop\", where the table is: nothing is allowed by it: {SETUP}"
            ),
            &format!(
                "pf table <ThreatSTOP-Block> is not used by any rule: no rule calls anchor \
                 \"site/threatstop\", where the table is: nothing is blocked: {SETUP}"
            ),
        ],
    );
    // a table of the main ruleset serves the rules of all anchors
    let mut host = Recorded::fine();
    let inner = format!("anchor \"x\" all {{\n{}}}\n", recorded::RULES);
    host.says("/sbin/pfctl -a * -sr", &inner);
    let tables = "/sbin/pfctl -a * -s Tables";
    host.says(tables, "other@x\nThreatSTOP-Allow\nThreatSTOP-Block\nThreatSTOP-Block@y\n");
    assert_eq!(texts(&report(&host), Verdict::Fail), [""; 0]);
    // but for an anchor that has its own, which a load of rules does not end
    let fails = |anchor: &str, set: &str| {
        format!(
            "anchor \"{anchor}\" has a table <ThreatSTOP-Block> of its own: its rules do not see the one \
             that threatstopd fills: {set}take the line of the table out of the anchor, then pfctl -a \
             {anchor} -t ThreatSTOP-Block -T kill"
        )
    };
    host.says(tables, "ThreatSTOP-Block@x\n");
    let set =
        "set anchor to \"x\" in [tables] of /etc/threatstopd.toml, then threatstopctl reload, or ";
    assert_eq!(texts(&report(&host), Verdict::Fail), [fails("x", set)]);
    host.exits(tables, 1, "pfctl: no\n");
    assert_eq!(
        texts(&report(&host), Verdict::Note),
        ["whether anchors have tables of their own is not known: pfctl -a * -s Tables: pfctl: no"]
    );
    // one without a name has a number in pf
    host.says("/sbin/pfctl -a * -sr", &inner.replace("anchor \"x\"", "anchor"));
    host.says(tables, "ThreatSTOP-Block@_1\nThreatSTOP-Block@x\n");
    assert_eq!(texts(&report(&host), Verdict::Fail), [fails("_1", "")]);
}

/// A table of scanners, for what comes in.
fn with_a_table(host: &mut Recorded, rules: &str) {
    let config = "device_id = \"tdid_abcd1234\"\n[policy]\nblock = [\"basic.x\", \"scan.x\"]\n\
                  [[table]]\nname = \"In\"\nlists = [\"scan.x\"]\ndirection = \"in\"\n";
    host.text(CONFIG, config);
    let path = "/var/db/threatstop/In.pftable".into();
    host.files.insert(path, (file(0o600, 0), b"192.0.2.77\n".to_vec()));
    host.shows("In", "192.0.2.77\n");
    let all = recorded::RULES.replace("block return all\n", &format!("{rules}block return all\n"));
    host.says("/sbin/pfctl -a * -sr", &all);
}

#[test]
fn a_table_for_one_direction() {
    let ours = "block drop in log quick from <In> to any\n";
    let mut host = Recorded::fine();
    with_a_table(&mut host, ours);
    let report = report(&host);
    assert_eq!((report.failed(), texts(&report, Verdict::Note)), (0, vec![]));
    let limit = "table-entries limit 400000 is enough for 2 x 6";
    assert!(report.findings.iter().any(|finding| finding.text == limit), "{report:?}");

    let unused =
        format!("pf table <In> is not used by any rule: nothing is blocked by it: {SETUP}");
    assert_fails(|host| with_a_table(host, ""), &[&unused]);
    // a rule of the other direction is not what is asked for
    let other = "block drop out log quick from any to <In>\n";
    let none = format!("no block rule is for <In>: nothing is blocked: {SETUP}");
    assert_fails(|host| with_a_table(host, other), &[&none]);
    let narrow = "block drop in log quick proto tcp from <In> to any\n";
    assert_fails(
        |host| with_a_table(host, narrow),
        &[
            "\"block drop in log quick proto tcp from <In> to any\" is narrower than its table (proto \
           tcp): nothing but TCP in is blocked by it: write it as threatstopctl setup prints it, then pfctl -f \
           /etc/pf.conf",
        ],
    );
    assert_fails(
        |host| with_a_table(host, &format!("pass in quick all flags S/SA\n{ours}")),
        &[
            "\"pass in quick all flags S/SA\" stands before the rules for <In>: nothing in is blocked \
           by them: put the lines of threatstopctl setup above it in /etc/pf.conf, then pfctl -f \
           /etc/pf.conf",
        ],
    );
}

/// tables.monitor: what would be blocked is recorded.
#[test]
fn rules_that_record() {
    let monitor = |host: &mut Recorded, ours: &str| {
        host.text(CONFIG, "device_id = \"tdid_abcd1234\"\n[tables]\nmonitor = true\n");
        host.replace_rules("block drop in log quick from <ThreatSTOP-Block> to any\n", ours);
        let out = "match out log from any to <ThreatSTOP-Block>";
        host.replace_rules("block drop out log quick from any to <ThreatSTOP-Block>", out);
    };
    let ours = "match in log from <ThreatSTOP-Block> to any\n";
    let note = "tables.monitor is true: nothing is blocked";
    assert_notes(|host| monitor(host, ours), &[note]);
    let failures = |ours: &str| {
        let mut host = Recorded::fine();
        monitor(&mut host, ours);
        let report = report(&host);
        texts(&report, Verdict::Fail).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let blocks = "block drop in log quick from <ThreatSTOP-Block> to any";
    assert_eq!(
        failures(&format!("{blocks}\n")),
        [format!("tables.monitor is true, and \"{blocks}\" blocks: {SETUP}")]
    );
    let text = "no match rule is from <ThreatSTOP-Block>: what it sends is not recorded";
    assert_eq!(failures(""), [format!("{text}: {SETUP}")]);
    let silent = failures("match in from <ThreatSTOP-Block> to any\n");
    assert!(silent.len() == 1 && silent[0].contains("do not log"), "{silent:?}");
    let quick = failures("match in log quick from <ThreatSTOP-Block> to any\n");
    assert_eq!(
        quick,
        [
            "\"match in log quick from <ThreatSTOP-Block> to any\" has quick: no rule behind it decides \
          about what it records: take quick out of it in /etc/pf.conf, then pfctl -f /etc/pf.conf"
        ]
    );
    let early = failures(&format!("pass in quick all flags S/SA\n{ours}"));
    let text = "\"pass in quick all flags S/SA\" stands before the rules for <ThreatSTOP-Block>: \
                nothing in is recorded: ";
    assert!(early.len() == 1 && early[0].starts_with(text), "{early:?}");
}
