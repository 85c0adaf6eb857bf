use std::path::Path;

use prefix::{Item, Items, Prefix4, PrefixSet};

use super::*;

/// Fails when the server of a feed may be blocked without a word on what does it.
#[test]
fn a_server_that_is_blocked_is_named_with_its_list() {
    let text = "[policy]\nblock = []\nallow = []\n[[feed]]\nname = \"drop\"\n\
                url = \"https://lists.example/drop\"\n[[feed]]\nname = \"more\"\n\
                url = \"https://lists.example/more\"\n";
    let config = Config::parse(text, Path::new("F")).unwrap();
    let tables = Tables::new(&config);
    let net: Prefix4 = Prefix4::new(0xc000_0200, 24).unwrap();
    let items = Items { v4: vec![Item::new(net, false)], v6: Vec::new() };
    let list = List::new("more", items, config.guard.floor());
    let copy = Copy {
        source: Source::Feed(config.feed[1].name),
        kind: Kind::Block,
        list,
        changed: 0,
        origin: None,
    };
    let mut policy = Policy { lists: vec![Rc::new(copy)], ..Policy::default() };
    policy.put(imsg::TableId::BLOCK, PrefixSet::new(vec![net], Vec::new()).unwrap(), 0);
    let of = |addr: &str| {
        let addr = addr.parse().unwrap();
        is_blocked(&policy, &tables, &config.feed[0], "lists.example", addr)
    };
    assert_eq!(of("192.0.3.1"), None);
    let warning = of("192.0.2.7").unwrap();
    assert_eq!(
        warning.text,
        "feed drop: its server lists.example is blocked: 192.0.2.7 is in the block table by more"
    );
    assert_eq!(
        warning.way_out,
        "threatstopctl allow 192.0.2.7, or lists.example in guard.never_block_names"
    );
}
