//! Single lines, fields and values.

use super::*;

/// What a single line is: its prefixes, or why there are none.
fn line(text: &str) -> String {
    let whole = format!("192.0.2.255\n{text}");
    let Read { items, told } = read("lines", whole).unwrap();
    match told {
        Told { wrong: 1, .. } => "wrong".into(),
        Told { names: 1, .. } => "name".into(),
        Told { comments: 1, .. } => "comment".into(),
        Told { lines: 1, .. } => "blank".into(),
        _ => nets(&items)
            .iter()
            .filter(|net| *net != "192.0.2.255")
            .cloned()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

#[test]
fn lines() {
    for (text, meant) in [
        // the first field
        ("1.2.3.4", "1.2.3.4"),
        (" \t1.2.3.4 \r", "1.2.3.4"),
        ("1.2.3.4 a host", "1.2.3.4"),
        ("1.2.3.4\tus", "1.2.3.4"),
        ("1.2.3.0/24;SBL1", "1.2.3.0/24"),
        ("1.2.3.0/24 ; SBL1", "1.2.3.0/24"),
        ("1.2.3.4#5#6", "1.2.3.4"),
        ("1.2.3.4,2026-01-01", "1.2.3.4"),
        ("1.2.3.4|x", "1.2.3.4"),
        ("2001:DB8::/32 ; SBL1", "2001:db8::/32"),
        ("::1", "::1"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        // host bits
        ("10.1.2.3/16", "10.1.0.0/16"),
        ("10.2.0.0/15", "10.2.0.0/15"),
        ("10.1.0.0/15", "wrong"),
        ("2001:db8:1:2::/48", "2001:db8:1::/48"),
        ("2001:db8:1::/47", "wrong"),
        ("1.2.3.4/0", "wrong"),
        // netmasks
        ("1.2.2.0/255.255.254.0", "1.2.2.0/23"),
        ("1.2.3.4/255.255.255.255", "1.2.3.4"),
        ("1.2.3.4/255.255.0.0", "1.2.0.0/16"),
        ("1.2.3.4/255.254.0.0", "wrong"),
        ("1.2.3.0/0.0.0.255", "wrong"),
        ("1.2.3.0/255.0.255.0", "wrong"),
        ("0.0.0.0/0.0.0.0", "0.0.0.0/0"),
        // short networks
        ("1.2.3/24", "1.2.3.0/24"),
        ("1.2.3/25", "wrong"),
        ("1.2/16", "wrong"),
        ("1/8", "wrong"),
        ("1.2.3./24", "wrong"),
        ("01.2.3/24", "wrong"),
        ("1.2.3.4.5/24", "wrong"),
        // ranges
        ("1.2.3.0-1.2.3.255", "1.2.3.0/24"),
        ("1.2.3.4-1.2.3.4", "1.2.3.4"),
        ("1.2.3.0 - 1.2.3.2", "1.2.3.0/31 1.2.3.2"),
        ("1.2.3.0 -1.2.3.1,x", "1.2.3.0/31"),
        ("1.2.3.4 - 2026-01-01", "1.2.3.4"),
        ("1.2.3.4 -", "1.2.3.4"),
        ("1.2.3.4 - a host", "1.2.3.4"),
        ("1.2.3.4-1.2.3.3", "wrong"),
        ("1.2.3.4-", "wrong"),
        ("1.2.3.4-9", "wrong"),
        ("1.2.3.0/24-1.2.4.0", "wrong"),
        ("2001:db8::-2001:db8::1", "2001:db8::/127"),
        ("2001:db8:: - 2001:db8::1", "2001:db8::/127"),
        ("1.2.3.4-::1", "wrong"),
        ("0.0.0.0-255.255.255.255", "0.0.0.0/0"),
        ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"),
        // DShield
        ("1.2.3.0\t1.2.3.255\t24\t99\tX", "1.2.3.0/24"),
        ("1.2.0.0 1.2.255.255 16", "1.2.0.0/16"),
        ("1.2.3.0 1.2.3.254 24", "1.2.3.0"),
        ("1.2.3.0 1.2.3.255 25", "1.2.3.0"),
        ("1.2.3.0 1.2.3.255", "1.2.3.0"),
        ("1.2.3.1 1.2.3.255 24", "1.2.3.1"),
        ("1.2.3.4 17 24", "1.2.3.4"),
        // comments and blanks
        ("# 1.2.3.4", "comment"),
        ("  ; 1.2.3.4", "comment"),
        ("// 1.2.3.4", "comment"),
        ("\t \r", "blank"),
        // names
        ("bad.example", "name"),
        ("_x.Bad-1.example. # why", "name"),
        ("xn--a.xn--b", "name"),
        ("localhost", "wrong"),
        ("1.2.3.4a", "wrong"),
        ("bad..example", "wrong"),
        ("http://bad.example/", "wrong"),
        ("bad.example:80", "wrong"),
        ("bad.e", "wrong"),
        // nothing of these
        ("/ 1.2.3.4", "wrong"),
        (",1.2.3.4", "wrong"),
        ("!1.2.3.4", "wrong"),
        ("\"1.2.3.4\"", "wrong"),
        ("1.2.3.4:80", "wrong"),
        ("1.2.3", "wrong"),
        ("1.2.3.4.5", "wrong"),
        ("1.2.3.04", "wrong"),
        ("010.2.3.4", "wrong"),
        ("256.2.3.4", "wrong"),
        ("1.2.3.1000", "wrong"),
        ("0x1.2.3.4", "wrong"),
        ("16909060", "wrong"),
        ("127.1", "wrong"),
        ("1.2.3.4/", "wrong"),
        ("1.2.3.4/33", "wrong"),
        ("1.2.3.4/024", "wrong"),
        ("1.2.3.4/+8", "wrong"),
        ("::/129", "wrong"),
        ("::1%lo0", "wrong"),
        ("[::1]", "wrong"),
        ("1:2", "wrong"),
        ("1.2.3.4\0", "wrong"),
        ("\u{661}.2.3.4", "wrong"),
    ] {
        assert_eq!(line(text), meant, "{text:?}");
    }
}

#[test]
fn a_mark_before_the_text_and_no_end_of_line_behind_it() {
    assert_eq!(taken("lines", "\u{feff}1.2.3.4\r\n\r\n5.6.7.8").0, ["1.2.3.4", "5.6.7.8"]);
    assert_eq!(taken("csv:1", "\u{feff}1.2.3.4\r\n\r\n5.6.7.8").0, ["1.2.3.4", "5.6.7.8"]);
    assert_eq!(taken("json:/*", "\u{feff}[\"1.2.3.4\"]").0, ["1.2.3.4"]);
    assert_eq!(taken("jsonl:/a", "\u{feff}{\"a\":\"1.2.3.4\"}").0, ["1.2.3.4"]);
    // only there, and only once
    assert_eq!(read("lines", "1.2.3.4\n\u{feff}5.6.7.8").unwrap().told.wrong, 1);
    assert_eq!(read("lines", "\u{feff}\u{feff}1.2.3.4\n5.6.7.8").unwrap().told.wrong, 1);
}

#[test]
fn a_long_line_is_looked_at_as_far_as_it_goes() {
    let room = LONGEST_LINE - "1.2.3.4".len();
    for (before, wrong) in [(0, 0), (room, 0), (room + 1, 1)] {
        let text = format!("1.1.1.1\n{}1.2.3.4\n2.2.2.2\n", " ".repeat(before));
        assert_eq!(read("lines", &text).unwrap().told.wrong, wrong, "{before}");
    }
    let text = format!("1.2.3.4 {}\n5.6.7.8\n", "x".repeat(100_000));
    assert_eq!(taken("lines", &text).0, ["1.2.3.4", "5.6.7.8"]);
    // what is cut may be more than it seems
    let text = format!("1.1.1.1\n{}1.2.3.40\n", " ".repeat(room));
    assert_eq!(read("lines", &text).unwrap().told.wrong, 1);
}

#[test]
fn csv() {
    let list = "# comment, \"with a quote\n\"1.2.3.4\",\"a, \"\"b\"\"\r\nmore\",1\r\n\r\n 5.6.7.8 ,x\n,empty\n";
    assert_eq!(
        taken("csv:1", list),
        (vec!["1.2.3.4".into(), "5.6.7.8".into()], "2 entries".into())
    );
    assert_eq!(
        taken("csv:2", "x,1.2.3.4\nshort\ny,\"5.6.7.0/24\",z\nip,?\n"),
        (
            vec!["1.2.3.4".into(), "5.6.7.0/24".into()],
            "2 entries, 2 lines skipped, first: line 2 \"short\"".into()
        )
    );
    // by its name, in the head line, or in a comment that has it
    for head in
        ["first,dst_ip,port\n", "# \"first\", \"dst_ip\",\"port\"\n", "#\n\n\"first\",\"dst_ip\"\n"]
    {
        let list =
            format!("# dst\n{head}\"2026-01-01\", \"1.2.3.4\", \"443\"\n2026-01-02,5.6.7.8\n");
        assert_eq!(taken("csv:dst_ip", &list).0, ["1.2.3.4", "5.6.7.8"], "{head}");
    }
    assert_eq!(
        refused("csv:ip", "first,dst_ip\nx,1.2.3.4\n"),
        "no column \"ip\" in its head line: look at format"
    );
    assert_eq!(
        refused("csv:ip", "# ip address\n"),
        "no column \"ip\" in its head line: look at format"
    );
    // what is in quotes has an end
    assert_eq!(
        refused("csv:1", "1.2.3.4,x\n\n5.6.7.8,\"x\n9.9.9.9,x\n"),
        "line 3: a field in quotes has no end"
    );
    // a long field elsewhere is nothing, in the column it is no prefix
    let long = "x".repeat(5000);
    assert_eq!(taken("csv:1", &format!("1.2.3.4,{long},\n5.6.7.8,\"{long}\"")).0.len(), 2);
    assert_eq!(read("csv:1", format!("1.2.3.4\n{long}\n")).unwrap().told.wrong, 1);
    // a field is all of one entry, or none
    assert_eq!(read("csv:1", "1.2.3.4\n1.2.3.4 x\n").unwrap().told.wrong, 1);
}

#[test]
fn csv_names_the_line_where_a_record_begins() {
    let list = "1.2.3.4,\"a\nb\"\n\n\n# c\n?,\"x\ny\"\n";
    assert_eq!(taken("csv:1", list).1, "1 entry, 1 line skipped, first: line 6 \"?\"");
}

#[test]
fn json() {
    for (pointer, document, meant) in [
        ("/a", r#"{"a":"1.2.3.4"}"#, "1.2.3.4"),
        ("/a/*", r#"{"b":["9.9.9.9"],"a":["1.2.3.4"," 5.6.7.0/24 "]}"#, "1.2.3.4 5.6.7.0/24"),
        (
            "/a/*/b",
            r#"{"a":[{"b":"1.2.3.4","c":1},{"c":2},{"b":null},{"b":"::1"}]}"#,
            "1.2.3.4 ::1",
        ),
        ("/*/1", r#"{"x":["9.9.9.9","1.2.3.4"],"y":[],"z":{"1":"5.6.7.8"}}"#, "1.2.3.4 5.6.7.8"),
        ("/*", r#"["1.2.3.4","1.2.3.0-1.2.3.1"]"#, "1.2.3.4 1.2.3.0/31"),
        ("/", r#"{"":"1.2.3.4"}"#, "1.2.3.4"),
        ("/a~1b/m~0n", r#"{"a/b":{"m~n":"1.2.3.4"}}"#, "1.2.3.4"),
        ("/a", r#"{"\u0061":"1.2.3\u002e4"}"#, "1.2.3.4"),
        ("/\u{1f600}", r#"{"\ud83d\uDE00":"1.2.3.4"}"#, "1.2.3.4"),
        ("/a/b", r#"{"a":"9.9.9.9","a":{"b":"1.2.3.4"}}"#, "1.2.3.4"),
        (
            "/a",
            " {\t\"x\" : [ 1 , -0.5e+7 , true,false,null,{} ,[]] ,\r\n\"a\":\"1.2.3.4\"} \n",
            "1.2.3.4",
        ),
        ("/x", r#"{"a":{"x":"9.9.9.9"},"x":"1.2.3.4"}"#, "1.2.3.4"),
    ] {
        let (nets, told) = taken(&format!("json:{pointer}"), document);
        assert_eq!(nets.join(" "), meant, "{document}");
        assert!(!told.contains("skipped"), "{document}: {told}");
    }
    assert_eq!(
        taken("json:/*", "[\"1.2.3.4\",\n\"bad.example\",\n7,[],{\"a\":[\"9.9.9.9\"]},true,\"?\"]")
            .1,
        "1 entry, 6 lines skipped, first: line 2 \"bad.example\"; 1 of them is a host name"
    );
}

#[test]
fn half_a_document_is_none() {
    let whole = "{\"a\":[\"1.2.3.4\",\n-1.5e3,true,{\"x\":\"\\u00e4\\n\"}]}";
    assert_eq!(read("json:/a/*", whole).unwrap().told.wrong, 3);
    for end in 1..whole.len() {
        let why = refused("json:/a/*", &whole[..end]);
        assert!(why.starts_with("not JSON: line "), "{}: {why}", &whole[..end]);
    }
}

#[test]
fn what_is_not_json() {
    for (document, why) in [
        ("[\"1.2.3.4\"] x", "something follows behind the document"),
        ("[\"1.2.3.4\",]", "not a value"),
        ("[\"1.2.3.4\"}", "a comma or the end of an array or object is wanting"),
        ("[\"1.2.3.4\" \"1\"]", "a comma or the end of an array or object is wanting"),
        ("{\"a\":1,}", "a name in quotes is wanting"),
        ("{a:1}", "a name in quotes is wanting"),
        ("{\"a\" 1}", "a colon is wanting behind a name"),
        ("[01]", "a number with a leading zero"),
        ("[-]", "half a number"),
        ("[1.]", "half a number"),
        ("[1e]", "half a number"),
        ("[tru]", "neither true, false nor null"),
        ("[\"\n\"]", "a control character in a string"),
        ("[\"\\x\"]", "an escape that there is not"),
        ("[\"\\u12g4\"]", "not four digits behind \\u"),
        ("[\"\\ud800\"]", "half of a surrogate pair"),
        ("[\"\\ud800\\u0041\"]", "half of a surrogate pair"),
        ("[\"\\udc00\"]", "half of a surrogate pair"),
        ("1.2.3.4\n", "something follows behind the document"),
    ] {
        assert!(refused("json:/*", document).ends_with(&format!(": {why}")), "{document:?}");
        assert!(refused("json:/*", document).contains("JSON: line 1: "), "{document:?}");
    }
    assert_eq!(refused("json:/*", "[\n\n?]"), "not JSON: line 3: not a value");
    let deep =
        |depth: usize| format!("[\"1.2.3.4\",{}{}]", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert_eq!(read("json:/*", deep(DEEPEST)).unwrap().items.len(), 1);
    assert!(refused("json:/*", deep(DEEPEST + 1)).ends_with("too deep within one another"));
}

#[test]
fn long_names_and_strings_are_not_kept() {
    let long = "a".repeat(LONGEST_NAME);
    let list = format!(
        "{{\"{long}a\":\"9.9.9.9\",\"{long}\":\"1.2.3.4\",\"x\":\"{}\"}}",
        "y".repeat(100_000)
    );
    assert_eq!(taken(&format!("json:/{long}"), &list).0, ["1.2.3.4"]);
    let list = format!("[\"1.2.3.4\",\"5.6.7.8{}\"]", " ".repeat(LONGEST_NAME));
    assert_eq!(read("json:/*", list).unwrap().told.wrong, 1);
}

#[test]
fn a_wrong_line_of_jsonl_takes_nothing_but_itself() {
    let list = "{\"a\":\"1.2.3.4\"}\r\n\n{\"a\":\"9.9.9.9\",\"b\":}\n{\"a\":\"9.9.9.9\"\n{\"b\":1}\n{\"a\":\"bad\"}\n\
                {\"a\":\"5.6.7.8\"} {\"a\":\"9.9.9.9\"}\n[\"1.1.1.1\"]\n{\"a\":\"::1\"}";
    assert_eq!(
        taken("jsonl:/a", list),
        (
            vec!["1.2.3.4".into(), "::1".into()],
            "2 entries, 4 lines skipped, first: line 3 \"{\"a\":\"9.9.9.9\",\"b\":}\"".into()
        )
    );
    assert_eq!(
        taken("jsonl:/a/*", "{\"a\":[\"1.2.3.4\",\"?\"]}\n?\n{\"a\":[\"?\"]").1.split(',').next(),
        Some("1 entry")
    );
}
