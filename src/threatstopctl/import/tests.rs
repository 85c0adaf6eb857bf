use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;

use super::shell::{Statement, read};
use super::*;

const DEVICE: &str = "device_id=\"tdid_abcd1234\"\n";

/// A file like the one that was shipped.
const OLD: &str = r#"# ThreatSTOP
DNS_SERVERS="192.124.129.42 64.87.26.147"
BLOCK_LIST="basic.threatstop.local"
ALLOW_LIST='dns.threatstop.local'

OUT_DIR=/var/db/threatstop-old   # where the files go
BLOCK_FILE="$OUT_DIR/threatstop.block"
ALLOW_FILE="${OUT_DIR}/threatstop.allow"
BLOCK_TABLE="TS-Block"; ALLOW_TABLE="TS-Allow"
RELOAD_PF="NO"
PFLOG="/var/log/pflog.0"
logfile="/tmp/pflog.txt"
url="https://logs.threatstop.com/cgi-bin/logupload.pl"
device_id="tdid_abcd1234"
"#;

fn imported(text: &str) -> (Config, Vec<String>) {
    let Imported { toml, notes, .. } = import(text.as_bytes(), "old.conf").unwrap();
    let config = Config::parse(&toml, Path::new("new.toml"));
    (config.unwrap_or_else(|error| panic!("{error}\n{toml}")), notes)
}

fn refused(text: &[u8]) -> String {
    import(text, "old.conf").unwrap_err().to_string()
}

fn has(notes: &[String], note: &str) -> bool {
    notes.iter().any(|line| line == note)
}

#[test]
fn a_file_as_it_was_shipped() {
    let (config, notes) = imported(OLD);
    let expected = r#"
        device_id = "tdid_abcd1234"
        [policy]
        servers = ["192.124.129.42", "64.87.26.147"]
        block = ["basic.threatstop.local"]
        allow = ["dns.threatstop.local"]
        [tables]
        directory = "/var/db/threatstop-old"
        block = "TS-Block"
        allow = "TS-Allow"
        reload = false
        [log]
        file = "/var/log/pflog"
        url = "https://logs.threatstop.com/cgi-bin/logupload.pl"
    "#;
    assert_eq!(config, Config::parse(expected, Path::new("expected.toml")).unwrap());
    assert_eq!(
        notes[..3],
        [
            "not carried over: BLOCK_FILE = \"/var/db/threatstop-old/threatstop.block\": table \
             files are DIRECTORY/NAME.pftable",
            "not carried over: ALLOW_FILE = \"/var/db/threatstop-old/threatstop.allow\": table \
             files are DIRECTORY/NAME.pftable",
            "not carried over: logfile = \"/tmp/pflog.txt\": no temporary file is needed",
        ]
    );
    assert!(notes.iter().any(|note| note.contains("crontab") && note.contains("sendlog.sh")));
    assert!(notes.iter().any(|note| note.contains("newsyslog.conf")));
    assert!(has(
        &notes,
        "goes into /etc/pf.conf, for the old line: table <TS-Block> persist file \
         \"/var/db/threatstop-old/TS-Block.pftable\""
    ));
}

#[test]
fn notes_stand_in_the_new_file_as_comments() {
    let Imported { toml, notes, left_out, device_id } = import(OLD.as_bytes(), "old.conf").unwrap();
    for note in &notes {
        assert!(toml.contains(&format!("\n# {note}\n")), "{note}");
    }
    assert_eq!((left_out, device_id), (3, true));
    assert!(has(
        &notes,
        "differs: the old scripts sent the whole packet log; what is sent now are the packets of \
         the two tables, and all of it with scope = \"all\" in [log]"
    ));
    assert!(toml.starts_with("# Made from old.conf by threatstopctl import.\n\ndevice_id = "));
}

#[test]
fn spellings_of_keys() {
    for key in ["DNS_SERVERS", "dnsservers", "DNS", "Servers", "TS_DNS_SERVER", "ThreatSTOP_dns"] {
        let (config, _) = imported(&format!("{DEVICE}{key}=192.0.2.1"));
        assert_eq!(config.policy.servers[0].to_string(), "192.0.2.1", "{key}");
    }
    for key in ["BLOCK", "block_list", "BlockLists"] {
        let (config, _) = imported(&format!("{DEVICE}{key}=\"a.local, b.local\""));
        let lists: Vec<_> = config.policy.block.iter().map(|list| list.as_str()).collect();
        assert_eq!(lists, ["a.local", "b.local"], "{key}");
    }
    for key in ["TDID", "DEVICE_ID", "DeviceID"] {
        assert_eq!(
            imported(&format!("{key}=tdid_00000001")).0.device_id.unwrap().as_str(),
            "tdid_00000001"
        );
    }
}

