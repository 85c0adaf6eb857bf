use std::collections::BTreeSet;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};

use super::*;
use crate::printable::ANY_NAME;

mod data;

fn page(report: &Report) -> String {
    render(report, &Advice::default()).unwrap()
}

/// The page, read as strictly as XML is: each tag has its end, and no character is what it must not be.
fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).unwrap_or_else(|why| panic!("{why}: {page}"))
}

fn elements<'a>(document: &'a Document<'_>) -> impl Iterator<Item = Node<'a, 'a>> {
    document.descendants().filter(Node::is_element)
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants().filter_map(|node| node.text().filter(|_| node.is_text())).collect()
}

/// Everything that the templates may write.
const ELEMENTS: &[&str] = &[
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "main",
    "footer",
    "section",
    "div",
    "h1",
    "h2",
    "p",
    "span",
    "strong",
    "dl",
    "dt",
    "dd",
    "ol",
    "li",
    "figure",
    "figcaption",
    "svg",
    "desc",
    "line",
    "rect",
    "text",
    "details",
    "summary",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
];
const ATTRIBUTES: &[&str] = &[
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "id",
    "role",
    "aria-label",
    "aria-labelledby",
    "aria-hidden",
    "tabindex",
    "scope",
    "colspan",
    "width",
    "height",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "dy",
];

/// Fails when an element, an attribute or a character is none that the templates may write.
#[track_caller]
fn is_ours(document: &Document<'_>, name: &str) {
    let plain = |c: char| c == '\n' || printable(&c.to_string()) == c.to_string();
    assert!(document.input_text().chars().all(plain), "{name}");
    for element in elements(document) {
        let tag = element.tag_name().name();
        assert!(ELEMENTS.contains(&tag), "{name}: <{tag}>");
        for attribute in element.attributes() {
            assert!(ATTRIBUTES.contains(&attribute.name()), "{name}: {attribute:?}");
        }
    }
}

/// Fails when anything of any report is markup, is fetched, or is not what it looks like.
#[test]
fn the_page_is_well_formed_and_complete_in_itself() {
    for (name, report) in data::all() {
        let page = page(&report);
        for banned in ["<script", "url(", "src=", "href=", "@import", "http:", "https:", "|safe"] {
            assert!(!page.contains(banned), "{name}: {banned}");
        }
        let document = parse(&page);
        is_ours(&document, name);
        let policy = elements(&document).find(|it| it.attribute("http-equiv").is_some()).unwrap();
        assert_eq!(policy.attribute("http-equiv"), Some("Content-Security-Policy"));
        let allowed: Vec<&str> = policy.attribute("content").unwrap().split("; ").collect();
        assert_eq!(allowed.len(), 2, "nothing, and the style of its own: {allowed:?}");
        assert!(allowed[0] == "default-src 'none'" && allowed[1].starts_with("style-src '"));
        assert_eq!(document.root_element().attribute("lang"), Some("en"));
    }
}

/// Fails when who cannot see a chart is told less than who can, or a heading is out of order.
#[test]
fn charts_have_words_and_a_table() {
    for (name, report) in data::all() {
        let page = page(&report);
        let document = parse(&page);
        let mut ids = BTreeSet::new();
        for id in elements(&document).filter_map(|element| element.attribute("id")) {
            assert!(ids.insert(id), "{name}: {id} twice");
        }
        for element in elements(&document) {
            let named = element.attribute("aria-labelledby").into_iter();
            for id in named.flat_map(|ids| ids.split(' ')) {
                assert!(ids.contains(id), "{name}: {id}");
            }
        }
        let charts: Vec<Node<'_, '_>> = elements(&document)
            .filter(|element| element.attribute("class") == Some("chart"))
            .collect();
        for chart in &charts {
            assert_eq!(chart.attribute("role"), Some("img"));
            let words: Vec<String> = chart
                .children()
                .filter(|child| ["title", "desc"].contains(&child.tag_name().name()))
                .map(text)
                .collect();
            assert!(words.len() == 2 && words.iter().all(|words| !words.is_empty()), "{words:?}");
            let beside = chart.parent().and_then(|figure| figure.parent()).unwrap();
            assert!(beside.descendants().any(|it| it.has_tag_name("table")), "{name}: {words:?}");
        }
        let pictures = elements(&document).filter(|it| it.has_tag_name("svg"));
        let is_told = |it: &Node<'_, '_>| {
            it.attribute("role") == Some("img") || it.attribute("aria-hidden") == Some("true")
        };
        assert!(pictures.into_iter().all(|it| is_told(&it)), "{name}");
        let headings: Vec<&str> = elements(&document)
            .map(|element| element.tag_name().name())
            .filter(|tag| tag.len() == 2 && tag.starts_with('h') && *tag != "hr")
            .collect();
        assert_eq!(headings.first(), Some(&"h1"), "{name}");
        assert!(headings.iter().skip(1).all(|tag| *tag == "h2"), "{name}: {headings:?}");
    }
}

