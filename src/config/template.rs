//! Texts with places to fill in.

use crate::names::DeviceId;
use crate::text::{Invalid, Text, from_str};

/// A text in which `{device_id}` and `{time}` stand for the device id and the time at which the log
/// of an upload begins.
///
/// At most 1024 octets without control characters. Braces have no other use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

const DEVICE_ID: &str = "{device_id}";
const TIME: &str = "{time}";

impl Template {
    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text with the device id and the time, in whatever form the caller likes, filled in.
    pub fn fill(&self, device_id: &DeviceId, time: &str) -> String {
        // an id has no braces, so the first replacement makes no place for the second
        self.0.replace(DEVICE_ID, device_id.as_str()).replace(TIME, time)
    }
}

impl Text for Template {
    const WHAT: &'static str = "a text, {device_id} and {time} filled in";

    fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > 1024 || text.chars().any(char::is_control) {
            return Err(Invalid::new(text, "more than 1024 octets, or a control character"));
        }
        // a blank, lest what stands around a place becomes one
        if text.replace(DEVICE_ID, " ").replace(TIME, " ").contains(['{', '}']) {
            return Err(Invalid::new(text, "braces can only hold device_id and time"));
        }
        Ok(Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

from_str!(Template);
