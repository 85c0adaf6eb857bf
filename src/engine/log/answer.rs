//! What a log server's answer means.

use std::time::Duration;

use config::DeviceId;

use crate::https::{Answer, retry_after as wait};

/// Longest part of an answer that is repeated to people.
const SHOWN: usize = 500;
/// What stands for our own device id where people other than root may read.
const MASK: &str = "tdid_...";
const DEVICE: &str = "tdid_";

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The configured sentence, about our device: the slice is delivered.
    Delivered,
    /// The server confirmed it for somebody else.
    OtherDevice(String),
    /// It is more than the server takes at once.
    TooLarge(String),
    /// The server will not have this slice; others may fare better.
    Refused(String),
    /// The server will have none of them as things are: somebody has to mend that.
    Denied(String),
    /// It may go better later, not before the time that the server asked for.
    Failed(String, Option<Duration>),
}

/// Why an upload failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For people; it has no device id and no password.
    pub why: String,
    /// Trying again soon is of no use.
    pub slow: bool,
    /// The server asked to be left alone so long.
    pub wait: Option<Duration>,
}

/// Judges an answer. `success` is the configured sentence, filled in.
pub fn judge(answer: &Answer, success: &str, device: &DeviceId) -> Verdict {
    let Answer { status, body, retry_after } = answer;
    let is_ours = confirms(body, success, device);
    if !is_ours && others(body, device) {
        return Verdict::OtherDevice(format!(
            "the server answered for another device than this one: {}",
            shown(body, device)
        ));
    }
    let text = format!("HTTP status {status}: {}", shown(body, device));
    match status {
        200..=299 if body.contains(success) => Verdict::Delivered,
        200..=299 => Verdict::Failed(format!("no confirmation, {text}"), None),
        408 | 425 | 429 | 500..=599 => Verdict::Failed(text, retry_after.as_deref().and_then(wait)),
        413 => Verdict::TooLarge(text),
        400 | 415 | 422 => Verdict::Refused(text),
        _ => Verdict::Denied(text),
    }
}

/// Whether a text has the configured sentence with our device id, which is not how a longer one begins.
fn confirms(text: &str, success: &str, device: &DeviceId) -> bool {
    success.contains(device.as_str())
        && text.match_indices(success).any(|(at, sentence)| {
            let behind = text.get(at + sentence.len()..).unwrap_or_default();
            let end = behind.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(behind.len());
            let whole = text.get(at..at + sentence.len() + end).unwrap_or_default();
            !others(whole, device)
        })
}

/// Whether a text names a device that is not ours.
fn others(text: &str, device: &DeviceId) -> bool {
    text.match_indices(DEVICE).any(|(at, _)| {
        let rest = text.get(at..).unwrap_or_default();
        let end = rest
            .bytes()
            .skip(DEVICE.len())
            .position(|octet| !octet.is_ascii_alphanumeric())
            .map_or(rest.len(), |end| DEVICE.len() + end);
        let id = rest.get(..end).unwrap_or_default();
        id.len() > DEVICE.len() && id != device.as_str()
    })
}

/// The beginning of an answer for people: printable, in one line, without our device id, which
/// is a credential.
pub fn shown(text: &str, device: &DeviceId) -> String {
    let text = text.replace(device.as_str(), MASK);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if line.is_empty() { "an empty answer".into() } else { line }
}

#[cfg(test)]
mod tests;
