use control::{Request, Show};
use serde_json::{Value, json};

use super::*;

fn document(request: &Request, parts: bool, done: Value) -> Value {
    let mut out = Vec::new();
    let mut output = Json::new(&mut out, Advice::default());
    if parts {
        output.line("not in JSON").unwrap();
        for (part, text) in [
            (Part::Table, "192.0.2.0/24"),
            (Part::Add, "2001:db8::1"),
            (Part::Remove, "198.51.100.7"),
            (Part::Table, "192.0.3.1"),
        ] {
            output.prefixes(part, vec![text.parse().unwrap()]).unwrap();
        }
    }
    let ending = Ending::read(request, done).unwrap();
    output.end(&ending).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.find('\n'), Some(text.len() - 1), "one line: {text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_parts_of_a_command_stand_beside_the_fields_of_its_end() {
    let show = Request::Show { what: Show::Block };
    let shown = json!({ "table": "block", "entries": 2 });
    let all = json!({
        "table": "block", "entries": 2, "prefixes": ["192.0.2.0/24", "192.0.3.1"]
    });
    assert_eq!(document(&show, true, shown), all);

    let diff = Request::Show { what: Show::Diff };
    let changed = json!({ "at": 1_795_000_000, "added": 1, "removed": 1 });
    let all = json!({
        "at": 1_795_000_000, "added": 1, "removed": 1,
        "add": ["2001:db8::1"], "remove": ["198.51.100.7"]
    });
    assert_eq!(document(&diff, true, changed), all);
}

#[test]
fn arrays_are_there_when_they_are_empty() {
    let show = Request::Show { what: Show::Allow };
    let shown = json!({ "table": "allow", "entries": 0 });
    let all = json!({ "table": "allow", "entries": 0, "prefixes": [] });
    assert_eq!(document(&show, false, shown), all);

    let diff = Request::Show { what: Show::Diff };
    let all = json!({ "at": null, "added": 0, "removed": 0, "add": [], "remove": [] });
    assert_eq!(document(&diff, false, json!({ "added": 0, "removed": 0 })), all);

    let tested = document(&Request::Test {}, false, json!({ "tried": 0, "failed": 0 }));
    assert_eq!(tested, json!({ "tried": 0, "failed": 0, "checks": [] }));
}

#[test]
fn a_run_that_was_not_dry_has_no_lists() {
    let done = json!({
        "started": 1, "seconds": 0.5, "server": null, "dry_run": false,
        "block": { "entries": 10, "added": 3, "removed": 1 },
        "allow": { "entries": 2, "added": 0, "removed": 0 },
        "warnings": ["pf is disabled: nothing is blocked"], "undone": []
    });
    let update = Request::Update { sources: Vec::new(), force: false, dry_run: false };
    assert_eq!(document(&update, true, done.clone()), done);
    assert_eq!(document(&Request::Rollback {}, false, done.clone()), done);
}

#[test]
fn nothing_more_to_say_is_done() {
    assert_eq!(
        document(&Request::Reload { broken: None }, true, json!({})),
        json!({ "done": true })
    );
}
