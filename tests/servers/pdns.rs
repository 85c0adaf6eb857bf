//! The authoritative server of PowerDNS, with its bind backend.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Server, require_program, serves, write, zonefile};
use crate::sim::Zone;

/// A PowerDNS that runs until it is dropped.
#[derive(Debug)]
pub struct PowerDns(Server);

impl PowerDns {
    /// Starts PowerDNS with a zone; `None`, with a line that says so, when it is not installed. The
    /// bind backend is a package of its own (pdns-backend-bind) and must be there too.
    pub fn start(zone: &Zone) -> Option<Self> {
        let program = require_program("pdns_server")?;
        let prepare = |dir: &Path, addr: SocketAddr| {
            let path = dir.display();
            write(&dir.join("zone"), &zonefile::text(zone));
            write(
                &dir.join("named.conf"),
                &format!("zone \"{}\" {{ type native; file \"{path}/zone\"; }};\n", zone.origin()),
            );
            write(
                &dir.join("pdns.conf"),
                &format!(
                    "launch=bind\n\
                     bind-config={path}/named.conf\n\
                     local-address={}\n\
                     local-port={}\n\
                     socket-dir={path}\n\
                     daemon=no\n\
                     guardian=no\n\
                     disable-syslog=yes\n\
                     write-pid=no\n\
                     receiver-threads=1\n\
                     distributor-threads=1\n\
                     tcp-idle-timeout=3600\n\
                     security-poll-suffix=\n",
                    addr.ip(),
                    addr.port(),
                ),
            );
            let mut command = Command::new(&program);
            command.arg(format!("--config-dir={path}"));
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
