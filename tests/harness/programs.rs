//! The programs under test.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::unistd::Uid;

use super::cargo::{Voice, build, build_apart};
use crate::process::{PATIENCE, run};

/// Where the programs are: in one directory, since the helper looks for the engine beside itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// The root helper.
    pub threatstopd: PathBuf,
    /// The engine.
    pub engine: PathBuf,
    /// What ends states.
    pub states: PathBuf,
    /// The control tool.
    pub threatstopctl: PathBuf,
}

static PROGRAMS: OnceLock<Programs> = OnceLock::new();

/// Builds the programs, in the profile of the tests, and finds them; once in a test run.
pub fn programs() -> &'static Programs {
    PROGRAMS.get_or_init(|| all(Voice::Quiet))
}

/// The same for somebody who waits for it: what cargo says of it goes to stderr at once.
pub fn programs_aloud() -> &'static Programs {
    PROGRAMS.get_or_init(|| all(Voice::Aloud))
}

fn all(voice: Voice) -> Programs {
    let names = ["threatstopd", "threatstopd-engine", "threatstopd-states", "threatstopctl"];
    let all = build(names, &[], voice);
    let dir = all[0].parent();
    let beside = all.iter().all(|program| program.parent() == dir);
    assert!(beside, "the programs are not side by side: {all:?}");
    let [threatstopd, engine, states, threatstopctl] = all;
    give_to_root(&[&threatstopd, &engine, &states]);
    Programs { threatstopd, engine, states, threatstopctl }
}

/// A helper with its fault points, beside an engine with its own: a fault comes where a test asks for it, and
/// what has all of them is built once.
pub fn faulty_helper() -> &'static Path {
    static HELPER: OnceLock<PathBuf> = OnceLock::new();
    HELPER.get_or_init(|| {
        let names = ["threatstopd", "threatstopd-engine"];
        let features = "threatstopd/fault-points,engine/fault-points";
        let [helper, engine] = build_apart(names, features, "faulty");
        assert_eq!(helper.parent(), engine.parent());
        give_to_root(&[&helper, &engine]);
        helper
    })
}

/// Root starts nothing that somebody else could have put there, and when root runs the tests, somebody
/// else may have built the programs before.
fn give_to_root(programs: &[&PathBuf]) {
    if !Uid::effective().is_root() {
        return;
    }
    for program in programs {
        let mode = fs::metadata(program).expect("what was built").mode();
        let given = chown(program, Some(0), Some(0))
            .and_then(|()| fs::set_permissions(program, Permissions::from_mode(mode & !0o022)));
        given.unwrap_or_else(|why| panic!("cannot give {} to root: {why}", program.display()));
    }
}

/// A copy of a program, which everybody may run.
///
/// Another process makes it: were the file open for writing here, whatever another test starts in
/// that moment would have it open, too, and "Text file busy" be the answer to who runs the copy.
pub fn copy_program(from: &Path, to: &Path) {
    let copied = run(Command::new("cp").arg(from).arg(to), PATIENCE);
    assert!(copied.status.success(), "{}", copied.stderr);
    fs::set_permissions(to, Permissions::from_mode(0o755)).expect("change the mode of a program");
}

/// A program in the language of sh(1), without its first line.
pub fn write_script(to: &Path, text: &str) {
    let written = to.with_extension("text");
    fs::write(&written, format!("#!/bin/sh\n{text}\n")).expect("write a script");
    copy_program(&written, to);
    fs::remove_file(written).expect("remove a script");
}
