//! A headless Chromium, driven through chromedriver.
//!
//! ```ignore
//! let server = Server::start(&Env::new()?.dist(), 0, "/rg-flow/")?;
//! let browser = Browser::start(&["--enable-unsafe-webgpu"]).await?;
//! browser.open(&server.url()).await?;
//! browser.wait_for("window.ready === true", Duration::from_secs(60)).await?;
//! browser.screenshot("ready").await?;
//! browser.finish().await?; // an error if the page logged errors
//! ```

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};
use xtask::setup::browser;

/// Headless, as root in a container, and without a word to the network beyond the page's own.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
];

/// A script may wait this long for what it awaits.
const SCRIPT_LIMIT: Duration = Duration::from_secs(100);

/// Whether tests that can go on for long are to do so: `RG_FLOW_STRESS=full`.
pub fn in_full() -> bool {
    std::env::var("RG_FLOW_STRESS").is_ok_and(|value| value == "full")
}

/// A browser with one page. Fields drop in order: the session, its driver, its profile.
pub struct Browser {
    driver: WebDriver,
    _process: Chromedriver,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser with an own, empty profile, and `flags` besides the usual ones.
    pub async fn start(flags: &[&str]) -> Result<Self> {
        let programs = browser::find().context("no Chromium or no chromedriver: run `cargo xtask setup`")?;
        let process = Chromedriver::start(&programs.driver).or_else(|_| Chromedriver::start(&programs.driver))?;
        let profile = tempfile::tempdir()?;
        let mut caps = DesiredCapabilities::chrome();
        caps.set_binary(&programs.chrome.display().to_string())?;
        caps.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        for flag in FLAGS.iter().chain(flags) {
            caps.add_arg(flag)?;
        }
        caps.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        let driver = WebDriver::new(format!("http://127.0.0.1:{}", process.port), caps).await?;
        driver.set_script_timeout(SCRIPT_LIMIT).await?;
        Ok(Self { driver, _process: process, _profile: profile })
    }

    /// WebDriver itself, for what has no helper here: clicks, keys, elements.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Loads a page and waits for its `load` event.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.driver.goto(url).await.with_context(|| format!("cannot open {url}"))
    }

    /// Sends a command of Chromium's own protocol: touches, media features and what else WebDriver lacks.
    pub async fn chromium(&self, command: &str, parameters: Value) -> Result<Value> {
        let answer = self.driver.cdp().send_raw(command, parameters).await;
        answer.with_context(|| format!("Chromium does not do {command}"))
    }

    /// Runs JavaScript before the scripts of every page that is opened from now on.
    pub async fn before_pages(&self, script: &str) -> Result<()> {
        let parameters = serde_json::json!({"source": script});
        self.chromium("Page.addScriptToEvaluateOnNewDocument", parameters).await.map(drop)
    }

    /// The value of a JavaScript expression, which may use `await`.
    pub async fn eval(&self, expression: &str) -> Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1]; \
             (async () => ({expression}))().then(value => done({{value}}), error => done({{error: String(error)}}));"
        );
        let result = self.driver.execute_async(script, Vec::new()).await;
        let mut answer = result.with_context(|| format!("`{expression}` gave no value"))?.json().clone();
        if let Some(error) = answer.get("error") {
            bail!("`{expression}` threw {error}");
        }
        Ok(answer["value"].take())
    }

    /// Waits until a JavaScript expression is true; the error after `limit` tells what the page logged.
    pub async fn wait_for(&self, condition: &str, limit: Duration) -> Result<()> {
        let start = Instant::now();
        loop {
            let value = self.eval(condition).await?;
            if value == Value::Bool(true) {
                return Ok(());
            }
            if start.elapsed() > limit {
                let page = self.eval("JSON.stringify(document.documentElement.dataset)").await?;
                let log = self.console().await?.join("\n");
                let limit = limit.as_secs();
                bail!("`{condition}` was still {value} after {limit} s; the page is {page}, the console says:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Keeps a picture of the page in `target/screenshots/NAME.png`, and returns where.
    pub async fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("no target folder")?;
        let dir = target.join("screenshots");
        std::fs::create_dir_all(&dir)?;
        let path = dir.join(format!("{name}.png"));
        self.driver.screenshot(&path).await?;
        Ok(path)
    }

    /// What the page and the browser logged since the last call, as `LEVEL message`.
    pub async fn console(&self) -> Result<Vec<String>> {
        let entries = self.driver.browser_log().await?;
        Ok(entries.into_iter().map(|entry| format!("{} {}", entry.level, entry.message)).collect())
    }

    /// Ends the browser; an error if the page logged errors since the last look at its console.
    pub async fn finish(self) -> Result<()> {
        let log = self.console().await?;
        self.driver.clone().quit().await?;
        let errors: Vec<_> = log.into_iter().filter(|line| line.starts_with("SEVERE")).collect();
        ensure!(errors.is_empty(), "the page logged errors:\n{}", errors.join("\n"));
        Ok(())
    }
}

/// A chromedriver of our own on a port of its choice; it ends when dropped.
struct Chromedriver {
    child: Child,
    port: u16,
    /// Held, since chromedriver must not write to a closed pipe.
    _stdout: BufReader<ChildStdout>,
}

impl Chromedriver {
    fn start(program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut stdout = BufReader::new(child.stdout.take().context("chromedriver has no output")?);
        let mut said = String::new();
        // "ChromeDriver was started successfully on port 40271."
        let port = loop {
            let mut line = String::new();
            if stdout.read_line(&mut line)? == 0 {
                let _ = child.wait();
                bail!("{} did not start:\n{said}", program.display());
            }
            if let Some((_, port)) = line.trim_end().trim_end_matches('.').rsplit_once("successfully on port ") {
                break port.parse()?;
            }
            said.push_str(&line);
        };
        Ok(Self { child, port, _stdout: stdout })
    }

    /// Asks it to end, and its browsers with it, as it does not when it is killed.
    fn ask_to_end(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        let _ = self.ask_to_end();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
