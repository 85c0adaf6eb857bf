use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use tempfile::TempDir;

use super::*;

/// The samples that the port installs.
const SAMPLE: &str = include_str!("../../../etc/pf.conf.threatstop");
const BRIDGE: &str = include_str!("../../../etc/pf.conf.threatstop-bridge");

fn tables(settings: &str) -> Config {
    let text = format!("device_id = \"tdid_abcd1234\"\n[tables]\n{settings}\n");
    Config::parse(&text, Path::new("test.toml")).unwrap()
}

/// With a table for each direction besides.
fn more_tables(settings: &str) -> Config {
    let one = |name, direction| {
        format!("[[table]]\nname = \"{name}\"\nlists = [\"x.y\"]\ndirection = \"{direction}\"\n")
    };
    let more = [one("From", "in"), one("To", "out"), one("Of", "both")].concat();
    tables(&format!("{settings}\n[policy]\nblock = [\"basic.x\", \"x.y\"]\n{more}"))
}

/// What pfctl(8) reads of a text: its lines without comments.
fn read_by_pf(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap().trim());
    lines.filter(|line| !line.is_empty()).collect()
}

/// The document for a configuration with all there can be.
pub fn document() -> Value {
    let files = Files { created: vec!["a".into()], kept: vec!["b".into()], entries: 0 };
    super::document(&files, &Lines::new(&tables("anchor = \"threatstop\""), 0, false))
}

#[test]
fn the_lines_are_those_of_the_samples() {
    for (sample, bridge) in [(SAMPLE, false), (BRIDGE, true)] {
        let lines = Lines::new(&tables(""), 26_424, bridge);
        assert_eq!(read_by_pf(&lines.to_string()), read_by_pf(sample));
    }
}

#[test]
fn names_come_from_the_configuration() {
    let tables = tables("directory = \"/var/db/ts\"\nblock = \"TS-Block\"\nallow = \"TS-Allow\"");
    let lines = Lines::new(&tables, 0, false).to_string();
    let sample = SAMPLE.replace("ThreatSTOP-", "TS-").replace("/var/db/threatstop/", "/var/db/ts/");
    assert_eq!(read_by_pf(&lines), read_by_pf(&sample));
}

#[test]
fn each_table_has_its_file_and_the_rules_of_its_direction() {
    let lines = Lines::new(&more_tables(""), 0, false).to_string();
    let rules = |lines: &str| {
        let lines = read_by_pf(lines).into_iter().filter(|line| !line.starts_with("table "));
        lines.skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        rules(&lines),
        [
            "pass in log quick from <ThreatSTOP-Allow>",
            "pass out log quick to <ThreatSTOP-Allow>",
            "block in log quick from <ThreatSTOP-Block>",
            "block out log quick to <ThreatSTOP-Block>",
            "block in log quick from <From>",
            "block out log quick to <To>",
            "block in log quick from <Of>",
            "block out log quick to <Of>",
        ]
    );
    let files = ["ThreatSTOP-Allow", "ThreatSTOP-Block", "From", "To", "Of"];
    let named = files
        .map(|name| format!("table <{name}> persist file \"/var/db/threatstop/{name}.pftable\""));
    let tables = read_by_pf(&lines).into_iter().filter(|line| line.starts_with("table "));
    assert_eq!(tables.collect::<Vec<_>>(), named);
    let bridge = Lines::new(&more_tables(""), 0, true).to_string();
    assert!(bridge.contains(
        "\nblock in log quick on $outer from <From>\nblock out log quick on $outer to <To>\n"
    ));
}

/// What passes is recorded, what is allowed comes before, and match has no quick.
#[test]
fn a_monitor_records_and_blocks_nothing() {
    let lines = Lines::new(&more_tables("monitor = true"), 0, false).to_string();
    assert!(!lines.contains("\nblock "), "{lines}");
    let (_, rules) = lines.split_once("\npass out log quick to <ThreatSTOP-Allow>\n").unwrap();
    assert_eq!(
        read_by_pf(rules),
        [
            "match in log from <ThreatSTOP-Block>",
            "match out log to <ThreatSTOP-Block>",
            "match in log from <From>",
            "match out log to <To>",
            "match in log from <Of>",
            "match out log to <Of>",
        ]
    );
}

#[test]
fn the_limit_holds_two_sets() {
    for (entries, wanted) in [
        (0, 400_000),
        (200_000, 400_000),
        (200_001, 500_000),
        (1_000_000, 2_000_000),
        (20_000_000, 40_000_000),
    ] {
        assert_eq!(limit(entries), wanted, "{entries}");
        let lines = Lines::new(&tables(""), entries, false).pf_conf;
        assert!(lines.contains(&format!("\nset limit table-entries {wanted}\n")), "{lines}");
    }
}

/// An anchor: options stay in the main ruleset, tables and rules go into the anchor's file.
#[test]
fn an_anchor_has_a_file_of_its_own() {
    for (bridge, sample) in [(false, SAMPLE), (true, BRIDGE)] {
        let lines = Lines::new(&tables("anchor = \"site/threatstop\""), 0, bridge);
        let (file, text) = lines.anchor.clone().unwrap();
        assert_eq!(file, "/etc/pf-site-threatstop.conf");
        let main = read_by_pf(&lines.pf_conf);
        assert_eq!(
            main[main.len() - 2..],
            [
                "anchor \"site/threatstop\"",
                "load anchor \"site/threatstop\" from \"/etc/pf-site-threatstop.conf\"",
            ]
        );
        let of_main = |line: &&str| line.starts_with("set ") || line.starts_with("inner ");
        let wanted = read_by_pf(sample);
        let (options, content): (Vec<&str>, Vec<&str>) = wanted.into_iter().partition(of_main);
        assert_eq!(main[..main.len() - 2], options);
        assert_eq!(read_by_pf(&text), content);
        let printed = lines.to_string();
        assert!(printed.starts_with("# /etc/pf.conf\n"), "{printed}");
        assert!(printed.contains("\n# /etc/pf-site-threatstop.conf\n"), "{printed}");
        assert!(lines.advice().contains("the others into /etc/pf-site-threatstop.conf;"));
    }
}

