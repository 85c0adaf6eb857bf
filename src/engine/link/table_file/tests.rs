use std::io::{Seek as _, Write as _};

use super::*;

fn parse(text: &str) -> Result<String, String> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    let set = read(file, "T")?;
    Ok(set.iter().map(|prefix| format!("{prefix}\n")).collect())
}

#[test]
fn what_the_helper_writes_is_read() {
    for text in ["", "1.1.1.1\n", "1.1.1.0/24\n2.0.0.0/8\n::1\n2a0b::/48\n"] {
        assert_eq!(parse(text).as_deref(), Ok(text));
    }
}

#[test]
fn anything_else_is_an_error_of_its_line() {
    for (text, line) in [
        ("1.1.1.1", 1),
        ("\n", 1),
        ("1.1.1.1\n1.1.1.1\n", 2),
        ("2.2.2.2\n1.1.1.1\n", 2),
        ("1.0.0.0/8\n1.1.1.1\n", 2),
        ("::1\n1.1.1.1\n", 2),
        ("1.1.1.1/24\n", 1),
        ("1.1.1.1/32\n", 1),
        ("2A0B::/48\n", 1),
        (" 1.1.1.1\n", 1),
        ("1.1.1.1\n# x\n", 2),
        (&format!("{}\n", "1".repeat(200)), 1),
    ] {
        let why = format!("T:{line}: not the next prefix; run threatstopctl update");
        assert_eq!(parse(text), Err(why), "{text}");
    }
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
        assert!(parse(&text).as_ref() == Ok(&text), "{low} {count}");
        let why = format!("T:{}: not the next prefix; run threatstopctl update", count + 1);
        assert_eq!(parse(&format!("{text}1.1.1.1\n")), Err(why), "{low} {count}");
    }
}

#[test]
fn a_file_that_is_replaced_or_written_to_has_another_mark() {
    let dir = tempfile::tempdir().unwrap();
    let (path, new) = (dir.path().join("T.pftable"), dir.path().join("new"));
    let put = |path, text| std::fs::write(path, text).unwrap();
    let marked = || mark(&File::open(&path).unwrap());
    put(&path, "1.1.1.1\n2.2.2.2\n");
    let first = marked();
    assert_eq!(marked(), first);
    // as an editor does it, and as a shell does; the clock of a file system may be a coarse one
    std::thread::sleep(std::time::Duration::from_millis(20));
    put(&path, "1.1.1.1\n");
    let second = marked();
    put(&new, "1.1.1.1\n");
    std::fs::rename(&new, &path).unwrap();
    let third = marked();
    assert!(first != second && second != third, "{first:?} {second:?} {third:?}");
}
