//! Too few descriptors, too little memory: it works or it fails, and the tables are whole.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::*;
use tests::harness::{Config, Daemon, Scratch, ctl};
use tests::process::Process;

/// Starts the helper under a limit of the shell.
fn limited(scratch: &Scratch, limit: &str) -> Process {
    spawn(scratch, |command| {
        let threatstopd = command.get_program().to_owned();
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        *command = Command::new("/bin/sh");
        command.arg("-c").arg(format!("ulimit {limit}; exec \"$0\" \"$@\""));
        command.arg(threatstopd).args(args);
    })
}

/// Publishes a list, then starts under each limit with another list on the server, and updates as
/// well as that goes, under the last one to the end. Whatever comes of it, file and table are the old
/// set or the new one, whole; without the limit everything is as it should be. Gives the limits under
/// which the new set came.
fn under_limits(limits: &[String], old: usize, new: usize) -> Vec<String> {
    let mut worked = Vec::new();
    for limit in limits {
        let last = Some(limit) == limits.last();
        let (service, old_text) = honest(old);
        let scratch = Scratch::new();
        let config = Config::new(&scratch, &[service.addr()]);
        let daemon = Daemon::start(&scratch, &config);
        update(&daemon);
        assert!(daemon.stop().success());
        let (items, new_text) = list(new);
        service.edit(|z| *z = zone(&items));

        let process = limited(&scratch, limit);
        // it may serve, may start its engine again and again, or may not start at all
        let end = Instant::now() + if last { PATIENCE } else { Duration::from_secs(3) };
        let mut updated = false;
        while !updated && !process.has_ended() && Instant::now() < end {
            updated = ctl(&scratch.socket(), &["update"]).status.success();
            std::thread::sleep(Duration::from_millis(100));
        }
        let ended = process.has_ended();
        if ended {
            let status = process.wait_exit(STOP);
            assert_eq!(status.code(), Some(1), "{limit}: {status}\n{}", process.output());
            assert!(!process.lines().is_empty(), "{limit}: it does not say why");
        } else {
            process.signal(nix::sys::signal::Signal::SIGTERM);
            assert!(process.wait_exit(STOP).success(), "{limit}: {}", process.output());
        }
        let read = |kind: &str| {
            std::fs::read_to_string(scratch.tables().join(format!("{BLOCK}.{kind}"))).unwrap()
        };
        let (file, kernel) = (read("pftable"), read("simulated"));
        assert!([&old_text, &new_text].contains(&&file), "{limit}: {} lines", file.lines().count());
        assert!(file == kernel, "{limit}: file and table differ\n{}", process.output());
        if updated {
            assert!(file == new_text, "{limit}: {}", process.output());
            worked.push(limit.clone());
        }
        drop(process);
        let daemon = Daemon::start(&scratch, &config);
        update(&daemon);
        assert!(table(&daemon, BLOCK) == Some(new_text), "{limit}");
        assert!(daemon.stop().success());
    }
    worked
}

/// Publish a list, then run with 4 to 24 file descriptors.
/// Check that file and table are whole in each case, and that 24 are enough.
#[test]
fn few_descriptors() {
    let limits = [4, 8, 12, 24].map(|number| format!("-n {number}"));
    let worked = under_limits(&limits, 300, 320);
    assert!(worked.contains(&"-n 24".to_owned()), "{worked:?}");
}

/// Publish a list, then run with one of 20,000 and an address space of 16 megabytes to 1 gigabyte.
/// Check that file and table are whole in each case, that the helper does not die of what its engine
/// wants, and that a gigabyte is enough.
#[test]
fn little_memory() {
    let limits = [16, 24, 32, 1024].map(|mega| format!("-v {}", mega << 10));
    let worked = under_limits(&limits, 10_000, 20_000);
    assert!(worked.contains(&format!("-v {}", 1024 << 10)), "{worked:?}");
}
