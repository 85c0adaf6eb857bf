//! The upload and its service: what is sent, and what becomes of it when the service, the network
//! or a proxy is not as it should be.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tests::harness::upload::{BAD, DEVICE, SENTENCE, UploadStage};
use tests::harness::{Config, Daemon, Scratch, programs};
use tests::process::{Looks, PATIENCE, Process, run};
use tests::servers::{free_addr, require_program, say_skipped};
use tests::sim::logservice::Upload;
use tests::sim::{Behaviour, LogService};

/// A form with the device id and the log, confirmed; then nothing is left to do.
#[test]
fn a_slice_is_sent_and_confirmed() {
    let service = LogService::start();
    // a name, so that getaddrinfo(3) has its part
    let url = service.url().replace("127.0.0.1", "localhost");
    let stage = UploadStage::with_clock(&url, service.ca(), |config| config);
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE), "{}", stage.daemon.output());
    assert_eq!(stage.upload().as_deref(), Ok("Nothing to upload\n"));
    let uploads = service.uploads();
    assert_eq!(uploads.len(), 1);
    assert_eq!(uploads[0].path, "/cgi-bin/logupload.pl");
    assert!(uploads[0].header("user-agent").unwrap().starts_with("threatstopd/"));
    let parts = uploads[0].parts();
    assert_eq!(parts[0], ("tdid".into(), None, DEVICE.into()));
    assert_eq!((parts[1].0.as_str(), parts.len()), ("file", 2));
    let name = parts[1].1.as_deref().unwrap();
    assert_eq!(name, "tdid_abcd1234.20231114T221320Z-0.txt");
    assert_eq!(uploads[0].text(), stage.text());
    let upload = &stage.status()["upload"];
    assert_eq!(
        (&upload["last"]["ok"], &upload["last"]["text"]),
        (&true.into(), &"confirmed".into())
    );
    assert!(upload["next"].is_u64() && upload["last_good"].is_u64(), "{upload}");

    // the next one comes by itself
    let mut stage = stage;
    let due = upload["next"].as_u64().unwrap();
    stage.log.append(1, BAD);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    stage.scratch.set_ahead(due - now + 1);
    let uploads = service.wait_for(2, PATIENCE);
    assert_eq!(uploads[1].text(), stage.log.written()[5].line() + "\n");
}

/// `upload -n` prints what would be sent and sends nothing.
#[test]
fn a_request_is_printed_and_not_sent() {
    let service = LogService::start();
    let stage = UploadStage::new(&service.url(), service.ca(), |config| {
        config.set("log.request.method", "raw").set("log.request.gzip", true)
    });
    let preview = stage.daemon.ctl(&["upload", "-n"]);
    assert!(preview.status.success(), "{preview:?}");
    let lines: Vec<&str> = preview.stdout.lines().collect();
    assert_eq!(lines[0], "POST /cgi-bin/logupload.pl HTTP/1.1");
    assert!(lines.contains(&"Content-Encoding: gzip"), "{lines:?}");
    assert_eq!(service.uploads(), []);
    assert_eq!(stage.status()["spool"]["slices"], 0, "nothing was cut for it");
    let head: Value =
        serde_json::from_str(&stage.daemon.ctl(&["-j", "upload", "-n"]).stdout).unwrap();
    assert_eq!(head["request"][0], lines[0]);
    // the answer names no device, since raw sends none
    let failed = stage.upload().unwrap_err();
    assert!(failed.contains("no confirmation, HTTP status 200"), "{failed}");
    assert_eq!(service.uploads()[0].text(), stage.text());
}

