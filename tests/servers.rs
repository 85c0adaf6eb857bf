//! Servers of the system on 127.0.0.1; among them real DNS servers, fed with the zones of the
//! simulated service.
//!
//! What they do with an answer that does not fit in a message (seen with the versions of Debian 12,
//! over TCP, with and without EDNS): NSD 4.6.1 sends NOERROR with TC=1 and an empty answer, as
//! PowerDNS 4.3 to 4.6 did; PowerDNS 4.7.3 closes the connection. NSD 4.6.1 reads no more than 64
//! items into one APL record; PowerDNS 4.7.3 answers SERVFAIL for an APL record without items.
//!
//! * In: programs of this system, and the zones of the simulated service.
//! * Out: servers that listen on 127.0.0.1, or a word that the program is missing.
//! * Never: listen anywhere else, or use a file of the system's own servers.

mod nginx;
mod nsd;
mod pdns;
mod zonefile;

use std::env;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::Process;
use crate::sim::{Client, rtype};

pub use nginx::{nginx, nginx_of_lists, write_certificates};
pub use nsd::Nsd;
pub use pdns::PowerDns;

/// How long a server may take until it answers, on a machine that is busy with other things.
const START: Duration = Duration::from_secs(120);
/// Another program may take a port between its being found free and its being used.
const ATTEMPTS: usize = 3;
/// Below those that Linux hands out by itself (ip(7), ip_local_port_range): what connects or binds
/// port 0 meanwhile does not take one of these.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

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

/// Finds a Python that has a module, or says what is missing as [`require_program`] does. The first of
/// PATH may be another one than that of the system, for which packages are installed.
pub fn require_python(module: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let first = find("python3", &path);
    let all = first.into_iter().chain([PathBuf::from("/usr/bin/python3")]);
    let has_it = |python: &PathBuf| {
        let mut command = Command::new(python);
        let status = command.args(["-c", &format!("import {module}")]).output();
        status.is_ok_and(|output| output.status.success())
    };
    let found = all.into_iter().find(has_it);
    if found.is_none() {
        report_missing(&format!("{module} of Python"), env::var_os("CI").as_deref());
    }
    found
}

fn report_missing(name: &str, ci: Option<&OsStr>) {
    let why = format!("{name} is not installed");
    assert!(ci != Some(OsStr::new("true")), "SKIPPED: {why}, and CI is true");
    say_skipped(&why);
}

/// Says on stderr that a test, or a part of one, is skipped, which, and why. CI reads the line: what was
/// skipped as nobody has to run as root.
pub fn say_skipped(why: &str) {
    // Not eprintln!, which the test runner captures; whole at once, for others write there, too.
    io::stderr().write_all(skipped(why).as_bytes()).expect("write to stderr");
}

/// The test runner gives each thread the name of its test.
fn skipped(why: &str) -> String {
    let thread = thread::current();
    match thread.name() {
        Some(test) if test != "main" => format!("SKIPPED: {test}: {why}\n"),
        _ => format!("SKIPPED: {why}\n"),
    }
}

/// Looks in PATH and where administrators' programs are, which is often not in it.
fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(path).chain(system).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// A server that runs in a directory of its own until it is dropped.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    process: Process,
    dir: tempfile::TempDir,
}

impl Server {
    /// Starts a server: `prepare` writes its files for an address into a directory and gives the
    /// command, and `ask` tries whether it answers there. Returns when it does; panics with what the
    /// server has said when it does not come up.
    pub fn start(
        prepare: impl Fn(&Path, SocketAddr) -> Command,
        ask: impl Fn(SocketAddr) -> Result<(), String>,
    ) -> Self {
        let mut failures = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_at(free_addr(), &prepare, &ask) {
                Ok(server) => return server,
                Err(why) => failures += &why,
            }
        }
        panic!("the server does not come up:\n{failures}");
    }

    /// The same at the address that one had before.
    pub fn start_at(
        addr: SocketAddr,
        prepare: impl Fn(&Path, SocketAddr) -> Command,
        ask: impl Fn(SocketAddr) -> Result<(), String>,
    ) -> Self {
        Self::try_at(addr, &prepare, &ask)
            .unwrap_or_else(|why| panic!("the server does not come up again:\n{why}"))
    }

    fn try_at(
        addr: SocketAddr,
        prepare: &impl Fn(&Path, SocketAddr) -> Command,
        ask: &impl Fn(SocketAddr) -> Result<(), String>,
    ) -> Result<Self, String> {
        let dir = tempfile::Builder::new().prefix("threatstopd-server-").tempdir();
        let dir = dir.expect("make a directory for a server");
        let process = Process::spawn(&mut prepare(dir.path(), addr));
        match wait_until_ready(&process, || ask(addr)) {
            Ok(()) => Ok(Self { addr, process, dir }),
            Err(why) => Err(format!("{why}\n{}", process.output())),
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The directory with its files.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The server itself, with what it has said.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

fn wait_until_ready(process: &Process, ask: impl Fn() -> Result<(), String>) -> Result<(), String> {
    let deadline = Instant::now() + START;
    loop {
        let answer = ask();
        // one that could not have its port would leave the answer to whoever has it
        if answer.is_ok() && !process.has_ended() {
            return Ok(());
        }
        if process.has_ended() || Instant::now() > deadline {
            return answer.and(Err("another program answers".to_string()));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether anybody listens there.
pub fn accepts(addr: SocketAddr) -> Result<(), String> {
    TcpStream::connect(addr).map(drop).map_err(|why| why.to_string())
}

/// Whether a DNS server answers for a zone.
fn serves(addr: SocketAddr, origin: &str) -> Result<(), String> {
    let mut client = Client::connect(addr).map_err(|why| why.to_string())?;
    let reply = client.ask(origin, rtype::SOA)?;
    match reply.answers.len() {
        1 => Ok(()),
        _ => Err(format!("{origin}: response code {}, no SOA record", reply.rcode())),
    }
}

/// An address of 127.0.0.1 at which nobody listens; each call gives another.
pub fn free_addr() -> SocketAddr {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let ports = u32::from(PORTS.end - PORTS.start);
    for _ in PORTS {
        // processes that run at the same time begin far from each other
        let begin = process::id().wrapping_mul(1009) % ports;
        let number = (begin + CALLS.fetch_add(1, Ordering::Relaxed)) % ports;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, PORTS.start + number as u16));
        if TcpListener::bind(addr).is_ok() {
            return addr;
        }
    }
    panic!("no port of {PORTS:?} is free on 127.0.0.1");
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
}

#[cfg(test)]
mod tests;
