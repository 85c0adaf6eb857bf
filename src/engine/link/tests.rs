use std::os::unix::net::UnixStream as StdStream;

use imsg::{MAX_IMSGSIZE, Stats as HelperStats};
use prefix::Prefix4;
use tokio::task::{LocalSet, spawn_local, yield_now};

use super::*;
use crate::state::bare::bare;

/// Fails when all of a set waits in memory for a helper that has other things to do, or when the messages of
/// another request come into the midst of it.
#[test]
fn a_set_goes_out_as_it_is_taken() {
    const ENTRIES: u32 = 500_000;
    let dir = tempfile::tempdir().unwrap();
    let (_, state, _) = bare("", dir.path());
    let (ours, theirs) = StdStream::pair().unwrap();
    [&ours, &theirs].iter().for_each(|socket| socket.set_nonblocking(true).unwrap());
    let mut helper = Channel::new(theirs.into(), 1 << 20);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let link = Link::start(Channel::new(ours.into(), 1 << 26), state.tables, ENTRIES).unwrap();
        let waits = || assert!(link.0.channel.borrow().queued() <= AT_ONCE + MAX_IMSGSIZE);
        let [of_set, of_stats] = [link.clone(), link.clone()];
        let set = PrefixSet::new((0..ENTRIES).map(Prefix4::host).collect(), Vec::new()).unwrap();
        let set = spawn_local(async move {
            of_set.publish(TableId::BLOCK, &set, Purpose::Publish).await.unwrap().outcome
        });
        let stats = spawn_local(async move { of_stats.stats().await.unwrap().running });
        for _ in 0..100 {
            yield_now().await;
            waits();
        }
        let (mut prefixes, mut others) = (0, Vec::new());
        while others.len() < 3 {
            while let Some(frame) = helper.next().unwrap() {
                let message = EngineMessage::read(&frame, state.tables.iter().count()).unwrap();
                let answer = match &message {
                    EngineMessage::TableEntries(part) => {
                        assert_eq!(others.len(), 1);
                        prefixes += part.prefixes().count();
                        continue;
                    }
                    EngineMessage::TableCommit => {
                        let changes = Changes { added: ENTRIES, ..Changes::default() };
                        Some(HelperMessage::Changed(changes))
                    }
                    EngineMessage::TableStats => {
                        let (running, tables) = (true, Vec::new());
                        Some(HelperMessage::Stats(HelperStats { running, tables }))
                    }
                    _ => None,
                };
                let queue = |answer: HelperMessage| answer.queue(&mut helper, frame.peerid);
                answer.into_iter().try_for_each(queue).unwrap();
                others.push(message);
            }
            assert_ne!(helper.read().unwrap(), Input::Closed);
            yield_now().await;
            waits();
        }
        helper.flush().unwrap();
        assert_eq!(others[1..], [EngineMessage::TableCommit, EngineMessage::TableStats]);
        assert_eq!(prefixes, ENTRIES as usize);
        assert_eq!((set.await.unwrap(), stats.await.unwrap()), (Outcome::Published, true));
    });
}
