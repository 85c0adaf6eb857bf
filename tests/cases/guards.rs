//! What keeps a wrong policy out: the guards, the administrator's own lists, and his rollback.

use std::fs;
use std::net::{IpAddr, UdpSocket};

use crate::common::*;
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::{Item, items, table_text};
use tests::lists::{allow_list, hosts};
use tests::sim::{Fault, Layout, PolicyService, rcode};

impl Stage {
    /// Serves a list that must not come into force, whether or not somebody forces it, and whose
    /// refusal has these words.
    #[track_caller]
    fn refuses(&self, block: &[Item], words: &str) {
        self.serve(block);
        for arguments in [&["update"][..], &["update", "-f"], &["update", "-n"]] {
            let why = refused(&self.daemon, arguments);
            let expected = format!("Keeping the previous list {BASIC}: {words}");
            assert!(why.contains(&expected), "{arguments:?}: {why}");
            assert_eq!(table(&self.daemon, BLOCK).as_deref(), Some(self.old.as_str()));
        }
        assert_eq!(self.status()["update"]["state"], "held back");
    }

    /// Starts the daemon again as if an hour had gone by since the last run that was held back and
    /// counts still.
    fn an_hour_later(self) -> Self {
        let Self { service, scratch, daemon, old } = self;
        assert!(daemon.stop().success());
        let path = scratch.spool().join("state.json");
        let mut state: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let at = &mut state["lists"][BASIC]["row"]["at"];
        *at = at.as_u64().map(|at| at - 3600).into();
        fs::write(&path, state.to_string()).unwrap();
        let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
        Self { service, scratch, daemon, old }
    }
}

/// Publish a list. Serve an empty one, whose APL record is there and has no items; then one whose
/// items are all protected.
/// Check that the old one stays, also with -f, and that the message says where to look.
#[test]
fn an_empty_list_is_never_published() {
    let stage = Stage::new(|config| config);
    for (list, entries) in [(&[][..], 0), (&items("10.0.0.0/8 127.0.0.1 !5.5.5.5"), 2)] {
        stage.serve(list);
        let held =
            format!("Keeping the previous list {BASIC}: 300 -> {entries} entries, more than");
        let table_words =
            "Keeping the previous block list: nothing would be blocked (threatstopctl ";
        for (arguments, words) in
            [(&["update"][..], held.as_str()), (&["update", "-f"], table_words)]
        {
            let why = refused(&stage.daemon, arguments);
            assert!(why.contains(words), "{arguments:?}: {why}");
            assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
        }
        let text = stage.status()["held"][0]["text"].to_string();
        assert!(text.contains(" test shows what the lists hold)"), "{text}");
        assert_eq!(stage.status()["update"]["state"], "held back");
    }
    stage.goes_on();
}

/// Start a new installation whose list is empty.
/// Check that no table comes to be.
#[test]
fn an_empty_list_is_not_published_as_the_first() {
    let service = PolicyService::start(zone(&[]));
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    let why = refused(&daemon, &["update"]);
    assert!(why.contains("nothing would be blocked"), "{why}");
    assert_eq!(table(&daemon, BLOCK), None);
    assert!(daemon.stop().success());
}

/// Publish a list. Serve 0/0, ::/0, both halves of the Internet, all quarters, and networks just
/// wider than the floor.
/// Check that each is refused whoever asks, with list, prefix, floor and the key of the guard.
#[test]
fn what_is_wider_than_the_floor_is_refused() {
    let stage = Stage::new(|config| config);
    for (list, first, key) in [
        ("5.5.5.5 0.0.0.0/0", "0.0.0.0/0, wider than /8", "min_prefix_v4"),
        ("5.5.5.5 ::/0", "::/0, wider than /19", "min_prefix_v6"),
        ("0.0.0.0/1 128.0.0.0/1", "0.0.0.0/1, wider than /8", "min_prefix_v4"),
        ("0.0.0.0/2 64.0.0.0/2 128.0.0.0/2 192.0.0.0/2", "/2, wider than /8", "min_prefix_v4"),
        ("64.0.0.0/7", "64.0.0.0/7, wider than /8", "min_prefix_v4"),
        ("2a00::/18", "2a00::/18, wider than /19", "min_prefix_v6"),
        ("8000::/1 ::/1", "::/1, wider than /19", "min_prefix_v6"),
    ] {
        stage.serve(&items(list));
        let why = refused(&stage.daemon, &["update"]);
        assert!(why.contains(first), "{list}: {why}");
        stage.refuses(&items(list), "it has ");
        assert!(why.contains(&format!("(see {key} in [guard])")), "{list}: {why}");
    }
    stage.goes_on();
}

