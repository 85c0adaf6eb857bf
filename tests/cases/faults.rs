//! The engine's own files on a disk that fails, and an engine that ends at any step of what it keeps:
//! nothing is lost, nothing comes twice but by the same id, and it is told.

use std::fs;
use std::path::PathBuf;

use crate::common::in_parallel;
use crate::logging::*;
use tests::harness::{Daemon, Scratch, faulty_helper};
use tests::item::items;
use tests::process::{Looks, PATIENCE};
use tests::sim::logservice::{Behaviour, Upload};
use tests::sim::pflog::PacketLog;
use tests::sim::{Layout, LogService, PolicyService};

/// How a file is kept, step by step.
const KEPT: [&str; 5] = ["create", "write", "fsync", "rename", "sync"];
/// What a case needs, with records in the log that have arrived already.
struct Stage {
    scratch: Scratch,
    policy: PolicyService,
    service: LogService,
    log: PacketLog,
    daemon: Daemon,
    /// Octets of the largest body that the service takes.
    most: usize,
}

impl Stage {
    fn new() -> Self {
        let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
        let mut log = PacketLog::create(scratch.path().join("pflog"));
        let daemon = Daemon::spawn_faulty(&scratch, &config(&scratch, &policy, &service));
        daemon.wait_until_ready();
        assert!(daemon.ctl(&["update"]).status.success(), "{}", daemon.output());
        log.append(20, BAD);
        upload(&daemon);
        Self { scratch, policy, service, log, daemon, most: usize::MAX }
    }

    /// Says what the next steps come to, a line each.
    fn fault(&self, lines: &str) {
        // whole at once, for the engine looks at any time
        let new = self.scratch.spool().join("fault.new");
        fs::write(&new, lines).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.scratch.spool().join("fault")
    }

    /// Waits until a new engine serves.
    fn wait_for_another_engine(&self, what: &str) {
        self.daemon.wait_for("engine terminated; signal 6", PATIENCE);
        self.daemon.wait_until_ready();
        assert_eq!(fs::read_to_string(self.file()).unwrap(), "", "{what}");
    }

    /// Sends what is left, once more after a restart: every record has arrived once.
    fn everything_arrives(mut self, what: &str) -> u64 {
        let _ = fs::remove_file(self.file());
        self.log.append(10, BAD);
        let wanted = self.log.written().len();
        let looks = Looks::within(PATIENCE);
        let arrived = |stage: &Self| {
            slices(&taken(&stage.service, stage.most)).values().map(Vec::len).sum::<usize>()
                >= wanted
        };
        while !arrived(&self) || status(&self.daemon)["spool"]["slices"] != 0 {
            self.daemon.ctl(&["upload"]);
            assert!(looks.go_on(), "{what}: {}", self.daemon.output());
        }
        assert!(self.daemon.stop().success(), "{what}");
        let daemon =
            Daemon::start(&self.scratch, &config(&self.scratch, &self.policy, &self.service));
        assert!(daemon.ctl(&["upload"]).status.success(), "{what}");
        assert_delivered(&self.log, &taken(&self.service, self.most));
        let left: Vec<String> = fs::read_dir(self.scratch.spool())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("slice"))
            .collect();
        assert!(left.is_empty(), "{what}: {left:?}");
        let hits = daemon.ctl(&["-j", "show", "hits"]).stdout;
        let hits: serde_json::Value = serde_json::from_str(&hits).unwrap();
        assert!(daemon.stop().success(), "{what}");
        hits["in"].as_u64().unwrap()
    }
}

/// What the service has taken.
fn taken(service: &LogService, most: usize) -> Vec<Upload> {
    let mut uploads = service.uploads();
    uploads.retain(|upload| upload.body.len() <= most);
    uploads
}

/// The steps of an upload: what the slice counts is kept, then the slice, then the cursor; when the
/// slice was confirmed that is kept, and the slice removed. Each with the number of the same steps
/// before it.
fn steps_of_an_upload() -> Vec<(String, usize)> {
    let mut steps: Vec<(String, usize)> = Vec::new();
    steps.extend(KEPT.iter().map(|step| (format!("{step} slice"), 0)));
    for before in 0..3 {
        steps.extend(KEPT.iter().map(|step| (format!("{step} log.state"), before)));
    }
    steps.push(("unlink slice".to_owned(), 0));
    steps
}

/// Let records come and upload; at each step of that end the engine as suddenly as SIGKILL does.
/// Check that the next engine sends what is left, that each record is in one slice and counted once,
/// that what came twice has the same id, and that nothing is left in the spool, also after a restart.
#[test]
fn an_engine_killed_at_any_step_of_an_upload_loses_nothing() {
    faulty_helper();
    in_parallel(&steps_of_an_upload(), |(step, before)| {
        let mut stage = Stage::new();
        let what = format!("{step}, after {before}");
        stage.fault(&format!("{}{step}:kill\n", format!("{step}:pass\n").repeat(*before)));
        stage.log.append(50, BAD);
        assert_eq!(stage.daemon.ctl(&["upload"]).status.code(), Some(1), "{what}");
        stage.wait_for_another_engine(&what);
        assert_eq!(stage.everything_arrives(&what), 80, "{what}");
    });
}

