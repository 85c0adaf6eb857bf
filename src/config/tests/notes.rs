//! What -n has to say of a file without mistakes.

use tempfile::TempDir;

use super::*;

/// What is noted of a text behind a device id, on a host that has all that it needs: a user, and a
/// file of certificates in `at`.
fn noted(at: &TempDir, text: &str) -> Vec<String> {
    std::fs::write(at.path().join("ca"), "").unwrap();
    let own = format!(
        "{DEVICE}user = \"nobody\"\nhttps.ca_file = \"{}\"\n{text}",
        at.path().join("ca").display()
    );
    let own = own.replace("DIR", at.path().to_str().unwrap());
    let lines = parse(&own).unwrap().notes(&own, Path::new("F"));
    lines.into_iter().map(|line| line.replace(at.path().to_str().unwrap(), "DIR")).collect()
}

#[test]
fn a_sound_file_is_not_commented() {
    let at = tempfile::tempdir().unwrap();
    std::fs::write(at.path().join("block"), "").unwrap();
    for text in [
        "",
        "[policy]\nlocal_block = \"DIR/block\"",
        "[policy]\nservers = [\"2001:db8::53\", \"[2001:db8::1]:53\", \"2001:db8:0:1:2:3:4:53\", \"2001:db8::1:a\"]",
        "[guard]\nnever_block = [\"10.0.0.0/8\", \"fc00::/7\", \"2001::/16\", \"224.0.0.0/3\", \"ff00::/8\"]",
    ] {
        assert_eq!(noted(&at, text), [""; 0], "{text}");
    }
}

#[test]
fn an_address_that_ends_like_a_port() {
    let at = tempfile::tempdir().unwrap();
    assert_eq!(
        noted(&at, "[policy]\nservers = [\n\"2001:db8::1:53\",\n\"2001:db8::2:5353\"]"),
        [
            "F:6: note: policy.servers: 2001:db8::1:53 is an address without a port; port 53 would be \"[2001:db8::1]:53\"",
            "F:7: note: policy.servers: 2001:db8::2:5353 is an address without a port; port 5353 would be \"[2001:db8::2]:5353\"",
        ]
    );
}

#[test]
fn what_is_never_blocked_is_much() {
    let at = tempfile::tempdir().unwrap();
    let wide = |line, net| {
        format!(
            "F:{line}: note: guard.never_block: {net} is wider than any network: nothing in it will ever be blocked"
        )
    };
    assert_eq!(
        noted(&at, "guard.never_block = [\"128.0.0.0/1\", \n \"2400::/6\"]"),
        [wide(4, "128.0.0.0/1"), wide(5, "2400::/6")]
    );
    let all = "F:4: note: guard.never_block: its entries have all of IPv6 between them: only IPv4 will be blocked";
    assert_eq!(noted(&at, "guard.never_block = [\"::/0\"]"), [all]);
    assert_eq!(noted(&at, "guard.never_block = [\"2000::/4\", \"3000::/4\"]").len(), 1);
}

#[test]
fn what_this_host_has_not() {
    let at = tempfile::tempdir().unwrap();
    let absent = "F:5: note: policy.local_allow: DIR/none: No such file or directory; create it, or unset policy.local_allow";
    assert_eq!(noted(&at, "\npolicy.local_allow = \"DIR/none\""), [absent]);
    assert_eq!(
        noted(&at, "policy.local_block = \"DIR\""),
        [
            "F:4: note: policy.local_block: DIR: not a regular file; create it, or unset policy.local_block"
        ]
    );
    let text = format!("{DEVICE}user = \"_no_such_user\"\nhttps.ca_file = \"/nonexistent/ca\"\n");
    assert_eq!(
        parse(&text).unwrap().notes(&text, Path::new("F")),
        [
            "F:2: note: user: unknown user _no_such_user: reinstall the package, or set user",
            "F:3: note: https.ca_file: /nonexistent/ca: No such file or directory: without the certificates in it nothing is uploaded",
        ]
    );
    // without an upload nobody wants the certificates; a default is not what the file says
    let text = format!("{DEVICE}log.enabled = false\nhttps.ca_file = \"/nonexistent/ca\"\n");
    assert_eq!(parse(&text).unwrap().notes(&text, Path::new("F")), [""; 0]);
}
