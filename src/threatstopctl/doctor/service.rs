//! The packet log, the clock, threatstopd(8) itself, and the next boot.

use std::path::Path;

use control::units::duration;
use control::{Attempt, SourceKind, Status};

use super::case::Case;
use super::host::{Host, Kind};
use super::report::Report;
use crate::client::{OTHER_VERSION, reason};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Looks at the packet log and, where there is pf, at pflogd(8), which writes it.
pub fn log(case: &Case<'_>, pf: bool, report: &mut Report) {
    let settings = &case.config.log;
    if !settings.enabled {
        report.note("log", "log.enabled is false: no hit is reported");
        return;
    }
    let shown = settings.file.display();
    match case.host.lstat(&settings.file) {
        Ok(stat) if stat.kind == Kind::File => {
            let age = case.host.now().saturating_sub(stat.mtime);
            let text = format!("{shown} was written {} ago", duration(age));
            let look = "see tcpdump -n -e -ttt -i pflog0 whether pf logs";
            match age {
                0..HOUR => report.ok("log", text),
                // a quiet host, perhaps
                HOUR..DAY => report.note("log", text),
                DAY.. => report.fail("log", format!("{text}: {look}, then rcctl restart pflogd")),
            }
        }
        Ok(_) => {
            let way_out = "remove it, then rcctl restart pflogd";
            report.fail("log", format!("{shown}: not a regular file: {way_out}"));
        }
        Err(error) => {
            let way_out = "rcctl enable pflogd && rcctl start pflogd";
            report.fail("log", format!("{shown}: {}: {way_out}", reason(&error)));
        }
    }
    if pf {
        pflogd(case, report);
    }
}

fn pflogd(case: &Case<'_>, report: &mut Report) {
    match runs(case, &["-x", "pflogd"]) {
        Ok(true) => report.ok("log", "pflogd is running"),
        Ok(false) => {
            let way_out = "rcctl enable pflogd && rcctl start pflogd";
            report.fail("log", format!("pflogd is not running: no hit is reported: {way_out}"));
        }
        Err(why) => report.fail("log", why),
    }
}

/// Whether there is what tables.kill_states wants beside helper and engine: when it dies updates go on
/// without it.
pub fn states(case: &Case<'_>, report: &mut Report) {
    let tables = &case.config.tables;
    if !(case.running && tables.kill_states && tables.reload) {
        return;
    }
    // as much of its name as every system keeps
    match runs(case, &["threatstopd-sta"]) {
        Ok(true) => report.ok("states", "threatstopd-states is running"),
        Ok(false) => {
            let text =
                "threatstopd-states is not running: states of what becomes blocked do not end";
            let way_out = "threatstopctl reload starts it again, threatstopctl flush ends them now";
            report.fail("states", format!("{text}: {way_out}"));
        }
        Err(why) => report.fail("states", why),
    }
}

/// Whether pgrep(1) finds a process.
fn runs(case: &Case<'_>, arguments: &[&str]) -> Result<bool, String> {
    let output = case.host.run("/usr/bin/pgrep", arguments)?;
    match output.status {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => {
            let said = output.stderr.lines().next().unwrap_or("it failed without a word");
            Err(format!("pgrep {}: {said}", arguments.join(" ")))
        }
    }
}

/// What a clock cannot show any more: the first day of 2026, when this program began.
const PAST: u64 = 1_767_225_600;
/// And what it will not show for a while: the first day of 2100.
const FUTURE: u64 = 4_102_444_800;
/// By how many seconds a file may lie in the future.
const LENIENT: u64 = 300;
/// The way out.
const SET: &str = "rcctl enable ntpd && rcctl start ntpd, and see ntpctl -s status";

/// Holds the clock against the years, and against the times of files.
pub fn clock(host: &dyn Host, files: &[&Path], report: &mut Report) {
    let now = host.now();
    if !(PAST..FUTURE).contains(&now) {
        // the mean year is exact enough for a wrong one
        let year = 1970 + now / 31_556_952;
        return report.fail("clock", format!("the clock shows the year {year}: {SET}"));
    }
    for path in files {
        if let Ok(stat) = host.lstat(path)
            && stat.mtime > now + LENIENT
        {
            let ahead = duration(stat.mtime - now);
            let path = path.display();
            let text = format!("{path} was written {ahead} in the future");
            return report.fail("clock", format!("{text}: the clock is wrong, or was: {SET}"));
        }
    }
    report.ok("clock", "the clock is not behind the files");
}

/// Whether threatstopd(8) is started at boot.
pub fn boot(case: &Case<'_>, report: &mut Report) {
    match case.host.run("/usr/sbin/rcctl", &["get", "threatstopd", "status"]) {
        Ok(output) if output.status == Some(0) => {
            report.ok("boot", "threatstopd is started at boot");
        }
        Ok(output) if output.status == Some(1) => {
            let way_out = "rcctl enable threatstopd";
            report.note("boot", format!("threatstopd is not started at boot: {way_out}"));
        }
        Ok(output) => {
            let said = output.stderr.lines().next().unwrap_or("it failed without a word");
            report.note("boot", format!("{said}: reinstall the package"));
        }
        Err(why) => report.note("boot", why),
    }
}

