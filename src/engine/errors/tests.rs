use std::io;

use super::*;

/// Fails when what is wrong with a file is told in the words of a library, or not where it is.
#[test]
fn what_is_wrong_with_json_is_told_with_its_place() {
    let of = |text: &str| of_json(&serde_json::from_str::<Vec<u8>>(text).unwrap_err());
    assert_eq!(of(""), "damaged: it ends in the middle, at line 1, column 0");
    assert_eq!(of("[1,\n2"), "damaged: it ends in the middle, at line 2, column 1");
    assert_eq!(of("[1,\n,2]"), "damaged at line 2, column 1");
    assert_eq!(of("[1]x"), "damaged at line 1, column 4");
    assert_eq!(of("[1, \"x\"]"), "damaged, or of another version, at line 1, column 7");
    assert_eq!(of("[256]"), "damaged, or of another version, at line 1, column 4");
}

#[test]
fn no_number_stands_behind_the_words() {
    let missing = || io::Error::from_raw_os_error(nix::libc::ENOENT);
    assert_eq!(words(&missing()), "No such file or directory");
    let wrapped = format!("a, {}, b (c)", missing());
    assert_eq!(words(&wrapped), "a, No such file or directory, b (c)");
    assert_eq!(words(&io::Error::other("is shorter (or not)")), "is shorter (or not)");
}