#[test]
fn nothing_is_executed() {
    for (line, why) in [
        ("URL=$(cat /etc/passwd)", "a command substitution, not executed"),
        ("URL=\"$(id)\"", "a command substitution, not executed"),
        ("URL=`id`", "a command substitution, not executed"),
        ("URL=\"x`id`\"", "a command substitution, not executed"),
        ("URL=${PFLOG:-/x}", "an expansion other than $KEY or ${KEY}, not executed"),
        ("URL=$1", "an expansion other than $KEY or ${KEY}, not executed"),
        ("URL=$UNKNOWN", "it has a key that is not set before"),
        ("URL=a b", "not an assignment, not executed"),
        ("URL=a | sh", "not an assignment, not executed"),
        ("URL=a|sh", "not an assignment, not executed"),
        ("URL=a & b", "not an assignment, not executed"),
        (". /etc/other.conf", "not an assignment, not executed"),
        ("if true; then", "not an assignment, not executed"),
        ("URL = x", "not an assignment, not executed"),
        ("9A=x", "not an assignment, not executed"),
        ("f() { :; }", "not an assignment, not executed"),
    ] {
        let (config, notes) = imported(&format!("{DEVICE}{line}\n"));
        let printed = line.escape_debug();
        let note = format!("not carried over: line 2: {printed}: {why}");
        assert!(has(&notes, &note), "{note}\n{notes:#?}");
        assert_eq!(config, imported(DEVICE).0);
    }
}

#[test]
fn the_last_assignment_counts_even_when_it_is_bad() {
    let (config, _) = imported(&format!("{DEVICE}BLOCK_TABLE=A\nBLOCK_TABLE=B"));
    assert_eq!(config.tables.block.as_str(), "B");
    let (config, notes) = imported(&format!("{DEVICE}BLOCK_TABLE=A\nBLOCK_TABLE='a b'"));
    assert_eq!(config.tables.block.as_str(), "ThreatSTOP-Block");
    assert!(notes[0].starts_with("not carried over: BLOCK_TABLE = \"a b\": tables.block: "));
    let (_, notes) = imported(&format!("{DEVICE}A=x\nA=`id`\nURL=https://$A/"));
    assert!(notes[2].ends_with("it has a key that is not set before"), "{notes:#?}");
}

#[test]
fn values_that_the_new_file_does_not_take() {
    for (line, why) in [
        ("URL=http://logs.threatstop.com/", "URL = \"http://logs.threatstop.com/\": log.url: "),
        ("RELOAD_PF=maybe", "RELOAD_PF = \"maybe\": neither YES nor NO"),
        ("PFLOG=pflog.0", "PFLOG = \"pflog\": log.file: "),
        ("OUT_DIR=/etc/", "OUT_DIR = \"/etc/\": the directory is not for table files alone"),
        ("OUT_DIR=/", "OUT_DIR = \"/\": tables.directory: "),
        ("OUT_DIR=", "OUT_DIR = \"\": tables.directory: "),
        ("BLOCK_LIST=", "BLOCK_LIST = \"\": policy.block: no list of what to block: "),
        ("NICKNAME=gw1", "NICKNAME = \"gw1\": has no counterpart"),
    ] {
        let (config, notes) = imported(&format!("{DEVICE}{line}"));
        let start = match line.strip_prefix("PFLOG=") {
            // the old value is shown, not what became of it
            Some(value) => format!("not carried over: PFLOG = \"{value}\": log.file: "),
            None => format!("not carried over: {why}"),
        };
        assert!(notes[0].starts_with(&start), "{start}\n{notes:#?}");
        assert_eq!(config, imported(DEVICE).0);
    }
}

#[test]
fn one_bad_entry_of_a_list_costs_not_the_others() {
    let (config, notes) = imported(&format!("{DEVICE}DNS='192.0.2.1 0.0.0.0 192.0.2.1 a.b:53'"));
    let servers: Vec<_> = config.policy.servers.iter().map(|s| s.to_string()).collect();
    assert_eq!(servers, ["192.0.2.1", "a.b:53"]);
    assert!(notes[0].starts_with("not carried over: DNS = \"0.0.0.0\": policy.servers: "));
    assert_eq!(imported(&format!("{DEVICE}ALLOW_LIST=''")).0.policy.allow, []);
    let many = format!("{DEVICE}DNS='{}'", "192.0.2.1 ".repeat(65));
    assert!(imported(&many).1[0].ends_with(": more than 64 entries"));
}