proptest! {
    // each case lays out a whole page
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever names are, the page has the elements that it has with plain ones, and shows each name.
    #[test]
    fn no_name_is_more_than_a_name(names in vec(ANY_NAME, 9)) {
        let name = |(at, name)| format!("{at}{name}");
        let names: Vec<String> = names.into_iter().enumerate().map(name).collect();
        let plain: Vec<String> = (0..9).map(|at| at.to_string()).collect();
        let [page, as_plain] = [&names, &plain].map(|names| page(&data::named(names)));
        let (document, as_plain) = (parse(&page), parse(&as_plain));
        is_ours(&document, &format!("{names:?}"));
        let tags = |document| elements(document).map(|it| it.tag_name().name().to_owned());
        prop_assert!(tags(&document).eq(tags(&as_plain)), "{:?}", names);
        let cells: BTreeSet<String> = elements(&document)
            .filter(|element| element.has_tag_name("th"))
            .map(|element| text(element).trim().to_owned())
            .collect();
        for name in &names {
            prop_assert!(cells.contains(printable(name).trim()), "{name:?}: {cells:?}");
        }
    }
}

/// Fails when a hostile name is not shown as what it is.
#[test]
fn names_are_shown_and_are_nothing_else() {
    let page = page(&data::hostile());
    let document = parse(&page);
    let cells: BTreeSet<String> = elements(&document)
        .filter(|element| element.has_tag_name("th"))
        .map(|element| text(element).trim().to_owned())
        .collect();
    for name in data::NAMES {
        assert!(cells.contains(&printable(name)), "{name:?}: {cells:?}");
    }
    assert!(cells.contains(&"x".repeat(300)));
    let said: Vec<String> = elements(&document)
        .filter(|element| element.attribute("class") == Some("said"))
        .map(text)
        .collect();
    assert_eq!(said.len(), 9, "the verdict is the first warning: {said:?}");
}

#[test]
fn what_is_unknown_is_told_apart_from_nothing() {
    let page = page(&data::month());
    let document = parse(&page);
    let of_class = |class: &'static str| {
        let shapes = elements(&document).filter(move |it| it.attribute("class") == Some(class));
        shapes.filter(|it| it.parent().unwrap().attribute("role") == Some("img")).count()
    };
    // two days, in two charts of packets and three of tables
    assert_eq!(of_class("unknown"), 2 * 5);
    // one day without a packet, and the days on which none went out
    assert_eq!(
        of_class("nothing"),
        1 + data::month().days.iter().filter(|day| day.out == Some(0)).count()
    );
    assert!(page.contains("nothing is known of this day"));
    let nothing = self::page(&data::nothing());
    assert!(nothing.contains("Nobody counted packets on these days"), "{nothing}");
    assert!(!nothing.contains("<figure>"), "no chart of nothing");
}

#[test]
fn a_warning_stands_above_all_with_its_way_out() {
    let advice = Advice::new(Path::new("/tmp/sock"), None);
    let page = render(&data::nothing(), &advice).unwrap();
    let (head, rest) = page.split_once("class=\"verdict unwell\"").unwrap();
    assert_eq!(head.matches("<section").count(), 1, "{head}");
    assert_eq!(page.matches("no policy yet").count(), 1, "not twice: {rest}");
    assert!(rest.contains("threatstopctl -s /tmp/sock test; is there a route"), "{rest}");
    let page = self::page(&data::day());
    assert!(page.contains("class=\"verdict well\""));
    assert!(page.contains("tables.monitor is set: nothing is blocked"));
    assert!(page.contains("Packets that would have been blocked, by day"), "{page}");
}

/// The page of a day but for its style, as it is; whoever changes a template changes this file.
#[test]
fn a_small_page_as_a_whole() {
    let page = page(&data::day());
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (is, told) = (format!("{head}{rest}"), include_str!("tests/day.html"));
    for (at, (is, told)) in is.lines().zip(told.lines()).enumerate() {
        assert_eq!(is, told, "tests/day.html:{}", at + 1);
    }
    assert_eq!(is.lines().count(), told.lines().count());
}

/// Fails when the largest report makes a page that a telephone does not take.
#[test]
fn the_largest_page_is_bounded() {
    let octets = page(&data::full()).len();
    assert!(octets < 1 << 20, "{octets}");
}
