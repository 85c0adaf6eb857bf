//! From a request to the keys of `[log.request]`.

use config::{DeviceId, FieldName, Template, quote};

use super::http::Request;
use super::parameter::parameter;
use crate::printable::printable;

const DEVICE: &str = "tdid_";
/// Digits that a date or a time has at least.
const TIME: usize = 8;
/// Lengths of MD5, SHA-1 and SHA-256 in hexadecimal digits.
const HASHES: [usize; 3] = [32, 40, 64];

/// Fields of the head that are of the connection or of the body's form, or that have a comment with
/// their value.
const KNOWN: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "transfer-encoding",
    "user-agent",
];

/// A part of a form (RFC 7578).
#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: String,
    file: Option<String>,
    content: Vec<u8>,
}

/// The block, with comments about what it cannot say.
pub fn block(request: &Request) -> String {
    let mut notes = vec![format!("recorded from: {} {}", request.method, request.path)];
    for name in ["user-agent", "content-type", "content-encoding"] {
        let value = request.field(name);
        if !value.is_empty() {
            notes.push(format!("{name}: {value}"));
        }
    }
    let known = |name: &str| KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name));
    let mut others: Vec<&str> = Vec::new();
    for (name, _) in request.fields.iter().filter(|(name, _)| !known(name)) {
        if !others.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            others.push(name);
        }
    }
    if !others.is_empty() {
        notes.push(format!(
            "the head had more fields, which cannot be given in a configuration: {}",
            others.join(", ")
        ));
    }
    let device = device_of(request);
    if !form_texts(request).any(|text| id_in(&text).is_some()) && id_in(&request.path).is_none() {
        // what only the head has is not sent by this client
        let field = request.fields.iter().find(|(_, value)| id_in(value).is_some());
        notes.push(match field {
            Some((name, _)) => {
                format!("no device id (tdid_...) was in it, but in the field {name} of the head")
            }
            None => "no device id (tdid_...) was in it".into(),
        });
    }
    if request.path.contains('?') {
        notes.push("the query belongs into log.url".into());
    }
    if request.method != "POST" {
        notes.push(format!("{} cannot be reproduced: uploads are POST", request.method));
    }
    let keys = match parts(request) {
        Some(parts) => form(request, &parts, device.as_deref(), &mut notes),
        None => {
            let kind = request.field("content-type").split(';').next().unwrap_or_default();
            if kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
                notes.push("a form of this type cannot be reproduced".into());
            }
            let encoding = request.field("content-encoding");
            let gzip = is_gzip(&request.body) || encoding.eq_ignore_ascii_case("gzip");
            format!("method = \"raw\"\ngzip = {gzip}\n")
        }
    };
    notes.push("success: what the service's own answer says has to be set by hand".into());
    let hidden = |note: &str| match &device {
        // it is a credential, wherever it stood
        Some(device) => note.replace(device, "{device_id}"),
        None => note.to_owned(),
    };
    let notes = notes.iter().map(|note| format!("# {}\n", printable(&hidden(note))));
    let notes: String = notes.collect();
    format!("{notes}[log.request]\n{keys}success = \"uploaded successfully for {{device_id}}\"\n")
}

/// What the service would say, so that the other client is content.
pub fn confirmation(request: &Request) -> String {
    let device = device_of(request).unwrap_or_default();
    format!("Log file uploaded successfully for {device}\n")
}

/// The device id, wherever it stands first.
fn device_of(request: &Request) -> Option<String> {
    let fields = request.fields.iter().map(|(_, value)| value.clone());
    let mut all = form_texts(request).chain([request.path.clone()]).chain(fields);
    all.find_map(|text| id_in(&text))
}

/// The values of a form, and the names of its files.
fn form_texts(request: &Request) -> impl Iterator<Item = String> {
    let form = parts(request).unwrap_or_default();
    form.into_iter().map(|part| match part.file {
        Some(name) => name,
        None => String::from_utf8_lossy(&part.content).into_owned(),
    })
}

/// The first device id of a text.
fn id_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(DEVICE)?;
    let id: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let id = format!("{DEVICE}{id}");
    id.parse::<DeviceId>().is_ok().then_some(id)
}

/// The name of a field as the configuration takes it; none, with a note, when it does not.
fn field_name(name: &str, what: &str, notes: &mut Vec<String>) -> Option<String> {
    if name.parse::<FieldName>().is_err() {
        notes.push(format!("the field of the {what} cannot be given in a configuration: {name}"));
        return None;
    }
    Some(quote(name))
}

fn is_gzip(octets: &[u8]) -> bool {
    octets.starts_with(&[0x1f, 0x8b])
}

