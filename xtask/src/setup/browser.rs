//! Chromium and its driver.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::{Outcome, apt};
use crate::process::{on_path, output};

/// A browser and the driver that fits it.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Chromium or Chrome.
    pub chrome: PathBuf,
    /// chromedriver.
    pub driver: PathBuf,
}

/// The browser that tests use: `CHROME` and `CHROMEDRIVER` where they are set, or else what is on `PATH`.
pub fn find() -> Option<Browser> {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "chrome",
    ];
    let from_env = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    Some(Browser {
        chrome: from_env("CHROME").or_else(|| names.iter().find_map(|name| on_path(name)))?,
        driver: from_env("CHROMEDRIVER").or_else(|| on_path("chromedriver"))?,
    })
}

pub(super) fn ensure() -> Result<Outcome> {
    if let Some(browser) = find() {
        return Ok(Outcome::There(described(&browser)?));
    }
    if apt::available() {
        apt::ensure(&["chromium", "chromium-driver"], "the tests in a browser")?;
    }
    match find() {
        Some(browser) => Ok(Outcome::Installed(described(&browser)?)),
        None => bail!(
            "install Chromium and the chromedriver of the same version, or set CHROME and CHROMEDRIVER"
        ),
    }
}

/// Both versions, which must agree: a driver refuses any other browser, with an obscure message.
fn described(browser: &Browser) -> Result<String> {
    let [chrome, driver] = [&browser.chrome, &browser.driver].map(|program| {
        let text = output(Command::new(program).arg("--version")).unwrap_or_default();
        version_in(&text).map(str::to_owned)
    });
    let (Some(chrome), Some(driver)) = (chrome, driver) else {
        bail!(
            "{} or {} does not run",
            browser.chrome.display(),
            browser.driver.display()
        );
    };
    if major(&chrome) != major(&driver) {
        bail!(
            "Chromium is {chrome} but its driver is {driver}: install a pair, or set CHROME and CHROMEDRIVER"
        );
    }
    Ok(format!(
        "{} {chrome}, driver {driver}",
        browser.chrome.display()
    ))
}

/// The first word that starts with a digit.
fn version_in(text: &str) -> Option<&str> {
    text.split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

fn major(version: &str) -> Option<&str> {
    version.split('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_programs_print() {
        let chrome = version_in("Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)");
        let driver = version_in("ChromeDriver 156.0.8078.10 (abcdef-refs/heads/main@{#1})");
        assert_eq!(chrome, Some("156.0.8078.79"));
        assert_eq!(driver, Some("156.0.8078.10"));
        assert_eq!(chrome.and_then(major), driver.and_then(major));
        assert_eq!(version_in("no version"), None);
    }
}
