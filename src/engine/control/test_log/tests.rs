use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;
use tokio::task::{LocalSet, yield_now};

use super::*;

/// Fails when who asks for the checks time and again, and leaves, has them queue up in front of the uploads;
/// or when who comes later never gets others.
#[test]
fn checks_are_under_way_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let (all, begun, end) =
            (LogChecks::default(), Rc::new(Cell::new(0)), Rc::new(Notify::new()));
        let begin = || {
            let (begun, end) = (Rc::clone(&begun), Rc::clone(&end));
            all.begin(async move {
                begun.set(begun.get() + 1);
                end.notified().await;
                let text = begun.get().to_string();
                vec![Check { what: "log".into(), subject: "h".into(), ok: true, text }]
            })
        };
        let heard = |checks: Vec<Check>| checks.into_iter().map(|check| check.text).collect();
        for run in 1..=2 {
            // who is gone at once
            for _ in 0..9 {
                drop(begin());
                yield_now().await;
            }
            let (one, other) = (begin(), begin());
            yield_now().await;
            end.notify_one();
            let texts: [Vec<String>; 2] = [heard(one.await), heard(other.await)];
            assert_eq!(texts, [[run.to_string()], [run.to_string()]]);
        }
    });
}
