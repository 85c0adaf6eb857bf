//! A whole update against what the old scripts did: dig for each name, sed, sort, a file.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tests::harness::{Config, Daemon, Scratch};
use tests::item::Item;
use tests::lists::{Sample, big_list};

use crate::measure::{
    Cost, RUNS, cpu_of, installed, median, memory, shell_with_peak, ticks, within,
};
use crate::report::{Comparison, Side};
use crate::server::Server;

const LIST: &str = "basic.threatstop.local";
const NAMES: usize = 212;
const PREFIXES: usize = 845_023;
/// An address that the list does not have.
const BAD: &str = "198.51.100.7";
const LIMIT: Duration = Duration::from_secs(600);

/// What is done after the first update.
const THEN: [&str; 3] =
    ["an update that finds the same", "an update of one prefix fewer", "block of one address"];
/// What is asked after that, so many times each.
const ASKED: [&[&str]; 2] = [&["why", BAD], &["status"]];
const TIMES: usize = 25;

/// What an update of the daemon took, and what came after it.
pub struct Update {
    /// From the command to its end.
    pub cost: Cost,
    /// The same of what was done [`THEN`], in this order.
    then: [Cost; THEN.len()],
    /// What the commands of [`ASKED`] take then, in this order.
    asked: [Cost; ASKED.len()],
    /// In MiB: peak memory of engine and helper, the helper's before, and the engine's peak of the first
    /// update.
    pub memory: [f64; 4],
    /// Ticks of engine and helper in the kernel, and all of them, of the first update.
    ticks: [u64; 2],
}

/// Runs the comparison.
pub fn compare() -> Vec<Comparison> {
    let list = big_list(PREFIXES);
    let mut server = Server::start();
    let scratch = Scratch::new();
    let peers = peers(scratch.path(), server.addr());
    let mut ours = Vec::new();
    // the first and what comes then: with simulated tables, and without
    let mut changes: [[Vec<Cost>; 1 + THEN.len()]; 2] = Default::default();
    let mut asked: [Vec<Cost>; ASKED.len()] = Default::default();
    let mut theirs: Vec<Vec<Cost>> = vec![Vec::new(); peers.len()];
    let mut peaks = [0.0_f64; 4];
    let mut ticks = [0_u64; 2];
    for _ in 0..RUNS {
        for pf in [true, false] {
            let update = update(&mut server, &list, (1, NAMES), pf);
            if pf {
                ours.push(update.cost);
                for (peak, now) in peaks.iter_mut().zip(update.memory) {
                    *peak = peak.max(now);
                }
            }
            if !pf {
                ticks.iter_mut().zip(update.ticks).for_each(|(all, now)| *all += now);
            }
            let costs = [update.cost].into_iter().chain(update.then);
            changes[usize::from(!pf)].iter_mut().zip(costs).for_each(|(all, cost)| all.push(cost));
            asked.iter_mut().zip(update.asked).for_each(|(all, cost)| all.push(cost));
        }
        for ((_, script), costs) in peers.iter().zip(&mut theirs) {
            let Some(script) = script else { continue };
            costs.push(shell_with_peak(script));
            let found = fs::read_to_string(scratch.path().join("list")).expect("the list");
            let prefixes = found.split_whitespace().count();
            assert_eq!(prefixes, PREFIXES, "{script} found another list");
        }
    }
    let mut ours = median(ours);
    ours.peak = Some(peaks[0].max(peaks[1]));
    let mut sides = vec![Side { name: "threatstopctl update".into(), cost: Ok(ours) }];
    for ((name, script), costs) in peers.into_iter().zip(theirs) {
        let cost = match script {
            Some(_) => Ok(median(costs)),
            None => Err("not installed".into()),
        };
        sides.push(Side { name: name.into(), cost });
    }
    let changes = changes.map(|costs| costs.map(median));
    let each = |cost: &Cost| cost.cpu.as_secs_f64() * 1e9 / PREFIXES as f64;
    let [simulated, files] = [each(&changes[0][0]), each(&changes[1][0])];
    let kernel = files * ticks[0] as f64 / ticks[1].max(1) as f64;
    let then = [("", &changes[0]), (", files alone", &changes[1])].map(|(how, costs)| {
        let names = ["the first update"].into_iter().chain(THEN);
        let side =
            |(name, cost): (&str, &Cost)| Side { name: format!("{name}{how}"), cost: Ok(*cost) };
        names.zip(costs).map(side).collect::<Vec<_>>()
    });
    let [why, status] = asked.map(|costs| median(costs).wall.as_secs_f64() * 1e3);
    vec![
        Comparison {
            title: format!(
                "Update: {PREFIXES} prefixes from {NAMES} names of {} on loopback",
                server.name()
            ),
            by_cpu: false,
            alone: false,
            sides,
            notes: vec![format!(
                "threatstopd: lists fetched, composed, judged, files written with fsync(2), simulated \
                 tables replaced. Peak resident memory: engine {:.0} MiB in this update and {:.0} MiB \
                 in later ones, which have both what was and what comes; helper {:.0} MiB, and {:.1} \
                 MiB when idle. The table has the larger of engine and helper.",
                peaks[3], peaks[0], peaks[1], peaks[2]
            )],
        },
        Comparison {
            title: format!("Changes of a table of {PREFIXES} prefixes"),
            by_cpu: false,
            alone: true,
            sides: then.into_iter().flatten().collect(),
            notes: vec![
                "Simulated tables are files, which the helper reads and writes; pf(4) does what these \
                 do in the kernel, in memory. Without them (reload = false) the rest is seen. An update \
                 by hand that finds the same has each table compared with its file once more, a \
                 scheduled one only where pf counts otherwise. To block an address nobody is asked."
                    .into(),
                format!(
                    "Processor time of engine and helper for a prefix of the first update: \
                     {simulated:.0} ns, files alone {files:.0} ns, of which the kernel takes {kernel:.0}: \
                     system calls and pages. From the command to its end, `why` takes {why:.1} ms and \
                     `status` {status:.1} ms then."
                ),
            ],
        },
    ]
}

