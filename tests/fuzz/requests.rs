//! What a client says on the control socket, and what the engine says to its client.

use control::{MAX_REQUEST, Reply, Request, Rights};

use crate::input::is_one_line;

/// A line to the control socket, of which the engine reads no more than [`MAX_REQUEST`] octets. The
/// same octets are a line of an answer, too.
pub fn control_request(data: &[u8]) -> bool {
    let line = data.get(..MAX_REQUEST).unwrap_or(data);
    let line = line.split_inclusive(|octet| *octet == b'\n').next().unwrap_or_default();
    if let Ok(reply) = serde_json::from_slice::<Reply>(line) {
        let again = serde_json::to_vec(&reply).unwrap();
        assert!(!again.contains(&b'\n'), "an answer of two lines");
        assert!(serde_json::from_slice::<Reply>(&again).is_ok());
    }
    let request: Request = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => {
            // the client is told, and so may be the log
            let why = error.to_string();
            assert!(why.len() < 2 * MAX_REQUEST, "{} octets", why.len());
            return false;
        }
    };
    let again = serde_json::to_vec(&request).unwrap();
    // an address may be written shorter than RFC 5952 has it, by one zero
    assert!(again.len() < 2 * MAX_REQUEST);
    assert_eq!(serde_json::from_slice::<Request>(&again).unwrap(), request);

    let value: serde_json::Value = serde_json::from_slice(&again).unwrap();
    let word = value["command"].as_str().unwrap();
    assert_eq!(word, request.word());
    assert!(is_one_line(word));
    let open = ["status", "show", "why", "test", "metrics", "report", "watch"].contains(&word);
    assert_eq!(request.rights() == Rights::Member, open);
    true
}
