//! Lists from web servers: brought, kept, refused, and held beside the lists of the service.

use std::fs;
use std::thread;

use crate::common::*;
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::harness::{Config, Daemon, Scratch, ctl};
use tests::process::Output;
use tests::sim::logservice::Upload;
use tests::sim::{ListServer, Page};

/// A daemon without the service, whose lists come from a web server.
pub struct Feeds {
    pub server: ListServer,
    pub scratch: Scratch,
    pub daemon: Daemon,
}

/// A list of so many hosts of a /16, each but every second address.
pub fn hosts(net: &str, count: u32) -> String {
    (0..count).map(|n| format!("{net}.{}.{}\n", n / 100, 2 * (n % 100) + 1)).collect()
}

/// The keys of a feed.
pub fn feed(name: &str, url: &str) -> Vec<(&'static str, toml::Value)> {
    vec![("name", name.into()), ("url", url.into())]
}

/// Waits until a run has done with a source.
#[track_caller]
fn wait_for_source(daemon: &Daemon, name: &str) {
    wait_until(&format!("{name} has come"), || {
        let status = status(daemon);
        let mut sources = status["sources"].as_array().unwrap().iter();
        sources.any(|source| source["name"] == name && source["last"].is_u64())
    });
}

/// A configuration without the service, that trusts the server.
fn alone(scratch: &Scratch, server: &ListServer) -> Config {
    trusting(scratch, server.ca())
}

/// The same with the certificate of an authority, in PEM.
pub fn trusting(scratch: &Scratch, authority: &str) -> Config {
    let ca = scratch.path().join("lists-ca.pem");
    fs::write(&ca, authority).unwrap();
    Config::new(scratch, &[])
        .unset("device_id")
        .unset("policy.servers")
        .set("policy.block", Vec::<String>::new())
        .set("policy.allow", Vec::<String>::new())
        .set("https.ca_file", ca.to_str().unwrap())
}

impl Feeds {
    /// With one feed, `drop`, of a list of 300.
    pub fn new(change: impl FnOnce(Config, &ListServer) -> Config) -> Self {
        let (server, scratch) = (ListServer::start(), Scratch::new());
        server.serve("/drop", &hosts("9.1", 300));
        let config = alone(&scratch, &server).add("feed", &feed("drop", &server.url("/drop")));
        let config = change(config, &server);
        let daemon = Daemon::start(&scratch, &config);
        update(&daemon);
        Self { server, scratch, daemon }
    }

    /// Number of entries of the block table.
    pub fn entries(&self) -> usize {
        table(&self.daemon, BLOCK).unwrap().lines().count()
    }

    fn source(&self, name: &str) -> Value {
        let status = status(&self.daemon);
        let sources = status["sources"].as_array().unwrap();
        sources.iter().find(|source| source["name"] == name).unwrap().clone()
    }

    /// Updates; it must fail, and the table stay as it is. Gives what was said.
    #[track_caller]
    pub fn fails(&self) -> Output {
        let before = table(&self.daemon, BLOCK);
        let output = self.daemon.ctl(&["update"]);
        assert_eq!(output.status.code(), Some(1), "{}{}", output.stdout, output.stderr);
        assert_eq!(table(&self.daemon, BLOCK), before);
        output
    }

    /// The same, with the reason.
    #[track_caller]
    pub fn fails_because(&self, why: &str) {
        let said = self.fails().stdout;
        let line = said.lines().find(|line| line.starts_with("Failed: ")).unwrap_or(&said);
        assert!(line.starts_with("Failed: feed drop: "), "{line}");
        assert!(line.contains(why), "{why}: {line}");
        assert!(line.contains("; its copy of ") && line.ends_with(" ago stays"), "{line}");
    }
}