/// Updates of a daemon that has nothing yet: so many lists, of so many names each, to the files of the
/// tables, and with `pf` to simulated tables as well.
pub fn update(
    server: &mut Server,
    list: &Sample,
    (lists, names): (usize, usize),
    pf: bool,
) -> Update {
    // the run at the start finds no list
    server.clear();
    let scratch = Scratch::new();
    let parts: Vec<&[Item]> = list.items.chunks(list.items.len().div_ceil(lists)).collect();
    let named =
        |(index, _)| if index == 0 { LIST.into() } else { format!("list{index}.threatstop.local") };
    let block: Vec<String> = parts.iter().enumerate().map(named).collect();
    let config = Config::new(&scratch, &[server.addr()])
        .set("policy.block", block.clone())
        .set("policy.allow", Vec::<String>::new())
        .set("guard.max_entries", 10_000_000)
        .set("guard.max_coverage", 100)
        .set("tables.simulated_limit", 20_000_000)
        .set("tables.reload", pf);
    let daemon = Daemon::start(&scratch, &config);
    daemon.wait_for("waiting for provisioning", LIMIT);
    let helper = daemon.helper().expect("a helper");
    let idle = memory(helper, "VmRSS").unwrap_or(0.0);
    let served: Vec<_> = block.iter().map(String::as_str).zip(parts).collect();
    server.set(&served, names);
    let (engine, table) = (daemon.engine().expect("an engine"), "ThreatSTOP-Block");
    let entries = || daemon.table_file(table).expect("a table file").lines().count();
    let used = || cpu_of(helper) + cpu_of(engine);
    let timed = |arguments: &[&str]| {
        let before = used();
        let cost = within(|| daemon.ctl_timed(arguments));
        Cost { cpu: used() - before, ..cost }
    };
    let before = [helper, engine].map(ticks);
    let cost = timed(&["update"]);
    let after = [helper, engine].map(ticks);
    let sum = |ticks: [[u64; 2]; 2], at: usize| ticks[0][at] + ticks[1][at];
    let ticks = [0, 1].map(|at| sum(after, at) - sum(before, at));
    assert_eq!(entries(), list.table.len());
    let first = memory(engine, "VmHWM").unwrap_or(0.0);
    let same = timed(&["update"]);
    assert_eq!(entries(), list.table.len());
    let (name, items) = served[served.len() - 1];
    server.set(&[(name, &items[..items.len() - 1])], names);
    let again = timed(&["update"]);
    assert_eq!(entries(), list.table.len() - 1);
    let block = timed(&["block", BAD]);
    assert_eq!(entries(), list.table.len());
    let asked = ASKED.map(|words| {
        let ask = |_| within(|| daemon.ctl_timed(words));
        median((0..TIMES).map(ask).collect())
    });
    let [engine, helper] = [engine, helper].map(|pid| memory(pid, "VmHWM").unwrap_or(0.0));
    let memory = [engine, helper, idle, first];
    assert!(daemon.stop().success());
    // the peers are served all of it
    server.set(&[(name, items)], names);
    Update { cost, then: [same, again, block], asked, memory, ticks }
}

/// The peers, with their command lines where their programs are installed. Each leaves the list,
/// a prefix a line, in `list`.
fn peers(dir: &Path, server: SocketAddr) -> Vec<(&'static str, Option<String>)> {
    let (ip, port, list) = (server.ip(), server.port(), dir.join("list"));
    let list = list.display();
    let to_lines = "tr ' ' '\\n' | sed -n -e 's/^[12]://p'";
    let mut each = format!(": >{list}\n");
    let mut batch = String::new();
    for name in 1..=NAMES {
        let _ = writeln!(
            each,
            "dig +tcp +short @{ip} -p {port} {name}.{LIST} APL | {to_lines} >>{list}"
        );
        let _ = writeln!(batch, "{name}.{LIST} APL");
    }
    let file = dir.join("queries");
    fs::write(&file, batch).expect("write the queries");
    // in a file of queries, dig takes +tcp for nothing
    let dig = format!("dig @{ip} -p {port} +tcp +keepopen +short -f {}", file.display());
    let one = format!("{dig} | {to_lines} >{list}");
    let retrieval = format!("{dig} >{list}");
    let whole = format!("{each}sort -u {list} >{list}.new\nmv {list}.new {list}\nsync {list}\n");
    let there = installed("dig") && installed("sed");
    vec![
        ("dig +tcp per name, sed", there.then_some(each)),
        ("dig -f on one connection, sed", there.then_some(one)),
        ("dig -f on one connection, nothing else", there.then_some(retrieval)),
        ("shell script: dig per name, sed, sort, mv", there.then_some(whole)),
    ]
}
