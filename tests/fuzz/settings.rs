//! What administrators write: the configuration, the old one, and their own lists.

use std::net::IpAddr;
use std::path::Path;

use config::{Config, ConfigError};
use policy::{LOCAL_MAX_LINE, parse_local};
use prefix::Items;

use crate::input::is_one_line;
use crate::programs::tool::import::{Imported, import};

/// Longer texts are left alone; the largest sizes have tests of their own.
const LONGEST: usize = 32 << 10;
const FILE: &str = "FILE";
/// What no message may show. It is put before the text, which may be read otherwise.
const SECRET: &str = "tdid_Secret0123456789";

/// A configuration.
pub fn toml_config(data: &[u8]) -> bool {
    let (Ok(text), true) = (str::from_utf8(data), data.len() <= LONGEST) else { return false };
    if !text.contains("Secret") {
        let text = format!("device_id = \"{SECRET}\" {text}");
        if let Err(error) = Config::parse(&text, Path::new(FILE)) {
            look_at_error(&text, &error);
            assert!(!error.lines().concat().contains("Secret"), "{error}");
        }
    }
    let config = match Config::parse(text, Path::new(FILE)) {
        Ok(config) => config,
        Err(error) => {
            look_at_error(text, &error);
            return false;
        }
    };
    let printed = config.to_toml();
    let again = Config::parse(&printed, Path::new("printed"));
    assert_eq!(again.unwrap_or_else(|error| panic!("{error}\n{printed}")), config);
    true
}

fn look_at_error(text: &str, error: &ConfigError) {
    let ConfigError::Mistakes { mistakes, .. } = error else { panic!("{error}: not of the text") };
    let mut before = 1;
    assert_eq!(mistakes.len(), error.lines().len());
    for (mistake, shown) in mistakes.iter().zip(error.lines()) {
        assert!((before..=text.split('\n').count()).contains(&mistake.line), "{shown}");
        assert!(shown.starts_with(&format!("{FILE}:{}: ", mistake.line)), "{shown}");
        assert!(is_one_line(&shown), "{shown:?}");
        before = mistake.line;
    }
    assert!(error.to_string().starts_with(&error.lines()[0]));
}

/// A configuration of the old scripts.
pub fn old_conf(data: &[u8]) -> bool {
    let Imported { toml, notes, left_out, device_id } = match import(data, FILE) {
        Ok(imported) => imported,
        Err(error) => {
            let shown = error.to_string();
            assert!(shown.starts_with(FILE) && is_one_line(&shown), "{shown:?}");
            return false;
        }
    };
    let parse = |text: &str| {
        let config = Config::parse(text, Path::new("imported"));
        config.unwrap_or_else(|error| panic!("{error}\n{text}"))
    };
    let named = notes.iter().filter(|note| note.starts_with("not carried over: ")).count();
    assert!(named <= left_out, "{named} of {left_out}");
    // without a device id there is a line for it, and nothing else is wanting
    let toml = match device_id {
        true => toml,
        false => toml.replacen("\ndevice_id = \"\"\n", "\ndevice_id = \"tdid_00000000\"\n", 1),
    };
    // What is a comment sets nothing, and what is a note is a comment.
    let (comments, settings): (Vec<_>, Vec<_>) =
        toml.lines().partition(|line| line.starts_with('#'));
    assert_eq!(parse(&toml), parse(&settings.join("\n")));
    for note in &notes {
        assert!(is_one_line(note), "{note:?}");
        assert!(comments.contains(&format!("# {note}").as_str()), "{note}");
    }
    true
}

/// A list of the administrator.
pub fn local_list(data: &[u8]) -> bool {
    let read = parse_local(FILE, data);
    let expected = naive_list(data);
    match (read, expected) {
        (Ok(items), Ok(expected)) => {
            assert_eq!(lines(&items), expected);
            true
        }
        (Err(error), Err(line)) => {
            let shown = error.to_string();
            assert_eq!(error.line, line, "{shown}");
            assert!(shown.starts_with(&format!("{FILE}:{line}: ")), "{shown}");
            assert!(is_one_line(&shown) && shown.len() < 1024, "{shown:?}");
            false
        }
        (read, expected) => panic!("{read:?}, and not {expected:?}"),
    }
}

/// The prefixes, IPv4 first, or the line that is none.
fn naive_list(data: &[u8]) -> Result<Vec<String>, usize> {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for (line, number) in data.split(|octet| *octet == b'\n').zip(1..) {
        if line.len() > LOCAL_MAX_LINE {
            return Err(number);
        }
        let text = line.split(|octet| *octet == b'#').next().unwrap_or_default().trim_ascii();
        if text.is_empty() {
            continue;
        }
        match str::from_utf8(text).ok().and_then(naive_prefix) {
            Some((IpAddr::V4(_), text)) => v4.push(text),
            Some((IpAddr::V6(_), text)) => v6.push(text),
            None => return Err(number),
        }
    }
    v4.append(&mut v6);
    Ok(v4)
}

/// A prefix and its canonical text.
pub fn naive_prefix(text: &str) -> Option<(IpAddr, String)> {
    let mut parts = text.splitn(2, '/');
    let addr: IpAddr = parts.next()?.parse().ok()?;
    let (bits, value) = match addr {
        IpAddr::V4(addr) => (32, u128::from(addr.to_bits()) << 96),
        IpAddr::V6(addr) => (128, addr.to_bits()),
    };
    let Some(len) = parts.next() else { return Some((addr, addr.to_string())) };
    // all numbers that there are, each in its one spelling
    let len = (0..=bits).find(|number: &u32| number.to_string() == len)?;
    let inside = if len == 0 { 0 } else { value >> (128 - len) << (128 - len) };
    let text = if len == bits { addr.to_string() } else { format!("{addr}/{len}") };
    (inside == value).then_some((addr, text))
}

fn lines(items: &Items) -> Vec<String> {
    assert!(items.v4.iter().all(|item| !item.negated) && items.v6.iter().all(|item| !item.negated));
    let v4 = items.v4.iter().map(|item| item.net().to_string());
    v4.chain(items.v6.iter().map(|item| item.net().to_string())).collect()
}
