use control::Action;
use proptest::prelude::*;

use super::*;

fn entries() -> Entries {
    let read = |prefix: &str, action, seconds, reason: &str| {
        let entry = Entry::read((action, 1000), prefix, seconds, reason, 1_795_000_000).unwrap();
        ((entry.prefix, entry.action), entry)
    };
    Entries::from([
        read("192.0.2.7", Action::Block, Some(14_400), "ssh, \"ticket\" 12"),
        read("192.0.2.0/24", Action::Allow, None, ""),
        read("192.0.2.7", Action::Allow, Some(60), "é"),
        read("2001:db8::/32", Action::Block, None, "x"),
    ])
}

#[test]
fn what_is_kept_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(load(directory.path(), drop).unwrap(), Entries::new());
    save(directory.path(), &entries()).unwrap();
    assert_eq!(load(directory.path(), drop).unwrap(), entries());
    assert_eq!(first_aside(directory.path()), None);
}

/// Fails when one damaged octet costs more than the entry that it stands in, or is not seen.
#[test]
fn what_is_damaged_is_put_aside_and_the_rest_holds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    let whole = text(&entries()).unwrap();
    let lines: Vec<usize> =
        whole.iter().enumerate().filter(|(_, o)| **o == b'\n').map(|(at, _)| at).collect();
    // in the head, in each entry, and what ends too soon
    let mut damaged: Vec<(Vec<u8>, usize)> = vec![
        (whole[..lines[2]].to_vec(), 2),
        (whole[..lines[2] - 1].to_vec(), 1),
        (whole[..lines[0]].to_vec(), 0),
        (Vec::new(), 0),
        (vec![0; 4096], 0),
    ];
    for line in &lines[..lines.len() - 1] {
        let mut text = whole.clone();
        text[line + 23] ^= 1;
        damaged.push((text, 3));
    }
    for (number, (octets, left)) in damaged.iter().enumerate() {
        fs::write(&path, octets).unwrap();
        let found = load(directory.path(), drop).unwrap();
        assert_eq!(found.len(), *left, "{number}");
        assert!(found.iter().all(|(key, entry)| entries().get(key) == Some(entry)), "{number}");
        // what was put aside is as it was, and what is left is whole
        let aside = first_aside(directory.path()).unwrap();
        assert_eq!(&fs::read(&aside).unwrap(), octets);
        fs::remove_file(aside).unwrap();
        assert_eq!(load(directory.path(), drop).unwrap(), found);
        assert_eq!(first_aside(directory.path()), None);
    }
}

#[test]
fn damaged_files_do_not_push_each_other_out() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..asides(DAMAGED).count() + 2 {
        fs::write(directory.path().join(FILE), format!("damaged {number}")).unwrap();
        load(directory.path(), drop).unwrap();
    }
    let first = first_aside(directory.path()).unwrap();
    assert_eq!(fs::read_to_string(first).unwrap(), "damaged 0");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), asides(DAMAGED).count() + 1);
}

proptest! {
    #[test]
    fn reading_any_octets_never_panics(octets: Vec<u8>, cut in 0usize..500, at: usize, to: u8) {
        let _ = read(&octets);
        let mut whole = text(&entries()).unwrap();
        whole.truncate(cut);
        if !whole.is_empty() {
            let at = at % whole.len();
            whole[at] = to;
        }
        let (found, _) = read(&whole);
        prop_assert!(found.iter().all(|(key, entry)| entries().get(key) == Some(entry)));
    }
}
