//! The OpenBSD port, its checker, and the regress suite where OpenBSD is not needed.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tests::harness::programs;
use tests::process::{Output, PATIENCE, run};
use tests::servers::{require_program, say_skipped};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// The checker, of which shellcheck takes ten seconds of a processor to itself.
const CHECKS: Duration = Duration::from_secs(1200);
/// A folder of the regress suite under bmake: half a minute where nothing else runs.
const REGRESS: Duration = Duration::from_secs(1200);

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into()
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// Name, version and checksum of each crate of Cargo.lock that is not ours, in its order.
fn locked() -> Vec<(String, String, String)> {
    let lock: toml::Table = read("Cargo.lock").parse().unwrap();
    let crates = lock["package"].as_array().unwrap().iter().filter_map(|package| {
        let text = |key: &str| package.get(key).map(|value| value.as_str().unwrap().to_owned());
        let source = text("source")?;
        assert_eq!(source, CRATES_IO, "{package}");
        Some((text("name")?, text("version")?, text("checksum").unwrap()))
    });
    crates.collect()
}

/// Octets given in hexadecimal, in base64.
fn base64_of_hex(hex: &str) -> String {
    let octet = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    STANDARD.encode((0..hex.len()).step_by(2).map(octet).collect::<Vec<_>>())
}

/// Read Cargo.lock. Check that crates.inc has each crate of it and no other, in its order, with a
/// licence; and that distinfo has checksum and size of each and nothing else, sorted.
#[test]
fn crates_inc_and_distinfo_are_those_of_cargo_lock() {
    let hint = "Cargo.lock has changed: run port/generate";
    let locked = locked();
    assert!(locked.len() > 50);

    let crates_inc = read("port/crates.inc");
    let listed: Vec<(&str, &str)> = crates_inc
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [variable, name, version, licence] = fields[..] else { panic!("{line}") };
            assert_eq!(variable, "MODCARGO_CRATES +=");
            assert!(licence.strip_prefix("# ").is_some_and(|text| !text.is_empty()), "{line}");
            (name, version)
        })
        .collect();
    let wanted: Vec<(&str, &str)> =
        locked.iter().map(|(name, version, _)| (name.as_str(), version.as_str())).collect();
    assert_eq!(listed, wanted, "{hint}");

    let distinfo = read("port/distinfo");
    let lines: Vec<&str> = distinfo.lines().collect();
    let (sums, sizes) = lines.split_at(locked.len().min(lines.len()));
    assert!(sums.is_sorted() && sizes.is_sorted());
    let file = |name: &str, version: &str| format!("(cargo/{name}-{version}.tar.gz)");
    let wanted: BTreeSet<String> = locked
        .iter()
        .map(|(name, version, hex)| {
            format!("SHA256 {} = {}", file(name, version), base64_of_hex(hex))
        })
        .collect();
    let listed: BTreeSet<String> = sums.iter().map(|&line| line.to_owned()).collect();
    assert_eq!(listed, wanted, "{hint}");

    let wanted: BTreeSet<String> =
        locked.iter().map(|(name, version, _)| file(name, version)).collect();
    let listed: BTreeSet<String> = sizes
        .iter()
        .map(|line| {
            let (file, size) = line.strip_prefix("SIZE ").unwrap().split_once(" = ").unwrap();
            assert!(size.parse::<u64>().unwrap() > 0, "{line}");
            file.to_owned()
        })
        .collect();
    assert_eq!(listed, wanted, "{hint}");
}

