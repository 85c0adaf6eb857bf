//! `[[feed]]`: what is wrong with one, and what is not needed beside it.

use super::*;

fn feed(name: &str, more: &str) -> String {
    format!("[[feed]]\nname = \"{name}\"\nurl = \"https://lists.example/{name}\"\n{more}\n")
}

#[test]
fn who_has_feeds_needs_neither_device_nor_lists_of_the_service() {
    let alone = "[policy]\nblock = []\nallow = []\n";
    let config = parse(&format!("{alone}{}", feed("drop", ""))).unwrap();
    assert_eq!((config.device_id.is_none(), config.uploads()), (true, false));
    assert_eq!(config.block_lists().collect::<Vec<_>>(), ["drop"]);
    assert!(parse(&format!("{DEVICE}{}", feed("drop", ""))).unwrap().uploads());
    for (text, expected) in [
        (feed("drop", ""), "1: device_id: not set: "),
        ("[policy]\nblock = []\n".to_owned() + &feed("drop", ""), "1: device_id: not set: "),
        (alone.to_owned(), "2: policy.block: no list of what to block: "),
        (
            alone.to_owned() + &feed("mine", "kind = \"allow\""),
            "2: policy.block: no list of what to block: ",
        ),
    ] {
        let message = parse(&text).unwrap_err().lines().join("\n");
        assert!(message.contains(&format!(":{expected}")), "{text}\n{message}");
    }
}

#[test]
fn each_mistake_has_its_line() {
    for (text, expected) in [
        ("[[feed]]\nurl = \"https://a/\"\n".to_owned(), "feed.name: \"\": a name of a feed has"),
        ("[[feed]]\nname = \"a\"\n".to_owned(), "feed.url: \"\": must begin with https://"),
        (
            "[[feed]]\nname = \"a\"\nurl = \"http://a/\"\n".to_owned(),
            "4: feed.url: \"http://a/\": must begin with https://",
        ),
        (
            "[[feed]]\nname = \"a\"\nurl = \"https://joe:secret@a/\"\n".to_owned(),
            "4: feed.url: no user or password can be given in the URL",
        ),
        (feed("Drop", ""), "3: feed.name: \"Drop\": a name of a feed has"),
        (feed("policy", ""), "3: feed.name: \"policy\" is taken: choose another name"),
        (feed("own", ""), "3: feed.name: \"own\" is taken: choose another name"),
        (
            feed("basic.threatstop.local", ""),
            "3: feed.name: \"basic.threatstop.local\" is a list of [policy]: choose another name",
        ),
        (feed("a", "") + &feed("a", ""), "7: feed.name: \"a\" names another feed already"),
        (feed("a", "kind = \"both\""), "5: feed.kind: takes \"block\" or \"allow\", not \"both\""),
        (
            feed("a", "format = \"json\""),
            "5: feed.format: \"json\": takes \"lines\", \"csv:COLUMN\"",
        ),
        (feed("a", "interval = \"14m\""), "5: feed.interval: out of range, 15m to 30d"),
        (
            feed("a", "max_entries = 3000000") + &feed("b", "max_entries = 1000001"),
            "feed.max_entries: with those of the feeds before it 4000001, more than four times \
             guard.max_entries (4000000): lower it, or raise guard.max_entries",
        ),
        (
            feed("a", "authorization = \"Bearer s3cret\\n\""),
            "5: feed.authorization: takes what stands in the header Authorization",
        ),
    ] {
        let message = message(&text);
        assert!(message.contains(expected), "{text}\n{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }
    let many: String =
        (0..65).map(|number| feed(&format!("f{number}"), "max_entries = 9")).collect();
    assert!(message(&many).contains("more than 64 [[feed]]"));
}

#[test]
fn a_feed_may_have_a_table_and_an_allow_feed_may_not() {
    let table = |list: &str| format!("[[table]]\nname = \"T\"\nlists = [\"{list}\"]\n");
    let feeds = feed("drop", "") + &feed("mine", "kind = \"allow\"");
    let config = parse(&format!("{DEVICE}{feeds}{}", table("drop"))).unwrap();
    assert_eq!(config.table[0].lists[0].as_str(), "drop");
    let message = message(&format!("{feeds}{}", table("mine")));
    assert!(
        message.contains("table.lists: \"mine\": no block list of this configuration"),
        "{message}"
    );
}
