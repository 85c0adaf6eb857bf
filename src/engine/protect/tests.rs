use std::path::Path;

use super::*;

fn names(more: &str) -> Names {
    names_of(&format!("device_id = \"tdid_abcd1234\"\n{more}"))
}

fn names_of(text: &str) -> Names {
    let directory = tempfile::tempdir().unwrap();
    let events = Box::leak(Box::new(Events::load(directory.path())));
    Names::new(&Config::parse(text, Path::new("test")).unwrap(), events)
}

fn addresses(text: &str) -> Vec<IpAddr> {
    text.split_whitespace().map(|addr| addr.parse().unwrap()).collect()
}

fn look_up(names: &Names, before: &Known, answer: &str) -> Known {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let resolve = async |_: &str| match answer {
        "never" => std::future::pending().await,
        "error" => Err(io::ErrorKind::NotFound.into()),
        found => Ok(addresses(found)),
    };
    runtime.block_on(names.look_up(before, Duration::from_millis(50), resolve))
}

fn reasons(names: &Names, known: &Known) -> Vec<String> {
    names.worded(known).iter().map(|p| format!("{}: {}", p.net, p.reason)).collect()
}

#[test]
fn names_of_servers_and_not_addresses_are_looked_up() {
    let all = names(
        "[policy]\nservers = [\"192.0.2.1\", \"dns.example.net:5353\"]\n[log]\n\
         url = \"https://logs.example.net/x\"\n[https]\nproxy = \"http://fred:secret@proxy.example.net:80\"\n",
    );
    let known = look_up(&all, &Known::new(), "203.0.113.9");
    assert_eq!(
        reasons(&all, &known),
        [
            "203.0.113.9: policy server dns.example.net",
            "203.0.113.9: log server logs.example.net",
            "203.0.113.9: proxy proxy.example.net"
        ]
    );
    let known = look_up(&names("[log]\nurl = \"https://203.0.113.7/\""), &Known::new(), "5.5.5.5");
    assert!(known.is_empty());
    assert_eq!(names("").wanted.len(), 1, "the log server's name is the default");
}

/// Nobody connects to a log server without uploads, and a trial run asks no resolver; feeds come through
/// the proxy all the same.
#[test]
fn a_host_is_looked_up_where_it_is_connected_to() {
    assert!(names("[log]\nenabled = false").wanted.is_empty());
    let feeds = "[policy]\nblock = []\nallow = []\n[[feed]]\nname = \"drop\"\n\
                 url = \"https://feeds.example.net/drop\"\n";
    assert!(names_of(feeds).wanted.is_empty());
    let proxy = "[https]\nproxy = \"http://proxy.example.net:80\"\n";
    for text in [format!("{feeds}{proxy}"), format!("{feeds}{proxy}[log]\nenabled = false\n")] {
        let names = names_of(&text);
        assert_eq!(names.wanted, BTreeMap::from([("proxy.example.net".into(), "proxy")]), "{text}");
    }
}

#[test]
fn what_was_known_holds_until_something_else_is_found() {
    let names = names("[log]\nurl = \"https://logs.example.net/x\"");
    let first = look_up(&names, &Known::new(), "203.0.113.9 2001:db8::9 203.0.113.9");
    assert_eq!(first["logs.example.net"], addresses("203.0.113.9 2001:db8::9"));
    // the order and the clothes of an address are no change
    assert_eq!(look_up(&names, &first, "2001:db8::9 ::ffff:203.0.113.9"), first);
    for failure in ["error", "never"] {
        assert_eq!(look_up(&names, &first, failure), first, "{failure}");
        assert!(names.failing.borrow().contains("logs.example.net"));
    }
    let second = look_up(&names, &first, "203.0.113.10");
    assert_eq!(reasons(&names, &second), ["203.0.113.10: log server logs.example.net"]);
    assert!(names.failing.borrow().is_empty());
}

#[test]
fn a_name_has_few_addresses() {
    let names = names("");
    let many: Vec<String> = (0..200).map(|last| format!("203.0.113.{last}")).collect();
    let known = look_up(&names, &Known::new(), &many.join(" "));
    assert_eq!(names.worded(&known).len(), MAX_ADDRESSES);
}

/// A name that is not of this configuration any more protects nothing.
#[test]
fn a_name_of_the_past_is_forgotten() {
    let old =
        look_up(&names("[log]\nurl = \"https://old.example.net/\""), &Known::new(), "5.5.5.5");
    let names = names("[log]\nurl = \"https://new.example.net/\"");
    assert!(names.worded(&old).is_empty());
    assert!(look_up(&names, &old, "error")["new.example.net"].is_empty());
}

/// Fails when each update waits for a name that cannot be looked up: the first one may, a little.
#[test]
fn a_run_waits_for_no_name_that_is_known_or_has_failed() {
    let limit = Duration::from_millis(300);
    let waits = |names: &Names, known: &Known| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let begun = std::time::Instant::now();
        runtime.block_on(names.beside(known, limit));
        begun.elapsed() >= limit
    };
    let names = names("[log]\nurl = \"https://logs.example.net/x\"");
    let known = Known::from([("logs.example.net".into(), addresses("203.0.113.9"))]);
    assert!(!waits(&names, &known), "it is known");
    assert!(waits(&names, &Known::new()), "nothing is known of it");
    look_up(&names, &Known::new(), "never");
    names.looked.set(true);
    assert!(names.is_failing("logs.example.net"));
    assert!(!waits(&names, &Known::new()), "it has failed");
}
