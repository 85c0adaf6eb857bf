use core::time::Duration;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::setting::Setting as _;

mod feeds;
mod mistakes;
mod notes;
mod round_trip;
mod sections;
mod tables;

const FILE: &str = "/etc/threatstopd.toml";
const DEVICE: &str = "device_id = \"tdid_abcd1234\"\n";
const FEED: &str = "[[feed]]\nname = \"a\"\nurl = \"https://a.example/\"\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new(FILE))
}

fn defaults() -> Config {
    parse(DEVICE).unwrap()
}

/// The lines of what is wrong with a file that begins with the device id and goes on with `text`.
fn message(text: &str) -> String {
    match parse(&format!("{DEVICE}{text}")) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.lines().join("\n"),
    }
}

/// The value of one line `key = value` in a section, or the message.
fn one(section: &str, line: &str) -> Result<Config, String> {
    let header = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
    parse(&format!("{DEVICE}{header}{line}\n")).map_err(|error| error.to_string())
}

/// A file without its sections that can stand several times, of which there is none by default.
fn once(text: &str) -> String {
    let mut many = false;
    let stands_once = |line: &&str| {
        many = if line.starts_with('[') { line.starts_with("[[") } else { many };
        !many
    };
    text.lines().filter(stands_once).fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn the_defaults_are_those_of_the_interface() {
    assert_eq!(parse(&once(include_str!("tests/interface.toml"))).unwrap(), defaults());
    let Config { device_id, user, policy, feed, table, tables, guard, log, https } = defaults();
    assert_eq!((feed, table), (vec![], vec![]));
    assert_eq!(device_id.unwrap().as_str(), "tdid_abcd1234");
    assert_eq!(user.as_str(), "_threatstop");
    assert_eq!(policy.servers, [Server::Address([192, 124, 129, 42].into())]);
    assert_eq!(policy.interval, Duration::from_secs(3600));
    assert_eq!(policy.local_block, None);
    assert_eq!(tables.block.as_str(), "ThreatSTOP-Block");
    assert_eq!(tables.backend, Backend::Pf);
    assert_eq!(guard.allow_max_coverage, 1 << 24);
    assert_eq!(log.scope, Scope::Tables);
    assert_eq!(log.spool_size.octets(), 64 << 20);
    assert_eq!(log.request.fields.len(), 0);
    assert_eq!((https.proxy, https.ca_file), (None, PathBuf::from("/etc/ssl/cert.pem")));
    assert_eq!(https.store.octets(), 256 << 20);
}

#[test]
fn a_string_without_quotes_is_told_of_them() {
    for value in ["_threatstop", "threatstop", "tcp", "1h", "/var/log", "1.2.3.4", "2001:db8::1"] {
        let message = message(&format!("user = {value}\n"));
        let told = ["needs quotes", "must be quoted"].iter().any(|words| message.contains(words));
        assert!(told, "{message}");
    }
    assert!(!message("user = \"open\n").contains("quotes"));
}

#[test]
fn the_defaults_are_printed_as_the_interface_writes_them() {
    let values = |text: &str| text.parse::<toml::Table>().unwrap();
    let interface = once(include_str!("tests/interface.toml"));
    assert_eq!(values(&defaults().to_toml()), values(&interface));
}

#[test]
fn the_interface_has_every_key_and_the_table_no_other() {
    let text = include_str!("tests/interface.toml");
    let mut section = "";
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            section = line.trim_start_matches('[').split(']').next().unwrap();
        } else if let Some((name, _)) = line.split_once('=') {
            found.push((section, name.trim()));
        }
    }
    let known: Vec<_> = keys().iter().map(|key| (key.section, key.name)).collect();
    assert_eq!(found, known);
}

