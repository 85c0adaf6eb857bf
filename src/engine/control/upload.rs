//! `upload`.

use std::io;

use config::Config;
use control::{Reply, Uploaded};

use super::client::Client;
use crate::log::{self, Log};

const WORD: &str = "upload";
const NOTHING: &str = "Nothing to upload";

/// Sends what is due, or prints what would be sent.
///
/// # Errors
/// When the client is gone.
pub async fn upload(
    config: &Config,
    log: &Log,
    client: &mut Client,
    dry_run: bool,
) -> io::Result<()> {
    if !config.log.enabled {
        return client.fail(WORD, "log.enabled is false").await;
    }
    let Some(device) = config.device_id.as_ref().map(config::DeviceId::as_str) else {
        return client.fail(WORD, log::OFF).await;
    };
    if dry_run {
        return preview(log, client).await;
    }
    let uploaded = match log.send_now().await {
        Ok(uploaded) => uploaded,
        Err(why) => return client.fail(WORD, why).await,
    };
    let line = match uploaded.slices {
        0 => NOTHING.to_owned(),
        // scripts look for this sentence
        _ => format!("Log file uploaded successfully for {device}"),
    };
    client.send(&Reply::Line(line)).await?;
    client.done(uploaded).await
}

async fn preview(log: &Log, client: &mut Client) -> io::Result<()> {
    let lines = match log.preview().await {
        Ok(lines) => lines,
        Err(why) => return client.fail(WORD, why).await,
    };
    let Some(lines) = lines else {
        client.send(&Reply::Line(NOTHING.to_owned())).await?;
        return client.done(Uploaded::default()).await;
    };
    let head = lines.iter().take_while(|line| !line.is_empty()).cloned().collect();
    for line in lines {
        // an empty line is one, too
        client.send(&Reply::Line(format!("{line}\n"))).await?;
    }
    let left = log.figures().spool.slices;
    client.done(Uploaded { left, request: Some(head), ..Uploaded::default() }).await
}
