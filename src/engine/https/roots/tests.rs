use super::*;

/// A certificate of a CA, in PEM.
const CA: &str = include_str!("tests/ca.pem");

fn read(text: &str) -> (String, Roots) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, text).unwrap();
    (file.display().to_string(), read_roots(&file))
}

#[test]
fn certificates_are_read_and_what_stands_between_is_passed_over() {
    let (_, roots) = read(&format!("# Example CA\n{CA}\nserial 1\n{CA}"));
    assert_eq!(roots.unwrap().len(), 2);
    let crlf = CA.replace('\n', "\r\n");
    assert_eq!(read(&crlf).1.unwrap().len(), 1);
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_eq!(read(&format!("{key}{CA}")).1.unwrap().len(), 1);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let cut = CA.rsplit_once("-----END").unwrap().0;
    let bad = CA.replacen('M', "!", 1);
    let no_ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, why) in [
        (format!("# one\n{cut}"), ":2: the certificate that begins here has no end"),
        (format!("{CA}\n\n{cut}"), ": the certificate that begins here has no end"),
        (format!("\n\n{bad}"), ":3: the certificate that begins here is damaged"),
        ("-----BEGIN CERT".into(), ":1: the certificate that begins here is damaged"),
        (String::new(), ": no certificate of a CA in it"),
        ("no certificate\n".into(), ": no certificate of a CA in it"),
        (no_ca.into(), ": no certificate of a CA in it"),
    ] {
        let (file, roots) = read(&text);
        let found = roots.unwrap_err();
        assert!(found.starts_with(&file) && found.ends_with(why), "{text}: {found}");
    }
    let second = format!("{CA}\n\n{cut}");
    let line = CA.lines().count() + 3;
    assert!(read(&second).1.unwrap_err().contains(&format!(":{line}: ")));
}

#[test]
fn a_missing_file_is_told() {
    let why = read_roots(Path::new("/nonexistent/ca.pem")).unwrap_err();
    assert_eq!(why, "/nonexistent/ca.pem: No such file or directory");
}
