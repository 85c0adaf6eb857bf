use super::*;
use crate::commands::{COMMANDS, options};

const SOCKET: &str = "/tmp/x/sock";
const FILE: &str = "/tmp/x/a.toml";

fn fit(text: &str) -> String {
    Advice::new(Path::new(SOCKET), Some(Path::new(FILE))).fit(text)
}

/// Fails when advice would reach another daemon, or read another file, than the one who asked.
#[test]
fn advice_has_the_options_of_the_one_who_asks() {
    for (text, wanted) in [
        ("threatstopctl update", "threatstopctl -s /tmp/x/sock update"),
        ("(see threatstopctl status)", "(see threatstopctl -s /tmp/x/sock status)"),
        (
            "threatstopctl upload tries again, threatstopctl test looks further",
            "threatstopctl -s /tmp/x/sock upload tries again, threatstopctl -s /tmp/x/sock test \
             looks further",
        ),
        ("run threatstopctl setup, then", "run threatstopctl setup -f /tmp/x/a.toml, then"),
        ("threatstopctl doctor", "threatstopctl -s /tmp/x/sock doctor -f /tmp/x/a.toml"),
        ("threatstopd -f /tmp/x/a.toml", "threatstopd -s /tmp/x/sock -f /tmp/x/a.toml"),
        ("threatstopd -n -f /tmp/x/a.toml", "threatstopd -n -f /tmp/x/a.toml"),
        ("is threatstopctl of the same version?", "is threatstopctl of the same version?"),
        ("on DATE; threatstopctl update ends that", "on DATE; threatstopctl update ends that"),
        ("threatstopctl will not work", "threatstopctl will not work"),
        ("threatstopctl ", "threatstopctl "),
    ] {
        assert_eq!(fit(text), wanted);
    }
    let usual = Advice::new(Path::new(DEFAULT_SOCKET), Some(Path::new(config::DEFAULT_PATH)));
    assert_eq!(usual, Advice::default());
    assert_eq!(usual.fit("threatstopctl doctor"), "threatstopctl doctor");
    let odd = Advice::new(Path::new("/tmp/it's mine"), None);
    assert_eq!(odd.fit("threatstopctl test"), r"threatstopctl -s '/tmp/it'\''s mine' test");
}

/// Fails when a document advises another command than text does, or is none with an odd path in it.
#[test]
fn the_advice_of_documents_has_the_options_too() {
    let advice = Advice::new(Path::new("/tmp/a\"b\\c"), None);
    let text = "\"x\": threatstopctl update tries again";
    let mut out = Vec::new();
    advice.write(&mut out, &[text, "192.0.2.1"]).unwrap();
    let written: Vec<String> = serde_json::from_slice(&out).unwrap();
    assert_eq!(written, [&advice.fit(text), "192.0.2.1"]);
    assert_ne!(written[0], text);
}

#[test]
fn the_commands_are_those_that_there_are() {
    let offline = ["capture", "decode", "flush", "import", "setup"];
    let asking: Vec<&str> = COMMANDS.iter().map(|command| command.word).collect();
    let (offline, asking): (Vec<&str>, Vec<&str>) =
        asking.into_iter().partition(|word| offline.contains(word));
    assert_eq!((offline.len(), asking), (5, ASKING.to_vec()));
    let reads = |letter: char, value: &str| letter == 'f' && value == "file";
    let reading = COMMANDS.iter().filter(|command| {
        options(command).1.into_iter().any(|(letter, value)| reads(letter, value))
    });
    assert_eq!(reading.map(|command| command.word).collect::<Vec<_>>(), READING);
}
