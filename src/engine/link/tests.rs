use prefix::Prefix;

use super::*;

fn ended(prefixes: &[&str], failure: &str) -> Result<PrefixSet, String> {
    let mut listing = Listing { failure: failure.into(), v4: Vec::new(), v6: Vec::new() };
    let prefixes: Vec<Prefix> = prefixes.iter().map(|text| text.parse().unwrap()).collect();
    for part in Entries::split(prefixes) {
        listing.add(&part).unwrap();
    }
    listing.end()
}

#[test]
fn a_table_that_is_no_set_of_ours_fails_as_an_answer() {
    assert_eq!(ended(&["1.2.3.0/24", "2001:db8::1"], "").unwrap().len(), 2);
    let why = ended(&["1.2.3.0/24", "1.2.3.4"], "").unwrap_err();
    assert_eq!(why, "1.2.3.4: not in ascending order, or within the prefix before");
    assert_eq!(ended(&["1.2.3.0/24"], "no such table"), Err("no such table".into()));
}
