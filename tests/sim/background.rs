//! A thread with its own event loop, so that tests need none.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;

use nix::sys::socket::{setsockopt, sockopt};
use tokio::sync::oneshot;

/// A server on a thread; stops when dropped.
#[derive(Debug)]
pub(super) struct Background {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Binds a free port of 127.0.0.1 and runs `serve` on a thread until it ends, which it should
    /// when the receiver fires.
    pub(super) fn start<S, F>(serve: S) -> Self
    where
        S: FnOnce(tokio::net::TcpListener, oneshot::Receiver<()>) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), serve)
    }

    /// The same at a given address.
    pub(super) fn start_at<S, F>(addr: SocketAddr, serve: S) -> Self
    where
        S: FnOnce(tokio::net::TcpListener, oneshot::Receiver<()>) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        let listener = TcpListener::bind(addr).unwrap_or_else(|why| panic!("bind {addr}: {why}"));
        // Accepted sockets inherit it; small answers would wait for the client's delayed
        // acknowledgement otherwise.
        setsockopt(&listener, sockopt::TcpNoDelay, &true).expect("set TCP_NODELAY");
        listener.set_nonblocking(true).expect("set O_NONBLOCK");
        let addr = listener.local_addr().expect("address of a bound socket");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("start an event loop").block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener);
                serve(listener.expect("hand the socket to the event loop"), stopped).await;
            });
        });
        Self { addr, stop: Some(stop), thread: Some(thread) }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the service on {} panicked, see above", self.addr);
        }
    }
}