#[test]
fn the_sample_has_every_key_commented_out_with_its_default() {
    let sample = include_str!("../../etc/threatstopd.toml");
    let mut section = "";
    let mut found = 0;
    let mut effective = String::new();
    for line in sample.lines() {
        let uncommented = line.strip_prefix('#').filter(|rest| !rest.starts_with(' '));
        let plain = uncommented.unwrap_or(line);
        if plain.starts_with('[') {
            section = plain.trim_matches(['[', ']']);
            assert_eq!(uncommented.is_some(), plain.starts_with("[["), "{line}");
        } else if let Some((setting, comment)) = plain.split_once(" #") {
            let (name, value) = setting.trim_end().split_once(" = ").unwrap();
            let known = keys().iter().position(|key| (key.section, key.name) == (section, name));
            let key = &keys()[known.unwrap()];
            // the first of several has every key, the others those that differ
            if known >= Some(found) {
                assert_eq!(known, Some(found), "{line}");
                found += 1;
            }
            // of what can stand several times there is none by default
            assert!(value == key.default || key.many, "{line}");
            assert_eq!(uncommented.is_none(), key.name == "device_id", "{line}");
            assert!(comment.len() > 5, "{line}");
        } else {
            assert!(line.is_empty() || line.starts_with("# "), "{line}");
        }
        effective.push_str(plain);
        effective.push('\n');
    }
    assert_eq!(found, keys().len());
    let set = |text: &str| text.replacen("\"\"", "\"tdid_abcd1234\"", 1);
    assert_eq!(parse(&set(sample)).unwrap(), defaults());
    assert_eq!(parse(&set(&once(&effective))).unwrap(), defaults());
    let lists = "basic.threatstop.local\", \"scanners.threatstop.local";
    let whole = parse(&set(&effective).replacen("basic.threatstop.local", lists, 1)).unwrap();
    assert_eq!((whole.feed.len(), whole.table.len()), (5, 1));
}

#[test]
fn the_sample_as_it_is_says_what_to_set() {
    let sample = include_str!("../../etc/threatstopd.toml");
    let line = 1 + sample.lines().position(|line| line.starts_with("device_id")).unwrap();
    let error = parse(sample).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{FILE}:{line}: device_id: not set: ")), "{error}");
    let error = parse("").unwrap_err().to_string();
    assert!(error.starts_with(&format!("{FILE}:1: device_id: not set: ")), "{error}");
}

#[test]
fn the_table_of_keys_is_sound() {
    for (index, key) in keys().iter().enumerate() {
        let same = |other: &Key| (other.section, other.name) == (key.section, key.name);
        assert_eq!(keys().iter().position(same), Some(index), "twice: {key:?}");
        assert!(key.doc.ends_with('.') && key.doc.len() <= 90, "{key:?}");
        match (key.kind, key.bounds) {
            (Kind::Integer | Kind::Duration | Kind::Size, None) => panic!("no bounds: {key:?}"),
            (Kind::Boolean | Kind::Text(_) | Kind::OneOf(_) | Kind::Optional(_), Some(_)) => {
                panic!("bounds: {key:?}")
            }
            (_, Some((least, greatest))) => assert!(least < greatest, "{key:?}"),
            (_, None) => {}
        }
    }
}

#[test]
fn numbers_end_at_their_bounds() {
    for key in keys() {
        let Some((least, greatest)) = key.bounds else { continue };
        let value = |number: u64| match key.kind {
            Kind::Integer => number.to_string(),
            Kind::Duration => format!("\"{number}s\""),
            Kind::Size => format!("\"{number}\""),
            Kind::List(_) | Kind::Map => String::new(),
            _ => panic!("{key:?}"),
        };
        if value(0).is_empty() {
            continue;
        }
        let with = |number: u64| {
            let line = format!("{} = {}", key.name, value(number));
            match key.section {
                // with a guard that has room for any number of entries
                "feed" => one("guard", &format!("max_entries = 20000000\n{FEED}{line}")),
                section => one(section, &line),
            }
        };
        for number in [least, greatest] {
            let config = with(number).unwrap();
            // a value that did not fit its type would come back as another
            let again = parse(&config.to_toml()).unwrap();
            assert_eq!(again, config);
            let printed = config.to_toml();
            let written = match key.kind {
                Kind::Integer => number.to_string(),
                Kind::Duration => {
                    let mut text = String::new();
                    Duration::from_secs(number).write(&mut text);
                    text
                }
                _ => quote(&Size::new(number).to_string()),
            };
            assert!(printed.contains(&format!("\n{} = {written}\n", key.name)), "{printed}");
        }
        for number in [least - 1, greatest + 1, u64::MAX] {
            let error = with(number).unwrap_err();
            let line = if key.many { 7 } else { 3 };
            assert_eq!(
                error,
                format!(
                    "{FILE}:{line}: {}.{}: out of range, {}",
                    key.section,
                    key.name,
                    key.range().unwrap()
                )
            );
        }
    }
}

