use super::*;

#[test]
fn what_was_pasted_stays_and_what_was_measured_goes() {
    let pasted = "## A real kernel: its tables\n\n| new |\n";
    let before = format!("# Benchmarks\n\n## Update\n\nsee \"## A real kernel\"\n\n{pasted}");
    assert_eq!(real_kernel(&before), pasted);
    assert_eq!(real_kernel("# Benchmarks\n\n## Update\n"), REAL_KERNEL);
    assert_eq!(real_kernel(&format!("# Benchmarks\n\n{REAL_KERNEL}")), REAL_KERNEL);
}