/// Start the daemon without a device and without lists of the service, with one feed.
/// Check that its list is blocked and named in update, status, show lists and why; that the second
/// look is a conditional one, by somebody whom the server has met; that a changed list is published; that upload says why there is none.
#[test]
fn who_has_no_subscription_blocks_by_a_list_of_a_web_server() {
    let feeds = Feeds::new(|config, _| config.set("log.enabled", true));
    assert_eq!(feeds.entries(), 300);
    let status = status(&feeds.daemon);
    assert_eq!(status["sources"].as_array().unwrap().len(), 1);
    assert_eq!(status["servers"], serde_json::json!([]), "nobody asks a server of the service");
    assert_eq!(status["upload"]["next"], Value::Null, "nothing is uploaded");
    let source = feeds.source("drop");
    assert_eq!((&source["kind"], &source["state"]), (&"feed".into(), &"good".into()), "{source}");
    assert_eq!(source["lists"][0]["entries"], 300);
    assert!(source["next"].as_u64() > source["last"].as_u64(), "{source}");

    feeds.server.take();
    let said = update(&feeds.daemon).stdout;
    assert!(said.contains("Processing block feed drop\n"), "{said}");
    assert!(said.contains("No changes\n") && !said.contains("DNS Server"), "{said}");
    let asked = feeds.server.take();
    let tags: Vec<_> = asked.iter().map(|request| request.header("if-none-match")).collect();
    assert_eq!(tags.len(), 1);
    assert!(tags[0].is_some_and(|tag| tag.starts_with('"')), "{tags:?}");
    assert_eq!(feeds.server.handshakes()[0], 1, "one store of roots and sessions for all");

    feeds.server.serve("/drop", &hosts("9.1", 310));
    let said = update(&feeds.daemon).stdout;
    assert!(said.contains("Changed: +10 -0 blocked"), "{said}");
    assert_eq!(feeds.entries(), 310);
    let why = feeds.daemon.ctl(&["why", "9.1.0.1"]).stdout;
    assert!(why.contains("listed by drop"), "{why}");
    let lists = feeds.daemon.ctl(&["show", "lists"]).stdout;
    assert!(lists.contains("drop"), "{lists}");

    let text = feeds.daemon.ctl(&["status"]).stdout;
    assert!(text.contains("\nupload: off without device_id\n"), "{text}");
    let why = refused(&feeds.daemon, &["upload"]);
    assert!(why.contains("off without device_id"), "{why}");
    assert!(feeds.daemon.stop().success());
}

/// Serve, in place of a list: a web page, half a list, one whose connection breaks where only its end
/// would be that of the list, too many entries, another format, nothing, and
/// each status that is no list.
/// Check that update fails with the reason and the age of the copy each time, that the table stays,
/// and that the list is taken again once it is one.
#[test]
fn what_is_no_list_leaves_the_copy_in_force() {
    let feeds = Feeds::new(|config, server| {
        let mut keys = feed("drop", &server.url("/drop"));
        keys.push(("max_entries", 1000.into()));
        config.unset("feed").add("feed", &keys)
    });
    let say = |status, body: &str| Page::Say(status, String::new(), body.to_owned());
    for (page, why) in [
        (say(200, "<!DOCTYPE html>\n1.2.3.4\n"), "a web page (HTML) and no list"),
        (say(200, ""), "no prefix in it"),
        (say(200, "maintenance\n"), "no prefix in it, first: line 1 \"maintenance\""),
        (say(200, &hosts("9.2", 1001)), "more than 1,000 entries"),
        (Page::Cut(hosts("9.1", 100)), "closed the connection before its answer was whole"),
        (Page::Unsized(hosts("9.1", 250), false), "the connection before its answer was whole"),
        (say(200, "\u{1f}"), "no prefix"),
        (say(304, ""), "HTTP status 304"),
        (say(404, ""), "HTTP status 404: there is no such list"),
        (say(403, ""), "HTTP status 403"),
        (say(500, "oops"), "HTTP status 500"),
        (say(204, ""), "HTTP status 204"),
    ] {
        if why.contains("304") {
            // without a copy that could be unchanged
            feeds.server.set("/drop", Page::Gzip(hosts("9.1", 300), false));
            update(&feeds.daemon);
        }
        feeds.server.set("/drop", page);
        feeds.fails_because(why);
    }
    assert_eq!(feeds.source("drop")["state"], "failing");
    for said in [true, false] {
        feeds.server.set("/drop", Page::Gzip(hosts("9.1", if said { 303 } else { 304 }), said));
        update(&feeds.daemon);
        assert_eq!(feeds.entries(), if said { 303 } else { 304 });
    }
    feeds.server.set("/drop", Page::Unsized(hosts("9.1", 305), true));
    update(&feeds.daemon);
    assert_eq!(feeds.entries(), 305);
    assert_eq!(feeds.source("drop")["state"], "good");
    assert!(feeds.daemon.stop().success());
}

