use std::path::Path;

use super::*;

fn parse(line: &str) -> Option<Flags> {
    Flags::parse(std::iter::once("threatstopd").chain(line.split_whitespace()).map(Into::into))
}

#[test]
fn flags_are_read_as_getopt_reads_them() {
    let none = parse("").unwrap();
    assert!(!none.debug && !none.check && !none.version && !none.verbose);
    assert_eq!(none.config, Path::new("/etc/threatstopd.toml"));
    assert_eq!(none.socket, Path::new("/var/run/threatstopd.sock"));
    assert_eq!(parse("-n -v"), Some(Flags { check: true, verbose: true, ..none }));
    let all = parse("-dnVv -f /etc/other.toml -s /tmp/socket").unwrap();
    assert!(all.debug && all.check && all.version && all.verbose);
    assert_eq!(all.config, Path::new("/etc/other.toml"));
    assert_eq!(all.socket, Path::new("/tmp/socket"));
    // an argument may stand in the same word
    assert_eq!(parse("-df/etc/other.toml").unwrap().config, all.config);
    // the last one counts
    assert_eq!(parse("-f a -f b").unwrap().config, Path::new("b"));
}

#[test]
fn anything_else_calls_for_the_usage() {
    for line in ["-x", "-d -x", "--version", "--debug", "start", "-d start", "-f", "-s", "-- x"] {
        assert_eq!(parse(line), None, "{line}");
    }
}