/// Serve a list with what lists of martians name: IPv4 in IPv6, multicast and class E in one, all
/// that is reserved of IPv6. Have the same in the administrator's own files, to block and to allow.
/// Check that this is left out of both tables and all the rest is published, that IPv4 which is
/// written as IPv6 is blocked as IPv4.
#[test]
fn reserved_space_is_left_out_however_wide_it_is_written() {
    let martians = "0.0.0.0/8 127.0.0.0/8 224.0.0.0/3 240.0.0.0/4 ::/8 ::ffff:0:0/96 \
                    ::ffff:0:0/100 100::/8 4000::/2 8000::/1 fc00::/7 fe80::/10 fec0::/10 ff00::/8";
    let listed = format!("{martians} 5.5.5.5 ::ffff:6.6.6.6 ::ffff:7.0.0.0/104");
    let service = PolicyService::start(zone(&items(&listed)));
    service.edit(|z| {
        z.set_list(DNS, &items(&format!("{martians} 8.8.8.8")), Layout::Single);
    });
    let scratch = Scratch::new();
    let (block, allow) = (scratch.path().join("mine"), scratch.path().join("friends"));
    let lines = martians.split_whitespace().collect::<Vec<_>>().join("\n");
    fs::write(&block, format!("{lines}\n::ffff:9.9.9.9\n")).unwrap();
    fs::write(&allow, format!("::ffff:0:0/96\n{lines}\n::ffff:9.9.8.8\n")).unwrap();
    let config = Config::new(&scratch, &[service.addr()])
        .set("policy.local_block", block.to_str().unwrap())
        .set("policy.local_allow", allow.to_str().unwrap());
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let blocked = "5.5.5.5\n6.6.6.6\n7.0.0.0/8\n9.9.9.9\n";
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(blocked));
    assert_eq!(table(&daemon, ALLOW).as_deref(), Some("8.8.8.8\n9.9.8.8\n"));
    assert!(daemon.stop().success());
}

/// Publish a list. Serve every /8 of IPv4 one by one, none of which is too wide; then an allow list
/// of a little more than a /8.
/// Check that the block list is refused by what it covers, and the allow list too, and that of
/// these two the sound one is published.
#[test]
fn what_covers_too_much_is_refused() {
    let stage = Stage::new(|config| config);
    let eights: Vec<Item> = (1..=223).map(|first: u8| Item::v4([first, 0, 0, 0], 8)).collect();
    stage.refuses(&eights, "it covers ");
    let why = refused(&stage.daemon, &["update"]);
    assert!(
        why.contains(" addresses, more than 20 % of IPv4 (see max_coverage in [guard])"),
        "{why}"
    );

    let (new, text) = list(310);
    stage.service.edit(|z| {
        *z = zone(&new);
        z.set_list(DNS, &items("200.0.0.0/8 201.0.0.0/24"), Layout::Single);
    });
    let why = refused(&stage.daemon, &["update"]);
    let words = "Keeping the previous list dns.threatstop.local: it covers 16777472 addresses, more \
                 than 16777216 (see allow_max_coverage in [guard])";
    assert!(why.contains(words), "{why}");
    assert_eq!(table(&stage.daemon, ALLOW), Some(table_text(&allow_list())));
    assert_eq!(table(&stage.daemon, BLOCK), Some(text));
    stage.goes_on();
}

/// Publish 300 entries. Serve a policy that blocks the Internet in each of these ways: few wide
/// prefixes, all IPv6 that is in use, the same 300 with all of that besides, and as many entries
/// elsewhere.
/// Check that with the defaults each is refused or held, also by the timer, and that nothing changes.
#[test]
fn a_policy_that_blocks_the_internet_is_refused_or_held() {
    let stage = Stage::new(|config| config);
    let half: Vec<Item> = (1..=127).map(|n: u8| Item::v4([n, 0, 0, 0], 8)).collect();
    // what IANA has given out of IPv6, as it stands in its registry but for what is wider than /19
    let given = "2001::/23 2001:200::/23 2001:400::/23 2001:600::/23 2001:800::/22 2001:1200::/23 \
                 2001:1400::/22 2001:2000::/19 2001:5000::/20 2001:8000::/19 2003::/19 2003:2000::/19 \
                 2610::/23 2620::/23";
    let mut ipv6 = items(given);
    for first in [0x2400u128, 0x2600, 0x2800, 0x2a00, 0x2c00] {
        ipv6.extend((0..100).map(|n| Item::v6((first << 112) + (n << 109), 19)));
    }
    let (old, _) = list(300);
    let all = [old.as_slice(), half.as_slice(), ipv6.as_slice()].concat();
    let few = items("5.0.0.0/8 6.0.0.0/8 7.0.0.0/8 8.0.0.0/8 9.0.0.0/8 11.0.0.0/8");
    for (what, policy, words) in [
        ("half of IPv4", &half, "% of IPv4 (see max_coverage in [guard])"),
        ("IPv6", &ipv6, "more than 8192 (see max_coverage_v6 in [guard])"),
        ("both and the same 300", &all, "% of IPv4 (see max_coverage in [guard])"),
    ] {
        stage.serve(policy);
        for arguments in [&["update"][..], &["update", "-f"]] {
            let why = refused(&stage.daemon, arguments);
            let kept = format!("Keeping the previous list {BASIC}: it covers ");
            assert!(why.contains(&kept), "{what}: {why}");
            assert!(why.contains(words), "{what}: {why}");
            assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
        }
    }
    let with = |more: &[Item]| [old.as_slice(), more].concat();
    for (what, policy, words) in [
        ("few of IPv4", with(&few), " addresses, more than 400 % more (update -f to accept)"),
        ("one of IPv6", with(&items("2a00::/20")), " networks of IPv6 (/32), more than "),
        // as many entries
        (
            "elsewhere",
            (0..300u32).map(|n| Item::v4(0x4000_0000 + (n << 15), 18)).collect(),
            " addresses, more than 400 % more (update -f to accept)",
        ),
    ] {
        stage.serve(&policy);
        let why = refused(&stage.daemon, &["update"]);
        let kept = format!("Keeping the previous list {BASIC}: covers ");
        assert!(why.contains(&kept), "{what}: {why}");
        assert!(why.contains(words), "{what}: {why}");
        assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
        assert_eq!(stage.status()["held"][0]["reason"], "change", "{what}");
    }
    stage.goes_on();
}

