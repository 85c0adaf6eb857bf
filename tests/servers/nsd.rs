//! NSD of NLnet Labs.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Server, require_program, serves, write, zonefile};
use crate::sim::Zone;

/// An NSD that runs until it is dropped.
#[derive(Debug)]
pub struct Nsd(Server);

impl Nsd {
    /// Starts NSD with a zone, whose APL records hold at most 64 items each; `None`, with a line
    /// that says so, when it is not installed.
    pub fn start(zone: &Zone) -> Option<Self> {
        let program = require_program("nsd")?;
        let prepare = |dir: &Path, addr: SocketAddr| {
            let path = dir.display();
            write(&dir.join("zone"), &zonefile::text(zone));
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
                     zone:\n\
                     \tname: {}\n\
                     \tzonefile: zone\n",
                    addr.ip(),
                    addr.port(),
                    zone.origin(),
                ),
            );
            let mut command = Command::new(&program);
            command.arg("-d").arg("-c").arg(dir.join("nsd.conf"));
            command
        };
        Some(Self(Server::start(prepare, |addr| serves(addr, zone.origin()))))
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// What it has logged.
    pub fn output(&self) -> String {
        self.0.process().output()
    }
}
