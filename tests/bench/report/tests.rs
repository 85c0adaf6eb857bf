use super::*;

#[test]
fn a_pipe_in_a_name_does_not_end_its_cell() {
    let side = Side { name: "zcat | tcpdump -r -".into(), cost: Err("not installed".into()) };
    let title = String::new();
    let mut text = String::new();
    Comparison { title, by_cpu: false, alone: false, sides: vec![side], notes: Vec::new() }
        .markdown(&mut text);
    assert!(text.ends_with("\n| zcat \\| tcpdump -r - | not installed |  |  |  |\n"), "{text}");
}