/// The same on a disk that fails at a step as long as it likes.
/// Check that the upload and the status say so when something could not be kept, and that everything
/// arrives once the disk is well.
#[test]
fn a_disk_that_fails_at_any_step_of_an_upload_loses_nothing() {
    faulty_helper();
    in_parallel(&steps_of_an_upload(), |(step, before)| {
        let mut stage = Stage::new();
        let what = format!("{step}, after {before}");
        stage.fault(&format!("{}{step}:5\n", format!("{step}:pass\n").repeat(*before)));
        stage.log.append(50, BAD);
        let output = stage.daemon.ctl(&["upload"]);
        if step == "unlink slice" || *before == 2 {
            // it was delivered, and comes again with its id
            assert!(output.status.success(), "{what}: {}", output.stderr);
            stage.daemon.wait_for("sent again", PATIENCE);
        } else {
            assert_eq!(output.status.code(), Some(1), "{what}: {}", output.stdout);
            assert!(output.stderr.contains("Input/output error"), "{what}: {}", output.stderr);
            let warnings = status(&stage.daemon)["pf"]["warnings"].to_string();
            assert!(warnings.contains("\"spool: /"), "{what}: {warnings}");
        }
        assert_eq!(stage.everything_arrives(&what), 80, "{what}");
    });
}

/// Let the service take only small bodies, so that a slice is sent in halves; at each step of making
/// them end the engine, or let the disk fail.
/// Check that each record arrives in one slice and is counted once all the same.
#[test]
fn a_slice_is_cut_into_halves_or_stays_whole() {
    let mut steps: Vec<(String, usize)> = vec![("unlink slice".to_owned(), 0)];
    // the whole slice was kept by the same steps before
    steps.extend([1, 2].iter().flat_map(|n| KEPT.map(|step| (format!("{step} slice"), *n))));
    let jobs: Vec<_> = steps.iter().flat_map(|step| [(step, "kill"), (step, "5")]).collect();
    faulty_helper();
    in_parallel(&jobs, |((step, before), how)| {
        let mut stage = Stage::new();
        let what = format!("{step}, after {before}: {how}");
        stage.most = 4000;
        stage.service.set(Behaviour::AtMost(stage.most));
        stage.fault(&format!("{}{step}:{how}\n", format!("{step}:pass\n").repeat(*before)));
        stage.log.append(50, BAD);
        let output = stage.daemon.ctl(&["upload"]);
        assert_eq!(output.status.code(), Some(1), "{what}: {}", output.stdout);
        assert!(stage.service.uploads().iter().any(|upload| upload.body.len() > 4000), "{what}");
        if *how == "kill" {
            stage.wait_for_another_engine(&what);
        } else {
            assert!(output.stderr.contains("Input/output error"), "{what}: {}", output.stderr);
        }
        assert_eq!(stage.everything_arrives(&what), 80, "{what}");
    });
}

/// Serve another list and update; at each step of what is remembered end the engine.
/// Check that the next engine has the new list in force and knows which list names an address, that
/// no file was damaged, and that updates go on.
#[test]
fn an_engine_killed_at_any_step_of_its_memory_goes_on() {
    let mut steps: Vec<String> = KEPT.iter().map(|step| format!("{step} state.json")).collect();
    // not durable: the next update brings it again
    steps.extend(["move", "create", "write", "rename"].map(|step| format!("{step} list")));
    steps.extend(["create", "write", "rename"].map(|step| format!("{step} ages")));
    faulty_helper();
    in_parallel(&steps, |step| {
        let stage = Stage::new();
        stage.fault(&format!("{step}:kill\n"));
        let list = items("198.51.100.0/24 64.87.3.133 5.5.5.5");
        stage.policy.set_list("basic.threatstop.local", &list, Layout::Single);
        assert_eq!(stage.daemon.ctl(&["update"]).status.code(), Some(1), "{step}");
        stage.wait_for_another_engine(step);
        let updated = stage.daemon.ctl(&["update"]);
        assert!(updated.status.success(), "{step}: {}", updated.stderr);
        let expected = "5.5.5.5\n64.87.3.133\n198.51.100.0/24\n";
        for text in [
            stage.daemon.table_file("ThreatSTOP-Block"),
            stage.daemon.kernel_table("ThreatSTOP-Block"),
        ] {
            assert_eq!(text.as_deref(), Some(expected), "{step}");
        }
        let why = stage.daemon.ctl(&["why", "5.5.5.5"]);
        assert!(why.stdout.contains("basic.threatstop.local"), "{step}: {}", why.stdout);
        for words in ["begins anew", "lists will be known after"] {
            assert!(!stage.daemon.output().contains(words), "{step}: {}", stage.daemon.output());
        }
        assert!(stage.daemon.stop().success(), "{step}");
    });
}