#[test]
fn numbers_in_other_clothes() {
    let max = |text: &str| one("guard", &format!("max_entries = {text}"));
    assert_eq!(max("1_000").unwrap().guard.max_entries, 1000);
    assert_eq!(max("0x10").unwrap().guard.max_entries, 16);
    assert_eq!(max("+5").unwrap().guard.max_entries, 5);
    for text in ["-1", "0", "340282366920938463463374607431768211456", "-0"] {
        assert!(max(text).unwrap_err().ends_with("out of range, 1 to 20000000"), "{text}");
    }
    assert!(max("1.0").unwrap_err().contains("takes a whole number, not a number with a fraction"));
}

#[test]
fn durations_and_sizes() {
    let interval = |text: &str| one("policy", &format!("interval = {text}"));
    for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604_800), ("0060s", 60)]
    {
        let config = interval(&format!("\"{text}\"")).unwrap();
        assert_eq!(config.policy.interval, Duration::from_secs(seconds));
    }
    for text in ["", "90", "s", "1w", "1h30m", "-1h", "+1h", " 1h", "1 h", "1H", "1.5h", "１h"] {
        let error = interval(&format!("\"{text}\"")).unwrap_err();
        assert!(error.contains("takes a duration like \"90s\""), "{error}");
    }
    assert!(interval("\"18446744073709551615d\"").is_err());
    assert!(interval("3600").unwrap_err().contains("takes a duration"));
    assert!(interval("1h").is_err());

    let size = |text: &str| one("log", &format!("spool_size = {text}"));
    for (text, octets) in [
        ("\"1M\"", 1 << 20),
        ("\"2048K\"", 2 << 20),
        ("\"16G\"", 16 << 30),
        ("\"1048577\"", 1_048_577),
        ("1048577", 1_048_577),
    ] {
        assert_eq!(size(text).unwrap().log.spool_size.octets(), octets);
    }
    for text in ["\"64m\"", "\"64MB\"", "\"M\"", "\"\"", "true", "\"1T\""] {
        assert!(size(text).unwrap_err().contains("takes a size like"), "{text}");
    }
}

#[test]
fn unknown_keys_have_their_line_and_the_near_one() {
    let policy = "[policy]\ninterval = \"1h\"\n";
    for (text, expected) in [
        (
            "[policy]\nintervall = \"1h\"",
            "3: unknown key \"intervall\"; did you mean \"interval\"?",
        ),
        ("usr = \"x\"", "2: unknown key \"usr\"; did you mean \"user\"?"),
        ("[polcy]\ninterval = \"1h\"", "2: unknown key \"polcy\"; did you mean \"policy\"?"),
        ("[log.reqest]\ngzip = true", "2: unknown key \"reqest\"; did you mean \"request\"?"),
        (
            "interval = \"1h\"",
            "2: unknown key \"interval\"; it belongs to [policy] or [[feed]] or [log]",
        ),
        ("[tables]\nnever_block = []", "3: unknown key \"never_block\"; it belongs to [guard]"),
        ("colour = 1", "2: unknown key \"colour\""),
        ("\"\" = 1", "2: unknown key \"\""),
        ("[\"log.request\"]\ngzip = true", "2: unknown key \"log.request\""),
        ("policy.x.y = 1", "2: unknown key \"x\""),
        (
            "[guard]\n\"max\\nentries\" = 1",
            "3: unknown key \"max\\nentries\"; did you mean \"max_entries\"?",
        ),
    ] {
        assert_eq!(message(text), format!("{FILE}:{expected}"));
    }
    assert!(
        message(&format!("{policy}interval = \"2h\"")).ends_with(":4: \"interval\" is set twice")
    );
    assert!(message(&format!("{policy}[policy]")).ends_with(":4: \"policy\" is set twice"));
    assert!(message(&format!("{} = 1", "x".repeat(5000))).len() < 120);
}

#[test]
fn the_distance_of_names() {
    let distance = near::distance;
    assert_eq!(distance("kitten", "sitting"), 3);
    assert_eq!(distance("", "abc"), 3);
    assert_eq!(distance("abc", ""), 3);
    assert_eq!(distance("user", "user"), 0);
    assert_eq!(distance("user", &"user".repeat(11)), usize::MAX);
}

#[test]
fn sections_are_sections() {
    for text in ["policy = 1", "[[policy]]", "policy = []"] {
        assert_eq!(message(text), format!("{FILE}:2: policy is a section: [policy]"));
    }
    assert!(message("[policy.interval]\nx = 1").contains("policy.interval: takes a duration"));
    assert!(parse(&format!("{DEVICE}log.request.gzip = true")).unwrap().log.request.gzip);
    assert!(
        parse(&format!("{DEVICE}log = {{ request = {{ gzip = true }} }}"))
            .unwrap()
            .log
            .request
            .gzip
    );
}

