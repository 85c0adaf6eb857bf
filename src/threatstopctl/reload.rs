//! `reload`: looks at the file first, and asks for it to be taken where it loads.
//!
//! threatstopd(8) ends helper and engine before it reads the file again, for a child has no other way to
//! ask for that; a file with a mistake is not worth that. The engine cannot read it, but who may ask for
//! a reload can.

use std::path::Path;

use config::ConfigError;
use control::{Failure, Request};

use crate::arguments::Arguments;
use crate::client::pledge;
use crate::ending::Ending;
use crate::error::Error;
use crate::relay::{ask_openly, relay};
use crate::setup::denied;
use crate::tool::Tool;

const WORD: &str = "reload";

/// Has the configuration read again.
///
/// # Errors
/// When the file does not load, with the line, or nothing could be started with it; and those of
/// [`relay`].
pub fn run(tool: &Tool, _: &Arguments) -> Result<bool, Error> {
    pledge("stdio rpath unix unveil").map_err(|error| Error::Client(WORD, error))?;
    if let Ending::Status(status) = ask_openly(tool, &Request::Status {}, WORD)?
        && let Some(path) = status.config
        && let Err(error) = config::read(Path::new(&path))
        && !denied(&error)
    {
        let broken = Some(place(&error));
        let told = ask_openly(tool, &Request::Reload { broken }, WORD);
        return Err(match told {
            Err(error @ Error::Client(..)) => error,
            // it has said so itself, in fewer words
            _ => Error::Failed(Failure { what: WORD.into(), why: error.to_string() }),
        });
    }
    relay(tool, &Request::Reload { broken: None })
}

/// What the engine hears of it: where, and of the text no word. It has named the file itself, and might
/// have named another one.
fn place(error: &ConfigError) -> String {
    match error {
        ConfigError::Mistakes { file, mistakes } => {
            let mut lines: Vec<String> =
                mistakes.iter().map(|mistake| mistake.line.to_string()).collect();
            lines.dedup();
            let file = file.display();
            format!("{file}:{}: threatstopd -n -f {file} says what is wrong", lines.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