/// Redirect a feed: to a path of the same server, to another server, in a circle, to HTTP, to another
/// port, to an address, and with a user in the URL. It has an authorization.
/// Check that the first two are followed, that only the configured server gets to see the
/// authorization, that of the other server's failure only that it is refused is told, and that no
/// other is followed.
#[test]
fn redirects_lead_astray_nobody() {
    let other = ListServer::start();
    let feeds = Feeds::new(|config, server| {
        let ca = fs::read_to_string(config_ca(&config)).unwrap() + other.ca();
        fs::write(config_ca(&config), ca).unwrap();
        let mut keys = feed("drop", &server.url("/drop"));
        keys.push(("authorization", "Bearer s3cret".into()));
        config.unset("feed").add("feed", &keys)
    });
    let redirect = |to: &str| {
        let page = Page::Say(302, format!("Location: {to}\r\n"), String::new());
        feeds.server.set("/drop", page);
    };
    feeds.server.serve("/elsewhere", &hosts("9.1", 320));
    redirect("/elsewhere");
    feeds.server.take();
    update(&feeds.daemon);
    assert_eq!(feeds.entries(), 320);
    let asked = feeds.server.take();
    let told: Vec<_> = asked.iter().map(|one| one.header("authorization")).collect();
    assert_eq!(told, [Some("Bearer s3cret"); 2]);

    // only the port of HTTPS and the one that is configured are followed
    redirect(&other.url("/list"));
    feeds.fails_because("which is not followed");
    assert_eq!(other.take(), []);
    for to in [
        format!("http://localhost:{}/elsewhere", feeds.server.addr().port()),
        format!("https://{}/elsewhere", feeds.server.addr()),
        format!("https://joe:x@localhost:{}/elsewhere", feeds.server.addr().port()),
        "https://10.0.0.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        redirect(&to);
        feeds.fails_because("which is not followed");
    }
    redirect("/drop");
    feeds.fails_because("more than 3 redirects");
    // a name of another host, on a port where nobody is or somebody else
    redirect(&format!("https://lists.invalid:{}/", feeds.server.addr().port()));
    feeds.fails_because("it redirects to lists.invalid: refused");
    assert!(!feeds.daemon.output().contains("s3cret"));
    assert!(feeds.daemon.stop().success());
}

fn config_ca(config: &Config) -> String {
    let text: toml::Table = config.text().parse().unwrap();
    text["https"]["ca_file"].as_str().unwrap().to_owned()
}