/// Whether threatstopd(8) answers; `start` is what starts it.
pub fn daemon(status: &Result<Status, String>, start: &str, report: &mut Report) {
    let own = env!("CARGO_PKG_VERSION");
    match status {
        Ok(status) => {
            let version = &status.version;
            let uptime = duration(status.uptime);
            report.ok("daemon", format!("threatstopd {version} answers, up {uptime}"));
            if version != own {
                let text = format!("threatstopd {version} runs, and {own} is installed");
                report.note("daemon", format!("{text}: rcctl restart threatstopd"));
            }
        }
        Err(why) => {
            let way_out = if why.ends_with(OTHER_VERSION) { "" } else { &format!(": {start}") };
            report.fail("daemon", format!("threatstopd does not answer: {why}{way_out}"));
        }
    }
}

/// What threatstopd(8) says of the lists from web servers; without it nobody knows.
pub fn feeds(case: &Case<'_>, status: Option<&Status>, report: &mut Report) {
    let Some(status) = status.filter(|_| !case.config.feed.is_empty()) else { return };
    let before = report.findings.len();
    for source in status.sources.iter().filter(|source| source.kind == SourceKind::Feed) {
        if let Some(why) = &source.error {
            let is_kept = source.lists.iter().any(|list| list.entries.is_some());
            let copy = if is_kept { "its copy stays" } else { "there is no copy of it" };
            let way_out = "threatstopctl test tries it";
            report.note("feed", format!("feed {}: {why}: {copy}; {way_out}", source.name));
        }
    }
    let warnings = status.pf.warnings.iter().zip(&status.pf.ways_out);
    // that a server is blocked, or a list old
    for (warning, way_out) in warnings.filter(|(warning, _)| warning.starts_with("feed ")) {
        report.note("feed", format!("{warning}: {way_out}"));
    }
    if report.findings.len() == before {
        let text = match case.config.feed.len() {
            1 => "the feed is in order".to_owned(),
            count => format!("{count} feeds are in order"),
        };
        report.ok("feed", text);
    }
}

/// The certificates that the service is known by, and whether it took the last upload. Without
/// threatstopd(8), which has been reported, nobody knows.
pub fn upload(case: &Case<'_>, status: Option<&Status>, report: &mut Report) {
    let config = &case.config;
    if config.log.enabled && config.device_id.is_none() {
        report.note("upload", "off without device_id");
    }
    if !config.uploads() && config.feed.is_empty() {
        return;
    }
    certificates(case, report);
    if !config.uploads() {
        return;
    }
    let Some(Status { upload, .. }) = status else { return };
    let now = case.host.now();
    let ago = |at: u64| duration(now.saturating_sub(at));
    match (&upload.last, upload.last_good) {
        (None, _) => report.note("upload", "nothing has been uploaded yet"),
        (Some(Attempt { at, ok: true, .. }), _) => {
            report.ok("upload", format!("the last upload was confirmed {} ago", ago(*at)));
        }
        (Some(Attempt { at, text, .. }), good) => {
            let good = match good {
                Some(good) => format!("the last that was confirmed is {} old", ago(good)),
                None => "none was ever confirmed".into(),
            };
            let text = text.trim_end_matches('.');
            report.fail(
                "upload",
                format!(
                    "the last upload failed {} ago, and {good}: {text}: threatstopctl upload tries \
                     again, threatstopctl test looks at the log host",
                    ago(*at)
                ),
            );
        }
    }
}

/// The most that a file of certificates may have, in octets; that of base has 400,000.
const CERTIFICATES: usize = 16 << 20;

fn certificates(case: &Case<'_>, report: &mut Report) {
    let path = &case.config.https.ca_file;
    let shown = path.display();
    // RFC 7468; whether each of them is sound is seen when a server is asked
    let begins =
        |octets: &[u8]| octets.split(|octet| *octet == b'\n').any(|line| line.starts_with(BEGIN));
    let why = match case.host.read(path, CERTIFICATES) {
        Ok(octets) if begins(&octets) => {
            return report.ok("ca_file", format!("{shown} has certificates"));
        }
        Ok(_) => "no certificate in it".into(),
        Err(error) => reason(&error),
    };
    let way_out = match path.to_str() {
        Some("/etc/ssl/cert.pem") => "sysmerge(8) puts that of base there".to_owned(),
        _ => {
            format!("name a file of certificates as ca_file in [https] of {}", case.path.display())
        }
    };
    let config = case.config;
    let effect = match (config.uploads(), config.feed.is_empty()) {
        (true, true) => "nothing can be uploaded",
        (true, false) => "nothing can be uploaded, and no feed comes",
        (false, _) => "no feed comes",
    };
    report.fail("ca_file", format!("{shown}: {why}: {effect}: {way_out}"));
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