/// Publish 300 entries, then 200, then 140, each step within the limits.
/// Check that the third set is held, since within a day 300 have become 140, that this outlives a
/// restart, and that -f ends it: a step from there is one step again.
#[test]
fn many_small_steps_are_one() {
    let stage = Stage::new(|config| config);
    stage.serve(&list(200).0);
    update(&stage.daemon);
    let old = table(&stage.daemon, BLOCK);
    stage.serve(&list(140).0);
    let words = "Keeping the previous list basic.threatstop.local: 300 -> 140 entries, more than \
                 50 % fewer (update -f to accept), within 24 hours";
    let why = refused(&stage.daemon, &["update"]);
    assert!(why.contains(words), "{why}");
    let mark = stage.daemon.mark();
    stage.daemon.signal(Signal::SIGHUP);
    stage.daemon.wait_for_after(mark, words, PATIENCE);
    stage.daemon.wait_until_ready();
    assert_eq!(table(&stage.daemon, BLOCK), old);
    assert!(stage.daemon.ctl(&["update", "-f"]).status.success());
    stage.serve(&list(80).0);
    update(&stage.daemon);
    assert_eq!(table(&stage.daemon, BLOCK), Some(list(80).1));
    assert!(stage.daemon.stop().success());
}

/// Publish 300 entries with an address that is expected. Serve an allow list that has it, and a
/// block list that has it not: check that this is published, by root's helper too, and that what is
/// allowed besides is let through.
#[test]
fn an_expected_address_that_is_allowed_keeps_nothing_back() {
    let (mut with, _) = list(300);
    with.extend(items("64.87.3.133"));
    let service = PolicyService::start(zone(&with));
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &config.set("guard.expect", vec!["64.87.3.133"]));
    update(&daemon);
    let mut allowed = allow_list();
    allowed.extend(items("64.87.3.128/29"));
    service.edit(|z| {
        z.set_list(DNS, &allowed, Layout::Single);
    });
    let engine = daemon.engine();
    assert!(daemon.ctl(&["update", "-n"]).status.success());
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK), Some(list(300).1));
    assert_eq!(daemon.engine(), engine, "it was not dropped");
    assert!(daemon.stop().success());
}

/// Publish a list with a limit of 300 entries. Serve one of 301.
/// Check that it is refused with both numbers and the key.
#[test]
fn more_than_max_entries_is_refused() {
    let stage = Stage::new(|config| config.set("guard.max_entries", 300));
    stage.refuses(&list(301).0, "301 entries, more than 300 (see max_entries in [guard])");
    stage.serve(&list(300).0);
    update(&stage.daemon);
    assert!(stage.daemon.stop().success());
}

/// Configure an address that must be blocked. Serve a list that has it, then one that lacks it.
/// Check that `test` counts the address once, though it is the indicator too; and that the second is
/// refused, as a hijacked server would bring it.
#[test]
fn a_list_without_the_expected_addresses_is_refused() {
    let (mut with, _) = list(300);
    with.extend(items("64.87.3.128/29"));
    let service = PolicyService::start(zone(&with));
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &config.set("guard.expect", vec!["64.87.3.133"]));
    update(&daemon);
    let old = table(&daemon, BLOCK).unwrap();
    assert!(old.contains("64.87.3.128/29\n"));
    let said = daemon.ctl(&["test"]).stdout;
    assert_eq!(said.matches("64.87.3.133 is in ").count(), 1, "{said}");
    service.edit(|z| *z = zone(&list(300).0));
    for arguments in [&["update"][..], &["update", "-f"]] {
        let why = refused(&daemon, arguments);
        let words = "Keeping the previous block list: 64.87.3.133 is missing (see expect in";
        assert!(why.contains(words), "{why}");
        assert_eq!(table(&daemon, BLOCK).as_deref(), Some(old.as_str()));
    }
    assert!(daemon.stop().success());
}

