//! What is no mistake, and yet worth a look before the service is started on this host.

use std::path::Path;

use nix::unistd::Uid;
use prefix::Prefix;

use crate::check::never_blocks_all;
use crate::error::line_of;
use crate::host::no_file;
use crate::net::Server;
use crate::reader::Reader;
use crate::schema::{Backend, Config, keys};
use crate::syntax::Sound;

impl Config {
    /// What the text that this was read from says and probably should not, and what it names that
    /// this host does not have; a line each, `FILE:LINE: note: ...`. Files are looked at and not
    /// opened, nothing is asked over a network.
    pub fn notes(&self, text: &str, file: &Path) -> Vec<String> {
        let mut faults = Vec::new();
        let sound = Sound::new(text, keys(), &mut faults);
        let reader = Reader::new(&sound, keys());
        let all = [self.of_servers(), self.of_guard(), self.of_host()].concat();
        // a default that this host does not have is a matter of its package
        let placed = |(path, why): (String, String)| Some((reader.place(&[&path])?.start, why));
        let mut placed: Vec<_> = all.into_iter().filter_map(placed).collect();
        placed.sort();
        let note = |(at, why)| format!("{}:{}: note: {why}", file.display(), line_of(text, at));
        placed.into_iter().map(note).collect()
    }

    /// An IPv6 address whose last part may have been meant as a port.
    fn of_servers(&self) -> Vec<(String, String)> {
        let note = |(index, server): (usize, &Server)| {
            let Server::Address(addr) = server else { return None };
            let text = addr.to_string();
            let (host, port) = text.rsplit_once(':')?;
            let usual = port == "53" || port.len() == 4 && port.bytes().all(|o| o.is_ascii_digit());
            host.parse::<std::net::Ipv6Addr>().ok().filter(|_| usual)?;
            let why = format!(
                "policy.servers: {text} is an address without a port; port {port} would be \
                 \"[{host}]:{port}\""
            );
            Some((format!("policy.servers.{index}"), why))
        };
        self.policy.servers.iter().enumerate().filter_map(note).collect()
    }

    /// Large parts of the Internet that are never blocked.
    fn of_guard(&self) -> Vec<(String, String)> {
        let mut notes = Vec::new();
        let no_v6 = never_blocks_all(&self.guard, false);
        if no_v6 {
            let why = "guard.never_block: its entries have all of IPv6 between them: only IPv4 \
                       will be blocked";
            notes.push(("guard.never_block".to_owned(), why.to_owned()));
        }
        for (index, prefix) in self.guard.never_block.iter().enumerate() {
            let wide = match prefix {
                Prefix::V4(net) => net.len() < 8 && net.addr() < 224 << 24,
                Prefix::V6(net) => {
                    !no_v6 && net.len() < 16 && (net.contains(1 << 125) || net.addr() >> 125 == 1)
                }
            };
            if wide {
                let why = format!(
                    "guard.never_block: {prefix} is wider than any network: nothing in it will \
                     ever be blocked"
                );
                notes.push((format!("guard.never_block.{index}"), why));
            }
        }
        notes
    }

    /// A user and files that this host does not have.
    fn of_host(&self) -> Vec<(String, String)> {
        let mut notes = Vec::new();
        let mut note =
            |path: &str, why: String| notes.push((path.to_owned(), format!("{path}: {why}")));
        // nobody but root becomes another user
        let changes = Uid::current().is_root() || self.tables.backend == Backend::Pf;
        if changes && let Err(why) = self.engine() {
            note("user", why);
        }
        self.missing_files().for_each(|(key, why)| note(key, why));
        let ca_file = &self.https.ca_file;
        if (self.uploads() || !self.feed.is_empty())
            && let Some(why) = no_file(ca_file)
        {
            let way_out = match self.feed.is_empty() {
                true => "without the certificates in it nothing is uploaded",
                false => "without the certificates in it no feed comes and nothing is uploaded",
            };
            note("https.ca_file", format!("{}: {why}: {way_out}", ca_file.display()));
        }
        notes
    }
}
