use std::io;

use super::*;

#[test]
fn no_number_stands_behind_the_words() {
    let missing = || io::Error::from_raw_os_error(nix::libc::ENOENT);
    assert_eq!(words(&missing()), "No such file or directory");
    let wrapped = format!("a, {}, b (c)", missing());
    assert_eq!(words(&wrapped), "a, No such file or directory, b (c)");
    assert_eq!(words(&io::Error::other("is shorter (or not)")), "is shorter (or not)");
}
