//! A Python with PyTorch, for the tests of the reader in Python.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::env::Env;
use crate::process::{on_path, output, run_within};
use crate::versions::{SAFETENSORS, TORCH};

/// Where PyTorch's wheels without CUDA are.
const CPU_WHEELS: &str = "https://download.pytorch.org/whl/cpu";

/// As long as an installation may take.
const LIMIT: Duration = Duration::from_secs(600);

/// The Python that `RG_FLOW_PYTHON` names, or one in target/python, in which torch and safetensors are installed.
///
/// # Errors
/// Why there is none, in words: a machine without a network has no PyTorch, and that is no failure of the tests.
pub fn with_torch(env: &Env) -> Result<PathBuf, String> {
    if let Some(own) = std::env::var_os("RG_FLOW_PYTHON").filter(|own| !own.is_empty()) {
        let own = PathBuf::from(own);
        return if imports(&own) { Ok(own) } else { Err(format!("{} has no torch or no safetensors", own.display())) };
    }
    let folder = env.target_dir().join("python");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if imports(&python) {
        return Ok(python);
    }
    let system = on_path("python3").ok_or("there is no python3")?;
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut steps = vec![(system, [words(&["-m", "venv"]), vec![folder.display().to_string()]].concat())];
    let install = words(&["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    // On a Mac PyTorch's usual wheels have no CUDA either.
    let index = if cfg!(target_os = "macos") { vec![] } else { words(&["--index-url", CPU_WHEELS]) };
    steps.push((python.clone(), [install.clone(), index, vec![format!("torch=={TORCH}")]].concat()));
    steps.push((python.clone(), [install, vec![format!("safetensors=={SAFETENSORS}")]].concat()));
    println!("installing PyTorch {TORCH} for the CPU into {}; RG_FLOW_PYTHON names another Python", folder.display());
    for (program, words) in steps {
        run_within(Command::new(program).args(words), LIMIT).map_err(|why| {
            format!("PyTorch could not be installed: {why:#}; RG_FLOW_PYTHON names a Python that has it")
        })?;
    }
    if imports(&python) { Ok(python) } else { Err("PyTorch was installed but cannot be imported".into()) }
}

fn imports(python: &Path) -> bool {
    output(Command::new(python).args(["-c", "import torch, safetensors.torch"])).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_no_python_has_no_torch() {
        assert!(!imports(Path::new("no-such-python")));
        assert!(!imports(Path::new("false")));
    }
}
