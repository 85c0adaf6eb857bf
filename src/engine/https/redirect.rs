//! Where redirects may lead.

use config::WebUrl;

/// Where a redirect leads: on the same host and port and by https, or nowhere.
///
/// # Errors
/// What the location names, where it is elsewhere or not https.
pub fn redirected(from: &WebUrl, location: &str) -> Result<WebUrl, String> {
    let refused = || {
        format!(
            "{}: redirect to another host or out of https is refused: {location:.200}",
            from.host
        )
    };
    let to = located(from, location).ok_or_else(refused)?;
    if (&to.host, to.port) == (&from.host, from.port) { Ok(to) } else { Err(refused()) }
}

/// What a location names, seen from a URL (RFC 3986, section 5.2, without the dots of paths); `None`
/// for what is no URL of https.
pub fn located(from: &WebUrl, location: &str) -> Option<WebUrl> {
    let base = format!("https://{}:{}", from.host, from.port);
    // a colon behind the first of these is none of a scheme (section 4.2)
    let first = location.split(['/', '?', '#']).next().unwrap_or_default();
    let absolute = if location.starts_with("//") {
        format!("https:{location}")
    } else if first.contains(':') {
        location.to_owned()
    } else if location.starts_with('/') {
        format!("{base}{location}")
    } else {
        let path = from.path.split('?').next().unwrap_or("/");
        let directory = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
        format!("{base}{directory}{location}")
    };
    let absolute = absolute.split('#').next().unwrap_or_default();
    absolute.parse().ok()
}

#[cfg(test)]
mod tests;
