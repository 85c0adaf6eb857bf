use std::fs;

use prefix::Items;

use super::*;

const FLOOR: Floor = Floor { v4: 8, v6: 19 };

fn list(name: &str, text: &str) -> List {
    let mut items = Items::default();
    text.split_whitespace().for_each(|net| items.push(net.parse().unwrap(), false));
    List::new(name, items, FLOOR)
}

/// A folder that is gone with it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path()).unwrap();
    folder
}

fn of(folder: &Path, name: &str, which: Which) -> Option<List> {
    load(folder, name, which, FLOOR).unwrap().map(|stored| stored.list)
}

#[test]
fn the_copy_before_stays_beside_the_one_in_force() {
    let folder = folder();
    let at = folder.path();
    let [first, second] = [list("a.b", "192.0.2.0/24 2001:db8::/32"), list("a.b", "198.51.100.7")];
    save(at, &first, 1, None, false).unwrap();
    assert_eq!(of(at, "a.b", Which::Before), None);
    save(at, &second, 2, None, true).unwrap();
    assert_eq!(of(at, "a.b", Which::Now), Some(second));
    assert_eq!(of(at, "a.b", Which::Before), Some(first.clone()));
    put_back(at, "a.b").unwrap();
    assert_eq!(of(at, "a.b", Which::Now), Some(first));
    let why = put_back(at, "a.b").unwrap_err();
    assert!(why.ends_with("a.b.list.prev: it is gone"), "{why}");
    forget(at, "a.b").unwrap();
    assert_eq!(of(at, "a.b", Which::Now), None);
    forget(at, "a.b").unwrap();
}

/// Fails when a rollback could bring back what was in force long before the copy that was lost.
#[test]
fn where_the_copy_is_lost_no_older_one_takes_its_place() {
    let folder = folder();
    let at = folder.path();
    for (changed, text) in [(1, "192.0.2.1"), (2, "192.0.2.2")] {
        save(at, &list("a.b", text), changed, None, true).unwrap();
    }
    fs::remove_file(at.join("lists/a.b.list")).unwrap();
    save(at, &list("a.b", "192.0.2.3"), 3, None, true).unwrap();
    assert_eq!(of(at, "a.b", Which::Before), None);
}

/// Fails when a file that is cut or has another bit is taken for a list.
#[test]
fn what_is_damaged_is_no_list() {
    let folder = folder();
    let at = folder.path();
    save(at, &list("a.b", "192.0.2.0/24 198.51.100.7 2001:db8::/32"), 7, None, false).unwrap();
    let path = at.join("lists/a.b.list");
    let whole = fs::read(&path).unwrap();
    let head = whole.iter().rposition(|octet| *octet == b'\n').unwrap();
    let cuts = (0..whole.len()).map(|end| whole[..end].to_vec());
    let bits = (head + 1..whole.len()).map(|octet| {
        let mut other = whole.clone();
        other[octet] ^= 1;
        other
    });
    for octets in cuts.chain(bits) {
        fs::write(&path, &octets).unwrap();
        let read = load(at, "a.b", Which::Now, FLOOR);
        assert!(read.as_ref().is_err_and(|why| why.ends_with("a.b.list: damaged")), "{read:?}");
    }
    // the file of another list
    fs::write(at.join("lists/c.d.list"), &whole).unwrap();
    assert!(load(at, "c.d", Which::Now, FLOOR).is_err());
}

/// Fails when the name of a file is too long for the file system, or that of two lists.
#[test]
fn names_as_long_as_names_may_be_have_files_of_their_own() {
    let folder = folder();
    let at = folder.path();
    let names = ["a", "b"].map(|end| format!("{}{end}", "x".repeat(252)));
    for (name, text) in names.iter().zip(["192.0.2.1", "192.0.2.2"]) {
        save(at, &list(name, text), 1, None, true).unwrap();
        save(at, &list(name, text), 2, None, true).unwrap();
    }
    for (name, text) in names.iter().zip(["192.0.2.1", "192.0.2.2"]) {
        for which in [Which::Now, Which::Before] {
            assert_eq!(of(at, name, which), Some(list(name, text)));
        }
    }
}

/// Fails when what was reserved space of IPv6 in a list is IPv4 in its copy, which is read by another
/// floor: whole networks would be blocked after a restart that the list never named.
#[test]
fn a_copy_names_what_its_list_named() {
    let folder = folder();
    let list = list("a.b", "::ffff:0:0/96 ::ffff:0:0/100 ::ffff:192.0.2.0/120 2001:db8::/32");
    save(folder.path(), &list, 1, None, false).unwrap();
    let none = Floor { v4: 0, v6: 0 };
    let copy = load(folder.path(), "a.b", Which::Now, none).unwrap().unwrap().list;
    assert_eq!(copy.ranges(), list.ranges());
    assert_eq!(copy.v4().len(), 1);
}
