use super::*;

fn at(host: &str) -> Option<Origin> {
    Some(origin(&format!("https://{host}/").parse().unwrap()))
}

/// A queue of hosts, numbered as they came.
fn queue(of_one: usize, hosts: &[&str]) -> Queue<usize> {
    let queue = Queue::new(of_one);
    for (number, host) in hosts.iter().enumerate() {
        assert!(queue.push(at(host), number));
    }
    queue
}

#[test]
fn who_has_a_connection_goes_on_with_it() {
    let queue = queue(9, &["a", "b", "a", "b:444", "b"]);
    let next = |last: Option<Origin>| queue.poll(last.as_ref()).map(|taken| taken.work);
    assert_eq!(next(None), Some(0));
    assert_eq!(next(at("a")), Some(2));
    // none is left of it: the others as they came
    assert_eq!(next(at("a")), Some(1));
    // another port is another server
    assert_eq!(next(at("b")), Some(4));
    assert_eq!(next(at("b")), Some(3));
    assert_eq!(next(at("b")), None);
}

#[test]
fn what_is_of_no_server_comes_in_turn() {
    let queue = Queue::new(1);
    for number in 0..3 {
        assert!(queue.push(None, number));
    }
    for number in 0..3 {
        assert_eq!(queue.poll(None).map(|taken| taken.work), Some(number));
    }
}

#[test]
fn who_is_slow_is_asked_last() {
    let queue = queue(9, &["a", "a", "b"]);
    let slow = queue.poll(None).unwrap();
    queue.relieve(slow.id, || true);
    let a = at("a");
    let other = queue.poll(a.as_ref()).unwrap();
    assert_eq!(other.work, 2, "even for who has a connection to it");
    assert!(!queue.done(other.id));
    assert_eq!(queue.poll(None).unwrap().work, 1, "where nobody else is asked it goes on");
    assert!(queue.done(slow.id), "another has come for who waited");
    // it comes too late for what is done
    queue.relieve(slow.id, || unreachable!());
}

/// Fails when those that are slow, and for whom no other could come, have all the threads in the end.
#[test]
fn who_was_relieved_stays_for_who_was_not() {
    let queue = queue(9, &["a", "b", "c"]);
    let [first, second, third] = [0, 1, 2].map(|_| queue.poll(None).unwrap());
    queue.relieve(first.id, || true);
    queue.relieve(second.id, || false);
    assert!(!queue.done(first.id), "the second waits still");
    assert!(!queue.done(third.id), "nobody has come for it");
    assert!(queue.done(second.id), "the first has stayed for it");
}

#[test]
fn no_server_has_all_the_threads() {
    let queue = queue(2, &["a", "a", "a", "b"]);
    let [one, _] = [0, 1].map(|_| queue.poll(None).unwrap());
    assert_eq!(queue.poll(None).unwrap().work, 3);
    assert!(queue.poll(None).is_none());
    queue.done(one.id);
    assert_eq!(queue.poll(None).unwrap().work, 2);
}

#[test]
fn what_is_given_up_is_that_of_one_server() {
    let queue = queue(9, &["a", "b", "a"]);
    assert_eq!(queue.give_up(&at("a").unwrap()), [0, 2]);
    assert_eq!(queue.poll(None).unwrap().work, 1);
}

#[test]
fn who_waits_leaves_when_it_is_closed() {
    let queue = std::sync::Arc::new(queue(9, &[]));
    let inner = std::sync::Arc::clone(&queue);
    let waiting = std::thread::spawn(move || inner.wait().is_none());
    queue.close();
    assert!(waiting.join().unwrap());
    assert!(!queue.push(None, 1));
    assert!(queue.wait().is_none());
}