/// Take two feeds to block and one to allow, not in the order of their names. Let the last cover a part of
/// the first; let the second fail, and then become empty of most.
/// Check that they are shown in the order of the configuration, that what is allowed is in no table, that
/// the first goes on while the second fails, and that a list that shrinks too much is held, named, and
/// accepted by `update -f` of its name alone.
#[test]
fn feeds_are_guarded_each_by_itself() {
    let feeds = Feeds::new(|config, server| {
        server.serve("/more", &hosts("9.2", 400));
        server.serve("/mine", "9.1.0.0/24\n");
        let mut mine = feed("mine", &server.url("/mine"));
        mine.push(("kind", "allow".into()));
        config.add("feed", &feed("more", &server.url("/more"))).add("feed", &mine)
    });
    let allowed = |line: &&str| line.starts_with("9.1.0.");
    let block = table(&feeds.daemon, BLOCK).unwrap();
    assert_eq!((block.lines().count(), block.lines().filter(allowed).count()), (600, 0));
    assert_eq!(table(&feeds.daemon, ALLOW).unwrap_or_default(), "");
    let why = feeds.daemon.ctl(&["why", "9.1.0.1"]).stdout;
    assert!(why.contains("allowed by mine"), "{why}");
    let lists = feeds.daemon.ctl(&["-j", "show", "lists"]).stdout;
    let lists: Value = serde_json::from_str(&lists).unwrap();
    let of = |name: &str| lists["lists"].as_array().unwrap().iter().find(|row| row["list"] == name);
    let report = feeds.daemon.ctl(&["-j", "report"]).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    let status = status(&feeds.daemon);
    for (what, all, key) in [
        ("show lists", &lists["lists"], "list"),
        ("report", &report["lists"], "list"),
        ("status", &status["sources"], "name"),
    ] {
        let names: Vec<_> = all.as_array().unwrap().iter().map(|one| &one[key]).collect();
        assert_eq!(names, ["drop", "more", "mine"], "{what}");
    }
    assert_eq!(of("mine").unwrap()["table"], "none", "{lists}");
    assert_eq!(of("more").unwrap()["table"], "block", "{lists}");

    feeds.server.set("/more", Page::Say(503, "Retry-After: 3600\r\n".into(), String::new()));
    feeds.server.serve("/drop", &hosts("9.1", 350));
    let output = feeds.daemon.ctl(&["update"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.contains("Failed: feed more: localhost"), "{}", output.stdout);
    let wish = "it is asked again; it wants to be left alone for 60 minutes";
    assert!(output.stdout.contains(wish), "{}", output.stdout);
    assert_eq!(feeds.entries(), 650);
    assert_eq!(feeds.source("drop")["state"], "good");
    let next = feeds.source("more");
    let wait = next["next"].as_u64().unwrap() - next["last"].as_u64().unwrap();
    assert!((3595..=3700).contains(&wait), "{next}");

    feeds.server.serve("/more", &hosts("9.2", 10));
    let why = refused(&feeds.daemon, &["update", "more"]);
    assert!(why.contains("Keeping the previous list more: 400 -> 10 entries"), "{why}");
    assert_eq!(feeds.entries(), 650);
    assert!(feeds.daemon.ctl(&["update", "-f", "more"]).status.success());
    assert_eq!(feeds.entries(), 260);
    let why = refused(&feeds.daemon, &["update", "none"]);
    assert!(why.contains("drop, more, mine") || why.contains("mine, more"), "{why}");
    assert!(feeds.daemon.stop().success());
}

/// Serve a list that covers more than its feed may, and one whose copy has no room.
/// Check that neither comes in force, and that both are told with the key; that the first is refused, which
/// `update -f` does not change, and is not ready for `test`, and the second a failure.
#[test]
fn a_feed_has_bounds_of_its_own() {
    let feeds = Feeds::new(|config, server| {
        let mut keys = feed("drop", &server.url("/drop"));
        keys.push(("max_coverage", 70_000.into()));
        keys.push(("max_entries", 400_000.into()));
        config.unset("feed").add("feed", &keys).set("https.store", "1M")
    });
    let wide = [
        ("9.1.0.0/16\n9.2.0.0/19\n", "73728 addresses of IPv4, more than 70000"),
        ("2001:db8::/31\n2620::/28\n", "18 networks of IPv6 (/32), more than 1"),
    ];
    for (list, why) in wide {
        feeds.server.serve("/drop", list);
        let why = format!("it covers {why} (see max_coverage of the feed)\n");
        let test = feeds.daemon.ctl(&["test"]).stdout;
        assert!(test.contains(&format!("Feed drop on localhost is not ready: {why}")), "{test}");
        let why = format!("Keeping the previous list drop: {why}");
        for arguments in [&["update"][..], &["update", "-f"]] {
            let said = refused(&feeds.daemon, arguments);
            assert!(said.contains(&why), "{said}");
            assert_eq!(feeds.entries(), 300);
        }
        assert_eq!(feeds.source("drop")["state"], "refused");
        let held = &status(&feeds.daemon)["held"][0];
        assert_eq!((&held["list"], &held["reason"]), (&"drop".into(), &"refused".into()), "{held}");
    }
    let many: String =
        (0..65_000u32).map(|n| format!("2a0b:{:x}::{:x}\n", n >> 8, n & 255)).collect();
    feeds.server.serve("/drop", &many);
    feeds.fails_because("https.store (1M)");
    assert!(feeds.daemon.stop().success());
}

/// Stop the daemon, and start it again.
/// Check that the copies are in force at once, that nobody is asked by the timer so soon, and that the
/// server is asked conditionally by hand. Then damage the copy.
/// Check that the list comes in full again.
#[test]
fn copies_outlast_a_restart() {
    let Feeds { server, scratch, daemon } = Feeds::new(|config, _| config);
    let config = alone(&scratch, &server).add("feed", &feed("drop", &server.url("/drop")));
    assert!(daemon.stop().success());
    server.take();
    let daemon = Daemon::start(&scratch, &config);
    let feeds = Feeds { server, scratch, daemon };
    assert_eq!(feeds.entries(), 300);
    feeds.daemon.ctl(&["update", "-n"]);
    let asked = feeds.server.take();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].header("if-none-match").is_some());
    let Feeds { server, scratch, daemon } = feeds;
    assert!(daemon.stop().success());
    fs::write(scratch.spool().join("lists/drop.list"), "damaged").unwrap();
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    // the run at the start may have had it in full before, and this one asked whether there is another
    let first = server.take().remove(0);
    assert!(first.header("if-none-match").is_none(), "{first:?}");
    assert_eq!(table(&daemon, BLOCK).unwrap().lines().count(), 300);
    assert!(daemon.stop().success());
}