/// Serve a list of networks that must never be blocked, among them the network of this host's own
/// address, the policy server, the nameservers and never_block, and of one that may be.
/// Check that the table has that one alone, that a warning says so, and that `why` gives the reason.
#[test]
fn protected_networks_are_left_out_and_told() {
    let own: Vec<IpAddr> = ["192.0.2.1:9", "[2001:db8::1]:9"]
        .iter()
        .filter_map(|far| {
            // a datagram socket learns its address without a packet
            let socket = UdpSocket::bind(if far.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" });
            let socket = socket.ok()?;
            socket.connect(far).ok()?;
            Some(socket.local_addr().ok()?.ip())
        })
        .collect();
    let resolv_conf = fs::read("/etc/resolv.conf").unwrap_or_default();
    let resolv_conf = String::from_utf8_lossy(&resolv_conf).into_owned();
    let nameservers = resolv_conf
        .lines()
        .filter_map(|line| line.strip_prefix("nameserver ")?.trim().parse::<IpAddr>().ok());
    let mut bad: Vec<(String, &str)> = [
        ("10.1.2.3", "private, RFC 1918"),
        ("172.16.0.0/12", "private, RFC 1918"),
        ("192.168.1.1", "private, RFC 1918"),
        ("100.64.1.1", "shared address space, RFC 6598"),
        ("0.1.2.3", "this network, RFC 1122"),
        ("127.0.0.1", ""),
        ("169.254.1.1", "link-local, RFC 3927"),
        ("224.0.0.1", "multicast, RFC 5771"),
        ("255.255.255.255", "broadcast, RFC 919"),
        ("::1", ""),
        ("fe80::1", ""),
        ("ff02::1", "multicast, RFC 4291"),
        ("fd57:a5a5::1", "unique local, RFC 4193"),
        ("203.0.113.77", "never_block"),
        ("192.124.129.42", "ThreatSTOP policy service"),
    ]
    .map(|(net, why)| (net.to_string(), why))
    .to_vec();
    bad.extend(own.iter().map(|addr| (addr.to_string(), "")));
    bad.extend(nameservers.map(|addr| (addr.to_string(), "")));
    let text: Vec<String> = bad.iter().map(|(net, _)| net.clone()).collect();
    let service = PolicyService::start(zone(&items(&format!("{} 5.5.5.5", text.join(" ")))));
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let config = config.set("guard.never_block", vec!["203.0.113.0/24"]);
    // nothing is let through, so that only the protection is at work
    let daemon = Daemon::start(&scratch, &config.set("policy.allow", Vec::<String>::new()));
    let output = update(&daemon);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some("5.5.5.5\n"), "{bad:?}");
    let note = |text: &str| text.lines().find(|line| line.starts_with("Note: ")).map(str::to_owned);
    let told = note(&output.stdout).unwrap();
    let words = [" entries left out: ", " in 10.0.0.0/8 (private)"];
    assert!(words.iter().all(|words| told.contains(words)), "{told}");
    // once in the log, though the run of the start and a second one find the same
    assert_eq!(note(&update(&daemon).stdout), Some(told.clone()));
    let logged = daemon.lines().iter().filter(|line| line.text.contains("left out")).count();
    assert_eq!(logged, 1, "{}", daemon.output());
    for (net, reason) in bad {
        let addr = net.split('/').next().unwrap();
        let output = daemon.ctl(&["why", addr]);
        assert_eq!(output.status.code(), Some(1), "{net}: {}", output.stdout);
        let words = format!("{addr} is not blocked: protected by ");
        assert!(output.stdout.starts_with(&words), "{net}: {}", output.stdout);
        assert!(output.stdout.contains(reason), "{net}: {}", output.stdout);
    }
    assert!(daemon.stop().success());
}

