use nix::sys::socket::{setsockopt, sockopt::SndBuf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::*;
use crate::events::Event;

fn published(events: &Events, octets: usize) {
    events.say(&Event::Published { text: "x".repeat(octets), rollback: false });
}

/// Who does not read is dropped while there is much to tell, and nobody waits for him.
#[tokio::test]
async fn who_does_not_read_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let events = Events::load(dir.path());
    (0..40).for_each(|_| published(&events, 1000));
    let (ours, theirs) = UnixStream::pair().unwrap();
    // far less than these events have in all
    setsockopt(&ours, SndBuf, &4096).unwrap();
    let watchers = Watchers { patience: Duration::from_millis(100), ..Watchers::default() };
    let mut client = Client::new(ours);
    watchers.watch(&events, &mut client, true, Some(1)).await.unwrap();
    assert_eq!(watchers.root.get(), 0);
    drop(theirs);
}

/// Who reads more slowly than events are forgotten is told what he has lost.
#[tokio::test]
async fn who_is_too_slow_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let events = Events::load(dir.path());
    (0..3).for_each(|_| published(&events, 1));
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let (watchers, mut client) = (Watchers::default(), Client::new(ours));
    let watch = watchers.watch(&events, &mut client, true, None);
    let forget = async {
        tokio::task::yield_now().await;
        (0..=crate::events::KEPT).for_each(|_| published(&events, 1));
    };
    let (watched, ()) = tokio::join!(watch, forget);
    watched.unwrap();
    drop(client);
    let mut told = String::new();
    theirs.read_to_string(&mut told).await.unwrap();
    assert!(told.contains("too slow: events 4 to 4 are lost"), "{told}");
}

/// A place is free again when who watched goes, there are not more than so many, and those of others are not
/// root's.
#[tokio::test]
async fn so_many_may_watch() {
    let dir = tempfile::tempdir().unwrap();
    let events = Events::load(dir.path());
    let watchers = Watchers::default();
    for (is_root, others, refused) in [(false, 0, false), (false, MOST, true), (true, MOST, false)]
    {
        watchers.others.set(others);
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.shutdown().await.unwrap();
        watchers.watch(&events, &mut Client::new(ours), is_root, None).await.unwrap();
        assert_eq!((watchers.root.get(), watchers.others.get()), (0, others));
        let mut told = String::new();
        theirs.read_to_string(&mut told).await.unwrap();
        assert_eq!(told.contains("16 watch already"), refused, "{told}");
    }
    watchers.root.set(MOST);
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    watchers.watch(&events, &mut Client::new(ours), true, None).await.unwrap();
    let mut told = String::new();
    theirs.read_to_string(&mut told).await.unwrap();
    assert!(told.contains("16 watch already"), "{told}");
}
