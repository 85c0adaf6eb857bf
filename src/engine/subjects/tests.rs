use std::path::Path;

use super::*;

/// Fails when what is said of a feed is taken for something of the same name: then its end would be that of
/// both.
#[test]
fn no_feed_has_the_name_of_anything_else() {
    let fixed = [AGE, PF, SPOOL, UPLOAD, CONFIGURATION, "packet-log", "block", "log"];
    let feeds = fixed.iter().filter(|name| !name.contains(' ')).map(|name| {
        format!("[[feed]]\nname = \"{name}\"\nurl = \"https://feeds.example.net/{name}\"\n")
    });
    let text = format!(
        "device_id = \"tdid_abcd1234\"\n[guard]\nnever_block_names = [\"log.example.net\"]\n\
         [log]\nurl = \"https://log.example.net/\"\n{}",
        feeds.collect::<String>()
    );
    let config = Config::parse(&text, Path::new("test")).unwrap();
    let all = all(&config, &Tables::new(&config));
    for subject in [
        PF,
        SPOOL,
        UPLOAD,
        CONFIGURATION,
        "feed pf",
        "list pf",
        "copy of list pf",
        "feed upload",
        "policy",
        "list block",
        "block table",
        "update of the block table",
        "repair of the block table",
        "ages of the block table",
        "pf table <ThreatSTOP-Block>",
        "name log.example.net",
        "never_block_names log.example.net",
    ] {
        assert!(all.contains(subject), "{subject}: {all:?}");
    }
    assert!(["block", "upload of", "feed drop"].iter().all(|subject| !all.contains(*subject)));
    assert!(all.iter().all(|subject| is_any(subject)));
    assert!(["drop", "block", "log.example.net"].iter().all(|subject| !is_any(subject)));
    // of no names nothing is remembered
    let config = Config::parse("device_id = \"tdid_abcd1234\"\n", Path::new("test")).unwrap();
    assert!(!super::all(&config, &Tables::new(&config)).contains(NAMES) && all.contains(NAMES));
}