/// Publish a list with a network, and then one with more; end the policy service. Name one address of
/// the network in never_block, and reload.
/// Check that this address alone is let through at once and stays so over an update that fails and
/// over a rollback, and that the daemon says what it did. Then protect the whole table: check that
/// it stays as it is, and that log and status say so, and the log once.
#[test]
fn what_comes_to_be_protected_is_let_through_without_the_servers() {
    let service = PolicyService::start(zone(&items("5.5.5.5 198.51.100.0/30")));
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    service.edit(|z| *z = zone(&items("5.5.5.5 6.6.6.6 198.51.100.0/30")));
    update(&daemon);
    service.stop();
    let reload = |config: &Config, words: &str| {
        config.write(&scratch);
        let mark = daemon.mark();
        assert!(daemon.ctl(&["reload"]).status.success());
        daemon.wait_for_after(mark, words, PATIENCE);
    };
    let relieved = "5.5.5.5\n6.6.6.6\n198.51.100.0\n198.51.100.2/31\n";
    reload(
        &config.clone().set("guard.never_block", vec!["198.51.100.1"]),
        "unblocked at once: basic.threatstop.local has 1 entry in 198.51.100.1, which is never \
         blocked (never_block)",
    );
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(relieved));
    assert_eq!(daemon.ctl(&["why", "198.51.100.1"]).status.code(), Some(1));
    assert!(daemon.ctl(&["why", "198.51.100.2"]).status.success());
    assert_eq!(daemon.ctl(&["show", "block"]).stdout, relieved);
    refused(&daemon, &["update"]);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(relieved));
    assert!(daemon.ctl(&["rollback"]).status.success());
    let before = "5.5.5.5\n198.51.100.0\n198.51.100.2/31\n";
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(before));

    let mark = daemon.mark();
    let sentence = "all of the block table is protected or allowed now, but it is never made empty";
    reload(&config.set("guard.never_block", vec!["198.51.100.0/24", "5.5.5.5"]), sentence);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(before));
    refused(&daemon, &["update"]);
    refused(&daemon, &["update"]);
    let status = status(&daemon);
    let warnings = status["pf"]["warnings"].as_array().unwrap();
    let of_this = |text: &str| text.contains(sentence) && text.contains("5.5.5.5 (never_block)");
    assert!(warnings.iter().any(|text| of_this(text.as_str().unwrap())), "{warnings:?}");
    let said = daemon.lines()[mark..].iter().filter(|line| line.text.contains(sentence)).count();
    assert_eq!(said, 1, "{}", daemon.output());
    assert!(daemon.stop().success());
}

/// Serve private networks with block_private.
/// Check that they are blocked then, and loopback and link-local still are not.
#[test]
fn private_networks_can_be_left_to_the_lists() {
    let service =
        PolicyService::start(zone(&items("10.99.0.0/16 fd12::/32 127.0.0.2 fe80::2 5.5.5.5")));
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]).set("guard.block_private", true);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some("5.5.5.5\n10.99.0.0/16\nfd12::/32\n"));
    assert!(daemon.stop().success());
}

