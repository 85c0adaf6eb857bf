#[test]
fn messages_begin_with_the_name_of_the_program() {
    let said = |program| super::line(program, &"pf: no such file\n");
    assert_eq!(said(Some("threatstopd")), "threatstopd: pf: no such file?");
    assert_eq!(said(None), "pf: no such file?");
}

#[test]
fn control_characters_do_not_reach_the_log() {
    assert_eq!(super::printable("a\n\u{1b}[31mb\0"), "a??[31mb?");
}
