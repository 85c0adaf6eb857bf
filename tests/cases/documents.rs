//! The commands that the documents tell somebody to type.
//!
//! 1. Take them out of manuals, READMEs and samples: what stands in a display behind a prompt, and what
//!    begins with a program of ours or one that is known here, in a display or between quotes.
//! 2. Start a daemon with a policy, hits and a log server. Run each command of a display that has one of
//!    our programs in it as it is written, by sh(1), in the order of its document. Only the files are
//!    others, and programs of OpenBSD do nothing.
//! 3. Give what stands between quotes to our programs, with nobody to ask: no word and no option may be
//!    one that they do not take.
//! 4. Hold all other commands against a list that says why they are not run here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::harness::{Daemon, Scratch, programs};
use tests::process::{Output, PATIENCE, run};
use tests::sim::pflog::PacketLog;
use tests::sim::{LogService, PolicyService};

use crate::logging::{BAD, config, policy, start, wait_for};

/// Where commands stand, and whether each line of a display is one.
const DOCUMENTS: &[(&str, bool)] = &[
    ("README.md", false),
    ("SECURITY.md", false),
    ("CONTRIBUTING.md", true),
    ("CHANGELOG.md", false),
    ("tests/README.md", true),
    ("regress/README", false),
    ("port/README-dev", false),
    ("port/pkg/README", false),
    ("port/pkg/UNMESSAGE", false),
    ("etc/crontab.threatstop", false),
    ("etc/pf.conf.threatstop", false),
    ("etc/pf.conf.threatstop-bridge", false),
    ("src/threatstopd/threatstopd.8", false),
    ("src/threatstopctl/threatstopctl.8", false),
    ("src/config/threatstopd.toml.5", false),
];

const OURS: [&str; 2] = ["threatstopctl", "threatstopd"];

/// What a script may use besides: it is there everywhere, and is run.
const TOOLS: [&str; 8] = ["cd", "cmp", "echo", "exit", "grep", "mv", "set", "umask"];

/// What is not run here, and why.
const ELSEWHERE: &[(&str, &[&str])] = &[
    (
        "pf and its log are OpenBSD's: regress/pf, regress/log and regress/config are about them",
        &[
            "pfctl -nf /etc/pf.conf",
            "pfctl -f /etc/pf.conf",
            "pfctl -f",
            "pfctl -e",
            "pfctl -k",
            "pfctl -k address",
            "pfctl -L",
            "pfctl -T flush",
            "pfctl -a '*' -sr",
            "pfctl -t ThreatSTOP-Block -T test 64.87.3.133",
            "pfctl -t ThreatSTOP-Block -T delete 192.0.2.0/24",
            "pfctl -t ThreatSTOP-Block -T kill",
            "pfctl -t ThreatSTOP-Allow -T kill",
            "ping -c 1 64.87.3.133",
            "pkill -ALRM -x pflogd",
            "tcpdump -n -e",
            "tcpdump -n -e -ttt -i pflog0 host 64.87.3.133",
        ],
    ),
    (
        "rc.d(8) and packages are OpenBSD's: regress/rc uses them",
        &[
            "pkg_delete threatstopd",
            "pkill -x threatstopd",
            "rcctl -d start threatstopd",
            "rcctl disable threatstopd",
            "rcctl enable threatstopd",
            "rcctl restart threatstopd",
            "rcctl start threatstopd",
            "rcctl stop threatstopd",
            "rm -rf ${LOCALSTATEDIR}/db/threatstop ${LOCALSTATEDIR}/threatstop \
             ${LOCALSTATEDIR}/threatstop.lock",
        ],
    ),
    (
        "programs of others: those of relay.rs read what we print for them",
        &[
            "/bin/sh /etc/threatstop-zone",
            "ipfw -q file",
            "ipset restore",
            "jq '.tables[0].entries'",
            "less",
            "mandoc -a src/threatstopd/threatstopd.8",
            "mandoc src/threatstopd/threatstopd.8",
            "nft -f",
            "nsd-checkzone $name $zone.new",
            "nsd-control force_transfer",
            "nsd-control reload $name",
        ],
    ),
    (
        "the ports tree of OpenBSD: .ci/check-port looks at their order, and port.rs runs port/dist",
        &[
            "cp -R port/Makefile port/crates.inc port/pkg /usr/ports/mystuff/security/threatstopd",
            "make install",
            "make makesum",
            "make package",
            "make port-lib-depends-check",
            "make uninstall",
            "make update-plist",
            "mkdir -p /usr/ports/mystuff/security/threatstopd",
            "port/dist -r vV DIRECTORY",
            "port/dist /usr/ports/distfiles",
            "port/generate",
        ],
    ),
    (
        "the suite for OpenBSD: port.rs runs what of it runs here",
        &[
            "bmake -m $PWD/regress/mk -m /usr/share/mk -C regress regress",
            "make -C regress/config update-NAME",
            "make -C regress/pf speed",
            "make -C regress/pf speed SIZES=\"20000 100000\" ROUNDS=3",
            "make regress",
            "make regress REGRESS_LOG=/tmp/regress.log",
            "make regress THREATSTOPD=/path/threatstopd THREATSTOPCTL=/path/threatstopctl",
            "make run-limit",
            "make run-package PACKAGE=/path/threatstopd-VERSION.tgz",
            "sh regress/pf/limit.sh",
            "sh -x",
            "sh -x pf/limit.sh",
        ],
    ),
    (
        "CI runs them or what they are made of, and they take long",
        &[
            ".ci/closure --write",
            ".ci/fuzz build",
            ".ci/fuzz once dns_message FILE",
            ".ci/fuzz run dns_message 600",
            ".ci/fuzz select dns_message 45",
            ".ci/openbsd-cross.sh cargo build --release -p threatstopd -p engine -p states -p threatstopctl",
            ".ci/openbsd-cross.sh cargo clippy -p pf -- -D warnings",
            ".ci/openbsd-cross.sh setup",
            ".ci/run",
            "cargo bench -p apl",
            "cargo bench -p pflog",
            "cargo bench -p policy",
            "cargo bench-peers",
            "cargo bench-peers update feeds compose decode follow relay limit growth",
            "cargo clean",
            "cargo clippy -p CRATE --all-targets -- -D warnings",
            "cargo demo",
            "cargo demo src/threatstopctl/report/page.png",
            "cargo doc --no-deps -p CRATE",
            "cargo deny check advisories",
            "cargo fetch",
            "cargo fmt --all",
            "cargo soak",
            "cargo soak 36000",
            "cargo soak SECONDS",
            "cargo test --workspace",
            "cargo test --workspace NAME",
            "cargo test -p CRATE",
            "cargo test -p policy",
            "cargo test -p policy as_ipnet_aggregates",
            "cargo test -p tests --test cases lifecycle::",
            "cargo test -p tests --test cases page::",
            "cargo test -p tests fuzz_corpus::",
            "cargo tree",
            "cargo update --workspace --offline",
        ],
    ),
];

