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