/// Ask for a list six days after it has come, and again eight days after.
/// Check that the server's word that it is the same does for the first, which is a good one, and that the
/// list then comes in full: once, and after that its word does again.
#[test]
fn that_nothing_has_changed_is_believed_for_a_week() {
    let (server, scratch) = (ListServer::start(), Scratch::new());
    server.serve("/drop", &hosts("9.1", 300));
    let config = alone(&scratch, &server).add("feed", &feed("drop", &server.url("/drop")));
    let daemon = Daemon::spawn_faulty(&scratch, &config);
    daemon.wait_until_ready();
    update(&daemon);
    let feeds = Feeds { server, scratch, daemon };
    feeds.server.take();
    for (days, full) in [(6, 0), (8, 1)] {
        feeds.scratch.set_ahead(days * 24 * 60 * 60);
        // the timer may have made the run that the first of these joins
        (0..2).for_each(|_| drop(update(&feeds.daemon)));
        let asked = feeds.server.take();
        let whole = |one: &&_| Upload::header(one, "if-none-match").is_none();
        assert_eq!(asked.iter().filter(whole).count(), full, "after {days} days: {asked:?}");
        assert!(asked.len() > full && asked.iter().skip(full).all(|one| !whole(&one)));
        assert_eq!(feeds.source("drop")["state"], "good");
        assert_eq!(feeds.entries(), 300);
    }
    assert!(feeds.daemon.stop().success());
}

/// Run `test` with a feed that can be had, and with one that cannot.
/// Check what it says of both.
#[test]
fn test_tries_each_feed() {
    let feeds = Feeds::new(|config, _| config);
    let output = feeds.daemon.ctl(&["test"]);
    assert!(output.stdout.contains("Feed drop on localhost is ready.\n"), "{}", output.stdout);
    assert!(!output.stdout.contains("DNS Server"), "{}", output.stdout);
    feeds.server.set("/drop", Page::Say(404, String::new(), String::new()));
    let output = feeds.daemon.ctl(&["test"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.contains("Feed drop on localhost is not ready: "), "{}", output.stdout);
    assert!(feeds.daemon.stop().success());
}

/// Start a daemon with the service and two feeds, of which one does not answer.
/// Check that the policy and the other feed are blocked meanwhile and said to be without the third;
/// that what changes is published, by hand too, while it is still silent; and that it is blocked as well
/// when it comes.
#[test]
fn a_slow_feed_holds_up_no_other() {
    let ((service, policy), server, scratch) = (honest(300), ListServer::start(), Scratch::new());
    server.serve("/drop", &hosts("9.1", 300));
    server.serve("/slow", &hosts("9.2", 200));
    server.hold("/slow");
    let ca = scratch.path().join("lists-ca.pem");
    fs::write(&ca, server.ca()).unwrap();
    let config = Config::new(&scratch, &[service.addr()])
        .set("https.ca_file", ca.to_str().unwrap())
        .add("feed", &feed("drop", &server.url("/drop")))
        .add("feed", &feed("slow", &server.url("/slow")));
    let daemon = Daemon::start(&scratch, &config);
    let has = |net: &str, count: usize| {
        let table = daemon.table_file(BLOCK).unwrap_or_default();
        table.lines().filter(|line| line.starts_with(net)).count() == count
    };
    wait_until("the feed that has come is blocked", || has("9.1.", 300));
    let all = || daemon.table_file(BLOCK).unwrap_or_default();
    wait_until("the policy is blocked", || {
        let all = all();
        policy.lines().all(|line| all.lines().any(|other| other == line))
    });
    daemon.wait_for("Not here yet: ", PATIENCE);
    wait_for_source(&daemon, "drop");
    wait_for_source(&daemon, "policy");
    assert_eq!(status(&daemon)["update"]["state"], "running");
    assert!(has("9.2.", 0));

    // by hand, of what is not waited for
    server.serve("/drop", &hosts("9.1", 310));
    let output = daemon.ctl(&["update", "drop"]);
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("Changed: +10 -0 blocked"), "{}", output.stdout);
    assert!(has("9.1.", 310));
    let (items, text) = list(310);
    service.edit(|z| *z = zone(&items));
    assert!(daemon.ctl(&["update", "policy"]).status.success());
    let now = all();
    assert!(text.lines().all(|line| now.lines().any(|other| other == line)));
    assert_eq!(status(&daemon)["update"]["state"], "running", "it still waits");
    assert!(has("9.2.", 0));

    server.release("/slow");
    wait_until("the slow feed is blocked", || has("9.2.", 200));
    wait_until("the run ends", || status(&daemon)["update"]["state"] == "idle");
    let asked = server.take();
    assert_eq!(asked.iter().filter(|one| one.path == "/slow").count(), 1, "{asked:?}");
    assert!(daemon.stop().success());
}

