//! The daemon and its control tool.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::config::Config;
use super::programs::{faulty_helper, programs};
use super::scratch::Scratch;
use crate::process::{Looks, Output, PATIENCE, Process, STOP, run};

/// No command of the control tool takes longer against a service on this host, even where much else
/// runs.
const CTL: Duration = Duration::from_secs(240);
/// Name of the engine in the process table, which keeps 15 octets (TASK_COMM_LEN of Linux).
const ENGINE_NAME: &str = "threatstopd-eng";

/// A daemon in the foreground; see [`Process`] for its log, signals and end. It is killed with its
/// engine when dropped.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    socket: PathBuf,
    tables: PathBuf,
}

impl Daemon {
    /// Writes the configuration, starts the daemon and waits until it answers.
    pub fn start(scratch: &Scratch, config: &Config) -> Self {
        let daemon = Self::spawn(scratch, config, |_| {});
        daemon.wait_until_ready();
        daemon
    }

    /// The same without waiting, and with a change to the command: flags, environment.
    pub fn spawn(scratch: &Scratch, config: &Config, change: impl FnOnce(&mut Command)) -> Self {
        config.write(scratch);
        let mut command = Command::new(&programs().threatstopd);
        command.arg("-d").arg("-f").arg(scratch.config()).arg("-s").arg(scratch.socket());
        change(&mut command);
        let process = Process::spawn(&mut command);
        Self { process, socket: scratch.socket(), tables: scratch.tables() }
    }

    /// The same with an engine that has its fault points, and a clock that can be set ahead.
    pub fn spawn_faulty(scratch: &Scratch, config: &Config) -> Self {
        Self::spawn(scratch, config, Self::faulty)
    }

    /// Changes the command to one whose engine has its fault points.
    pub fn faulty(command: &mut Command) {
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        *command = Command::new(faulty_helper());
        command.args(args);
    }

    /// Waits until the control socket is answered; panics with the log when it does not come.
    pub fn wait_until_ready(&self) {
        let looks = Looks::within(PATIENCE);
        loop {
            let output = ctl(&self.socket, &["status"]);
            if output.status.success() {
                return;
            }
            if self.has_ended() || !looks.go_on() {
                panic!("the daemon is not ready: {}{}", output.stderr, self.output());
            }
        }
    }

    /// Runs the control tool against this daemon.
    pub fn ctl(&self, arguments: &[&str]) -> Output {
        ctl(&self.socket, arguments)
    }

    /// The same for what is timed, and has to succeed: it is waited for, and not looked after now and then.
    pub fn ctl_timed(&self, arguments: &[&str]) {
        let output = ctl_command(&self.socket, arguments).stdin(Stdio::null()).output();
        let output = output.expect("start the control tool");
        let text = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
    }

    /// The engine's process; `None` while there is none, or where there is no /proc.
    pub fn engine(&self) -> Option<Pid> {
        let mut all = self.descendants().into_iter();
        all.find(|(_, name)| name == ENGINE_NAME).map(|(pid, _)| pid)
    }

    /// The helper's process; `None` while there is none, or where there is no /proc.
    pub fn helper(&self) -> Option<Pid> {
        let mut all = self.descendants().into_iter();
        all.find(|(_, name)| name == "threatstopd").map(|(pid, _)| pid)
    }

    /// The text of a table file, such as "ThreatSTOP-Block"; `None` when there is none.
    pub fn table_file(&self, table: &str) -> Option<String> {
        fs::read_to_string(self.tables.join(format!("{table}.pftable"))).ok()
    }

    /// The text of the simulated kernel's table; `None` when there is none.
    pub fn kernel_table(&self, table: &str) -> Option<String> {
        fs::read_to_string(self.tables.join(format!("{table}.simulated"))).ok()
    }

    /// Ends the daemon by SIGTERM and waits for as long as it may take.
    pub fn stop(self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait_exit(STOP)
    }
}

impl Deref for Daemon {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

/// Runs the control tool against the daemon behind a socket.
pub fn ctl(socket: &Path, arguments: &[&str]) -> Output {
    run(&mut ctl_command(socket, arguments), CTL)
}

fn ctl_command(socket: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(&programs().threatstopctl);
    command.arg("-s").arg(socket).args(arguments);
    command
}