/// Publish 300 entries. Serve 30; then, when somebody has forced those, 300 again.
/// Check that both steps are held back with the numbers and the way out, in update, status and log,
/// that `why` still knows the list of what is in force, that a dry run counts for nothing, and that
/// -f publishes.
#[test]
fn a_shrunk_or_grown_list_waits_for_force() {
    let stage = Stage::new(|config| config);
    let (small, text) = list(30);
    stage.serve(&small);
    let why = |addr: &str| stage.daemon.ctl(&["why", addr]).stdout;
    let blocked = stage.old.lines().last().unwrap().split('/').next().unwrap();
    let listed = why(blocked);
    assert!(listed.contains(", listed by basic.threatstop.local"), "{listed}");
    let words = "Keeping the previous list basic.threatstop.local: 300 -> 30 entries, more than 50 % \
                 fewer (update -f to accept)";
    for arguments in [&["update", "-n"][..], &["update"], &["update"], &["update"], &["update"]] {
        let output = stage.daemon.ctl(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", output.stdout);
        assert!(output.stdout.contains(words), "{}", output.stdout);
        assert!(output.stderr.contains(words), "{}", output.stderr);
        assert!(!output.stdout.contains("No changes"), "{}", output.stdout);
        assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    }
    assert_eq!(why(blocked), listed);
    let status = stage.status();
    assert_eq!(status["update"]["state"], "held back");
    assert_eq!(status["update"]["last"]["result"], "held back");
    assert_eq!(status["held"][0]["list"], BASIC);
    assert_eq!(status["held"][0]["reason"], "change");
    assert_eq!(status["held"][0]["text"], words);
    stage.daemon.wait_for(words, PATIENCE);

    let forced = stage.daemon.ctl(&["update", "-f"]);
    assert!(forced.status.success(), "{}", forced.stderr);
    assert_eq!(table(&stage.daemon, BLOCK), Some(text.clone()));
    assert_eq!(stage.status()["held"], Value::Array(Vec::new()));

    stage.serve(&list(300).0);
    let why = refused(&stage.daemon, &["update"]);
    assert!(why.contains("30 -> 300 entries, more than 400 % more (update -f to accept)"), "{why}");
    assert_eq!(table(&stage.daemon, BLOCK), Some(text));
    assert!(stage.daemon.ctl(&["update", "-f"]).status.success());
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    stage.goes_on();
}

/// Publish 300 entries and serve 30. Reload four times, one after the other: each start of an
/// engine makes a scheduled run.
/// Check that all are held back, for they are too close to count as a row of three. Start twice
/// more, with an hour gone by each time.
/// Check that the first of these is held back, that the other is published as the third in the row,
/// which outlives the engine, and that the log has a word of it.
#[test]
fn the_third_scheduled_run_in_a_row_is_accepted() {
    let mut stage = Stage::new(|config| config);
    let (small, text) = list(30);
    stage.serve(&small);
    let is_held = |stage: &Stage, mark| {
        let held = "Keeping the previous list basic.threatstop.local: 300 -> 30 entries";
        stage.daemon.wait_for_after(mark, held, PATIENCE);
        stage.daemon.wait_for_after(mark, "update held back in ", PATIENCE);
        assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    };
    for _ in 0..4 {
        let mark = stage.daemon.mark();
        stage.daemon.signal(Signal::SIGHUP);
        is_held(&stage, mark);
    }
    stage = stage.an_hour_later();
    is_held(&stage, 0);
    stage = stage.an_hour_later();
    let taken = "list basic.threatstop.local: 30 entries accepted, as in three runs in a row";
    stage.daemon.wait_for(taken, PATIENCE);
    wait_until("the third run is published", || {
        stage.daemon.table_file(BLOCK).as_ref() == Some(&text)
    });
    wait_until("the run ends", || stage.status()["update"]["state"] == "idle");
    assert_eq!(table(&stage.daemon, BLOCK), Some(text));
    assert_eq!(stage.status()["held"], Value::Array(Vec::new()));
    assert!(stage.daemon.stop().success());
}

/// Publish 300 entries and then 310, and serve 30 in two runs an hour apart. Roll back and update; let
/// another hour go by.
/// Check that the list is held back still: runs from before a rollback are not in a row with those after
/// it.
#[test]
fn a_rollback_ends_what_runs_have_counted() {
    let mut stage = Stage::new(|config| config);
    stage.serve(&list(310).0);
    update(&stage.daemon);
    stage.serve(&list(30).0);
    let is_held = |stage: &Stage, mark, old: u32| {
        let held = format!("Keeping the previous list {BASIC}: {old} -> 30 entries");
        stage.daemon.wait_for_after(mark, &held, PATIENCE);
        stage.daemon.wait_for_after(mark, "update held back in ", PATIENCE);
    };
    let mark = stage.daemon.mark();
    stage.daemon.signal(Signal::SIGHUP);
    is_held(&stage, mark, 310);
    stage = stage.an_hour_later();
    is_held(&stage, 0, 310);
    wait_until("the run ends", || stage.status()["update"]["state"] != "running");
    let output = stage.daemon.ctl(&["rollback"]);
    assert!(output.status.success(), "{}", output.stderr);
    refused(&stage.daemon, &["update"]);
    stage = stage.an_hour_later();
    is_held(&stage, 0, 300);
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    assert!(stage.daemon.stop().success());
}

/// Publish an allow list of 300 hosts. Serve one of three, and at the same time a block list that
/// names one of the 297.
/// Check that the allow table is kept, that the block table goes on without that host, since what
/// was let through stays so, and that the update says 1.
#[test]
fn a_held_allow_list_still_wins() {
    let stage = Stage::new(|config| config);
    let allowed: Vec<Item> = (0..300u32).map(|n| Item::v4(0xc800_0000 + 2 * n, 32)).collect();
    stage.service.edit(|z| {
        z.set_list(DNS, &allowed, Layout::Single);
    });
    // three to three hundred is a step that waits, too
    assert!(stage.daemon.ctl(&["update", "-f"]).status.success());
    assert_eq!(table(&stage.daemon, ALLOW), Some(table_text(&allowed)));

    let (mut block, _) = list(310);
    block.extend(&allowed[7..8]);
    stage.serve(&block);
    let why = refused(&stage.daemon, &["update"]);
    let words = "Keeping the previous list dns.threatstop.local: 300 -> 3 entries, more than 50 %";
    assert!(why.contains(words), "{why}");
    assert_eq!(table(&stage.daemon, ALLOW), Some(table_text(&allowed)));
    assert_eq!(table(&stage.daemon, BLOCK), Some(list(310).1));
    assert_eq!(stage.status()["held"][0]["list"], DNS);
    assert!(stage.daemon.ctl(&["update", "-f"]).status.success());
    assert_eq!(table(&stage.daemon, ALLOW), Some(table_text(&allow_list())));
    assert!(table(&stage.daemon, BLOCK).unwrap().contains(&allowed[7].to_string()));
    stage.goes_on();
}

/// Name an address in the middle of a blocked network in the allow list, and a blocked host.
/// Check that the allow list wins to the address, and that `why` says by which list.
#[test]
fn allow_wins_inside_of_block() {
    let service = PolicyService::start(zone(&items("5.5.5.0/24 6.6.6.6 7.7.7.7 2a0b::/32")));
    service.edit(|z| {
        z.set_list(DNS, &items("5.5.5.128/25 6.6.6.0/24 2a0b::/33"), Layout::Single);
    });
    let scratch = Scratch::new();
    // a /33 of IPv6 is more than an allow table may cover by default
    let config =
        Config::new(&scratch, &[service.addr()]).set("guard.allow_max_coverage", 1i64 << 32);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let expected = "5.5.5.0/25\n7.7.7.7\n2a0b:0:8000::/33\n";
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(expected));
    let output = daemon.ctl(&["why", "6.6.6.6"]);
    assert_eq!(output.status.code(), Some(1));
    let words =
        "6.6.6.6 is not blocked: allowed by dns.threatstop.local, listed by basic.threatstop";
    assert!(output.stdout.starts_with(words), "{}", output.stdout);
    assert!(daemon.ctl(&["why", "5.5.5.1"]).status.success());
    assert!(daemon.stop().success());
}

