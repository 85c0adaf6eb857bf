use std::ffi::CString;

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