#[test]
fn wrong_types_and_values_have_their_line() {
    for (text, expected) in [
        ("user = 1", "2: user: takes a user name, not a number: write it in quotes"),
        (
            "[tables]\n\nreload = \"yes\"",
            "4: tables.reload: takes true or false, not a string: write it without quotes",
        ),
        (
            "[tables]\nbackend = \"ipfw\"",
            "3: tables.backend: takes \"pf\" or \"simulated\", not \"ipfw\"",
        ),
        (
            "[log]\ntimestamp = 1",
            "3: log.timestamp: takes \"time\", \"date\" or \"epoch\", not a number",
        ),
        (
            "[policy]\nblock = \"a.b\"",
            "3: policy.block: takes a list, each entry a DNS name, not a string: write [\"...\"]",
        ),
        (
            "[policy]\nblock = [\n  \"a.b\",\n  \"c d\",\n]",
            "5: policy.block: \"c d\": not a DNS name",
        ),
        ("[policy]\nblock = [\"a\",\n\"A.\"]", "4: policy.block: has the same entry twice"),
        (
            "[policy]\nblock = []",
            "3: policy.block: no list of what to block: name one of the service, or add a [[feed]] or policy.local_block",
        ),
        ("[policy]\nservers = []", "3: policy.servers: out of range, 1 to 16 entries"),
        (
            "[guard]\nnever_block = [\"10.0.0.1/8\"]",
            "3: guard.never_block: \"10.0.0.1/8\": host bits are set; the network is 10.0.0.0/8",
        ),
        (
            "[guard]\nnever_block = [\"::ffff:10.0.0.0/104\"]",
            "3: guard.never_block: \"::ffff:10.0.0.0/104\": IPv4 within IPv6; write the IPv4 address",
        ),
        (
            "[guard]\nnever_block_names = [\"www.example.net\", \"192.0.2.7\"]",
            "3: guard.never_block_names: \"192.0.2.7\": not a DNS name",
        ),
        (
            "[guard]\nexpect = [\"64.87.3.133/32\"]",
            "3: guard.expect: \"64.87.3.133/32\": not a numeric IP address",
        ),
        (
            "[log]\nfile = \"pflog\"",
            "3: log.file: \"pflog\": not an absolute path without . and ..",
        ),
        (
            "[log.request]\nfile_name = \"{date}\"",
            "3: log.request.file_name: \"{date}\": braces can only hold device_id and time",
        ),
        (
            "[log.request]\nfields = { \"a b\" = \"c\" }",
            "3: log.request.fields: \"a b\": a field name has 1 to 64 letters, digits, \".\", \"_\", \"-\", \"[\" and \"]\"",
        ),
        (
            "[log.request.fields]\na = \"b\"\nc = 1",
            "4: log.request.fields: takes a text, {device_id} and {time} filled in, not a number: write it in quotes",
        ),
        ("[log.request]\nsuccess = \" \"", "3: log.request.success: nothing to look for"),
    ] {
        assert_eq!(message(text), format!("{FILE}:{expected}"));
    }
    let names: Vec<String> = (0..65).map(|n| format!("\"l{n}\"")).collect();
    let error = message(&format!("[policy]\nallow = [{}]", names.join(", ")));
    assert_eq!(error, format!("{FILE}:3: policy.allow: out of range, 0 to 64 entries"));
}

#[test]
fn paths() {
    let path = |text: &str| one("log", &format!("spool = {}", quote(text)));
    assert_eq!(path("/var/x y").unwrap().log.spool, PathBuf::from("/var/x y"));
    let long = format!("/{}", "x".repeat(900));
    for text in ["", "/", "//", "x", "./x", "/a/../b", "/a/.", "/a/..", "/a\nb", "/a\u{7f}", &long]
    {
        assert!(path(text).is_err(), "{text:?}");
    }
    let local = one("policy", "local_block = \"/etc/blocked\"").unwrap();
    assert_eq!(local.policy.local_block, Some(PathBuf::from("/etc/blocked")));
}

