//! Running other programs: what was run stands in every error.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The command as one would type it.
pub fn shown(cmd: &Command) -> String {
    std::iter::once(cmd.get_program()).chain(cmd.get_args()).map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Runs `cmd` with its output shown; an error when it cannot start or does not succeed.
pub fn run(cmd: &mut Command) -> Result<()> {
    let status = cmd.status().with_context(|| format!("could not start `{}`: is it installed?", shown(cmd)))?;
    succeeded(cmd, status)
}

fn succeeded(cmd: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed ({status})", shown(cmd));
    }
    Ok(())
}

/// As [`run`], but ends the program once `limit` has passed.
pub fn run_within(cmd: &mut Command, limit: Duration) -> Result<()> {
    watch(cmd, |child, passed| {
        if passed <= limit {
            return Ok(());
        }
        child.kill()?;
        child.wait()?;
        bail!("took more than {} s", limit.as_secs())
    })
}

/// As [`run`], for a program that prints nothing for minutes: `alive` is told every `interval` how long it has run.
pub fn run_long(cmd: &mut Command, interval: Duration, mut alive: impl FnMut(Duration)) -> Result<()> {
    let mut next = interval;
    watch(cmd, |_, passed| {
        if passed >= next {
            alive(passed);
            next = passed + interval;
        }
        Ok(())
    })
}

/// Runs `cmd` to its end, or until `look`, which is called often, says why it may not go on.
fn watch(cmd: &mut Command, mut look: impl FnMut(&mut Child, Duration) -> Result<()>) -> Result<()> {
    let mut child = cmd.stdin(Stdio::null()).spawn().with_context(|| format!("could not start `{}`", shown(cmd)))?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return succeeded(cmd, status);
        }
        look(&mut child, start.elapsed()).with_context(|| format!("`{}` was stopped", shown(cmd)))?;
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What `cmd` prints on its standard output, without the white space around it; `None` when it fails.
pub fn output(cmd: &mut Command) -> Option<String> {
    let out = cmd.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// The first file called `name` in `dirs`.
pub fn find_in<'a>(name: &str, dirs: impl IntoIterator<Item = &'a Path>) -> Option<PathBuf> {
    dirs.into_iter().map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// The program called `name` on `PATH`.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    find_in(name, dirs.iter().map(PathBuf::as_path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_typed_again() {
        let mut cmd = Command::new("cargo");
        cmd.args(["test", "-p", "a b", "", "it's"]);
        assert_eq!(shown(&cmd), r"cargo test -p 'a b' '' 'it'\''s'");
    }

    #[test]
    fn failure_names_the_command() {
        let err = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert!(err.to_string().contains("sh -c 'exit 3'"), "{err}");
        assert_eq!(output(Command::new("sh").args(["-c", "exit 3"])), None);
        assert_eq!(output(Command::new("sh").args(["-c", "echo ' x '"])).as_deref(), Some("x"));
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let start = Instant::now();
        let err = run_within(Command::new("sleep").arg("30"), Duration::from_millis(100)).unwrap_err();
        assert!(format!("{err:#}").contains("`sleep 30` was stopped: took more than"), "{err:#}");
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(run_within(&mut Command::new("true"), Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn a_long_program_is_heard_of_while_it_runs() {
        let mut heard = Vec::new();
        run_long(Command::new("sleep").arg("0.6"), Duration::from_millis(100), |passed| heard.push(passed)).unwrap();
        assert!(!heard.is_empty() && heard.iter().all(|&passed| passed >= Duration::from_millis(100)), "{heard:?}");
        assert!(heard.is_sorted());
        assert!(run_long(&mut Command::new("false"), Duration::from_secs(9), |_| ()).is_err());
    }
}
