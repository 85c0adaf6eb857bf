//! NSD of NLnet Labs.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::{Server, require_program, serves, write, zonefile};
use crate::sim::{Client, Zone, rtype};

/// A key for transfers between servers, and what it signs with.
const KEY: &str = "key:\n\tname: fleet\n\talgorithm: hmac-sha256\n\
                   \tsecret: \"c2VjcmV0IG9mIHRoZSB0ZXN0cyBhbG9uZQ==\"\n";

/// An NSD that runs until it is dropped.
#[derive(Debug)]
pub struct Nsd {
    server: Server,
    origin: String,
}

impl Nsd {
    /// Starts NSD with a zone, whose APL records hold at most 64 items each; `None`, with a line
    /// that says so, when it is not installed.
    pub fn start(zone: &Zone) -> Option<Self> {
        Self::primary(zone.origin(), &zonefile::text(zone))
    }

    /// Starts it with the text of a zone file, which it hands on to who has the key.
    pub fn primary(origin: &str, text: &str) -> Option<Self> {
        let zone = "\tzonefile: zone\n\tprovide-xfr: 127.0.0.1 fleet\n";
        Self::run(origin, zone, |dir| write(&dir.join("zone"), text))
    }

    /// Starts it as the secondary of another, by AXFR with the key. It asks each second for a newer zone.
    pub fn secondary(origin: &str, primary: SocketAddr) -> Option<Self> {
        let (ip, port) = (primary.ip(), primary.port());
        let zone = format!(
            "\trequest-xfr: AXFR {ip}@{port} fleet\n\
             \tmin-refresh-time: 1\n\tmax-refresh-time: 1\n\
             \tmin-retry-time: 1\n\tmax-retry-time: 1\n"
        );
        Self::run(origin, &zone, |_| {})
    }

    fn run(origin: &str, zone: &str, files: impl Fn(&Path)) -> Option<Self> {
        let program = require_program("nsd")?;
        let prepare = |dir: &Path, addr: SocketAddr| {
            let path = dir.display();
            files(dir);
            write(
                &dir.join("nsd.conf"),
                &format!(
                    "server:\n\
                     \tip-address: {}@{}\n\
                     \tusername: \"\"\n\
                     \tchroot: \"\"\n\
                     \tzonesdir: \"{path}\"\n\
                     \tdatabase: \"\"\n\
                     \tpidfile: \"{path}/nsd.pid\"\n\
                     \tzonelistfile: \"{path}/zone.list\"\n\
                     \txfrdfile: \"{path}/xfrd.state\"\n\
                     \txfrdir: \"{path}\"\n\
                     \tserver-count: 1\n\
                     \tverbosity: 2\n\
                     remote-control:\n\
                     \tcontrol-enable: no\n\
                     {KEY}\
                     zone:\n\
                     \tname: {origin}\n\
                     {zone}",
                    addr.ip(),
                    addr.port(),
                ),
            );
            let mut command = Command::new(&program);
            command.arg("-d").arg("-c").arg(dir.join("nsd.conf"));
            command
        };
        let server = Server::start(prepare, |addr| serves(addr, origin));
        Some(Self { server, origin: origin.into() })
    }

    /// Puts another zone file in place and has it read. That has happened once [`Nsd::serial`] says so.
    pub fn publish(&self, text: &str) {
        let dir = self.server.dir();
        write(&dir.join("zone.new"), text);
        fs::rename(dir.join("zone.new"), dir.join("zone")).expect("rename the zone file");
        self.server.process().signal(Signal::SIGHUP);
    }

    /// The same with another zone of this origin.
    pub fn replace(&self, zone: &Zone) {
        self.publish(&zonefile::text(zone));
    }

    /// The serial of its zone now; `None` while it has none or does not answer.
    pub fn serial(&self) -> Option<u32> {
        let mut client = Client::connect(self.addr()).ok()?;
        let reply = client.ask(&self.origin, rtype::SOA).ok()?;
        let [record] = reply.answers.as_slice() else { return None };
        // before the four times (RFC 1035, section 3.3.13)
        let at = record.rdata.len().checked_sub(20)?;
        let octets = record.rdata.get(at..at + 4)?;
        Some(u32::from_be_bytes(octets.try_into().ok()?))
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The processors' time of all its processes, by what tells that of one.
    pub fn cpu(&self, of: impl Fn(Pid) -> Duration) -> Duration {
        let process = self.server.process();
        let all = process.descendants().into_iter().map(|(pid, _)| pid).chain([process.pid()]);
        all.map(of).sum()
    }

    /// What it has logged.
    pub fn output(&self) -> String {
        self.server.process().output()
    }
}
