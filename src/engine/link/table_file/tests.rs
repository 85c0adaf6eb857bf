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