/// Everything that a service can get wrong: the slice stays, whole and with its id, until it is
/// confirmed; and the id of the device, a credential, stands in no message.
#[test]
fn a_slice_stays_until_it_is_confirmed() {
    let service = LogService::start();
    let mut stage = UploadStage::service(&service);
    let say = |status, more| Behaviour::Say(status, more, "no luck, tdid_abcd1234");
    let cases = [
        (say(200, ""), "no confirmation, HTTP status 200: no luck, tdid_..."),
        (say(400, ""), "HTTP status 400: no luck, tdid_..."),
        (say(403, ""), "HTTP status 403: no luck, tdid_..."),
        (say(429, "Retry-After: 7\r\n"), "HTTP status 429: no luck, tdid_..."),
        (say(503, "Retry-After: 120\r\n"), "HTTP status 503: no luck, tdid_..."),
        (say(302, "Location: http://127.0.0.1:1/x\r\n"), "out of https is refused"),
        (say(307, "Location: https://logs.invalid/\r\n"), "to another host or out of"),
        (say(307, "Location: /round\r\n"), "more than 5 redirects"),
        (Behaviour::ChunkedGarbage, "HTTP status 200, then:"),
        (Behaviour::Endless(8 << 20), "no confirmation, HTTP status 200: xxxx"),
        (Behaviour::Drop(100), "127.0.0.1:"),
    ];
    let mut ids = Vec::new();
    for (behaviour, expected) in cases {
        service.set(behaviour.clone());
        let started = Instant::now();
        let why = stage.upload().unwrap_err();
        assert!(why.contains(expected), "{behaviour:?}: {why}");
        assert!(started.elapsed() < PATIENCE, "{behaviour:?}");
        let status = stage.status();
        assert_eq!(status["spool"]["slices"], 1, "{behaviour:?}");
        assert_eq!(status["upload"]["last"]["ok"], false);
        assert!(!status.to_string().contains(DEVICE) && !why.contains(DEVICE), "{behaviour:?}");
        ids.extend(service.uploads().last().map(|upload| upload.id().to_owned()));
    }
    service.set(Behaviour::Continue);
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE));
    stage.log.append(1, BAD);
    service.set(Behaviour::Chunks);
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE));
    let (last, all) = service.uploads().split_last().map(|(l, a)| (l.clone(), a.to_vec())).unwrap();
    ids.extend(all.iter().map(|upload| upload.id().to_owned()));
    ids.dedup();
    assert_eq!(ids.len(), 1, "one slice, one id: {ids:?}");
    assert!(all.iter().all(|upload| upload.body == all[0].body), "repeats differ");
    assert_ne!(last.id(), ids[0]);
    assert!(!stage.daemon.output().contains(DEVICE), "{}", stage.daemon.output());
    let spool = stage.scratch.spool();
    assert!(
        !std::fs::read_dir(spool)
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with("slice.") })
    );
}

/// 1. Upload by hand: the next upload is due after the interval.
/// 2. Let one fail by hand: it is tried again after a minute, as after one that was due.
/// 3. Let the server ask to be left alone: the next is due no sooner than it asked for.
#[test]
fn an_upload_by_hand_moves_the_next() {
    let service = LogService::start();
    let mut stage = UploadStage::service(&service);
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    // uploads, and waits until the next is due so many seconds after that
    let next_after = |stage: &UploadStage, range: RangeInclusive<u64>| {
        let before = now();
        let outcome = stage.upload();
        let range = before + range.start()..=now() + range.end();
        let looks = Looks::within(PATIENCE);
        loop {
            // the schedule hears of an upload right after the client
            let next = stage.status()["upload"]["next"].as_u64().unwrap();
            if range.contains(&next) {
                return outcome;
            }
            assert!(looks.go_on(), "{next} is not in {range:?}");
        }
    };
    assert_eq!(next_after(&stage, 800..=990).as_deref(), Ok(SENTENCE));
    service.set(Behaviour::Say(500, "", "no luck"));
    stage.log.append(1, BAD);
    next_after(&stage, 48..=66).unwrap_err();
    service.set(Behaviour::Say(503, "Retry-After: 300\r\n", "no luck"));
    next_after(&stage, 295..=360).unwrap_err();
}

/// A confirmation for somebody else is none, and an alarm.
#[test]
fn a_confirmation_for_another_device_is_an_alarm() {
    let service = LogService::start();
    let stage = UploadStage::service(&service);
    service.set(Behaviour::Say(200, "", "Log file uploaded successfully for tdid_other5678"));
    let why = stage.upload().unwrap_err();
    assert!(why.contains("the server answered for another device than this one"), "{why}");
    stage.daemon.wait_for("is device_id the one of this host?", PATIENCE);
    assert_eq!(stage.status()["spool"]["slices"], 1);
    service.set(Behaviour::Confirm);
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE));
}