/// The entries of a tar file (POSIX.1, ustar): type, name, mode, uid, gid, mtime.
fn tar_entries(tar: &[u8]) -> Vec<(u8, String, u64, u64, u64, u64)> {
    let mut entries = Vec::new();
    let mut rest = tar;
    while rest.len() >= 512 && rest[0] != 0 {
        let header = &rest[..512];
        let text = |at: usize, len: usize| {
            let field = header[at..at + len].split(|&octet| octet == 0).next().unwrap();
            String::from_utf8(field.to_vec()).unwrap()
        };
        let number = |at, len| u64::from_str_radix(text(at, len).trim(), 8).unwrap();
        let name = [text(345, 155), text(0, 100)].join("/");
        let name = name.trim_start_matches('/').to_owned();
        let fields = [number(100, 8), number(108, 8), number(116, 8), number(136, 12)];
        entries.push((header[156], name, fields[0], fields[1], fields[2], fields[3]));
        let octets = usize::try_from(number(124, 12)).unwrap();
        rest = &rest[(512 + octets.next_multiple_of(512)).min(rest.len())..];
    }
    entries
}

/// Make the distribution file of the commit at hand twice, with another time zone, umask and
/// directory. Check that both are the same octets; that the names are sorted and under
/// threatstopd-VERSION/, Cargo.lock among them; and that owner, time and modes tell nothing of
/// who made it.
#[test]
fn the_distribution_file_is_reproducible() {
    let Some(git) = require_program("git") else { return };
    let mut inside = Command::new(git);
    inside.current_dir(workspace()).args(["cat-file", "-e", "HEAD:port/dist"]);
    if !run(&mut inside, PATIENCE).status.success() {
        say_skipped("not in a git checkout");
        return;
    }
    let make = |zone: &str, umask: &str, from: &Path| {
        let dir = tempfile::tempdir().unwrap();
        let mut sh = Command::new("/bin/sh");
        sh.current_dir(from).env("TZ", zone);
        sh.args(["-c", "umask $1 && exec \"$2\" \"$3\"", "sh", umask]);
        sh.arg(workspace().join("port/dist")).arg(dir.path());
        let output = run(&mut sh, PATIENCE);
        assert!(output.status.success(), "{}", output.stderr);
        let name = format!("threatstopd-{}.tar.gz", env!("CARGO_PKG_VERSION"));
        let files: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, [name.as_str()], "something else is left in the directory");
        fs::read(dir.path().join(name)).unwrap()
    };
    let file = make("UTC", "022", &workspace());
    assert!(file == make("Pacific/Auckland", "077", Path::new("/")), "not the same twice");

    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(&file[..]).read_to_end(&mut tar).unwrap();
    let mut entries = tar_entries(&tar);
    // the commit's id, which git puts first
    assert_eq!(entries.remove(0).0, b'g');
    let prefix = format!("threatstopd-{}/", env!("CARGO_PKG_VERSION"));
    let time = entries[0].5;
    for (kind, name, mode, uid, gid, mtime) in &entries {
        assert!(name.starts_with(&prefix), "{name}");
        assert_eq!((*uid, *gid, *mtime), (0, 0, time), "{name}");
        let modes: &[u64] = if *kind == b'5' { &[0o755] } else { &[0o644, 0o755] };
        assert!(modes.contains(mode), "{name}: {mode:o}");
    }
    assert!(entries.is_sorted_by_key(|entry| &entry.1));
    assert!(entries.iter().any(|entry| entry.1 == format!("{prefix}Cargo.lock")));
}

fn check_port(arguments: &[&str], tree: &Path) -> Output {
    run(Command::new(workspace().join(".ci/check-port")).args(arguments).arg(tree), CHECKS)
}

