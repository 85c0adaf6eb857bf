//! Where redirects may lead.

use config::LogUrl;

/// Where a redirect leads: on the same host and port and by https, or nowhere.
pub fn redirected(from: &LogUrl, location: &str) -> Result<LogUrl, String> {
    let refused = || {
        format!(
            "{}: redirect to another host or out of https is refused: {location:.200}",
            from.host
        )
    };
    let base = format!("https://{}:{}", from.host, from.port);
    let absolute = if location.starts_with("//") {
        format!("https:{location}")
    } else if location.contains("://") {
        location.to_owned()
    } else if location.starts_with('/') {
        format!("{base}{location}")
    } else {
        let path = from.path.split('?').next().unwrap_or("/");
        let directory = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
        format!("{base}{directory}{location}")
    };
    let absolute = absolute.split('#').next().unwrap_or_default();
    let to: LogUrl = absolute.parse().map_err(|_| refused())?;
    if (&to.host, to.port) == (&from.host, from.port) { Ok(to) } else { Err(refused()) }
}

#[cfg(test)]
mod tests;
