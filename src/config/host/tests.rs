use std::ffi::CString;
use std::os::unix::fs::symlink;

use nix::unistd::Uid;

use super::*;

#[test]
fn a_user_of_roots_ids_is_refused_whatever_its_name() {
    let user = |uid, gid| User {
        name: "toor".into(),
        passwd: CString::default(),
        uid: Uid::from_raw(uid),
        gid: Gid::from_raw(gid),
        gecos: CString::default(),
        dir: Path::new("/").into(),
        shell: Path::new("/bin/sh").into(),
        #[cfg(not(target_os = "linux"))]
        class: CString::default(),
        #[cfg(not(target_os = "linux"))]
        change: 0,
        #[cfg(not(target_os = "linux"))]
        expire: 0,
    };
    assert_eq!(fit(user(0, 100)).unwrap_err(), "user toor is root: set another");
    let why = "user toor is in group 0: set one with a group of its own";
    assert_eq!(fit(user(100, 0)).unwrap_err(), why);
    assert!(fit(user(100, 100)).is_ok());
}

/// A link that dangles where its directory is missing too is what unveil(2) refuses, and no start fails of.
#[test]
fn what_unveil_refuses_is_not_handed_to_it() {
    let scratch = tempfile::tempdir().unwrap();
    let within = |name: &str| scratch.path().join(name).display().to_string();
    fs::write(within("there"), "").unwrap();
    for (link, to) in
        [("link", "there"), ("dangles", "gone/list"), ("round", "round"), ("pflog.1", "gone/1")]
    {
        symlink(within(to), within(link)).unwrap();
    }
    for (file, is_taken) in [
        ("there", true),
        ("link", true),
        ("not-yet", true),
        ("dangles", false),
        ("round", false),
        ("gone/list", false),
        ("there/list", false),
    ] {
        let file = within(file);
        let text = format!(
            "device_id = \"tdid_abcd1234\"\n[policy]\nlocal_allow = \"{file}\"\n\
             [log]\nfile = \"{}\"\n",
            within("pflog")
        );
        let config = Config::parse(&text, Path::new("test")).unwrap();
        let unveiled = config.unveiled();
        assert_eq!(unveiled.contains(&file.clone().into()), is_taken, "{file}");
        assert!(unveiled.contains(&within("pflog.0.gz").into()));
        assert!(!unveiled.contains(&within("pflog.1").into()));
    }
}

/// What a link leads to today says nothing where the engine can put another one in its place.
#[test]
fn no_link_leads_through_a_directory_of_others() {
    let scratch = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(scratch.path()).unwrap();
    let theirs = root.join("theirs");
    fs::create_dir_all(theirs.join("below")).unwrap();
    fs::create_dir(root.join("ours")).unwrap();
    fs::write(root.join("ours/list"), "").unwrap();
    for (link, to) in [
        ("theirs/out", "../ours/list"),
        ("theirs/dir", "../ours"),
        ("theirs/round", "round"),
        ("ours/in", "../theirs/list"),
        ("ours/in-and-out", "../theirs/out"),
        ("ours/twice", "in-and-out"),
        ("ours/dir", "../theirs/below"),
        ("ours/dir-and-out", "../theirs/dir"),
        ("ours/slash", "dir-and-out/"),
        ("ours/dot", "dir-and-out/."),
        ("ours/self", "./"),
        ("ours/to-round", "../theirs/round"),
        ("ours/round", "round"),
        ("ours/beside", "list"),
        ("ours/dangles", "gone/list"),
    ] {
        symlink(to, root.join(link)).unwrap();
    }
    for (path, leads) in [
        ("theirs", true),
        ("theirs/not-yet", true),
        ("theirs/out", true),
        ("theirs/dir/list", true),
        ("ours/in", true),
        ("ours/in-and-out", true),
        ("ours/twice", true),
        ("ours/dir/list", true),
        ("ours/dir-and-out/list", true),
        ("ours/dir-and-out/", true),
        ("ours/dir-and-out/.", true),
        ("ours/slash/list", true),
        ("ours/dot/list", true),
        ("ours/to-round", true),
        ("ours/list", false),
        ("ours/self/list", false),
        ("ours/round", false),
        ("ours/beside", false),
        ("ours/dangles", false),
        ("gone/list", false),
        ("theirs-too/list", false),
    ] {
        assert_eq!(leads_through(&root.join(path), &theirs, LINKS), leads, "{path}");
    }
}

/// Fails, by not ending, when each link of a path doubles the work for those before it. A kernel follows
/// 32 or more.
#[test]
fn many_links_are_each_looked_at_once() {
    let scratch = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(scratch.path()).unwrap();
    let theirs = root.join("theirs");
    ["ours", "theirs"].iter().for_each(|name| fs::create_dir(root.join(name)).unwrap());
    fs::write(root.join("ours/list"), "").unwrap();
    for (link, to) in [("d", "../ours"), ("in", "../theirs/out"), ("near", "list")] {
        symlink(to, root.join("ours").join(link)).unwrap();
    }
    symlink("../ours/list", theirs.join("out")).unwrap();
    let links = "d/".repeat(30);
    for (name, leads) in [("list", false), ("near", false), ("in", true)] {
        let path = root.join("ours").join(&links).join(name);
        assert!(fs::canonicalize(&path).is_ok());
        assert_eq!(leads_through(&path, &theirs, LINKS), leads, "{name}");
    }
}