fn scratch() -> (TempDir, Config) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("threatstop");
    let tables = tables(&format!("directory = {:?}", path.to_str().unwrap()));
    (dir, tables)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn missing_files_are_made_once() {
    let (_dir, tables) = scratch();
    let path = |name: &str| tables.tables.directory.join(name);
    let (allow, block) = (path("ThreatSTOP-Allow.pftable"), path("ThreatSTOP-Block.pftable"));
    let text = |path: &Path| path.display().to_string();
    let made = Files::make(&tables).unwrap();
    assert_eq!(made.created, [text(&tables.tables.directory), text(&allow), text(&block)]);
    assert_eq!((made.kept.len(), made.entries), (0, 0));
    assert_eq!((mode(&tables.tables.directory), mode(&allow), mode(&block)), (0o700, 0o600, 0o600));
    assert_eq!(fs::metadata(&block).unwrap().len(), 0);

    // again: nothing is made and nothing changes
    fs::write(&block, "192.0.2.1\n198.51.100.0/24\n2001:db8::/32\n").unwrap();
    fs::remove_file(&allow).unwrap();
    let before = fs::metadata(&block).unwrap();
    let again = Files::make(&tables).unwrap();
    assert_eq!(again.created, [text(&allow)]);
    assert_eq!((again.kept, again.entries), (vec![text(&block)], 3));
    let after = fs::metadata(&block).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
    let third = Files::make(&tables).unwrap();
    assert_eq!((third.created.len(), third.kept.len()), (0, 2));
}

/// A file of the old scripts may lie there: pf reads it, and the next update writes it anew.
#[test]
fn a_file_in_another_form_is_left_alone() {
    let (_dir, tables) = scratch();
    fs::create_dir(&tables.tables.directory).unwrap();
    let block = tables.tables.directory.join("ThreatSTOP-Block.pftable");
    fs::write(&block, "# old\n10.0.0.0/8 !10.1.0.0/16\n").unwrap();
    fs::set_permissions(&block, fs::Permissions::from_mode(0o600)).unwrap();
    let made = Files::make(&tables).unwrap();
    assert_eq!((made.kept.len(), made.created.len(), made.entries), (1, 1, 0));
    assert_eq!(fs::read_to_string(&block).unwrap(), "# old\n10.0.0.0/8 !10.1.0.0/16\n");
}

#[test]
fn what_is_no_table_file_is_refused_and_not_followed() {
    for what in ["link", "dangling", "directory", "writable"] {
        let (dir, tables) = scratch();
        fs::create_dir(&tables.tables.directory).unwrap();
        let block = tables.tables.directory.join("ThreatSTOP-Block.pftable");
        let aim = dir.path().join("aim");
        match what {
            "link" => {
                fs::write(&aim, "192.0.2.1\n").unwrap();
                symlink(&aim, &block).unwrap();
            }
            "dangling" => symlink(&aim, &block).unwrap(),
            "directory" => fs::create_dir(&block).unwrap(),
            _ => {
                fs::write(&block, "192.0.2.1\n").unwrap();
                fs::set_permissions(&block, fs::Permissions::from_mode(0o666)).unwrap();
            }
        }
        let why = Files::make(&tables).unwrap_err();
        assert!(why.starts_with(block.to_str().unwrap()), "{what}: {why}");
        assert_eq!(aim.exists(), what == "link");
        assert!(what != "writable" || mode(&block) == 0o666, "it was touched");
    }
}

#[test]
fn the_directory_is_made_alone_and_must_be_safe() {
    let (dir, tables) = scratch();
    let mut deeper = tables.clone();
    deeper.tables.directory.push("deeper");
    let why = Files::make(&deeper).unwrap_err();
    let path = tables.tables.directory.display();
    let wanted =
        format!("{path}/deeper: No such file or directory: mkdir -p {path}, and try again");
    assert_eq!(why, wanted);

    let aim = dir.path().join("aim");
    fs::create_dir(&aim).unwrap();
    symlink(&aim, &tables.tables.directory).unwrap();
    Files::make(&tables).unwrap_err();
    assert_eq!(fs::read_dir(&aim).unwrap().count(), 0);
    fs::remove_file(&tables.tables.directory).unwrap();

    fs::create_dir(&tables.tables.directory).unwrap();
    fs::set_permissions(&tables.tables.directory, fs::Permissions::from_mode(0o777)).unwrap();
    Files::make(&tables).unwrap();
    let now = fs::metadata(&tables.tables.directory).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&now) & 0o7777, 0o700);
}

#[test]
fn a_path_that_pf_conf_cannot_name_is_refused() {
    let text = "device_id = \"tdid_abcd1234\"\n[tables]\ndirectory = '/var/db/a\"b'\n";
    let config = Config::parse(text, Path::new("test.toml")).unwrap();
    let why = refuse_unnamed(&config).unwrap_err();
    assert_eq!(why, "/var/db/a\"b: pf.conf cannot name it: set another tables.directory");
}
