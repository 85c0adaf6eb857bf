//! A daemon with something to upload.

use std::net::Ipv4Addr;
use std::process::Command;

use serde_json::Value;

use super::{Config, Daemon, Scratch};
use crate::item::items;
use crate::sim::pflog::PacketLog;
use crate::sim::{Layout, LogService, PolicyService, SUFFIX, Zone};

/// An address that is blocked.
pub const BAD: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
/// What `upload` says when all is well.
pub const SENTENCE: &str = "Log file uploaded successfully for tdid_abcd1234\n";
/// The device id of the configuration.
pub const DEVICE: &str = "tdid_abcd1234";

/// A daemon with a policy, and a log with some records of ours.
pub struct UploadStage {
    /// The daemon, ready, after its first update.
    pub daemon: Daemon,
    /// Its packet log, with five records of [`BAD`].
    pub log: PacketLog,
    /// Where it all is.
    pub scratch: Scratch,
    _policy: PolicyService,
}

impl UploadStage {
    /// Uploads go to `url`; `ca` is the text of the file with certificates.
    pub fn new(url: &str, ca: &str, change: impl FnOnce(Config) -> Config) -> Self {
        Self::start(url, ca, change, |_| {})
    }

    /// The same with a clock that can be set; see [`Scratch::set_ahead`].
    pub fn with_clock(url: &str, ca: &str, change: impl FnOnce(Config) -> Config) -> Self {
        Self::start(url, ca, change, Daemon::faulty)
    }

    fn start(
        url: &str,
        ca: &str,
        change: impl FnOnce(Config) -> Config,
        program: impl FnOnce(&mut Command),
    ) -> Self {
        let scratch = Scratch::new();
        let mut zone = Zone::new(SUFFIX);
        zone.set_list("basic.threatstop.local", &items("198.51.100.0/24"), Layout::Single);
        zone.set_list("dns.threatstop.local", &items("192.0.2.53"), Layout::Single);
        let policy = PolicyService::start(zone);
        let file = scratch.path().join("ca.pem");
        std::fs::write(&file, ca).expect("as set up");
        let config = Config::new(&scratch, &[policy.addr()])
            .set("log.enabled", true)
            .set("log.url", url)
            .set("https.ca_file", file.to_str().expect("as set up"))
            .set("log.timestamp", "epoch");
        let mut log = PacketLog::create(scratch.path().join("pflog"));
        let daemon = Daemon::spawn(&scratch, &change(config), |command| {
            program(command);
            // nobody listens there: the environment must have no say
            command.arg("-v").env("https_proxy", "http://127.0.0.1:1");
            command.env("ALL_PROXY", "http://127.0.0.1:1");
        });
        daemon.wait_until_ready();
        let updated = daemon.ctl(&["update"]);
        assert!(updated.status.success(), "{updated:?}");
        log.append(5, BAD);
        Self { daemon, log, scratch, _policy: policy }
    }

    /// Uploads go to this service.
    pub fn service(service: &LogService) -> Self {
        Self::new(&service.url(), service.ca(), |config| config)
    }

    /// `upload`: what it said on stdout, or why it failed.
    pub fn upload(&self) -> Result<String, String> {
        let output = self.daemon.ctl(&["upload"]);
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(output.stderr),
        }
    }

    /// `status` in JSON.
    pub fn status(&self) -> Value {
        let status = self.daemon.ctl(&["-j", "status"]);
        serde_json::from_str(&status.stdout).expect("as set up")
    }

    /// The lines of the log as they have to arrive.
    pub fn text(&self) -> String {
        self.log.written().iter().map(|packet| packet.line() + "\n").collect()
    }
}
