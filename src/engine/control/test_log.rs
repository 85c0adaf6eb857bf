//! The part of `test` about the log service: can it be reached, and whom does it see?

use config::Config;
use control::Check;

use crate::https::{Call, Https};

/// The page that says under which address the service sees this host.
const VALIDIP: &str = "/cgi-bin/validip.pl";
/// Its words when that address may upload.
const AUTHORIZED: &str = "Address is in the list of authorized hosts";

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
