//! What every command is told.

use std::path::PathBuf;

/// What the options before the command say.
#[derive(Debug)]
pub struct Tool {
    /// `-j`: one JSON document on stdout, errors included.
    pub json: bool,
    /// `-s`: the control socket.
    pub socket: PathBuf,
}
