//! A pf that counts its passes.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::pipe;
use prefix::Kind;

use super::*;

#[derive(Clone, Default)]
struct Counted {
    passes: Arc<AtomicUsize>,
    kills: Arc<AtomicUsize>,
    refuses: bool,
}

impl Pf for Counted {
    fn states(&self) -> Result<Vec<State>, Error> {
        self.passes.fetch_add(1, Ordering::SeqCst);
        if self.refuses {
            return Err(Error { errno: EPERM, what: states::FORBIDDEN.into() });
        }
        Ok(Vec::new())
    }

    fn test(&self, _table: &Table, _addrs: &mut [PfrAddr]) -> nix::Result<()> {
        Ok(())
    }

    fn kill(&self, _request: &mut PfiocStateKill) -> nix::Result<u32> {
        self.kills.fetch_add(1, Ordering::SeqCst);
        Ok(1)
    }
}

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_NONBLOCK).unwrap()
}

fn tables() -> Vec<Blocked> {
    let table = Table::new("", "T", Kind::Block).unwrap();
    vec![Blocked { name: "T".into(), direction: states::Direction::Both, table }]
}

fn wait_until(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !what() {
        assert!(Instant::now() < end, "it does not come");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Serves in a thread until this side of the way is closed; says how.
fn served(pf: Counted, drive: impl FnOnce(&OwnedFd)) -> Result<End, String> {
    let (here, there) = pair();
    let (_monitor, alive) = pipe().unwrap();
    let serving = thread::spawn(move || serve(&pf, &tables(), &there, &alive));
    drive(&here);
    drop(here);
    serving.join().unwrap()
}

#[test]
fn a_flood_of_nudges_is_one_pass() {
    let pf = Counted::default();
    let passes = pf.passes.clone();
    let end = served(pf, |here| {
        // until there is room for no more
        while write(here, &[b'n'; 4096]).is_ok() {}
        wait_until(|| passes.load(Ordering::SeqCst) > 0);
    });
    assert_eq!((end, passes.load(Ordering::SeqCst)), (Ok(End::Left), 1));
}

#[test]
fn without_a_nudge_there_is_no_pass() {
    let pf = Counted::default();
    let passes = pf.passes.clone();
    assert_eq!(served(pf, |_| {}), Ok(End::Left));
    assert_eq!(passes.load(Ordering::SeqCst), 0);
}

/// One that may not look is no reason to end, and does not try again.
#[test]
fn who_may_not_waits_for_the_end() {
    let pf = Counted { refuses: true, ..Counted::default() };
    let passes = pf.passes.clone();
    let end = served(pf, |here| {
        write(here, b"n").unwrap();
        wait_until(|| passes.load(Ordering::SeqCst) > 0);
        while write(here, &[b'n'; 4096]).is_ok() {}
    });
    assert_eq!((end, passes.load(Ordering::SeqCst)), (Ok(End::Left), 1));
}
