use super::*;

#[test]
fn the_way_to_a_directory_names_who_it_has_to_belong_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b");
    let shown = path.display();
    for (owner, command) in [
        (Some("fred"), format!("install -d -m 700 -o fred {shown}")),
        (None, format!("install -d -m 700 {shown}")),
    ] {
        let why = make_directory(&path, owner).unwrap_err();
        assert_eq!(why, format!("{shown}: No such file or directory; make it: {command}"));
    }
    assert_eq!(make_directory(&dir.path().join("a"), None), Ok(()));
    assert_eq!(make_directory(&dir.path().join("a"), None), Ok(()));
}

#[test]
fn one_engine_uses_a_spool() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(lock(dir.path(), Duration::ZERO), Ok(()));
    let why = lock(dir.path(), Duration::ZERO).unwrap_err();
    let expected = "another threatstopd uses it: set log.spool";
    assert_eq!(why, format!("{}: {expected}", dir.path().display()));
    let missing = lock(&dir.path().join("a"), Duration::ZERO).unwrap_err();
    assert!(missing.ends_with("/a: No such file or directory"), "{missing}");
}
