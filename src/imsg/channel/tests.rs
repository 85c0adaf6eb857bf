use super::*;

#[test]
fn a_kernel_short_of_buffers_is_waited_for() {
    for errno in [Errno::ENOBUFS, Errno::ENOMEM, Errno::ETOOMANYREFS, Errno::EMFILE] {
        assert_eq!(unsent(errno).unwrap(), Output::Short, "{errno}");
    }
    assert_eq!(unsent(Errno::EAGAIN).unwrap(), Output::Full);
    for errno in [Errno::EPIPE, Errno::ECONNRESET, Errno::EBADF] {
        assert_eq!(unsent(errno).unwrap_err().raw_os_error(), Some(errno as i32));
    }
}