/// Give the administrator's file a mistake. Let two feeds change, of which one keeps its body back, and
/// update all by hand.
/// Check that the run, which has two parts, says each thing once, and that `show diff` has what both have
/// changed. Do it again, and mend the file between the parts: nothing is wrong in the end.
#[test]
fn a_run_in_parts_is_one_run() {
    let mine = Scratch::new();
    let file = mine.path().join("mine");
    fs::write(&file, "9.3.0.1\n").unwrap();
    let feeds = Feeds::new(|config, server| {
        server.serve("/slow", &hosts("9.2", 200));
        let config = config.set("policy.local_block", file.to_str().unwrap());
        config.add("feed", &feed("slow", &server.url("/slow")))
    });
    for (round, mends) in [(1, false), (2, true)] {
        fs::write(&file, "9.3.0.1\nnonsense\n").unwrap();
        let before = feeds.entries();
        feeds.server.serve("/drop", &hosts("9.1", 300 + 10 * round));
        feeds.server.serve("/slow", &hosts("9.2", 200 + 5 * round));
        feeds.server.hold("/slow");
        let socket = feeds.scratch.socket();
        let by_hand = thread::spawn(move || ctl(&socket, &["update"]));
        wait_until("the first part is in force", || feeds.entries() == before + 10);
        if mends {
            fs::write(&file, "9.3.0.1\n").unwrap();
        }
        feeds.server.release("/slow");
        let output = by_hand.join().unwrap();
        assert_eq!(output.status.code(), Some(i32::from(!mends)), "{}", output.stderr);
        let said: Vec<&str> = output.stdout.lines().collect();
        assert_eq!(
            said.iter().filter(|line| line.contains("local_block: ")).count(),
            1,
            "{said:?}"
        );
        let again = said.iter().find(|line| said.iter().filter(|other| other == line).count() > 1);
        assert_eq!(again, None, "{said:?}");
        assert_eq!(output.stderr.matches("local_block: ").count(), usize::from(!mends));
        assert!(said.contains(&"Changed: +15 -0 blocked, +0 -0 allowed"), "{said:?}");
        assert_eq!(feeds.entries(), before + 15);
        let diff = feeds.daemon.ctl(&["show", "diff"]).stdout;
        assert_eq!(diff.lines().filter(|line| line.starts_with("+9.")).count(), 15, "{diff}");
        assert_eq!(diff.lines().count(), 15, "{diff}");
    }
    assert!(feeds.daemon.stop().success());
}

