//! What people write, and what they read then. Each case is a text behind a device id, and all
//! that is said of it, without the name of the file.

use super::*;

/// Holds what is said of a text against what should be.
fn said(text: &str, expected: &[&str]) {
    let message = message(text);
    let lines: Vec<&str> =
        message.lines().map(|line| line.strip_prefix("/etc/threatstopd.toml:").unwrap()).collect();
    assert_eq!(lines, expected, "{text}");
}

#[test]
fn strings_without_quotes() {
    said("user = _threatstop", &["2: user: needs quotes; it takes a user name"]);
    said("[policy]\ninterval = 1h", &["3: policy.interval: a duration needs quotes: \"1h\""]);
    said("policy.interval = 1h", &["2: policy.interval: a duration needs quotes: \"1h\""]);
    said("[log]\nspool_size = 64M", &["3: log.spool_size: a size needs quotes: \"64M\""]);
    said(
        "[policy]\ninterval = 1 hour",
        &[
            "3: policy.interval: needs quotes; it takes a duration like \"90s\", \"15m\", \"1h\" or \"1d\"",
        ],
    );
    said(
        "[tables]\nbackend = pf",
        &["3: tables.backend: needs quotes; it takes \"pf\" or \"simulated\""],
    );
    said(
        "[policy]\nlocal_block = /etc/block # mine",
        &["3: policy.local_block: needs quotes; it takes an absolute path"],
    );
    for value in
        ["192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[dns.example.com]", "[10.0.0.0/8, 1.2.3.4]"]
    {
        let message = message(&format!("[policy]\nservers = {value}"));
        assert!(message.starts_with(&format!("{FILE}:3: policy.servers: ")), "{message}");
        assert!(message.contains("[\"...\"") || message.contains("quotes"), "{message}");
    }
    said(
        "[polic]\nx = yes",
        &[
            "2: unknown key \"polic\"; did you mean \"policy\"?",
            "3: a string needs quotes; what needs none is true, false and whole numbers",
        ],
    );
}

#[test]
fn durations_and_numbers() {
    said(
        "[policy]\ninterval = 60",
        &[
            "3: policy.interval: takes a duration like \"90s\", \"15m\", \"1h\" or \"1d\", not a number: for seconds write \"60s\"",
        ],
    );
    said(
        "[policy]\ninterval = \"60\"",
        &[
            "3: policy.interval: takes a duration like \"90s\", \"15m\", \"1h\" or \"1d\", not \"60\": for seconds write \"60s\"",
        ],
    );
    for (value, why) in [
        ("20%", "takes a whole number, digits alone"),
        ("007", "takes a whole number, digits alone"),
        ("\"20\"", "takes a whole number, not a string: write it without quotes"),
        ("20.0", "takes a whole number, not a number with a fraction: write 20"),
        ("20.5", "takes a whole number, not a number with a fraction"),
        ("1e6", "takes a whole number, not a number with an exponent: write 1000000"),
        ("-1_0E+1", "takes a whole number, not a number with an exponent: write -100"),
        ("1e-1", "takes a whole number, not a number with an exponent"),
        ("1e99", "takes a whole number, not a number with an exponent"),
        ("+inf", "takes a whole number, not a number without an end"),
        ("nan", "takes a whole number, not a number without an end"),
    ] {
        said(&format!("[guard]\nmax_shrink = {value}"), &[&format!("3: guard.max_shrink: {why}")]);
    }
}

#[test]
fn booleans() {
    for value in ["yes", "no", "on", "off", "True", "FALSE", "y", "nope"] {
        said(
            &format!("[log]\nenabled = {value}"),
            &[&format!("3: log.enabled: takes true or false, not {value}")],
        );
    }
    for value in ["1", "0"] {
        said(
            &format!("[log]\nenabled = {value}"),
            &["3: log.enabled: takes true or false, not a number"],
        );
    }
    said(
        "[log]\nenabled = \"yes\"",
        &["3: log.enabled: takes true or false, not a string: write it without quotes"],
    );
}

