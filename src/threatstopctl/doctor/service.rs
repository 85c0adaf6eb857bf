//! The packet log, the clock, threatstopd(8) itself, and the next boot.

use std::path::Path;

use config::{Backend, Config};

use super::host::{Host, Kind};
use super::{Case, Report, Table};
use crate::client::reason;
use crate::units::duration;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Looks at the packet log and at pflogd(8), which writes it.
pub fn log(case: &Case<'_>, report: &mut Report) {
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
    if case.config.tables.backend == Backend::Pf {
        pflogd(case, report);
    }
}

fn pflogd(case: &Case<'_>, report: &mut Report) {
    match case.host.run("/usr/bin/pgrep", &["-x", "pflogd"]) {
        Ok(output) if output.status == Some(0) => report.ok("log", "pflogd is running"),
        Ok(output) if output.status == Some(1) => {
            let way_out = "rcctl enable pflogd && rcctl start pflogd";
            report.fail("log", format!("pflogd is not running: no hit is reported: {way_out}"));
        }
        Ok(output) => {
            let said = output.stderr.lines().next().unwrap_or("it failed without a word");
            report.fail("log", format!("pgrep -x pflogd: {said}"));
        }
        Err(why) => report.fail("log", why),
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

/// Holds the clock against the years, and against the times of the files.
pub fn clock(host: &dyn Host, config: Option<(&Path, &Config)>, report: &mut Report) {
    let now = host.now();
    if !(PAST..FUTURE).contains(&now) {
        // the mean year is exact enough for a wrong one
        let year = 1970 + now / 31_556_952;
        return report.fail("clock", format!("the clock shows the year {year}: {SET}"));
    }
    let files = config.into_iter().flat_map(|(path, config)| {
        let table = |table: Table| {
            let name = format!("{}.pftable", table.name(config));
            config.tables.directory.join(name)
        };
        [path.into(), table(Table::Allow), table(Table::Block), config.log.file.clone()]
    });
    for path in files {
        if let Ok(stat) = host.lstat(&path)
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

/// Whether threatstopd(8) answers.
pub fn daemon(host: &dyn Host, report: &mut Report) {
    let own = env!("CARGO_PKG_VERSION");
    match host.ask() {
        Ok(status) => {
            let version = &status.version;
            let uptime = duration(status.uptime);
            report.ok("daemon", format!("threatstopd {version} answers, up {uptime}"));
            if version != own {
                let text = format!("threatstopd {version} runs, and {own} is installed");
                report.note("daemon", format!("{text}: rcctl restart threatstopd"));
            }
        }
        Err(why) => report.fail("daemon", format!("threatstopd does not answer: {why}")),
    }
}
