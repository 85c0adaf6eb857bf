use std::cell::Cell;

use policy::List;
use prefix::{Floor, Items};

use super::*;
use crate::lists::Source;

const NAMES: &str = "[guard]\nexpect = [\"64.87.3.133\"]\nnever_block_names = ";

fn never(directory: &Path, names: &str) -> Never {
    let text = format!("device_id = \"tdid_abcd1234\"\n{NAMES}{names}");
    let events = Box::leak(Box::new(Events::load(directory)));
    Never::load(&Config::parse(&text, Path::new("test")).unwrap(), directory, events)
}

fn addresses(text: &str) -> Vec<IpAddr> {
    text.split_whitespace().map(|addr| addr.parse().unwrap()).collect()
}

fn look_up(
    never: &Never,
    now: u64,
    resolve: impl AsyncFn(&str) -> io::Result<Vec<IpAddr>>,
) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(never.look_up(now, Duration::from_millis(50), resolve))
}

/// Looks up when all names have these addresses, or nobody answers.
fn answer(never: &Never, now: u64, text: &str) -> bool {
    look_up(never, now, async |_: &str| match text {
        "error" => Err(io::ErrorKind::NotFound.into()),
        "silence" => std::future::pending().await,
        text => Ok(addresses(text)),
    })
}

fn known(never: &Never) -> Vec<String> {
    never.protected().iter().map(|one| format!("{} {}", one.net, one.reason)).collect()
}

/// What the look-ups had to say.
fn told(never: &Never) -> String {
    never.events.of(|_| true).iter().map(|event| format!("{}\n", event.text)).collect()
}

#[test]
fn global_addresses_count_and_the_rest_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let never = never(directory.path(), "[\"www.example.net\"]");
    let text = "10.1.2.3 127.0.0.1 ::1 fe80::1 fd00::1 64.87.3.133 5.5.5.5 ::ffff:5.5.5.6 2600::1";
    assert!(answer(&never, 1000, text));
    assert_eq!(
        known(&never),
        [
            "5.5.5.5 never_block_names www.example.net",
            "5.5.5.6 never_block_names www.example.net",
            "2600::1 never_block_names www.example.net",
        ]
    );
    let said = told(&never);
    for words in [
        "www.example.net has 10.1.2.3, which is left out: not a global address (private, RFC 1918)",
        "www.example.net has ::1, which is left out",
        "www.example.net has 64.87.3.133, which is left out: guard.expect wants it blocked",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // the same again is nothing new
    assert!(!answer(&never, 2000, text));
    assert_eq!(told(&never), said);
    let many: String = (1..=9).map(|n| format!("5.5.6.{n} ")).collect();
    assert!(answer(&never, 3000, &many));
    assert_eq!(never.protected().len(), 3 + MAX_ADDRESSES);
    assert!(told(&never).contains("has 9 addresses: only 8 of them count"));
}

#[test]
fn what_was_seen_is_kept_for_a_day_and_the_last_answer_for_a_week() {
    let directory = tempfile::tempdir().unwrap();
    let first = never(directory.path(), "[\"www.example.net\"]");
    let mut now = 1_000_000;
    answer(&first, now, "5.5.5.1");
    now += DAY - 1;
    assert!(answer(&first, now, "5.5.5.2"));
    assert_eq!(first.protected().len(), 2);
    now += 1;
    assert!(answer(&first, now, "5.5.5.2"), "a day after it was seen");
    assert_eq!(first.protected().len(), 1);
    // nobody answers, over a restart too
    for failure in ["error", "silence"] {
        assert!(!answer(&first, now + DAY + 1, failure));
    }
    let second = never(directory.path(), "[\"www.example.net\"]");
    assert!(!answer(&second, now + WEEK - 1, "error"));
    assert_eq!(known(&second), ["5.5.5.2 never_block_names www.example.net"]);
    assert!(second.warnings().is_empty());
    assert!(answer(&second, now + WEEK, "error"));
    assert!(second.protected().is_empty());
    let warnings = second.warnings();
    assert!(warnings[0].text.ends_with("no address of it is known"), "{warnings:?}");
    // a name that has left the configuration has no say any more
    answer(&second, now + WEEK, "5.5.5.3");
    assert!(never(directory.path(), "[\"mail.example.net\"]").protected().is_empty());
}

