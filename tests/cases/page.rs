//! `threatstopctl report -H` in a browser.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use control::{Reply, Report, Request};
use tests::harness::{Scratch, programs};
use tests::process::{PATIENCE, run};
use tests::servers::require_program;

use crate::browser::{Browser, View};

// The reports that the tests beside the code lay out.
#[path = "../../src/threatstopctl/report/html/tests/data.rs"]
mod data;

/// Pixels of a telephone.
const NARROW: u32 = 360;
/// Pixels of A4 without the margins of a browser, a centimetre on either side.
const PAPER: u32 = 718;
/// Pixels of a window.
const WIDE: u32 = 1024;
/// Pixels of a picture's height at most: of the longest pages the rest is like what is seen.
const HIGH: u64 = 4000;

/// The page that the real tool makes of a report, from an engine that has it.
fn page(scratch: &Scratch, report: &Report) -> String {
    let socket = scratch.path().join("engine.sock");
    let _ = fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).unwrap();
    let done = Reply::Done(serde_json::to_value(report).unwrap());
    let answer = format!("{}\n", serde_json::to_string(&done).unwrap());
    let days = report.period.to_string();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        BufReader::new(&stream).read_line(&mut request).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        request
    });
    let mut command = Command::new(&programs().threatstopctl);
    command.arg("-s").arg(&socket).args(["report", "-H", "-d", &days]);
    let output = run(&mut command, PATIENCE);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(output.stderr, "");
    let request: Request = serde_json::from_str(&asked.join().unwrap()).unwrap();
    assert_eq!(request, Request::Report { days: report.period });
    output.stdout
}

/// Where pictures go: beside the programs, where `cargo clean` finds them.
fn pictures() -> PathBuf {
    let target = programs().threatstopctl.parent().unwrap().parent().unwrap().to_path_buf();
    let pictures = target.join("report");
    fs::create_dir_all(&pictures).unwrap_or_else(|why| panic!("{}: {why}", pictures.display()));
    pictures
}

/// What a reader sees of a page that could be wrong: how wide it is; the least contrast of a text with
/// what lies behind it (WCAG 2, 1.4.3), and the text; and elements that fetch or run something.
const SEEN: &str = r#"(() => {
    const colour = text => text.match(/[\d.]+/g).map(Number);
    const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const found = colour(getComputedStyle(at).backgroundColor);
            if (found.length < 4 || found[3] > 0) return found;
        }
        return [255, 255, 255];
    };
    let [least, of, texts] = [21, "", 0];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; node = walker.nextNode();) {
        const element = node.parentElement;
        if (!node.data.trim() || element.closest("title, desc, style")) continue;
        const style = getComputedStyle(element);
        const ink = element instanceof SVGElement ? style.fill : style.color;
        const [a, b] = [light(colour(ink)), light(behind(element))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        texts += 1;
        if (contrast < least) [least, of] = [contrast, node.data.trim()];
    }
    return {
        width: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
        least, of, texts,
        dark: light(behind(document.body)) < 0.2,
        active: document.querySelectorAll(
            "script, link, img, iframe, object, embed, base, form, a, audio, video, image, use"
        ).length,
    };
})()"#;

/// Opens a page in one way, and says what is wrong with it.
fn faults(browser: &mut Browser, file: &Path, view: View) -> Vec<String> {
    let mut faults = browser.open(file, view);
    let seen = browser.tell(SEEN);
    let least = seen["least"].as_f64().unwrap();
    if seen["width"].as_u64().unwrap() > u64::from(view.width) {
        faults.push(format!("width: {}", seen["width"]));
    }
    if least < 4.5 {
        faults.push(format!("contrast: {least} of {}", seen["of"]));
    }
    if seen["active"] != 0 {
        faults.push(format!("active: {}", seen["active"]));
    }
    if seen["dark"] != view.is_dark {
        faults.push(format!("dark: {}", seen["dark"]));
    }
    if seen["texts"].as_u64().unwrap() < 10 {
        faults.push(format!("texts: {}", seen["texts"]));
    }
    faults
}

/// 1. Let the real tool make a page of each report: of nothing, of a day, of all days, of as much as
///    there may be, and of hostile names.
/// 2. Open each in a real browser: light, dark, and 360 pixels wide, with all tables opened too; and as on
///    paper.
/// 3. Open a page that does everything wrong.
///
/// Check that of ours none asks for anything, complains, has anything active in it, is wider than the
/// window, or has a text that does not stand out; and that the browser sees all that in the other one.
/// Leave pictures in the target directory.
#[test]
fn the_report_in_a_browser() {
    let Some(program) = require_program("chromium") else { return };
    let scratch = Scratch::new();
    let pictures = pictures();
    let mut browser = Browser::start(&program, scratch.path());
    let views = [
        ("light", View { width: WIDE, is_dark: false }),
        ("dark", View { width: WIDE, is_dark: true }),
        ("narrow", View { width: NARROW, is_dark: false }),
    ];
    let none: Vec<String> = Vec::new();
    for (name, report) in data::all() {
        let file = scratch.path().join(format!("{name}.html"));
        fs::write(&file, page(&scratch, &report)).unwrap();
        for (how, view) in views {
            assert_eq!(faults(&mut browser, &file, view), none, "{name} {how}");
            browser.shoot(&pictures.join(format!("{name}-{how}.png")), HIGH);
            browser.tell("document.querySelectorAll('details').forEach(it => it.open = true)");
            let width = browser.tell("document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(width <= u64::from(view.width), "{name} {how} opened: {width}");
        }
        // what is wider than the paper is cut off
        browser.on_paper(PAPER);
        let width = browser.tell("document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(width <= u64::from(PAPER), "{name} on paper: {width}");
    }

    let bad = scratch.path().join("bad.html");
    // refused at once, on this machine
    let page = "<!DOCTYPE html><html lang='en'><body style='background: #111'>\
                <img src='http://127.0.0.1:1/x.png'><p style='color: #222'>nobody reads this</p>\
                <p style='width: 2000px'>wide</p>\
                <script>console.error('said'); throw new Error('thrown')</script></body></html>";
    fs::write(&bad, page).unwrap();
    let found = faults(&mut browser, &bad, views[0].1);
    for fault in
        ["request: ", "console: ", "exception: ", "width: ", "contrast: ", "active: ", "dark: "]
    {
        assert!(found.iter().any(|found| found.starts_with(fault)), "{fault}: {found:?}");
    }
}
