//! Controls headless Chromium through its web driver.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use http::Method;
use serde_json::{Value, json};
use thirtyfour::common::command::FormatRequestData;
use thirtyfour::common::requestdata::RequestData;
use thirtyfour::{Capabilities, SessionId, WebDriver};
use tokio::runtime::Runtime;

/// A browser with one page.
pub(crate) struct Browser {
    driver: Child,
    page: WebDriver,
    runtime: Runtime,
    _profile: tempfile::TempDir,
}

/// The size and theme of the screen that shows the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) theme: &'static str,
}

impl Browser {
    /// Starts a browser; `None`, with a visible skip of `test`, if Chromium or its driver is not installed.
    ///
    /// # Panics
    /// If they are not installed although `ALLOMETRY_REQUIRE_PEERS` is 1, or do not start.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let chromium = allometry_testkit::program(test, "chromium")?;
        let driver = allometry_testkit::program(test, "chromedriver")?;
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("its output is piped")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("chromedriver says its port");
        std::thread::spawn(move || lines.for_each(drop));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let capabilities = json!({
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": {
                "binary": chromium,
                "args": [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                    "--hide-scrollbars", "--disable-background-networking", "--disable-component-update",
                    "--disable-sync", "--disable-dev-shm-usage",
                    format!("--user-data-dir={}", profile.path().display()),
                ],
            },
        });
        let capabilities: Capabilities =
            serde_json::from_value(capabilities).expect("capabilities are an object");
        let page = runtime.block_on(WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities));
        let page = page.expect("chromium starts");
        Some(Self { driver, page, runtime, _profile: profile })
    }

    /// Opens a page.
    pub(crate) fn open(&self, url: &str, screen: Screen) {
        let metrics = json!({
            "width": screen.width,
            "height": screen.height,
            "deviceScaleFactor": 1,
            "mobile": screen.width < 500,
        });
        self.cdp("Emulation.setDeviceMetricsOverride", &metrics);
        let feature = json!([{ "name": "prefers-color-scheme", "value": screen.theme }]);
        self.cdp("Emulation.setEmulatedMedia", &json!({ "features": feature }));
        self.runtime.block_on(self.page.goto(url)).expect("the page opens");
    }

    /// Returns the value of an expression in the page.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let script = format!("return ({expression})");
        let returned = self.runtime.block_on(self.page.execute(script, Vec::new()));
        returned.unwrap_or_else(|error| panic!("{expression}: {error}")).json().clone()
    }

    /// Returns the result of a promise in the page.
    pub(crate) fn promised(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1]; \
             ({expression}).then(done, (error) => done(String(error)))"
        );
        let returned = self.runtime.block_on(self.page.execute_async(script, Vec::new()));
        returned.expect("the promise is kept").json().clone()
    }

    /// Waits until an expression is true.
    ///
    /// # Panics
    /// If it is not true after half a minute.
    pub(crate) fn wait_for(&self, expression: &str) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while self.value(expression) != Value::Bool(true) {
            assert!(std::time::Instant::now() < deadline, "never true: {expression}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Moves the pointer through all points, given in pixels of the window. With `pressed` its button is held
    /// from the first to the last point.
    pub(crate) fn pointer(&self, points: &[(f64, f64)], pressed: bool) {
        let event = |kind: &str, (x, y): (f64, f64), button: &str, buttons: u8| {
            let clicks = u8::from(button == "left");
            let event = json!({
                "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": clicks
            });
            self.cdp("Input.dispatchMouseEvent", &event);
        };
        let (first, last) = (points[0], points[points.len() - 1]);
        event("mouseMoved", first, "none", 0);
        if pressed {
            event("mousePressed", first, "left", 1);
        }
        for point in &points[1..] {
            event("mouseMoved", *point, if pressed { "left" } else { "none" }, u8::from(pressed));
        }
        if pressed {
            event("mouseReleased", last, "left", 0);
        }
    }

    /// Presses a key.
    pub(crate) fn key(&self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.cdp("Input.dispatchKeyEvent", &json!({ "type": kind, "key": key }));
        }
    }

    /// Scrolls to an element and returns the position of its middle.
    pub(crate) fn middle(&self, selector: &str) -> (f64, f64) {
        let place = self.value(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); \
             e.scrollIntoView({{ block: 'center' }}); const r = e.getBoundingClientRect(); \
             return [r.left + r.width / 2, r.top + r.height / 2]; }})()"
        ));
        (place[0].as_f64().expect("a number"), place[1].as_f64().expect("a number"))
    }

    /// Clicks an element.
    pub(crate) fn click(&self, selector: &str) {
        let place = self.middle(selector);
        self.pointer(&[place], true);
    }

    /// Opens all closed sections of the page.
    pub(crate) fn open_sections(&self) {
        self.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    }

    /// Returns the messages of the page's console since the last call.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.log("browser");
        entries.iter().map(|entry| entry["message"].as_str().unwrap_or("?").to_owned()).collect()
    }

    /// Returns the addresses that the page requested since the last call.
    pub(crate) fn requests(&self) -> Vec<String> {
        let entries = self.log("performance");
        let messages =
            entries.iter().filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok());
        messages
            .filter(|message| message["message"]["method"] == "Network.requestWillBeSent")
            .filter_map(|message| Some(message["message"]["params"]["request"]["url"].as_str()?.to_owned()))
            .filter(|url| !url.starts_with("data:") && !url.starts_with("chrome"))
            .collect()
    }

    /// Saves a picture of the page, if `ALLOMETRY_SCREENSHOTS` names a folder.
    pub(crate) fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("ALLOMETRY_SCREENSHOTS") else { return };
        let png = self.runtime.block_on(self.page.screenshot_as_png()).expect("a picture");
        std::fs::create_dir_all(&folder).expect("the folder for pictures");
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), png)
            .expect("the picture is written");
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let answer = self.issue("se/log", json!({ "type": kind }));
        answer.as_array().cloned().unwrap_or_default()
    }

    pub(crate) fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.issue("goog/cdp/execute", json!({ "cmd": command, "params": parameters }))
    }

    fn issue(&self, path: &'static str, body: Value) -> Value {
        let command = ChromeCommand { path, body };
        let answer = self.runtime.block_on(self.page.handle().cmd(command));
        answer
            .and_then(thirtyfour::session::http::CmdResponse::value)
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.page.clone().quit());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A command of Chromium's driver that is not in the `WebDriver` standard.
#[derive(Debug)]
struct ChromeCommand {
    path: &'static str,
    body: Value,
}

impl FormatRequestData for ChromeCommand {
    fn format_request(&self, session: &SessionId) -> RequestData {
        let body = self.body.clone();
        RequestData::new(Method::POST, format!("session/{session}/{}", self.path)).add_body(body)
    }
}
