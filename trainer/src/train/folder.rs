//! The folder of a run: its lock, and what earlier runs left in it.

use std::fs;
use std::path::{Path, PathBuf};

use super::checkpoint;
use crate::error::{Error, Result};
use crate::files::{FolderLock, set_aside, sweep};

/// Name of the best checkpoint, in the run's folder.
pub const BEST: &str = "best.ckpt";

/// A run's folder, locked for this process.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: FolderLock,
}

impl RunFolder {
    /// Makes or takes a folder, for a new run or to resume from a checkpoint, and clears what killed processes left.
    ///
    /// # Errors
    /// [`Error::Usage`] if it holds another run, [`Error::Content`] if another process writes into it.
    pub fn open(path: &Path, resume: Option<&Path>) -> Result<Self> {
        let lock = FolderLock::take(path)?;
        let folder = Self { path: path.to_path_buf(), _lock: lock };
        if let Some(last) = checkpoint::list(&folder.checkpoints())?.last()
            && !resume.is_some_and(|from| folder.owns(from))
        {
            let step = checkpoint::step_of(last).unwrap_or_default();
            let problem = format!("{} already holds a run, at step {step}", path.display());
            let advice = format!("give another --out, or resume that run with --resume {}", path.display());
            return Err(Error::usage("--out", problem, advice));
        }
        for part in [path.to_path_buf(), folder.checkpoints(), folder.samples()] {
            sweep(&part);
        }
        Ok(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The folder of sheets.
    pub fn samples(&self) -> PathBuf {
        self.path.join("samples")
    }

    /// Whether a checkpoint is one of this run's.
    pub fn owns(&self, checkpoint: &Path) -> bool {
        let same = |a: &Path, b: &Path| matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b);
        of_checkpoint(checkpoint).is_some_and(|run| same(run, &self.path)) && checkpoint.exists()
    }

    /// The checkpoints after a step.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read.
    pub fn later(&self, step: u64) -> Result<Vec<PathBuf>> {
        let mut found = checkpoint::list(&self.checkpoints())?;
        found.retain(|path| checkpoint::step_of(path).is_some_and(|s| s > step));
        Ok(found)
    }

    /// Renames the checkpoints after a step, since the run will take these steps again, and gives their new names.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read or a file not be renamed.
    pub fn rewind(&self, step: u64) -> Result<Vec<PathBuf>> {
        self.later(step)?.iter().map(|path| set_aside(path)).collect()
    }
}

/// The run's folder that a checkpoint lies in.
pub fn of_checkpoint(checkpoint: &Path) -> Option<&Path> {
    let here = |path: &'_ Path| path.as_os_str().is_empty();
    let named = |path: &Path, wanted: &str| path.file_name().is_some_and(|name| name == wanted);
    let folder = checkpoint.parent()?;
    if named(checkpoint, BEST) && folder.join("checkpoints").is_dir() {
        return Some(if here(folder) { Path::new(".") } else { folder });
    }
    let run = folder.parent().map(|run| if here(run) { Path::new(".") } else { run });
    run.filter(|_| named(folder, "checkpoints"))
}

/// The newest checkpoint of a run's folder, or the file itself.
///
/// # Errors
/// [`Error::Content`] if the folder holds none.
pub fn newest(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    let inside = path.join("checkpoints");
    let folder = if inside.is_dir() { inside } else { path.to_path_buf() };
    checkpoint::list(&folder)?.pop().ok_or_else(|| Error::Content {
        file: folder.display().to_string(),
        problem: "holds no checkpoint".into(),
        advice: "give a .ckpt file, or the --out folder of a run".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_the_folder_is_only_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        let at = run.join("checkpoints").join(checkpoint::name(40));
        let left = run.join("checkpoints/.rg-flow-killed.tmp");
        drop(RunFolder::open(&run, None).unwrap());
        fs::create_dir(run.join("checkpoints")).unwrap();
        fs::write(&at, "40").unwrap();
        fs::write(&left, "half").unwrap();
        let elsewhere = dir.path().join(checkpoint::name(40));
        fs::copy(&at, &elsewhere).unwrap();
        for resume in [None, Some(elsewhere.as_path())] {
            let error = RunFolder::open(&run, resume).unwrap_err().to_string();
            assert!(["step 40", "--resume", "another --out"].iter().all(|part| error.contains(part)), "{error}");
        }
        assert!(left.exists(), "a refused run touches nothing");
        let folder = RunFolder::open(&run, Some(&at)).unwrap();
        assert!(!left.exists() && at.exists());
        assert!(RunFolder::open(&run, Some(&at)).unwrap_err().to_string().contains("another run is writing"));
        drop(folder);
        RunFolder::open(&run, Some(&at)).unwrap();
    }

    #[test]
    fn later_checkpoints_are_renamed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::open(dir.path(), None).unwrap();
        fs::create_dir(folder.checkpoints()).unwrap();
        let at = |name: &str| folder.checkpoints().join(name);
        for name in ["step-00000010.ckpt", "step-00000020.ckpt", "step-00000030.ckpt", "best.ckpt"] {
            fs::write(at(name), name).unwrap();
        }
        let renamed = folder.rewind(10).unwrap();
        assert_eq!(renamed, [at("step-00000020.ckpt.old"), at("step-00000030.ckpt.old")]);
        assert_eq!(checkpoint::list(&folder.checkpoints()).unwrap(), [at("step-00000010.ckpt")]);
        assert!(at("best.ckpt").exists() && folder.rewind(10).unwrap().is_empty());
    }

    #[test]
    fn a_checkpoint_knows_its_run() {
        assert_eq!(of_checkpoint(Path::new("runs/a/checkpoints/x.ckpt")), Some(Path::new("runs/a")));
        assert_eq!(of_checkpoint(Path::new("checkpoints/x.ckpt")), Some(Path::new(".")));
        assert_eq!(of_checkpoint(Path::new("downloads/x.ckpt")), None);
        let dir = tempfile::tempdir().unwrap();
        let best = dir.path().join(BEST);
        assert_eq!(of_checkpoint(&best), None);
        fs::create_dir(dir.path().join("checkpoints")).unwrap();
        assert_eq!(of_checkpoint(&best), Some(dir.path()));
    }
}