#[test]
fn packet_logs() {
    for (old, new) in [
        ("/var/log/pflog", "/var/log/pflog"),
        ("/var/log/pflog.0", "/var/log/pflog"),
        ("/var/log/pflog.0.gz", "/var/log/pflog"),
        ("/var/log/pf.log", "/var/log/pf.log"),
        ("/var/log/pflog.", "/var/log/pflog."),
    ] {
        let (config, _) = imported(&format!("{DEVICE}PFLOG={old}"));
        assert_eq!(config.log.file, Path::new(new));
    }
}

#[test]
fn one_line_never_costs_the_others() {
    for (line, note) in [
        (&b"X=\"2"[..], "line 2: X=\\\"2: a quote is not closed"),
        (b"X='2", "line 2: X=\\'2: a quote is not closed"),
        (b"X=\xe9", "line 2: X=\u{fffd}: not UTF-8: convert it with iconv -f latin1 -t utf-8"),
        (
            b"X='a\xff'",
            "line 2: X=\\'a\u{fffd}\\': not UTF-8: convert it with iconv -f latin1 -t utf-8",
        ),
        (b"X=\xe9; URL=$X", "line 2: X=\u{fffd}; URL=$X: not UTF-8: "),
        (b"\xe9t\xe9", "line 2: \u{fffd}t\u{fffd}: not an assignment, not executed"),
        (b"BLOCK_TABLE=ThreatSTOP-Allow", "BLOCK_TABLE = \"ThreatSTOP-Allow\": tables.block and "),
        (b"BLOCK_TABLE=A\nALLOW_TABLE=A", "BLOCK_TABLE = \"A\": tables.block and "),
    ] {
        let text = [DEVICE.as_bytes(), line, b"\nRELOAD_PF=no\n# caf\xe9\n"].concat();
        let Imported { toml, notes, left_out, .. } = import(&text, "old.conf").unwrap();
        let config = Config::parse(&toml, Path::new("new.toml")).unwrap();
        assert!(!config.tables.reload, "{toml}");
        assert_eq!(left_out, 1 + line.windows(3).filter(|w| w == b"URL").count(), "{notes:#?}");
        assert!(notes[0].starts_with(&format!("not carried over: {note}")), "{note}\n{notes:#?}");
    }
    // names that are exchanged contradict the defaults one by one, and not each other
    let (config, _) =
        imported(&format!("{DEVICE}BLOCK_TABLE=ThreatSTOP-Allow\nALLOW_TABLE=ThreatSTOP-Block"));
    assert_eq!(config.tables.block.as_str(), "ThreatSTOP-Allow");
}

/// Without its device id, or with one that is not carried over, the rest is: the line for it is there.
#[test]
fn a_device_id_can_be_filled_in() {
    for (line, left_out) in [
        ("", 0),
        ("device_id=$(cat id)\n", 1),
        ("device_id=tdid_s3cret\n", 1),
        ("device_id=tdid_abcd1234\ndevice_id=\n", 1),
    ] {
        let text = format!("{line}BLOCK_TABLE=A\n");
        let new = import(text.as_bytes(), "old.conf").unwrap();
        assert_eq!((new.left_out, new.device_id), (left_out, false), "{line}");
        assert!(new.notes[0].starts_with("to be filled in: device_id"), "{:#?}", new.notes);
        assert!(!new.toml.contains("s3cret"), "{}", new.toml);
        assert!(Config::parse(&new.toml, Path::new("")).is_err(), "{}", new.toml);
        let filled = new.toml.replace("device_id = \"\"\n", "device_id = \"tdid_abcd1234\"\n");
        let config = Config::parse(&filled, Path::new("")).unwrap();
        assert_eq!(config.tables.block.as_str(), "A");
    }
}

#[test]
fn what_cannot_be_imported() {
    let nothing = "old.conf: sets nothing that the old scripts know: name their threatstop.conf";
    assert_eq!(refused(b""), nothing);
    assert_eq!(refused(b"# device_id=tdid_abcd1234\n"), nothing);
    assert_eq!(refused(b"root:x:0:0:root:/root:/bin/ksh\nPATH=/bin\n"), nothing);
    assert_eq!(refused(&[b'#'; MAX_OCTETS + 1]), "old.conf: larger than 65536 octets");
}

#[test]
fn odd_values_do_not_get_out_of_their_comment() {
    for text in ["X='\n[tables]\nreload = false'", "X='\r[a]'", "[a]\r[b]", "X='\u{85}\u{2028}'"] {
        let Imported { toml, .. } =
            import(format!("{DEVICE}{text}").as_bytes(), "a\nb = 1").unwrap();
        let lines = toml.lines().filter(|line| !line.starts_with("# ") && !line.is_empty());
        assert_eq!(lines.collect::<Vec<_>>(), ["device_id = \"tdid_abcd1234\""], "{toml}");
        assert!(Config::parse(&toml, Path::new("new.toml")).is_ok(), "{toml}");
    }
}