#[test]
fn quotes_of_other_kinds_and_missing_ones() {
    for (open, close) in [('“', '”'), ('„', '“'), ('«', '»'), ('‘', '’'), ('”', '”')]
    {
        said(
            &format!("[policy]\ninterval = {open}1h{close}"),
            &[&format!(
                "3: policy.interval: typographic quote {open}: write the plain \" of the keyboard"
            )],
        );
        said(
            &format!("[policy]\nservers = [\"192.0.2.1\", {open}192.0.2.2{close}]"),
            &[&format!(
                "3: policy.servers: typographic quote {open}: write the plain \" of the keyboard"
            )],
        );
    }
    // one within good quotes is a character of the value
    assert!(message("user = \"“x”\"").ends_with("2: user: \"“x”\": not a user name"));
    let missing =
        |quote: char| format!("a quote is missing: {quote} stands at both ends of a string");
    for line in ["user = \"open", "user = open\"", "user = \"a\" b\"", "user = \"open # comment"] {
        said(line, &[&format!("2: user: {}", missing('"'))]);
    }
    said("user = 'open", &[&format!("2: user: {}", missing('\''))]);
    said(
        "[policy]\nservers = [\"192.0.2.1, \"192.0.2.2\"]\ninterval = 5",
        &[
            &format!("3: policy.servers: {}", missing('"')),
            "4: policy.interval: takes a duration like \"90s\", \"15m\", \"1h\" or \"1d\", not a number: for seconds write \"5s\"",
        ],
    );
}

#[test]
fn lines_that_are_no_key_and_value() {
    const NONE: &str = "2: \"=\" is missing: a line is key = value; a section is [name]";
    said("user \"x\"", &[NONE]);
    said("user\t\"x\"", &[NONE]);
    said("user", &[NONE]);
    said("policy {\n}", &[NONE, &NONE.replace("2:", "3:")]);
    said(
        "user: \"x\"",
        &["2: \"=\" is missing: a line is key = value, not key: value; a section is [name]"],
    );
    said("export USER=\"x\"", &["2: a line is key = value, without export"]);
    said("// comment", &["2: a comment begins with #"]);
    said("; comment\n;comment", &["2: a comment begins with #", "3: a comment begins with #"]);
    said("user = \"x\" // comment", &["2: user: a comment begins with #"]);
    said("user =", &["2: user: the value is missing: a line is key = value"]);
    said("= \"x\"", &["2: the key is missing: a line is key = value"]);
    for operator in [":=", "==", "+=", "=>"] {
        let message = message(&format!("user {operator} \"x\""));
        assert!(
            message.ends_with("a line is key = value, with nothing but \"=\" between them"),
            "{message}"
        );
    }
    said(
        "log enabled = true",
        &["2: a line is key = value; a key has letters, digits, \"_\" and \"-\" and no blank"],
    );
    said(
        "user\u{a0}= \"x\"",
        &["2: user: U+00A0 looks like a blank and is none: write a plain one"],
    );
    said(
        "user =\u{a0}\"x\"",
        &["2: user: U+00A0 looks like a blank and is none: write a plain one"],
    );
    said("user = \"x\";", &["2: user: nothing stands behind a value: no \";\" and no \",\""]);
    said("user = \"x\",", &["2: user: nothing stands behind a value: no \";\" and no \",\""]);
    said(
        "user = \"x\" tables.block = \"y\"",
        &["2: user: nothing but a comment (#) stands behind a value"],
    );
    said(
        "[log]\nfile = \"C:\\logs\"",
        &[
            "3: log.file: \"\\\" begins an escape within \"\": write it twice, or the string within ''",
        ],
    );
    said("user = \"x\"\rb = 1", &["2: user: a carriage return ends no line: write line feeds"]);
}

#[test]
fn shell_variables() {
    said(
        "DEVICE_ID=\"tdid_x\"\nDNS=192.0.2.1\nBLOCKLIST=\"a b\"",
        &[
            "2: unknown key \"DEVICE_ID\"; did you mean \"device_id\"?",
            "3: a string needs quotes; what needs none is true, false and whole numbers",
            "4: unknown key \"BLOCKLIST\"",
        ],
    );
}

