use std::future::pending;

use tokio::task::{LocalSet, yield_now};
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(60);

fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    LocalSet::new().block_on(&runtime, case);
}

/// A client who says nothing, or says something at once, and then stays for ever.
async fn stays(seat: Seat, speaks: bool) {
    if speaks {
        seat.spoken();
    }
    pending::<()>().await;
}

#[test]
fn the_longest_silent_gives_way() {
    run(async {
        let places = Places::new();
        for client in 0..CLIENTS {
            let seat = places.take().await.unwrap();
            places.seat(seat, |seat| stays(seat, client == 0));
        }
        yield_now().await;
        let first_silent = places.silent.borrow()[0].id;
        for _ in 1..CLIENTS {
            let seat = timeout(SOON, places.take()).await.unwrap().unwrap();
            places.seat(seat, |seat| stays(seat, true));
            yield_now().await;
        }
        assert_eq!((first_silent, places.taken.get()), (2, CLIENTS));
        // now all have spoken
        assert!(places.take().await.is_none());
    });
}

#[test]
fn who_leaves_makes_room() {
    run(async {
        let places = Places::new();
        for _ in 0..3 * CLIENTS {
            let seat = places.take().await.unwrap();
            places.seat(seat, |seat| async move { seat.spoken() });
            yield_now().await;
        }
        assert_eq!((places.taken.get(), places.silent.borrow().len()), (0, 0));
    });
}
