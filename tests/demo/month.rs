//! A month of packets, and the report on it.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tests::harness::{Config, Daemon, Scratch, programs};
use tests::sim::ListServer;
use tests::sim::pflog::{Packet, PacketLog};

use super::stage::{INDICATOR, Stage};

const DAY: u32 = 24 * 60 * 60;
/// Days of the report, today included.
const DAYS: u32 = 35;
/// Who knocks: hosts of the networks that the demo has in its lists all the time.
const FAR: [Ipv4Addr; 4] = [
    Ipv4Addr::new(14, 23, 94, 7),
    Ipv4Addr::new(14, 23, 95, 90),
    Ipv4Addr::new(64, 87, 3, 20),
    Ipv4Addr::new(14, 23, 94, 7),
];
/// Where they knock, at the usual ports more often.
const PORTS: [u16; 12] = [23, 22, 23, 445, 22, 23, 3389, 8080, 5060, 22, 445, 443];
/// Hosts behind the firewall, of which some send to what is blocked.
const NEAR: [Ipv4Addr; 3] = [
    Ipv4Addr::new(192, 168, 1, 23),
    Ipv4Addr::new(192, 168, 1, 40),
    Ipv4Addr::new(192, 168, 7, 114),
];
/// How long the daemon may take to read all of it.
const PATIENCE: Duration = Duration::from_secs(300);
/// Pixels of the picture of the page.
const SIZE: &str = "1024,1490";

/// The packets, the oldest first.
fn packets() -> Vec<Packet> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
    let now = u32::try_from(now.as_secs()).expect("a year before 2106");
    let mut all = Vec::new();
    // of the first day there are none: midnight may come before the report
    for day in (0..DAYS - 1).rev() {
        // a week has its ups and downs, and once there is a scan
        let knocks = 60 + (day * 37 + day / 5 * 11) % 90 + if day == 11 { 240 } else { 0 };
        let sent = if day % 9 == 2 { 6 + day % 5 } else { 0 };
        for at in 0..knocks + sent {
            let place = at as usize + day as usize;
            let (near, port) = (NEAR[place % 3], PORTS[place % 12]);
            let known = Packet {
                seconds: now - day * DAY - (knocks + sent - at),
                micros: at,
                out: false,
                source: FAR[place % 4],
                destination: near,
                port,
                anchor: "",
            };
            let (source, destination) = (NEAR[(day % 9 + at % 2) as usize % 3], INDICATOR);
            let is_sent = at >= knocks;
            let sent = Packet { out: true, source, destination, port: 443, ..known };
            all.push(if is_sent { sent } else { known });
        }
    }
    all
}

/// Shows the report of all days, and leaves it as a page, and as a `picture` if one is wanted.
pub fn month(stage: &Stage, picture: Option<&Path>) {
    stage.scene("A month of packets that pf has logged: the report of five weeks");
    let (server, scratch) = (ListServer::start(), Scratch::new());
    let hosts = |net: &str, count: u32| -> String {
        (0..count).map(|n| format!("{net}.{}\n", 2 * n)).collect()
    };
    server.serve("/scanners.txt", "14.23.94.0/23\n");
    server.serve("/botnets.txt", &format!("{INDICATOR}\n{}", hosts("64.87.3", 120)));
    server.serve("/forum-spam.txt", &hosts("14.23.95", 90));
    let ca_file = scratch.path().join("ca.pem");
    fs::write(&ca_file, server.ca()).expect("write the certificate");
    let path = scratch.path().join("pflog");
    let mut log = PacketLog::create(&path);
    let mut config = Config::new(&scratch, &[])
        .unset("device_id")
        .unset("policy.servers")
        .set("policy.block", Vec::<String>::new())
        .set("policy.allow", Vec::<String>::new())
        .set("log.enabled", true)
        .set("https.ca_file", ca_file.to_str().expect("a path in UTF-8"));
    for name in ["scanners", "botnets", "forum-spam"] {
        let url = server.url(&format!("/{name}.txt"));
        config = config.add("feed", &[("name", name.into()), ("url", url.into())]);
    }
    let daemon = Daemon::start(&scratch, &config);
    stage.ctl(&daemon, &["update"], 0);

    let packets = packets();
    let logged = packets.len() as u64;
    log.add(packets);
    stage.say(format_args!(
        "{logged} packets of {} days, as pflogd would have written them",
        DAYS - 1
    ));
    let days = DAYS.to_string();
    let counted = || {
        let output = daemon.ctl(&["-j", "report", "-d", &days]);
        let report: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
        ["in", "out"].iter().filter_map(|way| report[way].as_u64()).sum::<u64>()
    };
    let began = Instant::now();
    while counted() < logged && began.elapsed() < PATIENCE {
        sleep(Duration::from_millis(50));
    }
    stage.must(counted() == logged, "all of them are counted");
    server.serve("/botnets.txt", &format!("{INDICATOR}\n{}", hosts("64.87.3", 126)));
    stage.ctl(&daemon, &["update"], 0);
    stage.ctl(&daemon, &["report", "-d", &days], 0);
    let page = daemon.ctl(&["report", "-H", "-d", &days]);
    stage.must(page.status.success(), "the report is a page");
    leave(stage, &page.stdout, picture, scratch.path());
    stage.say(format_args!("threatstopd: {}", daemon.stop()));
}

/// Leaves the page beside the programs, where `cargo clean` finds it, and takes a picture of it.
fn leave(stage: &Stage, page: &str, picture: Option<&Path>, scratch: &Path) {
    let target = programs().threatstopctl.ancestors().nth(2).expect("target/debug/threatstopctl");
    let file = target.join("report.html");
    // it may be of somebody else who has run the demo
    let _ = fs::remove_file(&file);
    if let Err(why) = fs::write(&file, page) {
        return stage.must(picture.is_none(), &format!("{}: {why}", file.display()));
    }
    stage.say(format_args!("as a page for a browser: {}", file.display()));
    let Some(picture) = picture else { return };
    let mut browser = Command::new("chromium");
    // the page is ours, and root has no other way
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
    browser.args(["--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND"]);
    browser.arg(format!("--user-data-dir={}", scratch.join("browser").display()));
    browser.arg(format!("--screenshot={}", picture.display()));
    browser.arg(format!("--window-size={SIZE}")).arg(format!("file://{}", file.display()));
    browser.env("HOME", scratch).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let is_taken = browser.status().is_ok_and(|status| status.success());
    stage.must(is_taken, &format!("a picture of it by chromium: {}", picture.display()));
}