fn form(
    request: &Request,
    parts: &[Part],
    device: Option<&str>,
    notes: &mut Vec<String>,
) -> String {
    let mut keys = "method = \"multipart\"\n".to_owned();
    let is_device = |part: &&Part| {
        part.file.is_none() && device.is_some_and(|device| part.content == device.as_bytes())
    };
    let device_part = parts.iter().find(is_device);
    let device_field = device_part.map_or("", |part| &part.name);
    let given = device_part.and_then(|part| field_name(&part.name, "device id", notes));
    keys += &format!("device_field = {}\n", given.as_deref().unwrap_or("\"\""));
    let files: Vec<&Part> = parts.iter().filter(|part| part.file.is_some()).collect();
    let file = files.first().copied();
    if files.len() != 1 {
        notes.push(format!("{} files were in it; this client sends one", files.len()));
    }
    if let Some(Part { name, file: Some(file_name), .. }) = file {
        if let Some(name) = field_name(name, "file", notes) {
            keys += &format!("file_field = {name}\n");
        }
        let file_name = template(file_name, device, notes);
        match file_name.parse::<Template>() {
            _ if file_name.trim().is_empty() => {
                notes.push("the file came without a name".to_owned());
            }
            Ok(_) => keys += &format!("file_name = {}\n", quote(&file_name)),
            Err(_) => notes.push("its name cannot be given in a configuration".to_owned()),
        }
    }
    let mut fields = Vec::new();
    let mut taken = vec![device_field];
    for part in parts.iter().filter(|part| part.file.is_none()) {
        if device_part.is_some_and(|device| std::ptr::eq(device, part)) {
            continue;
        }
        let value = String::from_utf8_lossy(&part.content);
        let is_hash = HASHES.contains(&value.len()) && value.chars().all(|c| c.is_ascii_hexdigit());
        if is_hash {
            notes.push(format!("{} looks like a sum of the file and was left out", part.name));
            continue;
        }
        let value = template(&value, device, notes);
        if taken.contains(&part.name.as_str()) {
            notes.push(format!("the field {} came twice and is given once", part.name));
            continue;
        }
        match (part.name.parse::<FieldName>(), value.parse::<Template>()) {
            (Ok(name), Ok(_)) => {
                fields.push(format!("{} = {}", quote(name.as_str()), quote(&value)));
                taken.push(&part.name);
            }
            _ => notes.push(format!("the field {} cannot be given in a configuration", part.name)),
        }
    }
    let inner = if fields.is_empty() { String::new() } else { format!(" {} ", fields.join(", ")) };
    let gzip = file.is_some_and(|file| is_gzip(&file.content));
    if gzip && !request.field("content-encoding").is_empty() {
        notes.push("the whole body was compressed besides, which cannot be reproduced".into());
    }
    keys + &format!("fields = {{{inner}}}\ngzip = {gzip}\n")
}

/// A text with places for the device id and for what looks like a time.
fn template(text: &str, device: Option<&str>, notes: &mut Vec<String>) -> String {
    // Our own braces come last, so that those of the text are seen.
    if text.contains(['{', '}']) {
        notes.push(format!("braces cannot be given: {text}"));
    }
    let text: String =
        text.chars().filter(|c| !matches!(c, '{' | '}') && !c.is_control()).collect();
    let parts: Vec<String> = match device {
        Some(device) => text.split(device).map(|part| with_time(part, notes)).collect(),
        None => vec![with_time(&text, notes)],
    };
    parts.join("{device_id}")
}

/// The text with its first time, if it has one, replaced by its place.
fn with_time(text: &str, notes: &mut Vec<String>) -> String {
    let joins = |c: char| matches!(c, '-' | '_' | ':' | 'T' | '.');
    let mut from = 0;
    while let Some(start) =
        text.get(from..).and_then(|rest| rest.find(|c: char| c.is_ascii_digit()))
    {
        let start = from + start;
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.find(|c: char| !c.is_ascii_digit() && !joins(c)).unwrap_or(rest.len());
        let run = rest.get(..length).unwrap_or_default().trim_end_matches(joins);
        if run.chars().filter(char::is_ascii_digit).count() >= TIME {
            notes.push(format!("{run} was taken for a time"));
            let (before, after) = (text.get(..start), text.get(start + run.len()..));
            return format!("{}{{time}}{}", before.unwrap_or_default(), after.unwrap_or_default());
        }
        from = start + length.max(1);
    }
    text.to_owned()
}

/// The parts of a form; none when it is not multipart/form-data.
fn parts(request: &Request) -> Option<Vec<Part>> {
    let kind = request.field("content-type");
    let (form, _) = kind.split_once(';')?;
    if !form.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(kind, "boundary")?;
    let boundary = format!("--{boundary}");
    let mut found = Vec::new();
    let mut rest = after(&request.body, boundary.as_bytes())?;
    // what follows a boundary is a line end, or the two dashes of the last one
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = position(part, format!("\r\n{boundary}").as_bytes())?;
        let (whole, next) = part.split_at_checked(end)?;
        let head = position(whole, b"\r\n\r\n")?;
        let content = whole.get(head + 4..)?.to_vec();
        let head = String::from_utf8_lossy(whole.get(..head)?).into_owned();
        let disposition = head
            .split("\r\n")
            .find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        let name = parameter(disposition, "name")?;
        found.push(Part { name, file: parameter(disposition, "filename"), content });
        rest = after(next, boundary.as_bytes())?;
    }
    Some(found)
}

fn position(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets.windows(wanted.len()).position(|part| part == wanted)
}

fn after<'a>(octets: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    octets.get(position(octets, wanted)? + wanted.len()..)
}
