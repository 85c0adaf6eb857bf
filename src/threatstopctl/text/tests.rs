use super::*;

fn printed(write: impl Fn(&mut dyn Output)) -> String {
    let mut out = Vec::new();
    write(&mut Text::new(&mut out, Advice::default()));
    String::from_utf8(out).unwrap()
}

fn nets(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn prefixes_are_printed_as_table_files_have_them() {
    let table = ["192.0.2.1", "198.51.100.0/24", "2001:db8::1", "2001:db8:1::/48"];
    let text = printed(|out| out.prefixes(Part::Table, nets(&table)).unwrap());
    assert_eq!(text, "192.0.2.1\n198.51.100.0/24\n2001:db8::1\n2001:db8:1::/48\n");
    let text = printed(|out| {
        out.prefixes(Part::Add, nets(&["192.0.2.1"])).unwrap();
        out.prefixes(Part::Remove, nets(&["2001:db8::/32"])).unwrap();
    });
    assert_eq!(text, "+192.0.2.1\n-2001:db8::/32\n");
}

#[test]
fn what_others_say_cannot_steer_the_terminal() {
    let text = printed(|out| out.line("a\u{1b}[2J\u{9b}1m\u{7f}b\rc\td\ne").unwrap());
    assert_eq!(text, "a?[2J?1m?b?c\td\ne\n");
}

/// Fails when a sentence is said twice to somebody who reads both, or not at all.
#[test]
fn what_was_said_is_not_said_again() {
    let mut text = Text::new(Vec::new(), Advice::default());
    text.said = Some(Vec::new());
    text.line("Failed: server a: no answer").unwrap();
    text.line("Failed: server b: refused (so it says)").unwrap();
    for (why, unsaid) in [
        ("server a: no answer", None),
        ("server a: no answer; server b: refused (so it says)", None),
        ("server a: no answer (is it there?)", Some("is it there?")),
        (
            "server a: no answer; server c: no answer",
            Some("server a: no answer; server c: no answer"),
        ),
        ("need root privileges", Some("need root privileges")),
    ] {
        assert_eq!(text.unsaid(why), unsaid);
    }
    text.said = None;
    assert_eq!(text.unsaid("server a: no answer"), Some("server a: no answer"));
}
