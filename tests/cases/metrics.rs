//! `metrics` before those that read it: promtool, both parsers of prometheus_client, and the text
//! file collector of node_exporter.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::logging::*;
use tests::harness::Scratch;
use tests::process::{PATIENCE, run};
use tests::servers::{Server, require_program, require_python};
use tests::sim::LogService;
use tests::sim::pflog::{Packet, PacketLog};

/// What a daemon prints that has updated and uploaded, and has seen hits on 30 ports and from one
/// port a second one.
fn printed() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
        let mut log = PacketLog::create(scratch.path().join("pflog"));
        let daemon = start(&scratch, &config(&scratch, &policy, &service));
        log.append(2, BAD);
        for port in (1..=30).chain([30]) {
            let (destination, micros) = (Ipv4Addr::new(192, 0, 2, 1), port.into());
            let (seconds, out, source, anchor) = (1_700_000_100, false, BAD, "");
            let packet = Packet { seconds, micros, out, source, destination, port, anchor };
            log.append_octets(&packet.record());
        }
        upload(&daemon);
        let metrics = daemon.ctl(&["metrics"]);
        assert!(metrics.status.success(), "{metrics:?}");
        metrics.stdout
    })
}

/// The families, from the lines that give their types.
fn families() -> BTreeSet<&'static str> {
    let types = printed().lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let families: Vec<&str> = types.map(|line| line.strip_suffix(" gauge").expect(line)).collect();
    let distinct: BTreeSet<&str> = families.iter().copied().collect();
    assert_eq!(distinct.len(), families.len(), "{families:?}");
    distinct
}

/// The figures are what was done, and of ports the 20 busiest and the sum of the others are there.
#[test]
fn the_figures_are_right() {
    let text = printed();
    for line in [
        "threatstop_hits{direction=\"in\"} 33",
        "threatstop_list_hits{list=\"basic.threatstop.local\",direction=\"in\"} 33",
        "threatstop_protocol_hits{protocol=\"tcp\",direction=\"in\"} 33",
        "threatstop_port_hits{port=\"22/tcp\",direction=\"in\"} 3",
        "threatstop_port_hits{port=\"30/tcp\",direction=\"in\"} 2",
        // 3 and 2 and eighteen times 1 are by name
        "threatstop_port_hits{port=\"other\",direction=\"in\"} 10",
        "threatstop_source_good{source=\"policy\"} 1",
        "threatstop_list_good{list=\"basic.threatstop.local\"} 1",
        "threatstop_list_entries{list=\"basic.threatstop.local\"} 2",
        "threatstop_upload_slices 1",
        "threatstop_restarts 0",
        "pf_table_entries{table=\"ThreatSTOP-Block\"} 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    let ports = text.lines().filter(|line| line.starts_with("threatstop_port_hits{")).count();
    assert_eq!(ports, 2 * 21);
    for name in ["threatstop_uptime_seconds", "threatstop_engine_uptime_seconds"] {
        let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).unwrap();
        assert!(value.parse::<u64>().unwrap() < 3600, "{name} {value}");
    }
}

/// The manual describes each family, and none that is not there.
#[test]
fn every_family_is_in_the_manual() {
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/threatstopctl/threatstopctl.8");
    let manual = fs::read_to_string(manual).unwrap();
    let (_, section) = manual.split_once("\n.Sh METRICS\n").unwrap();
    let (section, _) = section.split_once("\n.Sh ").unwrap();
    let described = section.lines().filter_map(|line| line.strip_prefix(".It Va "));
    assert_eq!(described.collect::<BTreeSet<_>>(), families());
}

/// promtool reads the format of Prometheus, and has an opinion on names.
#[test]
fn promtool_has_nothing_to_say() {
    let Some(promtool) = require_program("promtool") else { return };
    let dir = tempfile::tempdir().unwrap();
    let check = |text: &str| {
        fs::write(dir.path().join("text"), text).unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exec \"$0\" check metrics <text"]).arg(&promtool);
        let output = run(command.current_dir(dir.path()), PATIENCE);
        (output.status.code(), output.stdout + &output.stderr)
    };
    assert_eq!(check(printed()), (Some(0), String::new()));
    // it does read what it is given
    let (code, said) = check("# TYPE x counter\n# HELP x X.\nx 1\n");
    assert!(code == Some(3) && said.contains("_total"), "{code:?} {said}");
}

/// The parser of OpenMetrics, which is strict, and that of Prometheus' format read the same: each
/// family with its type and all its samples.
#[test]
fn both_formats_say_the_same() {
    let Some(python) = require_python("prometheus_client") else { return };
    const PROGRAM: &str = "
import sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as strict
text = open(sys.argv[1]).read()
def read(parser):
    families = list(parser.text_string_to_metric_families(text))
    return [(f.name, f.type, f.documentation, [tuple(s) for s in f.samples]) for f in families]
assert read(strict) == read(parser), (read(strict), read(parser))
for name, kind, _, samples in read(strict):
    print(name, kind, len(samples))
";
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("text");
    fs::write(&file, printed()).unwrap();
    let mut command = Command::new(python);
    command.args(["-c", PROGRAM]).arg(&file);
    let output = run(&mut command, PATIENCE);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(output.stdout, counted(printed()));
}

/// A line for each family: its name, its type, and how many samples there are.
fn counted(text: &str) -> String {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let counted = types.map(|line| {
        let (name, _) = line.split_once(' ').unwrap();
        let own = |sample: &&str| sample.split(['{', ' ']).next() == Some(name);
        format!("{line} {}\n", text.lines().filter(own).count())
    });
    counted.collect()
}

/// A real node_exporter reads the file from its directory: every family arrives with its type and all
/// its samples, and it has nothing to complain of.
#[test]
fn node_exporter_takes_everything() {
    let Some(exporter) = require_program("prometheus-node-exporter") else { return };
    let prepare = |dir: &Path, addr: SocketAddr| {
        fs::write(dir.join("threatstop.prom"), printed()).unwrap();
        let mut command = Command::new(&exporter);
        command.args(["--collector.disable-defaults", "--collector.textfile"]);
        command.arg(format!("--collector.textfile.directory={}", dir.display()));
        command.args(["--web.disable-exporter-metrics", "--log.level=warn"]);
        command.arg(format!("--web.listen-address={addr}"));
        command
    };
    let server = Server::start(prepare, |addr| get(addr).map(drop));
    let answer = get(server.addr()).unwrap();
    assert!(answer.contains("\nnode_textfile_scrape_error 0\n"), "{answer}");
    let mtime = format!("file=\"{}/threatstop.prom\"", server.dir().display());
    assert!(answer.contains(&mtime), "{answer}");
    let ours = |line: &&str| families().contains(line.split(' ').next().unwrap());
    let arrived: BTreeSet<String> =
        counted(&answer).lines().filter(ours).map(str::to_owned).collect();
    let sent: BTreeSet<String> = counted(printed()).lines().map(str::to_owned).collect();
    assert_eq!(arrived, sent);
    let said = server.process().output();
    let complaints = said.lines().filter(|line| !line.contains("is running as root user"));
    assert_eq!(complaints.collect::<Vec<_>>(), Vec::<&str>::new());
}

/// `/metrics` of a server.
fn get(addr: SocketAddr) -> Result<String, String> {
    let ask = || {
        let mut stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    let answer = ask().map_err(|why: std::io::Error| why.to_string())?;
    match answer.starts_with("HTTP/1.0 200 ") {
        true => Ok(answer),
        false => Err(answer),
    }
}