/// 1. Name log server and proxy so that getaddrinfo(3) finds addresses that the block list has:
///    a number of inet_aton(3) is a name to us.
/// 2. Update: both are cut out of the table, and `why` names them.
/// 3. They are remembered for the next start.
#[test]
fn hosts_given_by_name_are_protected() {
    // 198.51.100.9 and .10
    let (server, proxy) = ("0xc6336409", "0xc633640a");
    if (server, 0).to_socket_addrs().is_err() {
        say_skipped("this resolver does not know the numbers of inet_aton(3)");
        return;
    }
    let service = LogService::start();
    let stage = UploadStage::new(&format!("https://{server}:9/"), service.ca(), |config| {
        config.set("https.proxy", format!("http://{proxy}:9"))
    });
    let table = stage.daemon.table_file("ThreatSTOP-Block").unwrap();
    let blocked: Vec<&str> = table.lines().collect();
    assert_eq!(blocked[0], "198.51.100.0/29");
    assert!(blocked.contains(&"198.51.100.8") && blocked.contains(&"198.51.100.11"), "{table}");
    assert!(!blocked.contains(&"198.51.100.9") && !blocked.contains(&"198.51.100.10"), "{table}");
    for (addr, reason) in [
        ("198.51.100.9", "protected by 198.51.100.9 (log server 0xc6336409)"),
        ("198.51.100.10", "protected by 198.51.100.10 (proxy 0xc633640a)"),
    ] {
        let why = stage.daemon.ctl(&["why", addr]);
        assert!(why.stdout.contains(reason) && !why.status.success(), "{}", why.stdout);
    }
    let state = std::fs::read_to_string(stage.scratch.spool().join("state.json")).unwrap();
    assert!(state.contains(r#""0xc6336409":["198.51.100.9"]"#), "{state}");
}

/// `test` says whether the log host is there, and what its page says about us.
#[test]
fn the_log_host_is_tested() {
    let service = LogService::start();
    let stage = UploadStage::service(&service);
    let test = stage.daemon.ctl(&["test"]);
    assert!(test.status.success(), "{test:?}");
    for line in [
        "Log host 127.0.0.1 is ready.",
        "Your IP address: 127.0.0.1 Address is in the list of authorized hosts",
    ] {
        assert!(test.stdout.lines().any(|found| found == line), "{line}: {}", test.stdout);
    }
    service.set(Behaviour::Say(200, "", "Your IP address: 127.0.0.1\nnot known"));
    let test = stage.daemon.ctl(&["test"]);
    assert!(test.status.success(), "a hint is no failure: {test:?}");
    assert!(test.stdout.contains("does not confirm the address of this host"), "{}", test.stdout);
}

/// 1. Let the service take 20,000 octets at once and upload 1,000 records: they come in parts of
///    that size, each record once, in order, with an id and a file name for each part.
/// 2. Let it take next to nothing: one record is given up, counted and told, and the upload ends
///    there, for what refuses everything is out of order; the others are kept.
/// 3. They survive a restart and come when the service takes them again.
#[test]
fn what_is_too_large_is_sent_in_halves() {
    let service = LogService::start();
    let mut stage = UploadStage::service(&service);
    stage.log.append(995, BAD);
    service.set(Behaviour::AtMost(20_000));
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE), "{}", stage.daemon.output());
    let uploads = service.uploads();
    let (taken, refused): (Vec<_>, Vec<_>) =
        uploads.iter().partition(|upload| upload.body.len() <= 20_000);
    assert!(refused.len() > 3 && taken.len() > refused.len(), "{} refused", refused.len());
    let text: String = taken.iter().map(|upload| upload.text()).collect();
    assert!(text == stage.text(), "{} octets", text.len());
    let distinct = |what: fn(&Upload) -> String| {
        taken.iter().map(|upload| what(upload)).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(distinct(|upload| upload.id().to_owned()), taken.len());
    assert_eq!(distinct(|upload| upload.parts()[1].1.clone().unwrap()), taken.len());
    let status = stage.status();
    assert_eq!((&status["spool"]["slices"], &status["spool"]["dropped"]), (&0.into(), &0.into()));
    assert_eq!(status["upload"]["last"]["ok"], true);

    stage.log.append(8, BAD);
    service.set(Behaviour::AtMost(10));
    let why = stage.upload().unwrap_err();
    assert!(why.contains("HTTP status 413: too large; a single record was too large"), "{why}");
    stage.daemon.wait_for("is a single record and is dropped", PATIENCE);
    let spool = stage.status()["spool"].clone();
    assert_eq!((&spool["slices"], &spool["dropped"]), (&3.into(), &1.into()), "4, 2 and 1 left");
    let engine = stage.daemon.engine().unwrap();
    nix::sys::signal::kill(engine, nix::sys::signal::Signal::SIGKILL).unwrap();
    stage.daemon.wait_until_ready();
    service.set(Behaviour::Confirm);
    let before = service.uploads().len();
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE), "{}", stage.daemon.output());
    let rest: String = service.uploads()[before..].iter().map(|upload| upload.text()).collect();
    let lines: Vec<String> =
        stage.log.written().iter().map(|packet| packet.line() + "\n").collect();
    assert_eq!(rest, lines[1001..].concat());
    assert_eq!(stage.status()["spool"]["dropped"], 1);
}