#[test]
fn what_does_not_go_together() {
    for (text, expected) in [
        (
            "[tables]\nallow = \"ThreatSTOP-Block\"",
            "3: tables.block and tables.allow are the same, \"ThreatSTOP-Block\"",
        ),
        (
            "[tables]\nblock = \"ThreatSTOP-Allow\"",
            "3: tables.block and tables.allow are the same, \"ThreatSTOP-Allow\"",
        ),
        (
            "[policy]\nblock = [\"dns.threatstop.local\"]",
            "3: \"dns.threatstop.local\" is in policy.block and in policy.allow",
        ),
        (
            "[policy]\nblock = [\"basic.threatstop.local\", \"local_block\"]",
            "3: policy.block: \"local_block\" is no list of the service: the name is taken",
        ),
        (
            "[log]\nspool = \"/var/db/threatstop/\"",
            "3: log.spool and tables.directory must lie apart",
        ),
        ("[log]\nspool = \"/var/db\"", "3: log.spool and tables.directory must lie apart"),
        (
            "[tables]\ndirectory = \"/var/threatstop/tables\"",
            "3: log.spool and tables.directory must lie apart",
        ),
        (
            "[log]\nfile = \"/var/threatstop/pflog\"",
            "3: log.file lies within log.spool, which is the engine's: set another log.file",
        ),
        (
            "[policy]\nlocal_block = \"/x/block\"\n[log]\nspool = \"/x\"",
            "3: policy.local_block lies within log.spool, which is the engine's: set another \
             policy.local_block",
        ),
        (
            "[policy]\nlocal_allow = \"/var/threatstop/allow\"",
            "3: policy.local_allow lies within log.spool, which is the engine's: set another \
             policy.local_allow",
        ),
        (
            "[guard]\nnever_block = [\"64.0.0.0/8\"]\nexpect = [\"64.87.3.133\"]",
            "4: guard.expect: 64.87.3.133 is never blocked: guard.never_block has it in 64.0.0.0/8",
        ),
        (
            "[log.request]\nfile_name = \"\"",
            "3: log.request.file_name: empty: the log needs a name, such as the default",
        ),
        (
            "[log.request]\nfields = { version = \"1\", tdid = \"x\" }",
            "3: log.request.fields: \"tdid\" is log.request.device_field already: name it once",
        ),
    ] {
        assert_eq!(message(text), format!("{FILE}:{expected}"));
    }
    assert!(one("log", "spool = \"/var/db/threatstop2\"").is_ok());
    assert!(one("log", "enabled = false\nfile = \"/var/threatstop/pflog\"").is_ok());
    assert!(one("log.request", "device_field = \"\"\nfields = { tdid = \"x\" }").is_ok());
}

#[test]
fn templates_are_filled_once() {
    let id: DeviceId = "tdid_abcd1234".parse().unwrap();
    let fill = |text: &str| text.parse::<Template>().unwrap().fill(&id, "{device_id}");
    assert_eq!(fill("{device_id}.{time}.txt"), "tdid_abcd1234.{device_id}.txt");
    for text in ["{", "}", "{}", "{{time}device_id}", "{device_id", "{Time}", "a\tb", "a\nb"] {
        assert!(text.parse::<Template>().is_err(), "{text}");
    }
}