/// Update by hand while a feed keeps its body back; when the other one is in force, reload.
/// Check that the update ends and says so, that what has come stays in force and is not asked for again,
/// and that the other one comes with the next update.
#[test]
fn a_reload_waits_for_no_feed() {
    let feeds = Feeds::new(|config, server| {
        server.serve("/slow", &hosts("9.2", 200));
        config.add("feed", &feed("slow", &server.url("/slow")))
    });
    feeds.server.serve("/drop", &hosts("9.1", 310));
    feeds.server.serve("/slow", &hosts("9.2", 205));
    feeds.server.hold("/slow");
    let socket = feeds.scratch.socket();
    let by_hand = thread::spawn(move || ctl(&socket, &["update"]));
    wait_until("what has come is in force", || feeds.entries() == 510);
    feeds.server.take();
    let reload = feeds.daemon.ctl(&["reload"]);
    assert!(reload.status.success(), "{}", reload.stderr);
    let update_by_hand = by_hand.join().unwrap();
    let why = "feed slow: not waited for, because threatstopd starts anew: threatstopctl ";
    assert_eq!(update_by_hand.status.code(), Some(1));
    let (said, told) = (&update_by_hand.stdout, &update_by_hand.stderr);
    assert!(said.contains(&format!("\nFailed: {why}")), "{said}");
    assert!(told.starts_with(&format!("threatstopctl: update: {why}")), "{told}");
    feeds.daemon.wait_until_ready();
    assert_eq!(feeds.entries(), 510);
    let source = feeds.source("slow");
    assert_eq!(source["error"], Value::Null, "{source}");
    assert!(feeds.server.take().iter().all(|request| request.path != "/drop"));
    feeds.server.release("/slow");
    update(&feeds.daemon);
    assert_eq!(feeds.entries(), 515);
    assert!(feeds.daemon.stop().success());
}

/// Update by hand while a feed keeps its body back; when the other one has come, send SIGHUP.
/// Check that the update ends and says so, also in the log, that the next engine asks for both at once and
/// what has come is in force by itself, and that it asks for neither after another SIGHUP.
#[test]
fn what_a_sighup_cuts_short_is_asked_for_at_once() {
    let feeds = Feeds::new(|config, server| {
        server.serve("/slow", &hosts("9.2", 200));
        config.add("feed", &feed("slow", &server.url("/slow")))
    });
    feeds.server.take();
    feeds.server.serve("/drop", &hosts("9.1", 310));
    feeds.server.serve("/slow", &hosts("9.2", 205));
    feeds.server.hold("/slow");
    let socket = feeds.scratch.socket();
    let by_hand = thread::spawn(move || ctl(&socket, &["update"]));
    let mut asked = Vec::new();
    wait_until("both are asked", || {
        asked.extend(feeds.server.take().into_iter().map(|request| request.path));
        asked.len() == 2
    });
    feeds.daemon.signal(Signal::SIGHUP);
    let by_hand = by_hand.join().unwrap();
    let why = "feed slow: not waited for, because threatstopd ends or starts anew: its next start asks again";
    assert_eq!(by_hand.status.code(), Some(1));
    assert!(by_hand.stdout.contains(&format!("\nFailed: {why}")), "{}", by_hand.stdout);
    assert!(by_hand.stderr.contains(why), "{}", by_hand.stderr);
    let line =
        "update ends early, for threatstopd ends or starts anew; its next start asks again: ";
    feeds.daemon.wait_for(line, PATIENCE);
    feeds.daemon.wait_for("reloaded, helper", PATIENCE);
    wait_until("what has come is in force", || feeds.entries() == 510);
    feeds.server.release("/slow");
    wait_until("the other one is too", || feeds.entries() == 515);
    wait_until("the run ends", || status(&feeds.daemon)["update"]["state"] == "idle");
    feeds.server.take();
    let mark = feeds.daemon.mark();
    feeds.daemon.signal(Signal::SIGHUP);
    feeds.daemon.wait_for_after(mark, "reloaded, helper", PATIENCE);
    wait_until("they are due", || feeds.source("slow")["next"].is_u64());
    assert!(feeds.server.take().is_empty());
    assert!(feeds.daemon.stop().success());
}

/// Let two feeds be silent, which is as many as come at once, and then update all of them by hand.
/// Check that a third comes all the same, that the one under way is not asked twice, and that the update
/// says what has come of all when the last one is there.
#[test]
fn silent_feeds_make_room_for_the_others() {
    let (server, scratch) = (ListServer::start(), Scratch::new());
    let mut config = alone(&scratch, &server);
    for (name, net) in [("a", "9.1"), ("b", "9.2"), ("c", "9.3")] {
        let path = format!("/{name}");
        server.serve(&path, &hosts(net, 100));
        config = config.add("feed", &feed(name, &server.url(&path)));
    }
    server.hold("/a");
    server.hold("/b");
    let daemon = Daemon::start(&scratch, &config);
    let entries = || daemon.table_file(BLOCK).unwrap_or_default().lines().count();
    wait_for_source(&daemon, "c");
    assert_eq!(entries(), 100);
    server.take();
    let both = std::thread::scope(|scope| {
        let by_hand = scope.spawn(|| daemon.ctl(&["update"]));
        wait_until("the update by hand has begun", || {
            server.take().iter().any(|request| request.path == "/c")
        });
        server.release("/a");
        server.release("/b");
        by_hand.join().unwrap()
    });
    assert!(both.status.success(), "{}{}", both.stdout, both.stderr);
    assert!(both.stdout.contains("Completed getting all the lists\n"), "{}", both.stdout);
    assert_eq!(entries(), 300);
    assert!(server.take().iter().all(|request| request.path == "/c"), "nobody is asked twice");
    assert!(daemon.stop().success());
}