#[test]
fn lists() {
    said(
        "[policy]\nservers = \"192.0.2.1\", \"192.0.2.2\"",
        &["3: policy.servers: several entries are a list: [\"...\", \"...\"]"],
    );
    said(
        "[policy]\nblock = [\"a.b\" \"c.d\"]",
        &["3: policy.block: each entry needs quotes, and a comma between it and the next"],
    );
    // in a list of several lines only the entry is left out, and what is wrong elsewhere is told
    said(
        "[policy]\nblock = [\n  a.b,\n  \"c d\",\n  \"e.f\"\n  \"g.h\"\n]\ninterval = 1h\n",
        &[
            "4: policy.block: each entry needs quotes, and a comma behind it",
            "5: policy.block: \"c d\": not a DNS name",
            "7: policy.block: each entry needs quotes, and a comma behind it",
            "9: policy.interval: a duration needs quotes: \"1h\"",
        ],
    );
    // what is left then is no list of nothing
    said(
        "[policy]\nblock = [\n a.b\n]",
        &["4: policy.block: each entry needs quotes, and a comma behind it"],
    );
    for text in [
        "[policy]\nblock = [\"a.b\",\n \"c.d\"\ninterval = 1h\n[log]\nenabled = no\n",
        "[policy]\nblock = [\n \"a.b\",\ninterval = 1h\n[log]\nenabled = no",
    ] {
        let lines = message(text);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(
            lines[0].ends_with(":3: policy.block: the value has no end: ] is missing"),
            "{lines:?}"
        );
        assert!(
            lines[1].contains("policy.interval: ") && lines[2].contains("log.enabled: "),
            "{lines:?}"
        );
    }
    said(
        "[log.request]\nfields = { a = \"b\"\ngzip = no\n",
        &[
            "3: log.request.fields: the value has no end: } is missing",
            "4: log.request.gzip: takes true or false, not no",
        ],
    );
    said(
        "user = \"\"\"x\n[log]\nenabled = no",
        &[
            "2: user: the value has no end: \"\"\" is missing",
            "4: log.enabled: takes true or false, not no",
        ],
    );
}

#[test]
fn headers() {
    const FORM: &str = "a section begins with its name in brackets, alone on its line: ";
    // what stands below a header that is none belongs nowhere
    said(
        "[policy\ninterval = 60\n[log]\nenabled = 1",
        &[&format!("2: {FORM}[policy]"), "5: log.enabled: takes true or false, not a number"],
    );
    // that of a header with something behind it belongs to the section
    for header in ["[log]]", "[log] // the log", "[log] enabled = true"] {
        said(
            &format!("{header}\nenabled = 1"),
            &[&format!("2: {FORM}[log]"), "3: log.enabled: takes true or false, not a number"],
        );
    }
    said("[]", &["2: \"=\" is missing: a line is key = value; a section is [name]"]);
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_their_lines() {
    said(
        "user = root\nx = 1\n[policy]\nintervall = \"1h\"\ntimeout = \"1y\"\nservers = [\"a b\", \"192.0.2.1\", \"1.2\"]\n\
         [guard]\nmax_shrink = 0\nmax_growth = 0\n[guard]\nexpect = [\"x\"]\n[log.request]\nsuccess = \"\"",
        &[
            "2: user: needs quotes; it takes a user name",
            "3: unknown key \"x\"",
            "5: unknown key \"intervall\"; did you mean \"interval\"?",
            "6: policy.timeout: takes a duration like \"90s\", \"15m\", \"1h\" or \"1d\", not \"1y\"",
            "7: policy.servers: \"a b\": not an address, address:port, [v6]:port or name",
            "7: policy.servers: \"1.2\": not an address, address:port, [v6]:port or name",
            "9: guard.max_shrink: out of range, 1 to 100",
            "10: guard.max_growth: out of range, 1 to 100000",
            "11: \"guard\" is set twice",
            "12: guard.expect: \"x\": not a numeric IP address",
            "14: log.request.success: nothing to look for",
        ],
    );
}

#[test]
fn one_line_of_several() {
    let error = parse("user = 1\nx = 1\n").unwrap_err();
    assert_eq!(error.lines().len(), 3);
    assert_eq!(
        error.to_string(),
        format!("{} (the first of 3 mistakes: threatstopd -n -f {FILE})", error.lines()[0])
    );
    assert!(!parse("").unwrap_err().to_string().contains("mistakes"));
}

#[test]
fn what_is_something_else_altogether_does_not_fill_the_log() {
    let error = parse(&"#!/bin/sh\nif true; then exit 1; fi\n".repeat(1000)).unwrap_err();
    let lines = error.lines();
    assert!((100..=102).contains(&lines.len()), "{}", lines.len());
    let unknown: String = (0..3000).map(|n| format!("k{n} = 1\n")).collect();
    let lines = parse(&format!("{DEVICE}{unknown}")).unwrap_err().lines();
    assert_eq!(lines.len(), 101);
    assert_eq!(lines[100], format!("{FILE}:102: 2900 more mistakes"));
}

#[test]
fn nothing_follows_from_a_mistake() {
    // what a broken line may have set is not called missing, nor held against anything
    for text in [
        "device_id = “tdid_abcd1234”",
        "device_id \"tdid_abcd1234\"",
        "device_id = \"tdid_abcd1234",
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.lines().len(), 1, "{error}");
        assert!(error.to_string().starts_with(&format!("{FILE}:1: ")), "{error}");
    }
    said(
        "[tables]\nblock = \"x y\"\nallow = \"ThreatSTOP-Block\"",
        &[
            "3: tables.block: \"x y\": a table name has 1 to 31 letters, digits, \".\", \"_\", \":\" and \"-\", and begins with a letter, digit or \"_\"",
        ],
    );
    said(
        "[tables]\nblock = mine\nallow = \"ThreatSTOP-Block\"",
        &["3: tables.block: needs quotes; it takes a table name"],
    );
}