/// 1. Start a second daemon with tables of its own and the spool of the first: its engine does not
///    start, and says whose the spool is and what to set.
/// 2. The first goes on, and its engine is replaced when it is killed.
#[test]
fn one_daemon_uses_a_spool() {
    let service = LogService::start();
    let stage = UploadStage::service(&service);
    let scratch = Scratch::new();
    let spool = stage.scratch.spool();
    let config = Config::new(&scratch, &[free_addr()]).set("log.spool", spool.to_str().unwrap());
    let second = Daemon::spawn(&scratch, &config, |_| {});
    let message = format!("{}: another threatstopd uses it: set log.spool", spool.display());
    second.wait_for(&message, PATIENCE);
    assert_eq!(second.wait_exit(PATIENCE).code(), Some(1));
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE));
    let engine = stage.daemon.engine().unwrap();
    nix::sys::signal::kill(engine, nix::sys::signal::Signal::SIGKILL).unwrap();
    stage.daemon.wait_until_ready();
    assert!(!stage.daemon.output().contains("another threatstopd"), "{}", stage.daemon.output());
}

/// `capture` learns from a client what `[log.request]` has to be; a daemon with that section then
/// sends what the client sent, but for the times.
#[test]
fn what_another_client_sends_is_captured() {
    let mut command = Command::new(&programs().threatstopctl);
    let capture = Process::spawn(command.args(["capture", "127.0.0.1:0"]));
    let told = capture.wait_for("Listening.", PATIENCE).text;
    let (_, url) = told.split_once("http://").unwrap();
    let addr: SocketAddr = url.split('/').next().unwrap().parse().unwrap();
    let part = |head: &str, body: &str| {
        format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    };
    let body = [
        part("name=\"device\"", "tdid_wxyz9876"),
        part("name=\"version\"", "1.3"),
        part("name=\"log\"; filename=\"tdid_wxyz9876_1700000000.log\"", "a line"),
        "--XX--\r\n".to_owned(),
    ]
    .concat();
    let mut client = TcpStream::connect(addr).unwrap();
    let head = "POST /cgi-bin/logupload.pl HTTP/1.1\r\nUser-Agent: libwww-perl/6.67\r\n";
    let kind = "Content-Type: multipart/form-data; boundary=XX\r\n";
    write!(client, "{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("Log file uploaded successfully for tdid_wxyz9876\n"), "{answer}");
    assert!(capture.wait_exit(PATIENCE).success());
    let lines = capture.lines().into_iter().map(|line| line.text);
    let section = lines.skip_while(|line| line != "[log.request]").skip(1);
    let section: String = section.map(|line| line + "\n").collect();
    let section: toml::Table = section.parse().unwrap_or_else(|why| panic!("{why}: {section}"));

    let service = LogService::start();
    let stage = UploadStage::new(&service.url(), service.ca(), |config| {
        config.set("log.request", toml::Value::Table(section))
    });
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE));
    let parts = service.uploads()[0].parts();
    assert_eq!(parts[0], ("device".into(), None, DEVICE.into()));
    assert_eq!(parts[1], ("version".into(), None, "1.3".into()));
    let file = ("log", Some("tdid_abcd1234_20231114T221320Z-0.log"));
    assert_eq!((parts[2].0.as_str(), parts[2].1.as_deref()), file);
}

/// `decode` prints what OpenBSD's tcpdump printed for the same capture, plain and compressed.
#[test]
fn captures_are_decoded_as_by_tcpdump() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/pflog/tests/data");
    let expected = std::fs::read_to_string(data.join("captured.txt")).unwrap();
    let capture = std::fs::read(data.join("captured.pcap")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let packed = dir.path().join("pflog.0.gz");
    let file = std::fs::File::create(&packed).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &capture).unwrap();
    encoder.finish().unwrap();
    for file in [data.join("captured.pcap"), packed] {
        let mut command = Command::new(&programs().threatstopctl);
        command.env("TZ", "UTC0").arg("decode").arg(&file);
        let decoded = run(&mut command, PATIENCE);
        assert!(decoded.status.success() && decoded.stderr.is_empty(), "{}", decoded.stderr);
        assert!(decoded.stdout == expected, "{}: another text", file.display());
    }
    let missing = run(
        Command::new(&programs().threatstopctl).args(["decode", "-t", "epoch", "/nonexistent"]),
        PATIENCE,
    );
    assert_eq!(missing.stderr, "threatstopctl: /nonexistent: No such file or directory\n");
    assert_eq!(missing.status.code(), Some(1));
}

