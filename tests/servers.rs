//! Real DNS servers on 127.0.0.1, fed with the zones of the simulated service.
//!
//! What they do with an answer that does not fit in a message (seen with the versions of Debian 12,
//! over TCP, with and without EDNS): NSD 4.6.1 sends NOERROR with TC=1 and an empty answer, as
//! PowerDNS 4.3 to 4.6 did; PowerDNS 4.7.3 closes the connection. NSD 4.6.1 reads no more than 64
//! items into one APL record; PowerDNS 4.7.3 answers SERVFAIL for an APL record without items.

mod nsd;
mod pdns;
mod zonefile;

use std::env;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::Process;
use crate::sim::{Client, Zone, rtype};

pub use nsd::Nsd;
pub use pdns::PowerDns;

/// How long a server may take until it answers; both need well under a second.
const START: Duration = Duration::from_secs(20);
/// Another program may take a port between its being found free and its being used.
const ATTEMPTS: usize = 3;

/// Finds a program of the system.
///
/// When it is missing, a line on stderr says that the test is skipped, also when the output of tests
/// is captured. Under CI=true a missing program is a failure: there nothing may be skipped.
pub fn require_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = find(name, &path);
    if found.is_none() {
        report_missing(name, env::var_os("CI").as_deref());
    }
    found
}

fn report_missing(name: &str, ci: Option<&OsStr>) {
    let why = format!("{name} is not installed");
    assert!(ci != Some(OsStr::new("true")), "SKIPPED: {why}, and CI is true");
    say_skipped(&why);
}

/// Says on stderr that a test, or a part of one, is skipped, and why.
pub fn say_skipped(why: &str) {
    // Not eprintln!, which the test runner captures.
    writeln!(io::stderr(), "SKIPPED: {why}").expect("write to stderr");
}

/// Looks in PATH and where administrators' programs are, which is often not in it.
fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(path).chain(system).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// A server that runs in a directory of its own until it is dropped.
#[derive(Debug)]
struct Running {
    addr: SocketAddr,
    process: Process,
    // Dropped after the process.
    _dir: tempfile::TempDir,
}

impl Running {
    /// Starts a server: `prepare` writes its files for an address into a directory and gives the
    /// command. Returns when the zone's SOA record is answered.
    fn start(zone: &Zone, prepare: impl Fn(&Path, SocketAddr) -> Command) -> Self {
        let mut failures = String::new();
        for _ in 0..ATTEMPTS {
            let dir = tempfile::Builder::new().prefix("threatstopd-dns-").tempdir();
            let dir = dir.expect("make a directory for a DNS server");
            let addr = free_addr();
            let process = Process::spawn(&mut prepare(dir.path(), addr));
            match wait_until_ready(&process, addr, zone.origin()) {
                Ok(()) => return Self { addr, process, _dir: dir },
                Err(why) => failures += &format!("{why}\n{}", process.output()),
            }
        }
        panic!("the DNS server does not come up:\n{failures}");
    }
}

fn wait_until_ready(process: &Process, addr: SocketAddr, origin: &str) -> Result<(), String> {
    let deadline = Instant::now() + START;
    loop {
        let asked = Client::connect(addr).map_err(|why| why.to_string());
        let why = match asked.and_then(|mut client| client.ask(origin, rtype::SOA)) {
            Ok(reply) if reply.answers.len() == 1 => return Ok(()),
            Ok(reply) => format!("{origin}: response code {}, no SOA record", reply.rcode()),
            Err(why) => why,
        };
        if process.has_ended() || Instant::now() > deadline {
            return Err(why);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn free_addr() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind a port of 127.0.0.1");
    listener.local_addr().expect("address of a bound socket")
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
}

#[cfg(test)]
mod tests;