/// Commands of ours whose answer is no.
const NO: [&str; 1] = ["threatstopctl why 10.1.2.3"];

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn elsewhere() -> impl Iterator<Item = &'static str> {
    ELSEWHERE.iter().flat_map(|(_, commands)| *commands).copied()
}

fn program(command: &str) -> &str {
    command.split_whitespace().next().unwrap_or_default()
}

fn is_known(program: &str) -> bool {
    OURS.contains(&program) || elsewhere().any(|command| self::program(command) == program)
}

/// The displays of a document, each as its lines.
fn displays(path: &str, text: &str) -> Vec<Vec<String>> {
    let is_manual = path.ends_with(".5") || path.ends_with(".8");
    let is_sample = path.starts_with("etc/");
    let mut found = vec![Vec::new()];
    let (mut inside, mut fenced) = (false, false);
    for line in text.lines() {
        let shown = match line {
            _ if is_manual && line.starts_with(".Bd -literal") => {
                inside = true;
                None
            }
            ".Ed" if is_manual => {
                inside = false;
                None
            }
            _ if is_manual && inside => Some(line),
            _ if is_manual => line.strip_prefix(".Dl "),
            _ if is_sample => line.strip_prefix("#\t").or(line.strip_prefix("#~\t")),
            _ if line.starts_with("```") => {
                fenced = !fenced;
                None
            }
            _ if fenced => Some(line),
            _ => line.strip_prefix("    ").or_else(|| line.strip_prefix('\t')),
        };
        match shown {
            Some(line) => {
                let line = line.replace("\\e", "\\").replace("\\(dq", "\"");
                found.last_mut().unwrap().push(line.trim().to_owned());
            }
            None => found.push(Vec::new()),
        }
    }
    found.retain(|lines| !lines.is_empty());
    found
}

/// The commands of a display; a script is one.
fn typed(lines: &[String], all: bool) -> Vec<String> {
    if lines[0] == "#!/bin/sh" {
        return vec![lines[1..].join("\n")];
    }
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        let (line, _) = line.split_once("  #").unwrap_or((line, ""));
        let line = line.trim_end();
        if goes_on {
            let last = found.last_mut().unwrap();
            *last = format!("{} {line}", last.trim_end_matches('\\').trim_end());
        } else if let Some(command) = line.strip_prefix("# ").or(line.strip_prefix("$ ")) {
            found.push(command.to_owned());
        } else if let Some((_, command)) = line.split_once("*\t-ns").or(line.split_once("* -ns")) {
            // a line of crontab(5)
            found.push(command.trim().to_owned());
        } else if all || is_known(program(&at_home(line))) && line.contains(' ') {
            found.push(line.to_owned());
        } else {
            continue;
        }
        goes_on = ["\\", "&&", "||"].iter().any(|end| line.ends_with(end));
    }
    found
}

