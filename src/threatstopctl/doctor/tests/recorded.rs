//! A host as it was found once: OpenBSD 7.8 with the lines of `setup` in its pf.conf.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use control::{Attempt, Status};
use prefix::Prefix;

use crate::doctor::host::{Host, Kind, Stat};
use crate::doctor::process::Output;
use crate::tests::full_status;

/// When it was looked at.
pub const NOW: u64 = 1_795_000_000;
pub const CONFIG: &str = "/etc/threatstopd.toml";
pub const ALLOW: &str = "/var/db/threatstop/ThreatSTOP-Allow.pftable";
pub const BLOCK: &str = "/var/db/threatstop/ThreatSTOP-Block.pftable";
const ENGINE: u32 = 880;

/// What `pfctl -s info` begins with (`print_status()` in sbin/pfctl/pfctl_parser.c).
const ENABLED: &str = "\
Status: Enabled for 12 days 03:14:15             Debug: err

State Table                          Total             Rate
  current entries                       37               
  half-open tcp                          0               
  searches                        24211508           23.1/s
  inserts                           132377            0.1/s
  removals                          132340            0.1/s
Counters
  match                             157093            0.1/s
  bad-offset                             0            0.0/s
";

/// The same after `pfctl -d`.
pub const DISABLED: &str = "\
Status: Disabled for 0 days 00:00:07             Debug: err

State Table                          Total             Rate
  current entries                        0               
  half-open tcp                          0               
";

/// What `pfctl -s memory` prints (`pfctl_show_limits()` in sbin/pfctl/pfctl.c).
pub const LIMITS: &str = "\
states        hard limit   100000
src-nodes     hard limit    10000
frags         hard limit    65536
tables        hard limit     1000
table-entries hard limit   400000
pktdelay-pkts hard limit    10000
anchors       hard limit      512
";

/// What `pfctl -a '*' -sr` prints.
pub const RULES: &str = "\
pass in log quick from <ThreatSTOP-Allow> to any flags S/SA
pass out log quick from any to <ThreatSTOP-Allow> flags S/SA
block drop in log quick from <ThreatSTOP-Block> to any
block drop out log quick from any to <ThreatSTOP-Block>
block return all
pass all flags S/SA
anchor \"relayd/*\" all {
}
block return in on ! lo0 proto tcp from any to any port 6000:6010
block return out log proto tcp all user = 55
";

/// What `pfctl -v -s Interfaces` prints (`print_iface()` in sbin/pfctl/pfctl_table.c).
pub const INTERFACES: &str = "\
all
egress
em
em0
em1
enc
enc0
lo (skip)
lo0 (skip)
pflog
pflog0
";

/// What ifconfig(8) prints.
const EGRESS: &str = "\
em0: flags=808843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,AUTOCONF4> mtu 1500
\tlladdr 52:54:00:12:34:56
\tindex 1 priority 0 llprio 3
\tgroups: egress
\tmedia: Ethernet autoselect (1000baseT full-duplex,master)
\tstatus: active
\tinet 192.0.2.10 netmask 0xffffff00 broadcast 192.0.2.255
";

/// As much of /etc/ssl/cert.pem as is looked at.
const CERTIFICATES: &str = "### A name\n-----BEGIN CERTIFICATE-----\nMIIB\n";

const BLOCKED: &str = "198.51.100.0/24\n203.0.113.7\n2001:db8:bad::/48\n2001:db8:f00::1\n";

/// A recorded host.
pub struct Recorded {
    pub uid: u32,
    pub now: u64,
    /// Nothing else is there.
    pub files: BTreeMap<PathBuf, (Stat, Vec<u8>)>,
    /// By command line; no other is run.
    pub programs: BTreeMap<String, Result<Output, String>>,
    pub status: Result<Status, String>,
}

/// A regular file of an hour ago.
pub fn file(mode: u32, uid: u32) -> Stat {
    Stat { kind: Kind::File, mode, uid, mtime: NOW - 3600 }
}

pub fn dated(stat: Stat, mtime: u64) -> Stat {
    Stat { mtime, ..stat }
}