/// Give files of the administrator's own: prefixes to block with comments, and one to let through
/// that a list has.
/// Check that both count. Edit them, with a mistake: check that the update names file and line, that
/// the copy of the file stays in force, and that the service's list is published all the same. Mend
/// it: the edit counts. Put another file in the place of one: check that it counts.
#[test]
fn local_lists_count_and_their_mistakes_are_found() {
    let (service, _) = honest(300);
    let (items_of_list, _) = list(300);
    let allowed = hosts(&items_of_list)[0];
    let scratch = Scratch::new();
    let (block, allow) = (scratch.path().join("mine"), scratch.path().join("friends"));
    fs::write(&block, "# mine\n200.1.2.0/24  # a neighbour\n\n2a0e::/32\n").unwrap();
    fs::write(&allow, format!("{allowed}\n")).unwrap();
    let config = Config::new(&scratch, &[service.addr()])
        .set("policy.local_block", block.to_str().unwrap())
        .set("policy.local_allow", allow.to_str().unwrap());
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let blocked = table(&daemon, BLOCK).unwrap();
    assert!(blocked.contains("\n200.1.2.0/24\n") && blocked.contains("\n2a0e::/32\n"));
    assert!(!blocked.lines().any(|line| line == allowed.to_string()));
    assert!(table(&daemon, ALLOW).unwrap().lines().any(|line| line == allowed.to_string()));
    assert!(daemon.ctl(&["why", "200.1.2.3"]).stdout.contains("listed by local_block"));

    for (text, line, words) in [
        ("200.1.2.0/24\n200.1.3.0/33\n", 2, "200.1.3.0/33"),
        ("\n\n$(reboot)\n", 3, "$(reboot)"),
        ("200.1.2.1/24\n", 1, "200.1.2.1/24"),
        ("!200.1.2.0/24\n", 1, "has no meaning here: a file only adds prefixes"),
        ("5.5.5.5\n\u{fffd}\0\n", 2, ""),
    ] {
        fs::write(&block, text).unwrap();
        let more = format!("9.9.{line}.0/24");
        service.edit(|z| {
            let list = [list(300).0, items(&more)].concat();
            z.set_list(BASIC, &list, Layout::Single);
        });
        let why = refused(&daemon, &["update"]);
        assert!(why.contains(&format!("{}:{line}: ", block.display())), "{text}: {why}");
        assert!(why.contains(words), "{text}: {why}");
        let blocked = table(&daemon, BLOCK).unwrap();
        assert!(blocked.contains("\n200.1.2.0/24\n"), "{text}: the copy is gone");
        assert!(blocked.contains(&more), "{text}: the service's list is held by a file");
        let warnings = status(&daemon)["pf"]["warnings"].to_string();
        assert!(warnings.contains(&format!("{}:{line}: ", block.display())), "{warnings}");
    }
    fs::write(&block, "200.1.3.0/24\r\n").unwrap();
    update(&daemon);
    let blocked = table(&daemon, BLOCK).unwrap();
    assert!(blocked.contains("\n200.1.3.0/24\n") && !blocked.contains("200.1.2.0/24"));

    let edited = scratch.path().join("edited");
    fs::write(&edited, "200.1.4.0/24\n").unwrap();
    fs::rename(&edited, &block).unwrap();
    update(&daemon);
    assert!(table(&daemon, BLOCK).unwrap().contains("\n200.1.4.0/24\n"));
    assert!(daemon.stop().success());
}

/// A local file may be as wrong as a list: 0/0 in local_block, a /7 in local_allow.
/// Check that the guards hold for them too.
#[test]
fn local_lists_are_guarded_too() {
    let (service, text) = honest(300);
    let scratch = Scratch::new();
    let (block, allow) = (scratch.path().join("mine"), scratch.path().join("friends"));
    fs::write(&block, "").unwrap();
    fs::write(&allow, "").unwrap();
    let config = Config::new(&scratch, &[service.addr()])
        .set("policy.local_block", block.to_str().unwrap())
        .set("policy.local_allow", allow.to_str().unwrap());
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    for (file, name) in [(&block, "local_block"), (&allow, "local_allow")] {
        fs::write(file, "0.0.0.0/0\n").unwrap();
        let why = refused(&daemon, &["update", "-f"]);
        let words = format!("Keeping the previous list {name}: it has 0.0.0.0/0, wider");
        assert!(why.contains(&words), "{why}");
        assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));
        assert_eq!(table(&daemon, ALLOW), Some(table_text(&allow_list())));
        fs::write(file, "").unwrap();
    }
    assert!(daemon.stop().success());
}

