//! Many firewalls: tables in the forms of other programs, read by these, and a zone that name servers
//! carry to other firewalls.

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::harness::{Config, Daemon, Scratch};
use tests::item::table_text;
use tests::lists::{allow_list, basic_list};
use tests::process::{Output, run};
use tests::servers::{Nsd, require_program, say_skipped};
use tests::sim::PolicyService;

use crate::common::*;

/// The zone of the fleet.
const ZONE: &str = "fleet.example";

/// A daemon that asks a service, with a list of so many entries in force.
struct Relay {
    service: PolicyService,
    scratch: Scratch,
    daemon: Daemon,
}

impl Relay {
    fn new(entries: usize) -> Self {
        let service = PolicyService::start(zone(&basic_list(entries).items));
        let scratch = Scratch::new();
        let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
        update(&daemon);
        let relay = Self { service, scratch, daemon };
        relay.has(entries);
        relay
    }

    /// The service has a list of so many entries from now on, and the relay too.
    fn change(&self, entries: usize) {
        self.service.edit(|z| *z = zone(&basic_list(entries).items));
        update(&self.daemon);
        self.has(entries);
    }

    #[track_caller]
    fn has(&self, entries: usize) {
        has(&self.daemon, entries);
    }

    /// What `show` prints with these arguments.
    #[track_caller]
    fn show(&self, arguments: &[&str]) -> String {
        let output = self.daemon.ctl(&[&["show"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", output.stderr);
        output.stdout
    }

    /// The zone of the fleet, with both tables.
    fn zone(&self) -> String {
        self.show(&["-o", "apl", "-z", ZONE, "block", "allow"])
    }

    /// A file with this text.
    fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.scratch.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// Checks that both tables of a daemon are those of a list of so many entries.
#[track_caller]
fn has(daemon: &Daemon, entries: usize) {
    let want = table_text(&basic_list(entries).table);
    let is_so = table(daemon, BLOCK) == Some(want);
    assert!(is_so, "another table than of {entries} entries: {}", daemon.output());
    assert!(table(daemon, ALLOW) == Some(table_text(&allow_list())), "another allow table");
}

/// Runs a script with its arguments in namespaces of its own, where it is root and there is no network:
/// `None`, with a line that says so, where such are not to be had.
fn in_namespace(script: &str, arguments: &[&Path]) -> Option<Output> {
    let unshare = require_program("unshare")?;
    let command = |script: &str| {
        let mut command = Command::new(&unshare);
        command.args(["-r", "-n", "sh", "-ec", script, "sh"]);
        command
    };
    let path = "PATH=$PATH:/usr/sbin:/sbin; ";
    let tried = "nft list ruleset >/dev/null && ipset list >/dev/null";
    let tried = run(&mut command(&format!("{path}{tried}")), PATIENCE);
    if !tried.status.success() {
        let why = tried.stderr.lines().next().unwrap_or("no reason given").to_owned();
        say_skipped(&format!("needs namespaces with netfilter in them: {why}"));
        return None;
    }
    Some(run(command(&format!("{path}{script}")).args(arguments), PATIENCE))
}

/// The members that `nft list set` and `ipset save` have printed, and those of a table file, in order.
fn members<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<&str> = all.map(str::trim).filter(|one| !one.is_empty()).collect();
    all.sort_unstable();
    all
}

/// The lines of a table of one family.
fn of_family(table: &str, is_v6: bool) -> Vec<&str> {
    members(table.lines().filter(|line| line.contains(':') == is_v6))
}

/// Print the tables for nft and load them twice, as after two changes. The sets have the prefixes of the
/// tables. Cut the text off in several places, load it again: nothing has changed, and each time it was
/// an error.
#[test]
fn nft_loads_the_tables_whole_or_not_at_all() {
    if require_program("nft").is_none() || require_program("ipset").is_none() {
        return;
    }
    let relay = Relay::new(1000);
    let text = relay.show(&["-o", "nft", "block", "allow"]);
    let whole = relay.file("whole", &text);
    let begin = text.find("table inet threatstop {\n").unwrap() + "table inet threatstop {\n".len();
    let cuts = [begin, begin + 300, text.len() / 2, text.len() - 4, text.len() - 2];
    let cuts: Vec<_> =
        (0..).zip(cuts).map(|(n, at)| relay.file(&format!("cut{n}"), &text[..at])).collect();
    let script = "nft -c -f \"$1\"; nft -f \"$1\"; nft -f \"$1\"; shift
        for cut do if nft -f \"$cut\" 2>/dev/null; then echo \"$cut was loaded\"; exit 1; fi; done
        for set in Block-4 Block-6 Allow-4 Allow-6; do
            nft list set inet threatstop ThreatSTOP-$set; echo =
        done";
    let arguments: Vec<&Path> =
        std::iter::once(&whole).chain(&cuts).map(std::path::PathBuf::as_path).collect();
    let Some(output) = in_namespace(script, &arguments) else { return };
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
    let sets: Vec<Vec<&str>> = output
        .stdout
        .split("=\n")
        .map(|set| {
            let elements = set.split_once("elements = {").map_or("", |(_, after)| after);
            members(elements.split('}').next().unwrap_or_default().split(','))
        })
        .collect();
    let [block, allow] = [BLOCK, ALLOW].map(|name| table(&relay.daemon, name).unwrap());
    assert_eq!(sets[0], of_family(&block, false));
    assert_eq!(sets[1], of_family(&block, true));
    assert_eq!(sets[2], of_family(&allow, false));
    assert_eq!(sets[3], Vec::<&str>::new());
}

/// The same with ipset, which does line by line what it reads. A text that is cut off before its last
/// lines leaves the sets as they were, and the whole text mends what the other has left.
#[test]
fn ipset_loads_the_tables_whole_or_not_at_all() {
    if require_program("nft").is_none() || require_program("ipset").is_none() {
        return;
    }
    let relay = Relay::new(1000);
    let text = relay.show(&["-o", "ipset", "block", "allow"]);
    let whole = relay.file("whole", &text);
    let first_swap = text.find("swap ").unwrap();
    let cuts = [text.len() / 3, first_swap];
    let cuts: Vec<_> =
        (0..).zip(cuts).map(|(n, at)| relay.file(&format!("cut{n}"), &text[..at])).collect();
    let script = "ipset restore <\"$1\"; ipset restore <\"$1\"
        ipset restore <\"$2\" 2>/dev/null || :
        ipset restore <\"$3\" 2>/dev/null || :
        for set in Block-4 Block-6 Allow-4 Allow-6; do ipset save ThreatSTOP-$set; echo =; done
        ipset restore <\"$1\"; ipset list -n";
    let arguments: Vec<&Path> =
        std::iter::once(&whole).chain(&cuts).map(std::path::PathBuf::as_path).collect();
    let Some(output) = in_namespace(script, &arguments) else { return };
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
    let parts: Vec<&str> = output.stdout.split("=\n").collect();
    let read = |part: &str| -> Vec<String> {
        let added = part.lines().filter_map(|line| line.strip_prefix("add ")?.split_once(' '));
        let mut all: Vec<String> = added.map(|(_, net)| net.trim().to_owned()).collect();
        all.sort_unstable();
        all
    };
    let [block, allow] = [BLOCK, ALLOW].map(|name| table(&relay.daemon, name).unwrap());
    assert_eq!(read(parts[0]), of_family(&block, false));
    assert_eq!(read(parts[1]), of_family(&block, true));
    assert_eq!(read(parts[2]), of_family(&allow, false));
    assert!(read(parts[3]).is_empty());
    let mut names: Vec<&str> = parts[4].lines().collect();
    names.sort_unstable();
    let names_wanted =
        ["ThreatSTOP-Allow-4", "ThreatSTOP-Allow-6", "ThreatSTOP-Block-4", "ThreatSTOP-Block-6"];
    assert_eq!(names, names_wanted, "nothing of the way is left over");
}

/// Print the zone, and have the checkers of NSD and BIND read it. Print it again: it is the same, for
/// the serial belongs to the content, and is the time of its last change. Change the list: the serial has
/// grown. Change it and back again while nobody prints it, and start the daemon again: it is the same
/// still.
#[test]
fn a_zone_is_one_for_nsd_and_bind_and_its_serial_belongs_to_it() {
    let mut relay = Relay::new(5000);
    let text = relay.zone();
    assert_eq!(relay.zone(), text);
    let alone = relay.show(&["-o", "apl", "ThreatSTOP-Block"]);
    for (zone, text) in [(ZONE, &text), ("threatstop.local", &alone)] {
        let file = relay.file("zone", text);
        for program in ["nsd-checkzone", "named-checkzone"] {
            let Some(program) = require_program(program) else { continue };
            let output = run(Command::new(&program).arg(zone).arg(&file), PATIENCE);
            let said = || format!("{}: {}{}", program.display(), output.stdout, output.stderr);
            assert!(output.status.success(), "{}", said());
        }
    }
    let before = serial(&text);
    let tables = status(&relay.daemon)["tables"].as_array().unwrap().clone();
    let changed = tables.iter().filter_map(|table| table["changed"].as_u64()).max();
    assert_eq!(Some(before.into()), changed);
    relay.change(5100);
    let after = serial(&relay.zone());
    assert!(after > before, "{before} {after}");
    relay.change(5200);
    relay.change(5100);
    assert_eq!(serial(&relay.zone()), after);
    let Relay { service, scratch, daemon } = relay;
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    relay = Relay { service, scratch, daemon };
    assert_eq!(serial(&relay.zone()), after);
}

/// The serial of a zone file.
fn serial(text: &str) -> u32 {
    let soa = text.lines().find(|line| line.contains(" SOA ")).unwrap();
    soa.split(' ').nth(4).unwrap().parse().unwrap()
}

/// Ask for what cannot be had: each is told and nothing is printed.
#[test]
fn what_cannot_be_shown_is_told_and_nothing_is_printed() {
    let relay = Relay::new(100);
    for (arguments, why) in [
        (&["-o", "toml", "block"][..], "-o: toml: no such format; there are plain, nft, ipset"),
        (&["-o", "nft"], "table missing"),
        (&["-o", "nft", "-z", ZONE, "block"], "-z: only with -o apl"),
        (&["-z", ZONE, "block"], "-z: only with -o apl"),
        (&["-o", "apl", "-z", "a..b", "block"], "-z: a..b: no name of a zone"),
        (&["-o", "nft", "hits"], "hits: no such table; there are block, allow"),
        (&["-o", "apl", "block", "ThreatSTOP-Block"], "two of the tables would be the list block."),
    ] {
        let output = relay.daemon.ctl(&[&["show"], arguments].concat());
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(output.stderr.contains(why), "{arguments:?}: {}", output.stderr);
    }
    // before the first policy there is nothing to hand on, and not an empty table
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    let daemon = Daemon::start(&scratch, &config);
    for format in ["plain", "nft", "ipset", "ipfw", "apl"] {
        let output = daemon.ctl(&["show", "-o", format, "block"]);
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""), "{format}");
        assert!(output.stderr.contains("has never been filled"), "{}", output.stderr);
    }
    let tried = daemon.ctl(&["test"]).stdout;
    assert!(tried.contains("\ntable block has never been filled: threatstopctl "), "{tried}");
}

/// A firewall that asks name servers of the fleet.
struct Below {
    scratch: Scratch,
    daemon: Daemon,
}

impl Below {
    fn new(servers: &[std::net::SocketAddr]) -> Self {
        let scratch = Scratch::new();
        let daemon = Daemon::start(&scratch, &Self::config(&scratch, servers));
        Self { scratch, daemon }
    }