/// Our programs without the directory that the package puts them into, and its variables as they are.
fn at_home(command: &str) -> String {
    let command = command.replace("${SYSCONFDIR}", "/etc").replace("${LOCALSTATEDIR}", "/var");
    command.replace("${TRUEPREFIX}", "/usr/local").replace("/usr/local/sbin/", "")
}

/// The simple commands of a command, without their redirections.
fn simple(command: &str) -> Vec<String> {
    let (mut all, mut quote, mut target) = (vec![String::new()], None, false);
    for c in command.chars() {
        match c {
            '\'' | '"' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            '&' | '|' | ';' | '(' | ')' | '\n' if quote.is_none() => {
                target = false;
                all.push(String::new());
                continue;
            }
            '<' | '>' if quote.is_none() => target = true,
            _ if quote.is_none() && c.is_whitespace() => target = false,
            _ => {}
        }
        if !target {
            all.last_mut().unwrap().push(c);
        }
    }
    let is_assignment =
        |one: &String| one.split_once('=').is_some_and(|(name, _)| !name.contains(' '));
    let all = all.iter().map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
    all.filter(|one| !one.is_empty() && !is_assignment(one)).collect()
}

/// What a document has between quotes, as one would type it.
fn quoted(path: &str, text: &str) -> Vec<String> {
    let is_manual = path.ends_with(".5") || path.ends_with(".8");
    let spans: Vec<String> = if is_manual {
        let quotes = text.lines().filter_map(|line| line.strip_prefix(".Ql "));
        quotes
            .map(|quote| quote.trim_end_matches([' ', '.', ',', ';', ':']).replace("Ar ", ""))
            .collect()
    } else {
        let outside = text.split("```").step_by(2).collect::<String>();
        let text = outside.split_whitespace().collect::<Vec<_>>().join(" ");
        let quote = if path.ends_with(".md") { '`' } else { '"' };
        text.split(quote).skip(1).step_by(2).map(str::to_owned).collect()
    };
    let is_command = |span: &String| is_known(program(span)) && span.contains(' ');
    spans.into_iter().filter(is_command).collect()
}

/// A daemon with a policy, hits and a log server, and a place where commands are typed.
struct Host {
    _services: (PolicyService, LogService),
    scratch: Scratch,
    _daemon: Daemon,
}

impl Host {
    fn new() -> Self {
        let (policy, service, scratch) = (policy(), LogService::start(), Scratch::new());
        let mut log = PacketLog::create_of_now(scratch.path().join("pflog"));
        let daemon = start(&scratch, &config(&scratch, &policy, &service));
        log.append(12, BAD);
        wait_for(&daemon, 12);
        let host = Self { _services: (policy, service), scratch, _daemon: daemon };
        host.furnish();
        host
    }

    fn root(&self) -> PathBuf {
        self.scratch.path().join("root")
    }

    /// Makes the directories that documents name, the file of the old scripts, and the programs.
    fn furnish(&self) {
        let root = self.root();
        for dir in ["bin", "etc", "root", "DIR", "path/to", "usr/local/etc", "var/nsd/zones/master"]
        {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        for dir in ["path/to", "usr/local/etc"] {
            let old = root.join(dir).join("threatstop.conf");
            fs::write(old, "device_id=\"tdid_abcd1234\"\n").unwrap();
        }
        let (conf, socket) = (self.scratch.config(), self.scratch.socket());
        let ctl = format!(
            "case $* in *doctor* | *flush* | *setup*) set -- \"$@\" -f '{}' ;; esac\n\
             exec '{}' -s '{}' \"$@\"",
            conf.display(),
            programs().threatstopctl.display(),
            socket.display()
        );
        let daemon = format!(
            "case $* in *f*) ;; *) set -- \"$@\" -f '{}' ;; esac\nexec '{}' \"$@\"",
            conf.display(),
            programs().threatstopd.display()
        );
        self.program("threatstopctl", &ctl);
        self.program("threatstopd", &daemon);
        let others: BTreeSet<&str> = elsewhere().map(program).collect();
        for name in others.into_iter().filter(|name| !name.contains('/')) {
            self.program(name, if name == "jq" { "exec cat" } else { "exit 0" });
        }
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.root().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        crate::common::set_mode(&path, 0o755);
    }

    /// Types a command, with its files in the directory of this host.
    fn types(&self, command: &str) -> Output {
        let root = self.root().display().to_string();
        let mut moved = at_home(command);
        for before in [" ", ">", "="] {
            moved = moved.replace(&format!("{before}/"), &format!("{before}{root}/"));
        }
        let moved = moved.replace(&format!("{root}/dev/null"), "/dev/null");
        let path = format!("{root}/bin:/usr/bin:/bin");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &moved]).current_dir(self.root()).env("PATH", path);
        run(&mut shell, PATIENCE)
    }
}

