use super::quoted;

/// Fails when a text can leave its line or move a cursor, or when a long one fills the log.
#[test]
fn what_somebody_wrote_is_shown_harmlessly() {
    for (text, shown) in [
        ("", r#""""#),
        ("1.2.3.4/33", r#""1.2.3.4/33""#),
        ("a\n\r\tb", r#""a\n\r\tb""#),
        ("\u{1b}[2J\u{0}\u{7f}\u{9b}", r#""\u{1b}[2J\0\u{7f}\u{9b}""#),
        ("\u{202e}\u{200b}", r#""\u{202e}\u{200b}""#),
        (r#"say "hi" \"#, r#""say \"hi\" \\""#),
        ("gr\u{fc}n", "\"gr\u{fc}n\""),
    ] {
        assert_eq!(quoted(text), shown);
    }
    assert_eq!(quoted(&"x".repeat(60)), format!("\"{}\"", "x".repeat(60)));
    assert_eq!(quoted(&"\u{1b}".repeat(9999)), format!("\"{}...\"", "\\u{1b}".repeat(60)));
}
