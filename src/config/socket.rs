//! The path of the control socket.

use core::mem::{offset_of, size_of};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::libc::sockaddr_un;

/// The control socket unless `-s` names another.
pub const DEFAULT_SOCKET: &str = "/var/run/threatstopd.sock";
/// Most octets of the path of a socket: the address has a NUL behind it (unix(4): 103 on OpenBSD).
pub const LONGEST_SOCKET: usize = size_of::<sockaddr_un>() - offset_of!(sockaddr_un, sun_path) - 1;

/// Whether a control socket can have this path.
///
/// # Errors
/// When it is too long, with the bound and the way out.
pub fn check_socket(path: &Path) -> Result<(), String> {
    let octets = path.as_os_str().as_bytes().len();
    if octets <= LONGEST_SOCKET {
        return Ok(());
    }
    let path = path.display();
    Err(format!(
        "{path}: the path of a control socket has at most {LONGEST_SOCKET} octets, not {octets}: \
         use -s to put it elsewhere"
    ))
}

#[cfg(test)]
mod tests;