/// Check that the checker has nothing to say about the tree.
#[test]
fn the_port_passes_its_checker() {
    let output = check_port(&[], &workspace());
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

/// What the checker reads, in a directory of its own.
fn copied_tree() -> tempfile::TempDir {
    let (from, to) = (workspace(), tempfile::tempdir().unwrap());
    for path in ["port", "rc.d", "etc", "regress", "Cargo.toml", "Cargo.lock"] {
        copy(&from.join(path), &to.path().join(path));
    }
    for entry in fs::read_dir(from.join("src")).unwrap() {
        let dir = entry.unwrap().path();
        for file in fs::read_dir(&dir).into_iter().flatten() {
            let file = file.unwrap().path();
            let wanted = ["toml", "5", "8"].map(std::ffi::OsStr::new);
            if file.is_file() && file.extension().is_some_and(|ext| wanted.contains(&ext)) {
                copy(&file, &to.path().join(file.strip_prefix(&from).unwrap()));
            }
        }
    }
    to
}

/// A mistake: in which file, what is replaced by what, and words of the checker's line about it.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

const MAKEFILE: &str = "port/Makefile";
const PLIST: &str = "port/pkg/PLIST";
const README: &str = "port/pkg/README";
const README_DEV: &str = "port/README-dev";
const UNMESSAGE: &str = "port/pkg/UNMESSAGE";
const RC: &str = "rc.d/threatstopd";
const LIB: &str = "regress/lib.sh";
const PF: &str = "etc/pf.conf.threatstop";

const EXTRA: &str = "@extraunexec rm -rf ${LOCALSTATEDIR}/threatstop/* \
                     ${LOCALSTATEDIR}/threatstop/.[!.]* ${LOCALSTATEDIR}/threatstop.lock\n";

const MISTAKES: &[Mistake] = &[
    (MAKEFILE, "client for pf", "client for pf with much too long a comment", "more than 60"),
    (MAKEFILE, "client for pf", "client for pf.", "ends with a dot"),
    (MAKEFILE, "\tblock lists", "\tThe block lists", "begins with an article"),
    (MAKEFILE, "COMMENT =\t", "COMMENT=\t", "a blank before ="),
    (MAKEFILE, "# ISC\n", "", "the licence"),
    (MAKEFILE, "SITES =\t", "MASTER_SITES =\t", "obsolete"),
    (MAKEFILE, "V =\t\t0", "V =\t\t9", "not that of Cargo.toml"),
    (MAKEFILE, "riscv64", "riscv64 sparc64", "on which ring builds"),
    (MAKEFILE, "etc/pf.conf.threatstop ", "etc/pf.threatstop ", "not in the tree"),
    (MAKEFILE, "RELEASE}/threatstopctl", "RELEASE}/threatstop", "no such program"),
    (MAKEFILE, " -p engine", "", "its package is not built"),
    (MAKEFILE, "-p apl -p feed -p pflog -p policy -p prefix", "", "not -p and a package of src"),
    (MAKEFILE, "-p prefix", "-p tests", "not -p and a package of src"),
    (MAKEFILE, "MODULES =\tdevel/cargo\n", "", "no MODULES"),
    (MAKEFILE, "# ISC\n", "MAINTAINER =\tWe <we@example.invalid>\n\n# ISC\n", "can be reached"),
    (MAKEFILE, "# ISC\n", "MAINTAINER =\tsomebody\n\n# ISC\n", "not Name <address>"),
    (MAKEFILE, "${PREFIX}/sbin/", "/usr/local/sbin/", "not /usr/local"),
    (PLIST, "@bin sbin/threatstopctl\n", "", "installed and not listed"),
    (PLIST, "@bin sbin/threatstopd\n", "@bin sbin/threatstopd\n@bin sbin/tsd\n", "not installed"),
    (PLIST, "@bin sbin/threatstopctl", "sbin/threatstopctl", "needs @bin"),
    (PLIST, "@man man/man5", "man/man5", "needs @man"),
    (PLIST, "@bin libexec/threatstopd-engine\n", "", "installed and not listed"),
    (PLIST, "@bin libexec/threatstopd-states\n", "", "installed and not listed"),
    (PLIST, "@mode 0600\n", "@mode 0644\n", "not 0600 root wheel"),
    (PLIST, "@mode 0700\n", "", "not 0700 _threatstop"),
    (PLIST, "stop.lock\n", "stop.lock\n@mode\n@owner\n@group\n", "update-plist drops"),
    (PLIST, EXTRA, "", "no @extraunexec"),
    (PLIST, "-rf ${LOCALSTATEDIR}/", "-rf ${LOCALSTATEDIR}/db/", "not what empties the sample"),
    (PLIST, " ${LOCALSTATEDIR}/threatstop/.[!.]*", "", "not what empties the sample"),
    (PLIST, " ${LOCALSTATEDIR}/threatstop.lock", "", "not what empties the sample"),
    (
        PLIST,
        "@mode 0700\n",
        "@extraunexec rm -rf ${LOCALSTATEDIR}/threatstop/*\n@mode 0700\n",
        "above",
    ),
    (PLIST, "@sample ${LOCALSTATEDIR}/db/threatstop/\n", "", "no @sample"),
    (PLIST, "_threatstop:990:_threatstop", "_threatstop:991:_threatstop", "not the number"),
    (PLIST, "_threatstop:990\n", "_threatstop:900\n", "not the number"),
    (PLIST, ":990:_threatstop", ":900:_threatstop", "may be another's"),
    (PLIST, "/sbin/nologin", "/bin/ksh", "may log in"),
    (PLIST, "@owner _threatstop", "@owner _other", "neither of base"),
    (PLIST, "@rcscript", "@exec rcctl enable threatstopd\n@rcscript", "runs nothing"),
    (PLIST, "share/doc/", "@extra /var/db/threatstop/x.pftable\nshare/doc/", "removes nothing"),
    (PLIST, "${RCDIR}/threatstopd", "${RCDIR}/threat-stopd", "letters, digits"),
    (PLIST, "sbin/threatstopd\n", "/usr/local/sbin/threatstopd\n", "absolute"),
    ("port/pkg/DESCR", "account", "acc\u{f6}unt", "ASCII"),
    ("port/pkg/DESCR", "pf(4), follows", "pf(4), no more and no less, follows", "wider"),
    ("port/pkg/DESCR", "the hits of a\n", "the hits of a \n", "a blank at the end"),
    (README, "# threatstopctl setup\n", "# true\n", "threatstopctl setup"),
    (README, "    # pfctl -nf /etc/pf.conf\n", "", "pfctl -nf"),
    (README, "# rcctl stop threatstopd", "# rcctl stop other", "rcctl stop"),
    (README, "${TRUEPREFIX}", "${TRUE_PREFIX}", "not a variable"),
    (README, "\n==========\n", "\n=========\n", "not as long"),
    (README, "${LOCALSTATEDIR}/db/", "/var/db/", "not /var but"),
    (README, "${TRUEPREFIX}/share", "/usr/local/share", "not /usr/local"),
    (README, "umask 077", "umask 022", "umask 077"),
    (README, ">threatstopd.toml.new", ">threatstopd.toml", "Coming from the old scripts"),
    (README, "        threatstopd -nf threatstopd.toml.new &&\n", "", "threatstopd -nf"),
    (UNMESSAGE, "${LOCALSTATEDIR}/threatstop", "/var/threatstop", "not /var but"),
    (
        UNMESSAGE,
        "${LOCALSTATEDIR}/threatstop\t",
        "that\t",
        "LOCALSTATEDIR}/threatstop.lock\" is missing",
    ),
    (UNMESSAGE, "pkill -x threatstopd", "rcctl stop threatstopd", "pkill"),
    (UNMESSAGE, "${LOCALSTATEDIR}/db", "${LOCALSTATE}/db", "not a variable"),
    (README_DEV, "$ make makesum\n", "$ make fetch\n", "make makesum"),
    (README_DEV, "990 _threatstop", "991 _threatstop", "990 _threatstop"),
    (README_DEV, "\tsecurity/", "\tnet/", "security/threatstopd"),
    (README_DEV, "db/user.list\n", "db/users\n", "db/user.list"),
    (RC, "\n. /etc/rc.d/rc.subr\n", "\n", "rc.subr is not read"),
    (RC, "rc_cmd $1", "rc_cmd $1\n", "does not end with"),
    (RC, "rc_cmd $1", "daemon_flags=-v\nrc_cmd $1", "stands behind rc.subr"),
    (RC, "daemon=", "pexp=x\ndaemon=", "stands before rc.subr"),
    (RC, "daemon=", "set -e\ndaemon=", "does not belong there"),
    (RC, "sbin/threatstopd", "bin/threatstopd", "differs from"),
    (RC, "#!/bin/ksh\n\n", "#!/bin/ksh\n", "does not begin with"),
    (PF, "block in log", "block in", "rules are not"),
    (PF, "set limit", "#set limit", "no limit above"),
    (PF, "db/threatstop/ThreatSTOP-Block", "db/ThreatSTOP-Block", "no line table"),
    ("regress/pf/Makefile", "limit ", "limits ", "no limits.sh"),
    ("regress/pf/Makefile", "BY_HAND =\tspeed", "BY_HAND =\tspeeds", "speed.sh: not a case"),
    ("regress/pf/limit.sh", "# Start", "# start", "its steps"),
    ("regress/config/Makefile", "syntax ", "", "not a pair"),
    ("regress/fetch/update.sh", "-e '^Adding' -e '", "'^Adding\\|", "GNU"),
    (LIB, "\nstop_service()", "\nstop()", "alias in ksh"),
    (LIB, "\tlocal since\n", "", "stop_service() assigns since"),
    (LIB, "\tlocal name\n", "", "load_anchor() assigns name"),
    (LIB, "\tmonitor=$!\n", "\tmonitor=$! && begun=\"$(date)\"\n", "start() assigns begun"),
    (LIB, "\tshift 2\n", "\tread -r line <&-\n", "wait_for() assigns line"),
    (LIB, "shift 2\n\tuntil", ": \"${often:=2}\"\n\tuntil", "wait_for() assigns often"),
    ("regress/net.sh", "\tlogs_to=pflog", "\tdir=pflog", "start_pflogd() assigns dir"),
];

/// Copy what the checker reads. Make each mistake in turn.
/// Check that the checker fails and names it; and that it has nothing to say once all are mended.
#[test]
fn the_checker_finds_planted_mistakes() {
    let tree = copied_tree();
    for &(file, from, to, words) in MISTAKES {
        let path = tree.path().join(file);
        let before = fs::read_to_string(&path).unwrap();
        let after = before.replacen(from, to, 1);
        assert_ne!(before, after, "{file} has no \"{from}\" any more");
        fs::write(&path, after).unwrap();
        let output = check_port(&["-n"], tree.path());
        fs::write(&path, before).unwrap();
        let said = output.stdout + &output.stderr;
        assert_eq!(output.status.code(), Some(1), "{file}: \"{to}\" is not found");
        assert!(said.lines().any(|line| line.contains(words)), "{file}: \"{to}\":\n{said}");
    }
    let output = check_port(&["-n"], tree.path());
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
}

/// Make mistakes in five scripts that only their interpreters find, where there are few others: that all
/// of the suite is read is shown above, and takes its time.
/// Check that the checker fails and names each script.
#[test]
fn the_checker_asks_the_interpreters() {
    if ["mksh", "shellcheck"].iter().any(|name| require_program(name).is_none()) {
        return;
    }
    let tree = copied_tree();
    for entry in fs::read_dir(tree.path().join("regress")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("rc") {
            fs::remove_dir_all(path).unwrap();
        }
    }
    let mistakes = [
        (RC, "rc_exec \"", "if rc_exec \"", "mksh -n rc.d/threatstopd: failed"),
        ("port/dist", "[ -d \"$1\" ]", "[ -d $1 ]", "In port/dist line"),
        ("port/generate", "use strict;", "use strict; $undeclared = 1;", "perl -c port/generate"),
        ("regress/rc/script.sh", "$ksh -n", "if $ksh -n", "mksh -n regress/rc/script.sh: failed"),
        // of names that come from lib.sh it is known which, that this one has blanks or not, and no other
        ("regress/rc/pattern.sh", "found=$(", "unused=$(", "unused appears unused"),
        ("regress/rc/pattern.sh", "\nstart\n", "\nBLOCK=$conf\nstart $sock\n", "-^ SC2086"),
        ("regress/rc/pattern.sh", "\nstop_service", "\necho \"$dirs\"", "dirs is referenced but"),
    ];
    for (file, from, to, _) in mistakes {
        let path = tree.path().join(file);
        let before = fs::read_to_string(&path).unwrap();
        let after = before.replacen(from, to, 1);
        assert_ne!(before, after, "{file} has no \"{from}\" any more");
        fs::write(&path, after).unwrap();
    }
    let output = check_port(&[], tree.path());
    assert_eq!(output.status.code(), Some(1));
    for (_, _, _, words) in mistakes {
        assert!(output.stdout.contains(words), "no \"{words}\" in:\n{}", output.stdout);
    }
    for known in ["BLOCK appears", "conf is referenced", "monitor is referenced"] {
        assert!(!output.stdout.contains(known), "\"{known}\" in:\n{}", output.stdout);
    }
}

/// Run the regress suite with bmake and the programs at hand, its folders beside one another.
/// Check that nothing fails, and that nothing but what needs OpenBSD is skipped.
#[test]
fn the_regress_suite_passes_where_openbsd_is_not_needed() {
    // there make(1) runs all of it
    if cfg!(target_os = "openbsd") {
        return;
    }
    let (Some(bmake), Some(nsd)) = (require_program("bmake"), require_program("nsd")) else {
        return;
    };
    let programs = programs();
    let makefile = read("regress/Makefile");
    let (_, folders) = makefile.split_once("SUBDIR =").unwrap();
    let folders: Vec<&str> = folders.lines().next().unwrap().split_whitespace().collect();
    let runs = |folder: &str| {
        // one stream, so that what a case says of its failure stands behind its name
        let mut make = Command::new("sh");
        make.args(["-c", "exec \"$@\" 2>&1", "sh"]).arg(&bmake);
        make.current_dir(workspace().join("regress"));
        make.arg("-m").arg(workspace().join("regress/mk")).args(["-m", "/usr/share/mk"]);
        make.arg(format!("SUBDIR={folder}")).arg("regress");
        make.env_remove("MAKEFLAGS").env("NSD", &nsd);
        make.env("THREATSTOPD", &programs.threatstopd);
        make.env("THREATSTOPCTL", &programs.threatstopctl);
        run(&mut make, REGRESS)
    };
    let outputs: Vec<Output> = thread::scope(|scope| {
        let all: Vec<_> = folders.iter().map(|folder| scope.spawn(|| runs(folder))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let said: String = outputs.iter().map(|output| output.stdout.as_str()).collect();
    let failed: Vec<&str> =
        said.split("==== run-").filter(|case| case.lines().any(|line| line == "FAILED")).collect();
    assert!(failed.is_empty(), "{}", failed.join("==== run-"));
    assert!(outputs.iter().all(|output| output.status.success()), "{said}");
    for folder in folders {
        assert!(said.contains(&format!("===> {folder}\n")), "{folder}: {said}");
    }
    let skipped = |line: &&str| line.contains("SKIPPED");
    for line in said.lines().filter(skipped) {
        assert!(line == "SKIPPED: needs OpenBSD" || line == "SKIPPED", "{line}\n{said}");
    }
    assert!(said.matches("==== run-").count() >= 40, "{said}");
    assert!(!said.contains("speed"), "what is to be run by hand was run: {said}");
}

/// Ask for what of the suite is to be run by hand. Check that it says why it does not here.
#[test]
fn what_is_run_by_hand_says_what_it_needs() {
    if cfg!(target_os = "openbsd") {
        return;
    }
    let Some(bmake) = require_program("bmake") else { return };
    let programs = programs();
    let mut make = Command::new(bmake);
    make.current_dir(workspace().join("regress/pf"));
    make.arg("-m").arg(workspace().join("regress/mk")).args(["-m", "/usr/share/mk", "speed"]);
    make.env_remove("MAKEFLAGS").env("NSD", "/bin/sh");
    make.env("THREATSTOPD", &programs.threatstopd).env("THREATSTOPCTL", &programs.threatstopctl);
    let output = run(&mut make, REGRESS);
    assert_eq!(
        (output.status.code(), output.stdout.as_str()),
        (Some(0), "SKIPPED: needs OpenBSD\n")
    );
}