    fn config(scratch: &Scratch, servers: &[std::net::SocketAddr]) -> Config {
        Config::new(scratch, servers)
            .set("policy.suffix", ZONE)
            .set("policy.block", vec![format!("block.{ZONE}")])
            .set("policy.allow", vec![format!("allow.{ZONE}")])
            .set("policy.serial", true)
            .set("policy.timeout", "10s")
    }

    /// Asks other servers from now on.
    fn go_to(&self, servers: &[std::net::SocketAddr]) {
        Self::config(&self.scratch, servers).write(&self.scratch);
        assert!(self.daemon.ctl(&["reload"]).status.success());
        self.daemon.wait_until_ready();
    }
}

/// A relay, a primary and a secondary of NSD, transfers with TSIG, and three firewalls that ask the one,
/// the other, and both. All five tables are the same, octet for octet. Ask again: one question, and the
/// lists are unchanged. A change reaches all of them. The secondary dies: who asks it alone fails and
/// keeps its table, who asks both goes on. All name servers die: nobody loses a table.
#[test]
fn a_change_reaches_every_firewall_and_no_outage_takes_a_table() {
    let relay = Relay::new(3000);
    let text = relay.zone();
    let Some(primary) = Nsd::primary(ZONE, &text) else { return };
    let Some(secondary) = Nsd::secondary(ZONE, primary.addr()) else { return };
    // a server that reloads after a transfer may close a connection
    wait_until("the zone", || secondary.serial() == Some(serial(&text)));
    let (one, two) = (primary.addr(), secondary.addr());
    let fleet = [Below::new(&[one]), Below::new(&[two]), Below::new(&[two, one])];
    for below in &fleet {
        update(&below.daemon);
        has(&below.daemon, 3000);
        let output = update(&below.daemon);
        let unchanged =
            format!("Lists unchanged: {ZONE} has the serial {} as before", serial(&text));
        assert!(output.stdout.contains(&unchanged), "{}", output.stdout);
        assert!(!output.stdout.contains("Processing"), "{}", output.stdout);
        // with -f all of it comes even so
        let output = below.daemon.ctl(&["update", "-f", "policy"]);
        assert!(output.stdout.contains("Processing block list"), "{}", output.stdout);
    }

    relay.change(3100);
    let text = relay.zone();
    primary.publish(&text);
    for server in [&primary, &secondary] {
        wait_until("the new zone", || server.serial() == Some(serial(&text)));
    }
    for below in &fleet {
        update(&below.daemon);
        has(&below.daemon, 3100);
    }

    drop(secondary);
    let why = refused(&fleet[1].daemon, &["update"]);
    assert!(why.contains(&two.to_string()), "{why}");
    let output = update(&fleet[2].daemon);
    assert!(output.stdout.contains(&format!("Using DNS Server {one}")), "{}", output.stdout);
    // the same serial of another server says nothing of what that has
    assert!(output.stdout.contains("Processing block list"), "{}", output.stdout);
    drop(primary);
    for below in fleet {
        refused(&below.daemon, &["update"]);
        has(&below.daemon, 3100);
        assert!(below.daemon.stop().success());
    }
}

/// A firewall has the newest zone. Its server serves an older one: the update fails, says why and what
/// to do, and the table stays; another server that has the newest is used. The older one is taken by -f.
/// Then the serial goes over the end of 32 bits, and that is a newer one.
#[test]
fn a_serial_that_went_back_is_a_failure_and_one_that_wraps_is_not() {
    let relay = Relay::new(1000);
    let old = relay.zone();
    relay.change(1100);
    let new = relay.zone();
    let Some(current) = Nsd::primary(ZONE, &new) else { return };
    let Some(late) = Nsd::primary(ZONE, &old) else { return };
    let below = Below::new(&[current.addr()]);
    update(&below.daemon);
    has(&below.daemon, 1100);

    below.go_to(&[late.addr()]);
    let why = refused(&below.daemon, &["update"]);
    let (before, now) = (serial(&new), serial(&old));
    let went = format!("the serial of {ZONE} went back from {before} to {now}");
    assert!(why.contains(&went) && why.contains("update -f policy"), "{why}");
    let status = below.daemon.ctl(&["status"]).stdout;
    assert!(status.contains(&went), "{status}");
    has(&below.daemon, 1100);
    below.go_to(&[late.addr(), current.addr()]);
    let output = update(&below.daemon);
    assert!(output.stdout.contains(&went), "{}", output.stdout);
    has(&below.daemon, 1100);

    below.go_to(&[late.addr()]);
    let output = below.daemon.ctl(&["update", "-f", "policy"]);
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
    has(&below.daemon, 1000);
    update(&below.daemon);
    has(&below.daemon, 1000);

    // as if it had been numbered for long
    let numbered =
        |text: &str, number: u32| text.replace(&serial(text).to_string(), &number.to_string());
    let mut entries = 1000;
    let mut number = serial(&old);
    for next in [number.wrapping_add(0x7000_0000), u32::MAX, 3] {
        entries += 50;
        relay.change(entries);
        late.publish(&numbered(&relay.zone(), next));
        wait_until("the next zone", || late.serial() == Some(next));
        let output = update(&below.daemon);
        assert!(!output.stdout.contains("went back"), "{number} {next}: {}", output.stdout);
        has(&below.daemon, entries);
        number = next;
    }
}

/// A firewall has the zone. Its server gets half of the next one: the update fails, says what is missing, and
/// the table stays. Nor is the serial of the half believed: when the server has all of it, by the same
/// serial, the lists come.
#[test]
fn half_a_zone_changes_no_table_and_its_serial_is_not_believed() {
    let relay = Relay::new(5000);
    let Some(server) = Nsd::primary(ZONE, &relay.zone()) else { return };
    let below = Below::new(&[server.addr()]);
    update(&below.daemon);
    has(&below.daemon, 5000);

    relay.change(5100);
    let text = relay.zone();
    let lines: Vec<&str> = text.lines().collect();
    server.publish(&(lines[..lines.len() / 2].join("\n") + "\n"));
    wait_until("half of the zone", || server.serial() == Some(serial(&text)));
    for _ in 0..2 {
        let why = refused(&below.daemon, &["update"]);
        assert!(why.contains("NXDOMAIN"), "{why}");
        has(&below.daemon, 5000);
    }
    server.publish(&text);
    let last = || below.daemon.ctl(&["update"]).status.success();
    wait_until("all of the zone", last);
    has(&below.daemon, 5100);
}

/// A list over the network from a table that was made of lists over the network: what a relay has
/// blocked by hand is in its zone, and neither who did it nor why.
#[test]
fn own_blocks_are_in_the_zone_and_their_reasons_are_not() {
    let relay = Relay::new(100);
    let output = relay.daemon.ctl(&["block", "203.0.114.7", "secret-ticket-12"]);
    assert!(output.status.success(), "{}", output.stderr);
    let text = relay.zone();
    assert!(!text.contains("secret") && !text.contains("ticket"), "{text}");
    let Some(server) = Nsd::primary(ZONE, &text) else { return };
    let below = Below::new(&[server.addr()]);
    update(&below.daemon);
    assert_eq!(table(&below.daemon, BLOCK), table(&relay.daemon, BLOCK));
    assert!(table(&below.daemon, BLOCK).unwrap().contains("203.0.114.7\n"));
}

/// Find the lists unchanged. Then set the clock 25 hours ahead: all of them come in full once more, and
/// are unchanged again after that. Roll back and update: what is in force is not what has that serial.
#[test]
fn a_serial_is_believed_for_a_day_and_not_of_other_lists() {
    let relay = Relay::new(1000);
    let Some(server) = Nsd::primary(ZONE, &relay.zone()) else { return };
    let scratch = Scratch::new();
    let daemon = Daemon::spawn_faulty(&scratch, &Below::config(&scratch, &[server.addr()]));
    daemon.wait_until_ready();
    update(&daemon);
    let is_full = || update(&daemon).stdout.contains("Processing block list");
    assert!(!is_full());
    scratch.set_ahead(90_000);
    assert!(is_full());
    assert!(!is_full());

    relay.change(1050);
    let text = relay.zone();
    server.publish(&text);
    wait_until("the new zone", || server.serial() == Some(serial(&text)));
    assert!(is_full());
    has(&daemon, 1050);
    let output = daemon.ctl(&["rollback"]);
    assert!(output.status.success(), "{}", output.stderr);
    has(&daemon, 1000);
    assert!(is_full());
    has(&daemon, 1050);
}