/// Over a change of the clocks, `-t date` has the local time of each record, and the default the
/// offset of now for all of them, as tcpdump's -ttt and tcpdump without an option.
#[test]
fn a_change_of_the_clocks_is_decoded_as_by_tcpdump() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pflog");
    let mut octets = tests::sim::pflog::file_header();
    // 2026-03-29 01:00 UTC, where the clocks of Berlin go from 2 to 3
    for seconds in [1_774_745_999, 1_774_746_000] {
        let packet = tests::sim::pflog::Packet {
            seconds,
            micros: 0,
            out: false,
            source: BAD,
            destination: BAD,
            port: 22,
            anchor: "",
        };
        octets.extend(packet.record());
    }
    std::fs::write(&path, octets).unwrap();
    let decoded = |style: &str| {
        let mut command = Command::new(&programs().threatstopctl);
        command.env("TZ", "CET-1CEST,M3.5.0,M10.5.0/3").args(["decode", "-t", style]).arg(&path);
        run(&mut command, PATIENCE).stdout
    };
    let lines = decoded("date");
    let times: Vec<&str> = lines.lines().map(|line| &line[..15]).collect();
    assert_eq!(times, ["Mar 29 01:59:59", "Mar 29 03:00:00"]);
    let lines = decoded("time");
    let times: Vec<&str> = lines.lines().map(|line| &line[..8]).collect();
    assert!(times == ["01:59:59", "02:00:00"] || times == ["02:59:59", "03:00:00"], "{times:?}");
}

/// 1. Decode several files, plain and compressed, with stderr on a terminal: a bar for each comes
///    and goes, and the output has nothing of it.
/// 2. Decode a damaged file: what stands before the damage, then file and offset, and exit code 1.
/// 3. With stderr on no terminal there is no bar.
#[test]
fn decoding_shows_its_progress_on_a_terminal() {
    let Some(script) = require_program("script") else { return };
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/pflog/tests/data");
    let capture = std::fs::read(data.join("captured.pcap")).unwrap();
    let expected = std::fs::read_to_string(data.join("captured.txt")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let gzip = |octets: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(octets).unwrap();
        encoder.finish().unwrap()
    };
    let mut damaged = capture.clone();
    damaged.extend([0xff; 100]);
    let packed = gzip(&capture);
    for (name, octets) in [
        ("pflog", capture.clone()),
        ("pflog.0.gz", packed.clone()),
        ("damaged", damaged),
        ("damaged.gz", packed[..packed.len() * 3 / 4].to_vec()),
    ] {
        std::fs::write(dir.path().join(name), octets).unwrap();
    }
    let decode = |files: &str, terminal: bool| {
        let ctl = programs().threatstopctl.display();
        let line = format!("TZ=UTC0 {ctl} decode {files} >out");
        let mut command = Command::new(if terminal { &script } else { Path::new("/bin/sh") });
        match terminal {
            true => command.args(["-qec", &line, "/dev/null"]),
            false => command.args(["-c", &line]),
        };
        let output = run(command.current_dir(dir.path()), PATIENCE);
        let text = std::fs::read_to_string(dir.path().join("out")).unwrap();
        (text, output.stdout + &output.stderr, output.status.code())
    };
    let (text, shown, code) = decode("pflog pflog.0.gz pflog", true);
    assert!(text == expected.repeat(3), "{text}");
    assert_eq!(code, Some(0));
    let bar = format!("[{}] 100 %", "#".repeat(30));
    assert_eq!(shown.matches(&format!("pflog {bar}")).count(), 2, "{shown:?}");
    assert_eq!(shown.matches(&format!("pflog.0.gz {bar}")).count(), 1, "{shown:?}");
    assert!(shown.ends_with(" \r"), "the line is empty again: {shown:?}");
    assert_eq!(decode("pflog", false), (expected.clone(), String::new(), Some(0)));

    let at = format!("damaged: bogus savefile header: the record at octet {}", capture.len());
    for terminal in [true, false] {
        let (text, shown, code) = decode("damaged", terminal);
        assert!(text == expected && shown.contains(&at), "{shown:?}");
        assert_eq!((code, shown.contains('#')), (Some(1), terminal));
    }
    let (text, shown, code) = decode("damaged.gz", false);
    assert!(!text.is_empty() && expected.starts_with(&text) && code == Some(1), "{shown:?}");
    let told = shown.strip_prefix("threatstopctl: damaged.gz: ").unwrap();
    let (_, octet) = told.trim_end().rsplit_once(", behind octet ").unwrap();
    assert!(octet.parse::<usize>().unwrap() < capture.len(), "{told}");
}