#[test]
fn lines_may_end_with_cr_lf() {
    assert_eq!(imported(&OLD.replace('\n', "\r\n")), imported(OLD));
}

#[test]
fn a_key_may_have_a_mark_before_it_a_tab_or_another_word() {
    for before in ["\u{feff}", "export\t", "export \t ", "readonly "] {
        let (config, notes) = imported(&format!("{before}{DEVICE}"));
        assert_eq!((config.device_id, notes), (imported(DEVICE).0.device_id, imported(DEVICE).1));
    }
}

/// Fails when the device id stands in a comment, where nobody looks for it when it is replaced.
#[test]
fn a_credential_is_in_no_comment() {
    for line in [
        "TDID = tdid_abcd1234",
        "TDID=tdid_abcd1234 && true",
        "x tdid_ab;tdid_abcd1234\"",
        "OLD_TDID=tdid_abcd1234",
        "LOGURL='http://x/?d=tdid_abcd1234'",
    ] {
        let (_, notes) = imported(&format!("{DEVICE}{line}\n"));
        assert!(notes.concat().contains("tdid_..."), "{notes:#?}");
        assert!(!notes.concat().contains("abcd1234"), "{notes:#?}");
    }
}

#[test]
fn doubling_ends() {
    let mut text = DEVICE.to_owned() + "a=xxxxxxxx\n";
    text.push_str(&"a=$a$a\n".repeat(20));
    let (_, notes) = imported(&text);
    assert!(notes.iter().any(|note| note.ends_with("a=$a$a: too long")), "{notes:#?}");
    text.push_str(&"a=$a$a\n".repeat(5000));
    let Imported { toml, notes, left_out, .. } = import(text.as_bytes(), "old.conf").unwrap();
    assert!(left_out >= 5000 && toml.len() <= config::MAX_OCTETS, "{left_out}");
    assert!(notes.iter().any(|note| note.ends_with(" more, which are too many to be named")));
}

/// Assignments to a, b and c of what matters to the reader, each on its line.
fn assignments() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "x", "y z", " ", "\n", "\"", "'", "$a", "${b}", "$", "\\", "\\\"", "#", ";", "{", "}", "=",
        "é",
    ]);
    let value = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    let quoted = (value, prop::sample::select(vec!["", "\"", "'"]))
        .prop_map(|(value, quote)| format!("{quote}{value}{quote}"));
    prop::collection::vec((prop::sample::select(vec!["a", "b", "export c"]), quoted), 1..6)
        .prop_map(|list| list.iter().map(|(key, value)| format!("{key}={value}\n")).collect())
}

/// Without a file of failures, which proptest would put beside the crates as if it were one.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(cases(300))]

    /// What is read as assignments and nothing else means the same to sh(1).
    #[test]
    fn values_are_those_of_the_shell(text in assignments()) {
        let statements = read(&text);
        let mut values = BTreeMap::from([("a", ""), ("b", ""), ("c", "")]);
        for statement in &statements {
            match statement {
                Statement::Assignment { key, value, .. } => values.insert(key, value),
                Statement::NotExecuted { .. } => return Ok(()),
            };
        }
        let script = format!("{text}\nprintf '%s\\001' \"$a\" \"$b\" \"$c\"");
        let output = Command::new("sh").args(["-c", &script]).env_clear().output().unwrap();
        let expected: String =
            ["a", "b", "c"].iter().map(|key| format!("{}\u{1}", values[key])).collect();
        prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{}", text);
    }

    #[test]
    fn any_octets_are_imported_or_refused(octets: Vec<u8>) {
        let _ = import(&octets, "old.conf");
    }

    #[test]
    fn what_is_imported_is_accepted(
        lines in prop::collection::vec(
            (
                "(DNS|BLOCK|ALLOW|OUT_DIR|BLOCK_TABLE|ALLOW_TABLE|PFLOG|URL|PROXY|RELOAD|X)",
                "[ -~\n]{0,20}|\"[ -~\n]{0,20}\"|'[ -~\n]{0,20}'|/[a-z/.0]{0,10}|[a-z.]{1,9}",
            ),
            0..10,
        ),
    ) {
        let lines: String = lines.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        let Imported { toml, .. } = import(format!("{DEVICE}{lines}").as_bytes(), "old.conf").unwrap();
        let parsed = Config::parse(&toml, Path::new("new.toml"));
        prop_assert!(parsed.is_ok(), "{:?}\n{}", parsed, toml);
    }
}