/// Take a feed of what to allow out of a feed of what to block. Stop, damage the copy of the first, and
/// start while its server fails; then let a list change, and block something by hand.
/// Check that nothing that was allowed is blocked, that the block table stays as it is and says so, and
/// that all of it goes on when the feed comes again.
#[test]
fn a_lost_copy_of_an_allow_feed_blocks_nobody() {
    let all = |config: Config, server: &ListServer| {
        let mut mine = feed("mine", &server.url("/mine"));
        mine.push(("kind", "allow".into()));
        config.add("feed", &mine)
    };
    let Feeds { server, scratch, daemon } = Feeds::new(|config, server| {
        server.serve("/mine", "9.1.0.0/24\n");
        all(config, server)
    });
    let before = table(&daemon, BLOCK).unwrap();
    assert!(before.lines().count() == 200 && !before.contains("9.1.0."), "{}", daemon.output());
    assert!(daemon.stop().success());
    fs::write(scratch.spool().join("lists/mine.list"), "damaged").unwrap();
    server.set("/mine", Page::Say(503, String::new(), String::new()));
    server.serve("/drop", &hosts("9.1", 310));

    let config = alone(&scratch, &server).add("feed", &feed("drop", &server.url("/drop")));
    let daemon = Daemon::start(&scratch, &all(config, &server));
    let lost = "the copy of allow feed mine is lost: the block tables stay as they are";
    let said = daemon.ctl(&["update"]);
    assert_eq!(said.status.code(), Some(1), "{}", said.stdout);
    assert!(said.stdout.contains(lost) && said.stderr.contains(lost), "{said:?}");
    let why = refused(&daemon, &["update", "drop"]);
    assert!(why.contains(lost), "{why}");
    let kept = daemon.ctl(&["block", "9.9.9.9"]).stdout;
    assert!(
        kept.contains("9.9.9.9 is kept, but not all blocked: ") && kept.contains(lost),
        "{kept}"
    );
    assert_eq!(table(&daemon, BLOCK), Some(before.clone()));
    let status = daemon.ctl(&["status"]).stdout;
    assert!(status.contains(lost), "{status}");

    server.serve("/mine", "9.1.0.0/24\n");
    update(&daemon);
    let now = table(&daemon, BLOCK).unwrap();
    assert!(now.lines().count() == 211 && !now.contains("9.1.0."), "{now}");
    assert!(now.lines().any(|line| line == "9.9.9.9"), "{now}");
    assert!(!daemon.ctl(&["status"]).stdout.contains(lost));
    assert!(daemon.stop().success());
}

/// Let a feed of what to allow come while the one of what to block does not answer.
/// Check that what the first names is not blocked when the second comes.
#[test]
fn an_allow_feed_that_comes_first_counts() {
    let (server, scratch) = (ListServer::start(), Scratch::new());
    server.serve("/drop", &hosts("9.1", 300));
    server.serve("/mine", "9.1.0.0/24\n");
    server.hold("/drop");
    let mut mine = feed("mine", &server.url("/mine"));
    mine.push(("kind", "allow".into()));
    let config = alone(&scratch, &server)
        .add("feed", &feed("drop", &server.url("/drop")))
        .add("feed", &mine);
    let daemon = Daemon::start(&scratch, &config);
    daemon.wait_for("Not here yet: feed drop", PATIENCE);
    wait_until("its copy is kept", || scratch.spool().join("lists/mine.list").exists());
    server.release("/drop");
    wait_until("the table is there", || daemon.table_file(BLOCK).is_some());
    let block = table(&daemon, BLOCK).unwrap();
    assert!(block.lines().count() == 200 && !block.contains("9.1.0."), "{block}");
    assert!(daemon.stop().success());
}
