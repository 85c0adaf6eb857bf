//! A browser without a window, spoken to over a pipe in the DevTools protocol: a JSON object and a NUL
//! octet in either direction (chromium's --remote-debugging-pipe).

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tests::process::PATIENCE;

/// What keeps it from speaking to anybody, and from needing what a test's machine may not have.
const OPTIONS: &[&str] = &[
    "--headless",
    "--remote-debugging-pipe",
    // the pages are ours, and root has no other way
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND",
];

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Pixels of its width.
    pub width: u32,
    /// Whether the reader prefers dark pages.
    pub is_dark: bool,
}

/// A browser with one page, which leaves when this is dropped.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    /// What it has told unasked.
    told: VecDeque<Value>,
    log: PathBuf,
    session: Option<String>,
    asked: u64,
}

impl Browser {
    /// Starts the program with its files in a directory.
    pub fn start(program: &Path, directory: &Path) -> Self {
        let log = directory.join("browser.log");
        let err = File::create(&log).unwrap();
        // it wants its commands on descriptor 3, and answers on 4
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >&2", "sh"]).arg(program);
        command.args(OPTIONS).arg(format!("--user-data-dir={}", directory.display()));
        command.arg("about:blank").env("HOME", directory);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(err).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|why| panic!("cannot start sh: {why}"));
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let messages = BufReader::new(from).split(0).map_while(Result::ok);
            for message in messages {
                let value = serde_json::from_slice(&message).unwrap_or(Value::Null);
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        let told = VecDeque::new();
        let mut browser = Self { child, to, from: receiver, told, log, session: None, asked: 0 };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.ask("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Runtime", "Log"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        browser.ask("Page.setLifecycleEventsEnabled", json!({ "enabled": true }));
        browser
    }

    /// Calls a method, and waits for what it gives.
    #[track_caller]
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let sent = self.to.write_all(format!("{message}\0").as_bytes());
        sent.unwrap_or_else(|why| panic!("{method}: {why}: {}", self.log()));
        loop {
            let mut message = self.hear(method);
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.told.push_back(message);
        }
    }

    /// The next message.
    #[track_caller]
    fn hear(&self, what: &str) -> Value {
        let message = self.from.recv_timeout(PATIENCE);
        message.unwrap_or_else(|why| panic!("{what}: {why}: {}", self.log()))
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Opens a file, and waits until all of it is there and drawn. Gives whatever the browser
    /// complained of, and whatever it asked for besides the file.
    #[track_caller]
    pub fn open(&mut self, file: &Path, view: View) -> Vec<String> {
        let metrics = json!({
            "width": view.width, "height": 800, "deviceScaleFactor": 1, "mobile": view.width < 600,
        });
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if view.is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.ask("Emulation.setEmulatedMedia", json!({ "features": features }));
        self.told.clear();
        let url = format!("file://{}", file.display());
        let opened = self.ask("Page.navigate", json!({ "url": url }));
        assert!(opened["errorText"].is_null(), "{url}: {opened}");
        // that of the page before may come late
        let is_loaded = |message: &Value| {
            message["method"] == "Page.lifecycleEvent"
                && message["params"]["name"] == "load"
                && message["params"]["loaderId"] == opened["loaderId"]
        };
        let end = Instant::now() + PATIENCE;
        while !self.told.iter().any(is_loaded) {
            assert!(Instant::now() < end, "{url} is not loaded: {}", self.log());
            let message = self.hear("Page.lifecycleEvent");
            self.told.push_back(message);
        }
        // what the page asks for late, or complains of, comes before the answer to this
        self.tell("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))");
        self.told.iter().filter_map(|message| complaint(message, &url)).collect()
    }

    /// Lays the page out as on paper, of so many pixels without its margins.
    pub fn on_paper(&mut self, width: u32) {
        let metrics =
            json!({ "width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
        self.ask("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    }

    /// The value of an expression of JavaScript in the page, whatever that forbids itself.
    #[track_caller]
    pub fn tell(&mut self, expression: &str) -> Value {
        let parameters =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut told = self.ask("Runtime.evaluate", parameters);
        assert!(told["exceptionDetails"].is_null(), "{expression}: {told}");
        told["result"]["value"].take()
    }

    /// Writes a picture of the page, from its beginning on and at most so many pixels high.
    pub fn shoot(&mut self, file: &Path, most: u64) {
        let metrics = self.ask("Page.getLayoutMetrics", json!({}));
        let size = &metrics["cssContentSize"];
        let height = size["height"].as_f64().unwrap().min(most as f64);
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1 });
        let parameters = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let shot = self.ask("Page.captureScreenshot", parameters);
        let octets = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        fs::write(file, octets).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    }
}

/// What of a message is not as it should be.
fn complaint(message: &Value, page: &str) -> Option<String> {
    let of = &message["params"];
    match message["method"].as_str()? {
        "Network.requestWillBeSent" if of["request"]["url"] != page => {
            Some(format!("request: {}", of["request"]["url"]))
        }
        "Log.entryAdded" => Some(format!("log: {}", of["entry"]["text"])),
        "Runtime.consoleAPICalled" => Some(format!("console: {}", of["args"])),
        "Runtime.exceptionThrown" => Some(format!("exception: {}", of["exceptionDetails"])),
        _ => None,
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // all of its processes are in its group, and none has anything to keep
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}
