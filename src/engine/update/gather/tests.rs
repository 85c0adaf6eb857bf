use std::future::{pending, ready};

use super::*;

fn feed(name: &str) -> FeedName {
    name.parse().unwrap()
}

/// Two feeds, of which one has come.
fn half() -> (mpsc::UnboundedSender<Came>, Coming) {
    let (done, come) = mpsc::unbounded_channel();
    assert!(done.send(Came::Feed(feed("here"), Ok(feed::Look::Same))).is_ok());
    (done, Coming { come, left: 2, given_up: false })
}

/// Fails when a list that is complete is lost because another one is not waited for.
#[tokio::test]
async fn what_has_come_is_given_though_nobody_waits_any_more() {
    let (_done, mut coming) = half();
    let here = Sources::from([Source::Feed(feed("here"))]);
    // the run has all the time of the world, and the engine has none
    let come = coming.next(Duration::MAX, |_| false, ready(())).await;
    assert_eq!((come.asked, coming.is_done(), coming.is_given_up()), (here, false, true));
    let come = coming.next(Duration::MAX, |_| false, ready(())).await;
    assert!(come.asked.is_empty() && coming.is_given_up());
}

#[tokio::test]
async fn who_waits_gets_all_of_it_or_what_has_come_in_time() {
    let (done, mut coming) = half();
    let come = coming.next(Duration::ZERO, |_| false, pending()).await;
    assert_eq!(come.asked.len(), 1);
    assert!(!coming.is_done() && !coming.is_given_up());
    assert!(done.send(Came::Feed(feed("late"), Ok(feed::Look::Same))).is_ok());
    let come = coming.next(Duration::MAX, |_| false, pending()).await;
    assert!(come.asked.contains(&Source::Feed(feed("late"))) && coming.is_done());
    assert!(coming.next(Duration::MAX, |_| false, pending()).await.asked.is_empty());
}