#[test]
fn what_does_not_go_together_is_told_beside_the_rest() {
    said(
        "[policy]\nallow = [\n\"x.y\",\n\"basic.threatstop.local\"\n]\n[tables]\nallow = \"ThreatSTOP-Block\"\nreload = 1\n[log]\nspool = \"/var/db\"",
        &[
            "5: \"basic.threatstop.local\" is in policy.block and in policy.allow",
            "8: tables.block and tables.allow are the same, \"ThreatSTOP-Block\"",
            "9: tables.reload: takes true or false, not a number",
            "11: log.spool and tables.directory must lie apart",
        ],
    );
    said(
        "[tables]\nmonitor = true\nkill_states = true",
        &["4: tables.kill_states: not together with tables.monitor: set one of them to false"],
    );
    // a device id that is missing hides nothing
    assert_eq!(parse("[tables]\nallow = \"ThreatSTOP-Block\"").unwrap_err().lines().len(), 2);
}

#[test]
fn what_can_never_be_met() {
    for (text, why) in [
        (
            "[guard]\nexpect = [\n\"64.87.3.133\",\n\"10.1.2.3\"]",
            "5: guard.expect: 10.1.2.3 is never blocked: it is in 10.0.0.0/8 (private, RFC 1918)",
        ),
        (
            "[guard]\nexpect = [\"127.0.0.1\"]\nblock_private = true",
            "3: guard.expect: 127.0.0.1 is never blocked: it is in 127.0.0.0/8 (loopback, RFC 1122)",
        ),
        (
            "[guard]\nexpect = [\"fe80::1\"]",
            "3: guard.expect: fe80::1 is never blocked: it is in fe80::/10 (link-local, RFC 4291)",
        ),
        (
            "[policy]\nservers = [\"198.51.100.1:5353\"]\n[guard]\nexpect = [\"198.51.100.1\"]",
            "5: guard.expect: 198.51.100.1 is never blocked: it is one of policy.servers",
        ),
        (
            "[guard]\nexpect = [\"198.51.100.1\"]\n[https]\nproxy = \"http://198.51.100.1:80\"",
            "3: guard.expect: 198.51.100.1 is never blocked: it is the log server or the proxy",
        ),
    ] {
        said(text, &[why]);
    }
    assert!(one("guard", "expect = [\"10.1.2.3\"]\nblock_private = true").is_ok());
    let all = "4: guard.never_block: its entries have all of IPv4 between them, so that nothing would ever be blocked: take the wide ones out";
    for list in [
        "\"0.0.0.0/0\"",
        "\"0.0.0.0/1\", \"128.0.0.0/1\"",
        "\"128.0.0.0/2\", \"0.0.0.0/1\", \"192.0.0.0/3\"",
        "\"::/0\", \"0.0.0.0/0\"",
    ] {
        said(&format!("[guard]\n\nnever_block = [{list}]"), &[all]);
    }
    for list in ["\"0.0.0.0/1\", \"128.0.0.0/2\"", "\"::/0\"", "\"128.0.0.0/1\""] {
        assert!(one("guard", &format!("never_block = [{list}]")).is_ok(), "{list}");
    }
}

#[test]
fn a_key_that_has_moved() {
    said(
        "[log]\nproxy = \"\"\nca_file = \"/x\"",
        &[
            "3: unknown key \"proxy\"; it belongs to [https]",
            "4: unknown key \"ca_file\"; it belongs to [https]",
        ],
    );
}

#[test]
fn only_what_a_judgement_rests_on_can_hold_it_back() {
    said(
        "[policy]\nservers = [\"a b\"]\n[guard]\nexpect = [\"10.1.2.3\"]\nnever_block = [\n\"::/64\",\n\"0.0.0.0/0\"]",
        &[
            "3: policy.servers: \"a b\": not an address, address:port, [v6]:port or name",
            "5: guard.expect: 10.1.2.3 is never blocked: guard.never_block has it in 0.0.0.0/0",
            "8: guard.never_block: its entries have all of IPv4 between them, so that nothing would ever be blocked: take the wide ones out",
        ],
    );
}
