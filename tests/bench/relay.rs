//! What a fleet costs its name server, and each of its firewalls: a full update and an unchanged check
//! against NSD, of which the processors' time is what counts.

use tests::harness::{Config, Daemon, Scratch};
use tests::lists::big_list;
use tests::servers::Nsd;
use tests::sim::{Layout, PolicyService, Shape, Zone};

use crate::measure::{Cost, cpu_of, within};
use crate::report::{Comparison, Side};

const LIST: &str = "basic.threatstop.local";
const PREFIXES: usize = 845_023;
const ZONE: &str = "fleet.example";
/// Full updates, and unchanged checks: /proc counts hundredths of a second.
const UPDATES: u32 = 3;
const CHECKS: u32 = 200;

/// Measures both. The whole of it is what the name server, engine and helper take together.
pub fn compare() -> Vec<Comparison> {
    let text = zone();
    let title =
        format!("A fleet: {PREFIXES} prefixes from NSD, processors' time for each firewall");
    let Some(server) = Nsd::primary(ZONE, &text) else {
        let cost = Err("not installed".into());
        let sides = vec![Side { name: "nsd".into(), cost }];
        return vec![Comparison { title, by_cpu: true, alone: true, sides, notes: Vec::new() }];
    };
    let scratch = Scratch::new();
    let config = roomy(Config::new(&scratch, &[server.addr()]))
        .set("policy.suffix", ZONE)
        .set("policy.block", vec![format!("block.{ZONE}")])
        .set("policy.allow", Vec::<String>::new())
        .set("policy.serial", true);
    let daemon = Daemon::start(&scratch, &config);
    daemon.ctl_timed(&["update"]);
    let [engine, helper] = [daemon.engine(), daemon.helper()].map(|pid| pid.expect("a process"));
    let measured = |times: u32, arguments: &[&str]| {
        let cpu = || [server.cpu(cpu_of), cpu_of(engine) + cpu_of(helper)];
        let before = cpu();
        let cost = within(|| (0..times).for_each(|_| daemon.ctl_timed(arguments)));
        let after = cpu();
        let each = |at: usize| Cost {
            cpu: after[at].saturating_sub(before[at]) / times,
            wall: cost.wall / times,
            peak: None,
        };
        [each(0), each(1)]
    };
    let full = measured(UPDATES, &["update", "-f", "policy"]);
    let unchanged = measured(CHECKS, &["update"]);
    assert!(daemon.stop().success());
    let side = |name: &str, cost: &Cost| Side { name: name.into(), cost: Ok(*cost) };
    let hours = |cost: &Cost| 3600.0 * 2.0 / cost.cpu.as_secs_f64().max(1e-6);
    vec![Comparison {
        title,
        by_cpu: true,
        alone: true,
        sides: vec![
            side("full update: engine and helper", &full[1]),
            side("full update: nsd", &full[0]),
            side("unchanged check: engine and helper", &unchanged[1]),
            side("unchanged check: nsd", &unchanged[0]),
        ],
        notes: vec![format!(
            "On paper, with two processors and one update an hour each: nsd serves some {} firewalls \
             that fetch everything each time, or {} that find it unchanged.",
            rough(hours(&full[0])),
            rough(hours(&unchanged[0]))
        )],
    }]
}

/// The first two digits of a number, and zeros: nobody has counted more.
fn rough(number: f64) -> String {
    let unit = 10_f64.powf(number.log10().floor() - 1.0);
    format!("{:.0}", (number / unit).round() * unit)
}

/// Room for such lists.
fn roomy(config: Config) -> Config {
    config
        .set("guard.max_entries", 10_000_000)
        .set("guard.max_coverage", 100)
        .set("tables.simulated_limit", 20_000_000)
}

/// The zone of a relay with the list.
fn zone() -> String {
    let service = PolicyService::start(Zone::new("threatstop.local"));
    service.set_list(LIST, &big_list(PREFIXES).items, Shape::from(Layout::Index).names(212));
    let scratch = Scratch::new();
    let config =
        roomy(Config::new(&scratch, &[service.addr()])).set("policy.allow", Vec::<String>::new());
    let daemon = Daemon::start(&scratch, &config);
    daemon.ctl_timed(&["update"]);
    let output = daemon.ctl(&["show", "-o", "apl", "-z", ZONE, "block"]);
    assert!(output.status.success(), "{}", output.stderr);
    assert!(daemon.stop().success());
    output.stdout
}