/// Publish a list of 300, then allow one of its hosts and serve a list of 30 at the same time.
/// Check that the small list is held back and the host let through all the same.
#[test]
fn what_is_allowed_does_not_wait_for_a_block_list_that_is_held_back() {
    let stage = Stage::new(|config| config);
    let is_v4_host = |line: &&str| !line.contains(['/', ':']);
    let host = stage.old.lines().find(is_v4_host).unwrap();
    let mut allowed = allow_list();
    allowed.extend(items(host));
    stage.service.edit(|z| {
        *z = zone(&list(30).0);
        z.set_list(DNS, &allowed, Layout::Single);
    });
    let why = refused(&stage.daemon, &["update"]);
    assert!(why.contains("Keeping the previous list basic.threatstop.local: 300 -> 30"), "{why}");
    let without = stage.old.replacen(&format!("{host}\n"), "", 1);
    assert_eq!(table(&stage.daemon, BLOCK), Some(without));
    assert!(table(&stage.daemon, ALLOW).unwrap().lines().any(|line| line == host));
    assert_eq!(stage.daemon.ctl(&["why", host]).status.code(), Some(1));
    assert!(stage.daemon.stop().success());
}

/// Start a new device that its servers do not know yet: NXDOMAIN, then REFUSED.
/// Check that the daemon waits quietly: no warning and no error in the log, "waiting for
/// provisioning" in status. Provision it: an update publishes.
#[test]
fn a_new_device_waits_quietly() {
    let (service, text) = honest(300);
    let block = |code| {
        service.edit(|z| {
            z.set_fault(BASIC, Fault::Rcode(code)).set_fault(DNS, Fault::Rcode(code));
        })
    };
    block(rcode::NXDOMAIN);
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    // the run at the start says it, and no other says the same again
    daemon.wait_for("waiting for provisioning", PATIENCE);
    for (code, lines) in [(rcode::NXDOMAIN, 0), (rcode::REFUSED, 1)] {
        block(code);
        let mark = daemon.mark();
        let why = refused(&daemon, &["update"]);
        assert!(why.contains("device not yet provisioned"), "{why}");
        assert_eq!(status(&daemon)["update"]["state"], "waiting for provisioning");
        let said: Vec<String> =
            daemon.lines()[mark..].iter().map(|line| line.text.clone()).collect();
        assert_eq!(said.len(), lines, "{said:?}");
        let waits = |line: &String| line.contains("waiting for provisioning: server 127.0.0.1");
        assert!(said.iter().all(waits), "{said:?}");
    }
    assert!(!daemon.output().contains("update failed"), "{}", daemon.output());
    assert_eq!(table(&daemon, BLOCK), None);
    service.edit(|z| *z = zone(&list(300).0));
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));
    assert_eq!(status(&daemon)["update"]["state"], "idle");

    // a device that had a policy and loses it is another matter
    block(rcode::NXDOMAIN);
    refused(&daemon, &["update"]);
    assert_eq!(status(&daemon)["update"]["state"], "failing");
    daemon.wait_for("update failed, the previous policy stays", PATIENCE);
    assert_eq!(table(&daemon, BLOCK), Some(text));
    assert!(daemon.stop().success());
}

/// Serve another list and run `update -n`.
/// Check that it prints what would come and go, and that file, kernel and status are as before.
/// Do it with a list so short that it is held back: it says so, and the totals.
#[test]
fn a_dry_run_changes_nothing() {
    let stage = Stage::new(|config| config);
    let (longer, new_text) = list(310);
    stage.serve(&longer);
    let before = stage.status()["update"]["last"].clone();
    let output = stage.daemon.ctl(&["update", "-n"]);
    assert!(output.status.success(), "{}", output.stderr);
    let (old, new): (Vec<&str>, Vec<&str>) =
        (stage.old.lines().collect(), new_text.lines().collect());
    let plus: Vec<String> =
        new.iter().filter(|line| !old.contains(line)).map(|line| format!("+{line}")).collect();
    let minus: Vec<String> =
        old.iter().filter(|line| !new.contains(line)).map(|line| format!("-{line}")).collect();
    for line in plus.iter().chain(&minus) {
        assert!(output.stdout.lines().any(|printed| printed == line), "{line}");
    }
    let totals = format!("block table: {} to add, {} to remove\n", plus.len(), minus.len());
    assert!(output.stdout.contains(&totals), "{}", output.stdout);
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    assert_eq!(stage.status()["update"]["last"], before);

    // the totals are there as well when the set would be held back
    stage.serve(&list(12).0);
    let output = stage.daemon.ctl(&["update", "-n"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.contains("Keeping the previous list basic"), "{}", output.stdout);
    assert!(output.stdout.contains("block table: 0 to add, 0 to remove\n"), "{}", output.stdout);
    stage.serve(&longer);
    stage.goes_on();
}