#[test]
fn broken_text_is_refused_with_its_line() {
    for (text, expected) in [
        ("user = \"a\0b\"", "2: control character U+0000"),
        ("# \u{9b}", "2: control character U+009B"),
        ("user = \"a", "2: "),
        ("user = _threatstop", "2: "),
        ("[policy", "2: "),
        ("\nuser = \"a\" b", "3: "),
        ("user = \"$(id)\"", "2: user: \"$(id)\": not a user name"),
        ("user = `id`", "2: "),
        ("a.a", "2: "),
        ("\r", "2: "),
    ] {
        let message = message(text);
        assert!(message.starts_with(&format!("{FILE}:{expected}")), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
    let marked = parse(&format!("\u{feff}{DEVICE}")).unwrap_err().to_string();
    assert_eq!(
        marked,
        format!("{FILE}:1: begins with a byte order mark; save the file without it")
    );
    assert!(parse(&DEVICE.replace('\n', "\r\n")).is_ok());
}

#[test]
fn nesting_without_end_is_refused() {
    for text in [
        "a.".repeat(30_000) + "b = 1",
        "a = ".to_owned() + &"[".repeat(60_000),
        "a = ".to_owned() + &"{a=".repeat(20_000),
        "[".to_owned() + &"a.".repeat(30_000) + "b]",
        format!("{}.b = {{\n{}.c = 1 }}", ["a"; 70].join("."), ["a"; 70].join(".")),
    ] {
        let message = message(&text);
        assert!(message.starts_with(FILE) && message.len() < 200, "{message}");
    }
}

#[test]
fn lines_without_end_are_read_or_refused_by_their_size() {
    let comment = format!("{DEVICE}#{}", "x".repeat(60_000));
    assert!(parse(&comment).is_ok());
    let value = message(&format!("user = \"{}\"", "x".repeat(60_000)));
    assert!(value.starts_with(&format!("{FILE}:2: user: \"xxx")) && value.len() < 200, "{value}");
    let million = format!("{DEVICE}#{}", "x".repeat(1 << 20));
    assert_eq!(
        parse(&million).unwrap_err().to_string(),
        format!("{FILE}: larger than 65536 octets")
    );
}

#[test]
fn secrets_are_not_printed() {
    let text =
        "device_id = \"tdid_s3cretid\"\n[https]\nproxy = \"http://joe:hunter2@proxy:3128\"\n";
    let config = parse(text).unwrap();
    let printed = format!("{config:?} {config:#?}");
    assert!(!printed.contains("s3cretid") && !printed.contains("hunter2"), "{printed}");
    assert!(config.to_toml().contains("tdid_s3cretid") && config.to_toml().contains("hunter2"));
    for text in [
        "device_id = \"tdid_s3cretid!\"",
        "device_id = \"tdid_s3cretid",
        "device_id = tdid_s3cretid",
        "device_id = [\"tdid_s3cretid\"]",
        "device_id = \"tdid_s3cretid\" x",
        "device_id = \"tdid_s3cretid\"\ndevice_id = \"tdid_s3cretid\"",
        "device_id = \"tdid_s3cretid\"\nhttps.proxy = \"http://joe:s3cretid@proxy\"",
    ] {
        let error = parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cretid"), "{error}");
    }
}

/// Without a file of failures, which proptest would put beside the crates as if it were one.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

/// Texts made of what the format is made of, so that the parser gets beyond the first octet.
fn toml_like() -> impl Strategy<Value = String> {
    let names = keys().iter().flat_map(|key| [key.name, key.section, key.default]);
    let marks = [
        "\n",
        " ",
        "=",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        ",",
        ".",
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "#",
        "\\",
        "\\u",
        "1",
        "-1",
        "0x",
        "1e9",
        "true",
        "1979-05-27",
        "\r\n",
        "\t",
        "é",
        "tdid_abcd1234",
    ];
    let pieces: Vec<&'static str> = names.chain(marks).collect();
    prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

/// That an error names the file and a line that exists, on one line.
fn precise(text: &str) {
    let Err(error) = parse(text) else { return };
    let mut before = 1;
    for message in error.lines() {
        let rest = message.strip_prefix(FILE).and_then(|rest| rest.strip_prefix(':')).unwrap();
        let line: usize = rest.split(':').next().unwrap().parse().unwrap();
        assert!((before..=1 + text.matches('\n').count()).contains(&line), "{message}: {text:?}");
        assert!(!message.contains(char::is_control), "{message:?}");
        before = line;
    }
    assert!(error.to_string().starts_with(&error.lines()[0]), "{error}");
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn any_text_is_read_or_refused_with_a_line(text in "(?s).{0,200}") {
        precise(&text);
        precise(&format!("{DEVICE}{text}"));
    }

    #[test]
    fn any_near_toml_is_read_or_refused_with_a_line(text in toml_like()) {
        precise(&format!("{DEVICE}{text}"));
    }

    #[test]
    fn a_damaged_sample_is_read_or_refused_with_a_line(
        cut in 0usize..4000,
        length in 0usize..20,
        insert in "[\\PC\n]{0,5}",
    ) {
        let sample: Vec<char> = include_str!("tests/interface.toml").chars().collect();
        let cut = cut.min(sample.len());
        let end = (cut + length).min(sample.len());
        let text: String =
            sample[..cut].iter().chain(&insert.chars().collect::<Vec<_>>()).chain(&sample[end..]).collect();
        precise(&text);
    }

    #[test]
    fn quoted_text_is_read_back(text in "(?s).{0,50}") {
        let toml = format!("a = {}", quote(&text));
        let table = toml::de::DeTable::parse(&toml).unwrap();
        let value = table.get_ref().get("a").unwrap();
        prop_assert_eq!(value.get_ref().as_str(), Some(text.as_str()));
    }

    #[test]
    fn any_octets_are_text_or_refused(octets: Vec<u8>) {
        let read = read_text(octets.as_slice(), Path::new(FILE)).unwrap();
        match std::str::from_utf8(&octets) {
            Ok(text) => prop_assert_eq!(read, text),
            Err(_) => prop_assert!(parse(&read).is_err()),
        }
    }
}
