//! The part of `test` about the log service: can it be reached, and whom does it see?

use std::cell::RefCell;

use config::Config;
use control::Check;
use tokio::sync::watch::{self, Receiver};

use crate::https::{Call, Https};

/// The page that says under which address the service sees this host.
const VALIDIP: &str = "/cgi-bin/validip.pl";
/// Its words when that address may upload.
const AUTHORIZED: &str = "Address is in the list of authorized hosts";

/// The checks that are under way. Uploads wait behind them, and anybody may ask: they are made once for all
/// who do meanwhile, and go on to their end though these are gone, so that no others wait there too.
#[derive(Default)]
pub struct LogChecks(RefCell<Option<Receiver<Vec<Check>>>>);

impl LogChecks {
    /// Begins `checks`, unless there are some under way. What is given waits for what they say.
    pub fn begin<F: Future<Output = Vec<Check>> + 'static>(
        &self,
        checks: F,
    ) -> impl Future<Output = Vec<Check>> + use<F> {
        let mut under_way = self.0.borrow_mut();
        // nobody has looked at it here: there is something new when they have ended
        let mut said = match &*under_way {
            Some(said) if matches!(said.has_changed(), Ok(false)) => said.clone(),
            _ => {
                let (say, said) = watch::channel(Vec::new());
                tokio::task::spawn_local(async move { say.send(checks.await) });
                under_way.insert(said).clone()
            }
        };
        async move {
            let _ = said.changed().await;
            said.borrow().clone()
        }
    }
}

/// Tries the log host and asks the page about our address; only the host can fail.
pub async fn checks(config: &Config, https: &Https) -> Vec<Check> {
    let url = &config.log.url;
    let host = url.host.to_string();
    let check = |what: &str, ok, text| Check { what: what.into(), subject: host.clone(), ok, text };
    let reached = https.call(Call::Get(url.clone())).await;
    let log = match reached {
        // Whatever it says to a request without a log: it is there, and its certificate is good.
        Ok(_) => check("log", true, format!("Log host {host} is ready.")),
        // nor would its page be to be had, only later
        Err(why) => {
            return vec![check("log", false, format!("Log host {host} is not ready: {why}"))];
        }
    };
    // What it says is a hint and no more, and never a failure: in the clear anybody may have said
    // it, through a proxy it is about the proxy, and what it says of an address that may not upload
    // is not known.
    let validip = check("validip", true, validip(config, https).await);
    vec![log, validip]
}

async fn validip(config: &Config, https: &Https) -> String {
    let url = &config.log.url;
    let page = config::WebUrl { path: VALIDIP.to_owned(), ..url.clone() };
    let answer = match https.call(Call::Get(page)).await {
        Ok(answer) if answer.status == 200 => Ok(answer),
        _ => https.call(Call::GetClear(url.host.to_string(), VALIDIP)).await,
    };
    let answer = match answer {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => return format!("{VALIDIP} is not to be had: HTTP status {}", answer.status),
        Err(why) => return format!("{VALIDIP} is not to be had: {why}"),
    };
    let Some(device) = &config.device_id else { return String::new() };
    let said = crate::log::shown(&answer.body, device);
    match answer.body.contains(AUTHORIZED) {
        true => said,
        false => format!("The service does not confirm the address of this host: {said}"),
    }
}

#[cfg(test)]
mod tests;