#[test]
fn what_is_to_be_typed_works_as_it_is_written() {
    let mut all = 0;
    for (path, every) in DOCUMENTS {
        let is_ours = |command: &str| {
            simple(&at_home(command)).iter().any(|one| OURS.contains(&program(one)))
        };
        let displays = displays(path, &source(path));
        let displays: Vec<Vec<String>> =
            displays.iter().map(|lines| typed(lines, *every)).collect();
        if !displays.iter().flatten().any(|command| is_ours(command)) {
            continue;
        }
        let host = Host::new();
        for commands in displays {
            let mut before = String::new();
            for command in commands {
                if program(&command) == "cd" {
                    before = format!("{command} && ");
                } else if is_ours(&command) {
                    let output = host.types(&format!("{before}{command}"));
                    let no = i32::from(NO.contains(&command.as_str()));
                    let said = format!("{}{}", output.stdout, output.stderr);
                    assert_eq!(output.status.code(), Some(no), "{path}: {command}:\n{said}");
                    all += 1;
                }
            }
        }
    }
    assert!(all >= 25, "only {all} are found");
}

#[test]
fn every_command_is_run_or_has_a_reason_why_not() {
    let (known, mut seen) = (elsewhere().collect::<BTreeSet<_>>(), BTreeSet::new());
    for (path, every) in DOCUMENTS {
        let text = source(path);
        let displays = displays(path, &text);
        let typed = displays.iter().flat_map(|lines| typed(lines, *every));
        for one in typed.chain(quoted(path, &text)).flat_map(|command| simple(&command)) {
            let name = at_home(&one);
            if !OURS.contains(&program(&name)) && !TOOLS.contains(&program(&name)) {
                assert!(
                    known.contains(one.as_str()),
                    "{path}: neither run nor in ELSEWHERE: {one}"
                );
                seen.insert(one);
            }
        }
    }
    let stale: Vec<_> = known.iter().filter(|one| !seen.contains(**one)).collect();
    assert!(stale.is_empty(), "in no document any more: {stale:#?}");
}

#[test]
fn what_is_quoted_is_taken_by_the_programs() {
    let nowhere = tempfile::tempdir().unwrap();
    let file = nowhere.path().join("none");
    let mut seen = BTreeSet::new();
    for (path, _) in DOCUMENTS {
        let ours = quoted(path, &source(path)).into_iter().flat_map(|command| simple(&command));
        for command in ours.filter(|command| OURS.contains(&program(command))) {
            let words: Vec<&str> = command.split_whitespace().skip(1).collect();
            let mut typed = match program(&command) {
                "threatstopctl" => Command::new(&programs().threatstopctl),
                _ => Command::new(&programs().threatstopd),
            };
            if program(&command) == "threatstopctl" {
                typed.arg("-s").arg(&file);
            }
            typed.args(&words);
            let names_a_file =
                |word: &&str| ["doctor", "flush", "setup", "-n", "-nv"].contains(word);
            if words.first().is_some_and(names_a_file) {
                typed.arg("-f").arg(&file);
            }
            let said = run(&mut typed, PATIENCE).stderr;
            let first = said.lines().next().unwrap_or_default();
            // a command that is only named lacks what it is to be about
            let is_taken = !said.contains("usage:") || first.ends_with(" missing");
            assert!(is_taken, "{path}: {command}: {said}");
            seen.insert(words.first().map(|word| (*word).to_owned()));
        }
    }
    assert!(seen.len() >= 12, "only these are found: {seen:?}");
}

/// A crate or an alias that is not there would be found by whoever types it.
#[test]
fn what_cargo_is_told_is_there() {
    let manifest: toml::Table = source("Cargo.toml").parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let is_member = |name: &str| {
        members.iter().any(|member| Path::new(member.as_str().unwrap()).ends_with(name))
    };
    let aliases: toml::Table = source(".cargo/config.toml").parse().unwrap();
    for command in elsewhere().filter(|command| command.contains("cargo ")) {
        let (_, words) = command.split_once("cargo ").unwrap();
        let words: Vec<&str> = words.split(' ').collect();
        let of_cargo = [
            "bench", "build", "clean", "clippy", "deny", "doc", "fetch", "fmt", "test", "tree",
            "update",
        ];
        let known = of_cargo.contains(&words[0]) || aliases["alias"].get(words[0]).is_some();
        assert!(known, "{command}");
        for pair in words.windows(2).filter(|pair| pair[0] == "-p") {
            assert!(pair[1] == "CRATE" || is_member(pair[1]), "{command}");
        }
    }
}
