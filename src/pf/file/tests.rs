use std::fs::{Permissions, hard_link, metadata, read_to_string, set_permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use nix::errno::Errno;
use nix::sys::stat::Mode;
use nix::unistd::{Uid, mkfifo};
use prefix::Kind;

use super::*;

fn scratch() -> (tempfile::TempDir, Directory) {
    let scratch = tempfile::tempdir().unwrap();
    let directory = Directory::open(scratch.path()).unwrap();
    (scratch, directory)
}

fn load(text: &str) -> Result<String> {
    let (scratch, directory) = scratch();
    plant(scratch.path(), "T.pftable", text);
    directory.load(&table("T"), "pftable").map(|set| texts(&set))
}

#[test]
fn canonical_text_is_read() {
    assert_eq!(load(""), Ok("".into()));
    let text = "1.2.3.4\n1.2.4.0/24\n255.255.255.255\n::/8\n2001:db8::1\n";
    assert_eq!(load(text), Ok(text.trim_end().replace('\n', " ")));
}

#[test]
fn every_other_text_is_refused_with_its_line() {
    for (text, line) in [
        ("1.2.3.4", 1),                 // cut
        ("1.2.3.4\n1.2.3.5\n1.2.3", 3), // cut
        ("1.2.3.4/32\n", 1),            // not canonical
        ("1.2.3.4\r\n", 1),
        ("1.2.3.4 \n", 1),
        ("1.2.3.4\n\n", 2),
        ("# comment\n", 1),
        ("1.2.3.4/24\n", 1),
        ("2001:DB8::\n", 1),
        ("2001:db8:0::\n", 1),
        ("2.0.0.0\n1.0.0.0\n", 2),   // not ascending
        ("1.0.0.0\n1.0.0.0\n", 2),   // twice
        ("1.0.0.0/8\n1.2.3.4\n", 2), // within the one before
        ("::1\n1.2.3.4\n", 2),       // IPv6 first
        ("!1.2.3.4\n", 1),
        ("em0\n", 1),
        ("1.2.3.4\n\u{0}\n", 2),
    ] {
        match load(text) {
            Err(error) => {
                let place = format!("/T.pftable:{line}: not the next prefix; ");
                assert!(
                    error.errno == Errno::EILSEQ && error.to_string().contains(&place),
                    "{text:?}: {error}"
                );
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
    let endless = "1".repeat(1 << 20);
    assert_eq!(load(&endless).unwrap_err().errno, Errno::EILSEQ);
}

/// Fails when a line is cut or lost where a part that is read ends: parts of lines of sixteen octets end with
/// one.
#[test]
fn a_file_of_many_parts_is_read_as_one_of_few() {
    for (low, count) in [(1, 4095), (1, 20_000), (100, 4095), (100, 4096), (100, 4097)] {
        let octets = low..256_u32;
        let pairs = octets.clone().flat_map(|third| octets.clone().map(move |last| [third, last]));
        let line = |[third, last]: [u32; 2]| format!("100.100.{third}.{last}\n");
        let text: String = pairs.take(count).map(line).collect();
        let same = text.trim_end().replace('\n', " ");
        assert!(load(&text) == Ok(same), "{low} {count}");
        let error = load(&format!("{text}1.1.1.1\n")).unwrap_err().to_string();
        let place = format!("/T.pftable:{}: not the next prefix; ", count + 1);
        assert!(error.contains(&place), "{low} {count}: {error}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_too() {
    let (scratch, directory) = scratch();
    std::fs::write(scratch.path().join("T.pftable"), b"1.2.3.4\n\xFF\xFE\n").unwrap();
    let error = directory.load(&table("T"), "pftable").unwrap_err();
    assert_eq!(error.errno, Errno::EILSEQ);
    assert!(
        error.to_string().ends_with("/T.pftable:2: not the next prefix; run threatstopctl update")
    );
}

/// Whatever is not as we leave it is neither read nor replaced, and nothing hangs.
#[test]
fn planted_files_are_refused() {
    type Plant = fn(&Path);
    let kinds: [(&str, Plant); 5] = [
        ("symbolic link", |path| symlink("/etc/passwd", path).unwrap()),
        ("dangling link", |path| symlink("/nowhere/at/all", path).unwrap()),
        ("fifo", |path| mkfifo(path, Mode::S_IRWXU).unwrap()),
        ("directory", |path| std::fs::create_dir(path).unwrap()),
        ("mode", |path| {
            plant(path.parent().unwrap(), "T.pftable", "1.1.1.1\n");
            let _ = std::fs::rename(path.parent().unwrap().join("T.pftable"), path);
            set_permissions(path, Permissions::from_mode(0o620)).unwrap();
        }),
    ];
    for (kind, make) in kinds {
        for name in ["T.pftable", "T.pftable.prev"] {
            let (scratch, directory) = scratch();
            make(&scratch.path().join(name));
            let before = names(scratch.path());
            let error = directory.load(&table("T"), name.strip_prefix("T.").unwrap()).unwrap_err();
            assert!(error.to_string().contains(name), "{kind} {name}: {error}");
            let error = publish(None, &directory, &table("T"), &set("2.2.2.2"), false);
            let error = error.unwrap_err();
            assert!(!error.differ, "{kind} {name}");
            assert!(error.to_string().contains(name), "{kind} {name}: {error}");
            assert_eq!(names(scratch.path()), before, "{kind} {name}");
        }
    }
    assert!(metadata("/etc/passwd").is_ok());
}

#[test]
fn what_is_planted_for_the_temporary_file_is_not_followed() {
    let (scratch, directory) = scratch();
    let at = |name: &str| scratch.path().join(name);
    plant(scratch.path(), "victim", "precious\n");
    for _ in 0..2 {
        symlink("victim", at(".T.pftable.tmp")).unwrap();
        publish(None, &directory, &table("T"), &set("2.2.2.2"), false).unwrap();
        assert_eq!(read_to_string(at("victim")).unwrap(), "precious\n");
        assert_eq!(read_to_string(at("T.pftable")).unwrap(), "2.2.2.2\n");
        std::fs::remove_file(at("T.pftable")).unwrap();
        let _ = std::fs::remove_file(at(".T.pftable.tmp")); // where it was not needed
    }
    mkfifo(&at(".T.pftable.tmp"), Mode::S_IRWXU).unwrap();
    publish(None, &directory, &table("T"), &set("2.2.2.2"), false).unwrap();
    assert_eq!(names(scratch.path()), ["T.pftable", "victim"]);

    std::fs::create_dir(at(".T.pftable.tmp")).unwrap();
    let error = publish(None, &directory, &table("T"), &set("3.3.3.3"), false);
    assert!(!error.unwrap_err().differ);
    assert_eq!(read_to_string(at("T.pftable")).unwrap(), "2.2.2.2\n");
}

#[test]
fn what_is_planted_for_the_kept_file_stops_us() {
    let kinds: [fn(&Path); 3] = [
        |path| symlink("/etc/passwd", path).unwrap(),
        |path| mkfifo(path, Mode::S_IRWXU).unwrap(),
        |path| std::fs::create_dir(path).unwrap(),
    ];
    for make in kinds {
        let (scratch, directory) = scratch();
        plant(scratch.path(), "T.pftable", "1.1.1.1\n");
        make(&scratch.path().join(".T.pftable.old"));
        let error = publish(None, &directory, &table("T"), &set("2.2.2.2"), false);
        assert!(!error.unwrap_err().differ);
        assert_eq!(texts(&directory.load(&table("T"), "pftable").unwrap()), "1.1.1.1");
    }
}

fn say_skipped(why: &str) {
    // not eprintln: the test harness would swallow it
    let thread = std::thread::current();
    let line = format!("SKIPPED: {}: {why}\n", thread.name().unwrap());
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

#[test]
fn files_of_others_are_refused() {
    if !Uid::effective().is_root() {
        return say_skipped("needs root"); // nobody else may give a file away
    }
    let (scratch, directory) = scratch();
    plant(scratch.path(), "T.pftable", "1.1.1.1\n");
    chown(scratch.path().join("T.pftable"), Some(12345), None).unwrap();
    let error = directory.load(&table("T"), "pftable").unwrap_err();
    assert_eq!(error.errno, Errno::EPERM);
    chown(scratch.path(), Some(12345), None).unwrap();
    let error = Directory::open(scratch.path()).err().unwrap().to_string();
    assert!(error.contains(": must belong to root: chown root it"), "{error}");
}

/// Root's directory is of no use to an ordinary user, and he could not mend it either.
#[test]
fn a_directory_of_others_is_refused_with_the_way_out() {
    if nix::unistd::geteuid().is_root() {
        return say_skipped("needs somebody else than root"); // the case of root is above
    }
    let error = Directory::open(std::path::Path::new("/")).err().unwrap().to_string();
    assert_eq!(error, "/: not yours: set tables.directory to a directory of your own");
}

/// Anybody may give a file of root's a second name on the same file system, if he can reach it: that
/// must not end the updates.
#[test]
fn a_second_name_of_a_file_is_no_harm() {
    let (scratch, directory) = scratch();
    plant(scratch.path(), "T.pftable", "1.1.1.1\n");
    plant(scratch.path(), "T.pftable.prev", "2.2.2.2\n");
    for name in ["T.pftable", "T.pftable.prev"] {
        hard_link(scratch.path().join(name), scratch.path().join(format!("{name}.theirs")))
            .unwrap();
    }
    publish(None, &directory, &table("T"), &set("3.3.3.3"), false).unwrap();
    assert_eq!(texts(&directory.load(&table("T"), "pftable").unwrap()), "3.3.3.3");
    assert_eq!(texts(&directory.load(&table("T"), "pftable.prev").unwrap()), "1.1.1.1");
    assert_eq!(
        std::fs::read_to_string(scratch.path().join("T.pftable.theirs")).unwrap(),
        "1.1.1.1\n"
    );
}

#[test]
fn a_directory_is_closed_to_others_and_belongs_to_us() {
    let (scratch, _directory) = scratch();
    for mode in [0o777, 0o1777, 0o770, 0o720, 0o755, 0o701] {
        set_permissions(scratch.path(), Permissions::from_mode(mode)).unwrap();
        assert!(Directory::open(scratch.path()).unwrap().was_open);
        let now = metadata(scratch.path()).unwrap().permissions().mode() & 0o7777;
        assert_eq!(now, 0o700, "{mode:o}");
    }
    assert!(!Directory::open(scratch.path()).unwrap().was_open);
    symlink(scratch.path(), scratch.path().join("link")).unwrap();
    assert!(Directory::open(&scratch.path().join("link")).is_err());
    plant(scratch.path(), "file", "");
    let error = Directory::open(&scratch.path().join("file")).err().unwrap();
    assert_eq!(error.errno, Errno::ENOTDIR);
    let error = Directory::open(&scratch.path().join("none")).err().unwrap().to_string();
    assert!(error.ends_with("none: no such directory; run threatstopctl setup"), "{error}");
}

#[test]
fn files_are_ours_alone_and_the_set_before_is_kept() {
    let (scratch, directory) = scratch();
    let table = table("T");
    for text in ["1.1.1.1", "2.2.2.2 ::1", "3.3.3.3"] {
        publish(None, &directory, &table, &set(text), false).unwrap();
        assert_eq!(texts(&directory.load(&table, "pftable").unwrap()), text);
    }
    assert_eq!(texts(&directory.load(&table, "pftable.prev").unwrap()), "2.2.2.2 ::1");
    for name in ["T.pftable", "T.pftable.prev"] {
        let meta = metadata(scratch.path().join(name)).unwrap();
        assert_eq!(meta.mode() & 0o7777, 0o600);
        assert_eq!(meta.nlink(), 1);
    }
    assert_eq!(names(scratch.path()), ["T.pftable", "T.pftable.prev"]);
    let inode = || metadata(scratch.path().join("T.pftable")).unwrap().ino();
    let before = inode();
    let changes = publish(None, &directory, &table, &set("3.3.3.3"), false);
    assert_eq!((changes, inode()), (Ok(Changes::default()), before));
}

/// Around the parts in which a set is compared.
#[test]
fn a_file_is_compared_to_its_last_octet() {
    let (scratch, directory) = scratch();
    for count in [1u32, 4095, 4096, 4097, 8192] {
        let hosts = |count| -> Vec<PfrAddr> {
            let host = |n| Prefix::V4(Net::host(0x0100_0000 + n * 2)).into();
            (0..count).map(host).collect()
        };
        let (set, text) = (hosts(count), lines(&hosts(count)));
        let changes = |text: &str| {
            plant(scratch.path(), "T.pftable", text);
            publish(None, &directory, &table("T"), &set, true).unwrap()
        };
        assert!(!changes(&text).file, "{count}");
        for other in
            [&text[..text.len() - 1], &(text.clone() + "\n"), &lines(&hosts(count + 1)), ""]
        {
            assert!(changes(other).file, "{count}");
        }
    }
}

#[test]
fn sets_that_no_table_file_may_have_are_refused() {
    let (scratch, directory) = scratch();
    let mut odd = set("1.2.3.0/24 ::1");
    odd[0].net = 16;
    let error = publish(None, &directory, &table("T"), &odd, false).unwrap_err();
    assert_eq!((error.differ, error.errno), (false, Errno::EINVAL));
    assert!(names(scratch.path()).is_empty());
}

proptest! {
    #[test]
    fn what_is_written_is_read(new in small_set(), old in small_set()) {
        let (scratch, directory) = scratch();
        let table = Table::new("", "T", Kind::Allow).unwrap();
        plant(scratch.path(), "T.pftable", &lines(&old));
        let changes = publish(None, &directory, &table, &new, false).unwrap();
        prop_assert_eq!(changes, Changes { file: old != new, ..Changes::default() });
        prop_assert_eq!(&directory.load(&table, "pftable").unwrap(), &new);
        if old != new {
            prop_assert_eq!(directory.load(&table, "pftable.prev").unwrap(), old);
        }
        prop_assert_eq!(std::fs::read_to_string(scratch.path().join("T.pftable")).unwrap(), lines(&new));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let (scratch, directory) = scratch();
        std::fs::write(scratch.path().join("T.pftable"), &bytes).unwrap();
        if let Ok(set) = directory.load(&table("T"), "pftable") {
            prop_assert_eq!(lines(&set).into_bytes(), bytes);
        }
    }
}
