//! Table files and lines for pf.conf(5), before the first start.
//!
//! 1. Run setup where not even the directory of the table files is there.
//! 2. Check that directory and files are made as they have to be, and that stdout holds lines for
//!    pf.conf and nothing else.
//! 3. Load them, as pfctl -f does with these lines, start the daemon and update: it fills them.
//! 4. Run setup again: it changes nothing.
//! 5. Run setup with what is wrong: exit 1, nothing on stdout, and nothing is touched.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::common::*;
use tests::harness::{Config, Daemon, Scratch, programs};
use tests::process::{Output, run};

fn setup(scratch: &Scratch, flags: &[&str]) -> Output {
    let mut command = Command::new(&programs().threatstopctl);
    command.arg("setup").args(flags).arg("-f").arg(scratch.config());
    run(&mut command, PATIENCE)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn from_nothing_to_the_first_update() {
    let (service, text) = honest(300);
    let scratch = Scratch::new();
    fs::remove_dir(scratch.tables()).unwrap();
    let config = Config::new(&scratch, &[service.addr()]);
    config.write(&scratch);

    let output = setup(&scratch, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    let files = [ALLOW, BLOCK].map(|name| scratch.tables().join(format!("{name}.pftable")));
    let shown = files.each_ref().map(|path| path.display());
    let created = format!(
        "created {}\ncreated {}\ncreated {}\n",
        scratch.tables().display(),
        shown[0],
        shown[1]
    );
    assert!(output.stderr.starts_with(&created), "{}", output.stderr);
    assert!(output.stderr.ends_with("\npfctl -nf /etc/pf.conf && pfctl -f /etc/pf.conf\n"));
    assert_eq!(mode(&scratch.tables()), 0o700);
    for path in &files {
        assert_eq!((mode(path), fs::read(path).unwrap().len()), (0o600, 0), "{}", path.display());
    }
    let lines: Vec<&str> = output.stdout.lines().filter(|line| !line.starts_with('#')).collect();
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(
        lines,
        [
            "set limit table-entries 400000",
            &format!("table <{ALLOW}> persist file \"{}\"", shown[0]),
            &format!("table <{BLOCK}> persist file \"{}\"", shown[1]),
            &format!("pass in log quick from <{ALLOW}>"),
            &format!("pass out log quick to <{ALLOW}>"),
            &format!("block in log quick from <{BLOCK}>"),
            &format!("block out log quick to <{BLOCK}>"),
        ]
    );

    // pf has no tables yet, and the files are empty: nothing to mend, and no reason to fall over
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));

    let before = files.each_ref().map(|path| fs::metadata(path).unwrap());
    let again = setup(&scratch, &[]);
    assert_eq!((again.status.code(), &again.stdout), (Some(0), &output.stdout));
    assert!(!again.stderr.contains("created"), "{}", again.stderr);
    for (path, before) in files.iter().zip(before) {
        let after = fs::metadata(path).unwrap();
        assert_eq!((after.ino(), after.mtime(), after.len()), {
            (before.ino(), before.mtime(), before.len())
        });
    }
    let bridge = setup(&scratch, &["-b"]);
    assert!(bridge.stdout.contains("\nset skip on $inner\n"), "{}", bridge.stdout);
    assert!(bridge.stdout.contains(&format!("\nblock in log quick on $outer from <{BLOCK}>\n")));
}

/// 200,300 prefixes do not fit twice into the least limit.
#[test]
fn the_limit_follows_the_tables() {
    let scratch = Scratch::new();
    Config::new(&scratch, &[]).set("policy.servers", vec!["192.0.2.53"]).write(&scratch);
    plant(&scratch.tables().join(format!("{BLOCK}.pftable")), &list(200_300).1);
    let output = setup(&scratch, &[]);
    assert!(output.stdout.contains("\nset limit table-entries 500000\n"), "{}", output.stdout);
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_touched() {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[]).set("policy.servers", vec!["192.0.2.53"]);
    let refused = |why: &str| {
        let output = setup(&scratch, &[]);
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""));
        assert!(output.stderr.starts_with("threatstopctl: setup: "), "{}", output.stderr);
        assert!(output.stderr.contains(why), "{}", output.stderr);
    };
    refused("No such file or directory: install -m 600 ");
    config.write(&scratch);
    set_mode(&scratch.config(), 0o644);
    refused(": chmod 600 ");
    config.clone().set("tables.block", "block").write(&scratch);
    refused("threatstopd.toml:");
    config.write(&scratch);

    let path = scratch.tables().join(format!("{BLOCK}.pftable"));
    let aim = scratch.path().join("aim");
    plant(&aim, "untouched");
    symlink(&aim, &path).unwrap();
    refused(&path.display().to_string());
    assert_eq!(fs::read_to_string(&aim).unwrap(), "untouched");
    fs::remove_file(&path).unwrap();
    assert!(!path.exists());
}
