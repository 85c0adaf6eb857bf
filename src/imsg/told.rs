//! The text of the configuration, which the monitor tells each child through a pipe.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::unistd::read;

use crate::signals;

/// How long it may take; the monitor writes it at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the text, which ends with a NUL, and gives also what has come behind it. `None` when the
/// monitor is gone, or a signal asks to stop.
///
/// # Errors
/// When it does not come, or is no text.
pub fn configuration(told: &OwnedFd) -> Result<Option<(String, Vec<u8>)>, String> {
    let (mut text, mut part) = (Vec::new(), [0; 4096]);
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let caught = signals::wait(&mut [signals::watch(told, true, false)], Some(left));
        if caught.is_ok_and(|caught| caught.stop().is_some()) {
            return Ok(None);
        }
        match read(told, &mut part) {
            Ok(0) => return Ok(None),
            Ok(count) => text.extend_from_slice(&part[..count]),
            Err(Errno::EAGAIN) if !left.is_zero() => {}
            Err(Errno::EAGAIN) => return Err("no configuration came from the monitor".into()),
            Err(errno) => return Err(format!("configuration: {}", errno.desc())),
        }
        if let Some(at) = text.iter().position(|octet| *octet == 0) {
            let behind = text.split_off(at + 1);
            text.pop();
            let text = String::from_utf8(text).map_err(|error| error.to_string())?;
            return Ok(Some((text, behind)));
        }
    }
}