impl Recorded {
    /// Everything is in order.
    pub fn fine() -> Self {
        let directory = |mode, uid| Stat { kind: Kind::Directory, ..file(mode, uid) };
        let files = [
            (CONFIG, file(0o600, 0), "device_id = \"tdid_abcd1234\"\n"),
            ("/var/db/threatstop", directory(0o700, 0), ""),
            (ALLOW, file(0o600, 0), "192.0.2.53\n"),
            (BLOCK, file(0o600, 0), BLOCKED),
            ("/var/threatstop", directory(0o700, ENGINE), ""),
            ("/var/log/pflog", dated(file(0o600, 0), NOW - 42), ""),
            ("/sbin/pfctl", file(0o555, 0), ""),
            ("/etc/ssl/cert.pem", file(0o444, 0), CERTIFICATES),
        ];
        let files = files.map(|(path, stat, text)| (path.into(), (stat, text.into())));
        let mut host = Self {
            uid: 0,
            now: NOW,
            files: files.into(),
            programs: BTreeMap::new(),
            status: Ok(status()),
        };
        host.says("/usr/bin/id -u _threatstop", "880\n");
        host.says("/sbin/pfctl -s info", ENABLED);
        host.says("/sbin/pfctl -s memory", LIMITS);
        host.says("/sbin/pfctl -a * -sr", RULES);
        host.says("/sbin/pfctl -v -s Interfaces", INTERFACES);
        host.says("/sbin/ifconfig egress", EGRESS);
        host.shows("ThreatSTOP-Allow", "192.0.2.53\n");
        host.shows("ThreatSTOP-Block", BLOCKED);
        host.says("/usr/bin/pgrep -x pflogd", "51822\n69012\n");
        host.says("/usr/sbin/rcctl get threatstopd status", "");
        host
    }

    /// Lets a program print something and end well.
    pub fn says(&mut self, command: &str, stdout: &str) {
        let output = Output { status: Some(0), stdout: stdout.into(), stderr: String::new() };
        self.programs.insert(command.into(), Ok(output));
    }

    /// Lets a program complain and end so.
    pub fn exits(&mut self, command: &str, status: i32, stderr: &str) {
        let output = Output { status: Some(status), stdout: String::new(), stderr: stderr.into() };
        self.programs.insert(command.into(), Ok(output));
    }

    /// Sets the content of a table, one entry a line, as pfctl prints it.
    pub fn shows(&mut self, table: &str, entries: &str) {
        let line = |entry: &str| match entry.strip_prefix('!') {
            Some(entry) => format!("  !{entry}\n"),
            None => format!("   {entry}\n"),
        };
        let lines: String = entries.lines().map(line).collect();
        self.says(&format!("/sbin/pfctl -t {table} -T show"), &lines);
    }

    /// Leaves out the rules that are not to stay.
    pub fn rules(&mut self, stays: impl Fn(&str) -> bool) {
        let rules: String =
            RULES.lines().filter(|rule| stays(rule)).map(|rule| format!("{rule}\n")).collect();
        self.says("/sbin/pfctl -a * -sr", &rules);
    }

    /// Changes words of the rules, which must be there.
    pub fn replace_rules(&mut self, from: &str, to: &str) {
        let rules = self.programs["/sbin/pfctl -a * -sr"].clone().unwrap().stdout;
        assert!(rules.contains(from), "{from}");
        self.says("/sbin/pfctl -a * -sr", &rules.replace(from, to));
    }

    /// What is at a path, to change it.
    pub fn at(&mut self, path: &str) -> &mut Stat {
        &mut self.files.get_mut(Path::new(path)).unwrap().0
    }

    /// Sets the content of a file.
    pub fn text(&mut self, path: &str, text: &str) {
        self.files.get_mut(Path::new(path)).unwrap().1 = text.into();
    }
}

impl Host for Recorded {
    fn uid(&self) -> u32 {
        self.uid
    }

    fn now(&self) -> u64 {
        self.now
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.lstat(path)
    }

    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        let found = self.files.get(path).map(|(stat, _)| *stat);
        // ENOENT
        found.ok_or_else(|| io::Error::from_raw_os_error(2))
    }

    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        self.lstat(path)?;
        let (_, text) = &self.files[path];
        assert!(text.len() <= most, "{}", path.display());
        Ok(text.clone())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<Output, String> {
        let command = format!("{program} {}", arguments.join(" "));
        let output = self.programs.get(&command);
        output.unwrap_or_else(|| panic!("{command} is not recorded")).clone()
    }

    fn networks(&self) -> Vec<Prefix> {
        // as EGRESS
        vec!["192.0.2.0/24".parse().unwrap()]
    }

    fn ask(&self) -> Result<Status, String> {
        self.status.clone()
    }
}

/// A daemon that has nothing to warn of.
fn status() -> Status {
    let mut status = full_status();
    status.version = env!("CARGO_PKG_VERSION").into();
    status.pf.warnings.clear();
    status.pf.ways_out.clear();
    status.pf.mended.clear();
    let text = "Log file uploaded successfully for tdid_abcd1234".into();
    status.upload.last = Some(Attempt { at: NOW - 180, ok: true, text });
    status.upload.last_good = Some(NOW - 180);
    status.upload.failing = None;
    status
}
