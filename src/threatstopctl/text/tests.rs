use super::*;

fn printed(write: impl Fn(&mut dyn Output)) -> String {
    let mut out = Vec::new();
    write(&mut Text::new(&mut out));
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
