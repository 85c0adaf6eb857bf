//! `[[table]]`: what goes where, and what is wrong with one.

use prefix::Kind;

use super::*;

const LISTS: &str = "[policy]\nblock = [\"basic.x\", \"scanners.x\"]\nlocal_block = \"/l\"\n";

fn table(name: &str, lists: &str) -> String {
    format!("[[table]]\nname = \"{name}\"\nlists = [{lists}]\n")
}

#[test]
fn tables_are_numbered_and_names_of_lists_are_read_as_they_are_meant() {
    let lists = "\"Scanners.X.\", \"local_block\"";
    let text = [LISTS, &table("In", lists), "direction = \"in\"\n", &table("B", "\"scanners.x\"")];
    let config = parse(&format!("{DEVICE}{}", text.concat())).unwrap();
    let tables: Vec<_> =
        config.pf_tables().map(|one| (one.name.as_str(), one.kind, one.direction)).collect();
    assert_eq!(
        tables,
        [
            ("ThreatSTOP-Block", Kind::Block, Direction::Both),
            ("ThreatSTOP-Allow", Kind::Allow, Direction::Both),
            ("In", Kind::Block, Direction::In),
            ("B", Kind::Block, Direction::Both),
        ]
    );
    let known: Vec<_> = config.block_lists().collect();
    assert_eq!(known, ["basic.x", "scanners.x", "local_block"]);
    let lists = |at: usize| config.table[at].lists.iter().map(|list| list.as_str());
    assert!(lists(0).eq(["scanners.x", "local_block"]) && lists(1).eq(["scanners.x"]));
}

#[test]
fn each_mistake_has_its_line() {
    for (text, expected) in [
        (
            table("a", "\n\"basic.x\",\n\"other.x\""),
            "9: table.lists: \"other.x\": no block list of this configuration",
        ),
        (
            table("a", "\"dns.threatstop.local\""),
            "7: table.lists: \"dns.threatstop.local\": no block list of this configuration",
        ),
        (table("a", "\"own\""), "7: table.lists: \"own\": no block list of this configuration"),
        (
            table("a", "\"a b\\n\""),
            "7: table.lists: \"a b\\n\": no block list of this configuration",
        ),
        (table("a", ""), "7: table.lists: no list: the table would be empty"),
        (
            "[[table]]\nname = \"a\"\n".to_owned(),
            "6: table.lists: no list: the table would be empty",
        ),
        (
            table("a", "\"basic.x\", \"local_block\"") + &table("b", "\"scanners.x\", \"basic.x\""),
            "10: table.lists: no block list is left for tables.block: take one out",
        ),
        (
            table("a", "\"basic.x\"") + &table("a", "\"basic.x\""),
            "9: table.name: \"a\": the name of another table",
        ),
        (
            table("threatstop-block", "\"basic.x\""),
            "6: table.name: \"threatstop-block\": the name of another table",
        ),
        (
            table("ThreatSTOP-Allow", "\"basic.x\""),
            "6: table.name: \"ThreatSTOP-Allow\": the name of another table",
        ),
        (
            table("hits", "\"basic.x\""),
            "6: table.name: \"hits\" is something else to threatstopctl show: choose another name",
        ),
        (
            table("a", "\"basic.x\"") + "direction = \"inout\"\n",
            "8: table.direction: takes \"in\", \"out\" or \"both\", not \"inout\"",
        ),
    ] {
        assert_eq!(message(&format!("{LISTS}{text}")), format!("{FILE}:{expected}"), "{text}");
    }
    // local_block is a list where there is such a file
    let without = LISTS.replace("local_block", "local_allow");
    let text = format!("{without}{}", table("a", "\"local_block\""));
    assert!(message(&text).ends_with("no block list of this configuration"));
    for name in ["block", "allow", "diff", "own", "hits", "lists"] {
        assert!(message(&format!("{LISTS}{}", table(name, "\"basic.x\""))).contains("table.name"));
    }
}

#[test]
fn a_table_has_a_name() {
    let lines = message(&format!(
        "{LISTS}[[table]]\nlists = [\"basic.x\"]\n[[table]]\nlists = [\"basic.x\"]\n"
    ));
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(
        lines.starts_with(&format!("{FILE}:5: table.name: \"\": a table name has ")),
        "{lines}"
    );
}

#[test]
fn there_are_sixteen_tables_with_those_of_the_section() {
    let tables =
        |count| -> String { (0..count).map(|n| table(&format!("t{n}"), "\"basic.x\"")).collect() };
    let config = parse(&format!("{DEVICE}{LISTS}{}", tables(14))).unwrap();
    assert_eq!(config.pf_tables().count(), 16);
    let more = message(&format!("{LISTS}{}", tables(15)));
    assert!(more.ends_with(": more than 14 [[table]]"), "{more}");
}

#[test]
fn a_list_that_is_wrong_by_itself_is_told_once() {
    let text = format!("[policy]\nblock = [\"a b\"]\n{}", table("a", "\"a b\""));
    assert_eq!(message(&text).lines().count(), 1, "{}", message(&text));
}
