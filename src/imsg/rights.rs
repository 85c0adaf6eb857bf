//! Receiving descriptors, SCM_RIGHTS of unix(4).

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

use nix::errno::Errno;

/// Descriptors that the kernel hands over at once at most: SCM_MAX_FD (253) on Linux, what fits 2,048
/// octets of control messages on OpenBSD. With less room they would be open, and unknown to us.
const AT_ONCE: usize = 512;
/// Octets of control messages with as many, in words, for the alignment of a header.
const ROOM: usize = AT_ONCE * size_of::<RawFd>() / size_of::<u64>() + 8;

/// Receives octets and the descriptors that came with them, which close on execve(2).
///
/// # Errors
/// Those of recvmsg(2).
pub fn receive(socket: &OwnedFd, into: &mut [u8]) -> nix::Result<(usize, Vec<OwnedFd>)> {
    let mut control = [0u64; ROOM];
    let mut iov = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    // SAFETY: all zero is a message without name, octets and control data.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_iov, message.msg_iovlen) = (&raw mut iov, 1);
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    let flags = libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the message points to two buffers of the sizes it says, which live through the call.
    let count = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) };
    let count = Errno::result(count)?;
    let mut received = Vec::new();
    // SAFETY: the kernel has filled `control`, and `msg_controllen` says how far. Also where it had
    // to cut something off (MSG_CTRUNC), what is there is open, and nobody else knows of it; a last
    // header may then say more than there is, so that what it has ends with the buffer at the latest.
    unsafe {
        let end = message.msg_control.cast::<u8>().add(message.msg_controllen as usize);
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while let Some(head) = header.as_ref() {
            let data = libc::CMSG_DATA(header);
            #[allow(clippy::unnecessary_cast, reason = "it is socklen_t on OpenBSD")]
            let says = header.cast::<u8>().add(head.cmsg_len as usize).min(end);
            if (head.cmsg_level, head.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                let mut at = data;
                while at.add(size_of::<RawFd>()) <= says {
                    received.push(OwnedFd::from_raw_fd(at.cast::<RawFd>().read_unaligned()));
                    at = at.add(size_of::<RawFd>());
                }
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
    }
    Ok((count as usize, received))
}