#[test]
fn so_many_are_remembered_and_the_oldest_goes_first() {
    let directory = tempfile::tempdir().unwrap();
    let never = never(directory.path(), "[\"www.example.net\"]");
    for round in 0..5u64 {
        let text: String = (0..8).map(|n| format!("5.5.{round}.{n} ")).collect();
        answer(&never, 1000 + round, &text);
    }
    let known = known(&never);
    assert_eq!(known.len(), REMEMBERED);
    assert!(known[0].starts_with("5.5.1.0 ") && known[31].starts_with("5.5.4.7 "), "{known:?}");
}

/// A host boots with a clock that is years ahead, and looks the name up until that is set.
#[test]
fn what_a_clock_ahead_has_seen_ends_as_all_does() {
    let directory = tempfile::tempdir().unwrap();
    let never = never(directory.path(), "[\"www.example.net\"]");
    let now = 1_000_000;
    for round in 0..4u64 {
        let text: String = (0..8).map(|n| format!("5.5.{round}.{n} ")).collect();
        answer(&never, now + 1000 * DAY + round, &text);
    }
    assert!(!answer(&never, now, "error"));
    // those of now are not pushed out by those, though their numbers are lower
    answer(&never, now + 1, "5.5.0.100 5.4.0.1 5.4.0.2");
    assert_eq!(never.protected().len(), REMEMBERED);
    assert!(known(&never)[..2].iter().all(|known| known.starts_with("5.4.0.")));
    answer(&never, now + DAY, "5.4.0.1");
    assert_eq!(never.protected().len(), 3);
    answer(&never, now + 2 * DAY, "5.4.0.1");
    assert_eq!(known(&never), ["5.4.0.1 never_block_names www.example.net"]);
}

/// A host boots with a clock that is years behind: its look-ups fail until that is set, and the first one after.
#[test]
fn what_was_seen_stays_while_a_clock_behind_has_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let never = never(directory.path(), "[\"www.example.net\"]");
    let now = 1000 * DAY;
    answer(&never, now, "5.5.5.1");
    answer(&never, now + 60, "5.5.5.2");
    for now in [1000, 1060, now + 900] {
        assert!(!answer(&never, now, "error"));
    }
    assert_eq!(never.protected().len(), 2);
}

#[test]
fn eight_are_looked_up_side_by_side() {
    let directory = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..20).map(|n| format!("\"n{n}.example.net\"")).collect();
    let never = never(directory.path(), &format!("[{}]", names.join(", ")));
    let (now, most) = (Cell::new(0), Cell::new(0));
    look_up(&never, 1000, async |_: &str| {
        now.set(now.get() + 1);
        most.set(most.get().max(now.get()));
        tokio::time::sleep(Duration::from_millis(1)).await;
        now.set(now.get() - 1);
        Ok(addresses("5.5.5.5"))
    });
    assert_eq!((most.get(), never.protected().len()), (SIDE_BY_SIDE, 20));
}

#[test]
fn an_address_that_a_list_has_is_told_with_name_and_list() {
    let directory = tempfile::tempdir().unwrap();
    let never = never(directory.path(), "[\"www.example.net\"]");
    answer(&never, 1000, "5.5.5.5 5.5.6.6");
    let copy = |kind, name: &str, prefix: &str| {
        let mut items = Items::default();
        items.push(prefix.parse().unwrap(), false);
        let list = List::new(name, items, Floor { v4: 8, v6: 19 });
        Rc::new(Copy { source: Source::Policy, kind, list, changed: 0, origin: None })
    };
    let lists = [
        copy(Kind::Block, "basic", "5.5.5.0/24"),
        copy(Kind::Block, "other", "9.9.9.0/24"),
        copy(Kind::Allow, "dns", "5.5.6.6"),
    ];
    let sentence =
        "never_block_names: 5.5.5.5 of www.example.net stays unblocked though list basic has it";
    assert_eq!(never.note(&lists), [(sentence.to_owned(), true)]);
    assert_eq!(never.note(&lists), [(sentence.to_owned(), false)]);
    assert_eq!(never.warnings()[0].text, sentence);
    assert!(never.note(&lists[1..]).is_empty());
    assert!(never.warnings().is_empty());
}

#[test]
fn a_damaged_memory_begins_anew() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(FILE), "{\"www").unwrap();
    assert!(load(directory.path()).is_err());
    let never = never(directory.path(), "[\"www.example.net\"]");
    assert!(answer(&never, 1000, "5.5.5.5"));
}
