//! The programs under test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::process::run;

/// A build from nothing on a small machine takes a few minutes.
const BUILD: Duration = Duration::from_secs(1800);

/// Where the programs are: in one directory, since the helper looks for the engine beside itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// The root helper.
    pub threatstopd: PathBuf,
    /// The engine.
    pub engine: PathBuf,
    /// The control tool.
    pub threatstopctl: PathBuf,
}

/// Builds the programs, in the profile of the tests, and finds them; once in a test run.
pub fn programs() -> &'static Programs {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    PROGRAMS.get_or_init(build)
}

fn build() -> Programs {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace).args(["build", "--message-format=json-render-diagnostics"]);
    cargo.args(["--profile", &profile()]);
    cargo.args(["--package", "threatstopd", "--package", "engine", "--package", "threatstopctl"]);
    let output = run(&mut cargo, BUILD);
    assert!(output.status.success(), "cannot build the programs:\n{}", output.stderr);
    let find = |name: &str| {
        executable(&output.stdout, name)
            .unwrap_or_else(|| panic!("cargo built no program {name}:\n{}", output.stderr))
    };
    let programs = Programs {
        threatstopd: find("threatstopd"),
        engine: find("threatstopd-engine"),
        threatstopctl: find("threatstopctl"),
    };
    let dir = programs.threatstopd.parent();
    assert!(
        programs.engine.parent() == dir && programs.threatstopctl.parent() == dir,
        "the programs are not side by side: {programs:?}"
    );
    programs
}

/// The profile of this test, from the directory cargo put it in.
fn profile() -> String {
    let own = env::current_exe().expect("the path of this test");
    let dir = own.ancestors().skip(1).filter_map(Path::file_name).find(|name| *name != "deps");
    match dir.and_then(|name| name.to_str()) {
        Some("debug") | None => "dev".to_string(),
        Some(name) => name.to_string(),
    }
}

/// The executable of a name in cargo's messages, one JSON object a line.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    messages
        .filter(|message: &serde_json::Value| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}
