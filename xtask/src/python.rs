//! A Python with PyTorch, for the tests of the reader in Python.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::env::Env;
use crate::process::{on_path, output, run_within};
use crate::versions::{SAFETENSORS, TORCH};

/// Where PyTorch's wheels without CUDA are.
const CPU_WHEELS: [&str; 2] = ["--index-url", "https://download.pytorch.org/whl/cpu"];

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
    let failed = |why| format!("PyTorch could not be installed: {why:#}; RG_FLOW_PYTHON names a Python that has it");
    run_within(Command::new(system).args(["-m", "venv"]).arg(&folder), LIMIT).map_err(failed)?;
    println!("installing PyTorch {TORCH} for the CPU into {}; RG_FLOW_PYTHON names another Python", folder.display());
    let install = |index: &[&str], package: &str| {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run_within(Command::new(&python).args(pip).args(index).arg(package), LIMIT)
    };
    let torch = format!("torch=={TORCH}");
    // On a Mac PyTorch's usual wheels have no CUDA either.
    let small = if cfg!(target_os = "macos") { install(&[], &torch) } else { install(&CPU_WHEELS, &torch) };
    small
        .or_else(|why| {
            if cfg!(target_os = "macos") {
                return Err(why);
            }
            println!("{why:#}\nfetching PyTorch from Python's usual index instead; with CUDA it is several gigabytes");
            install(&[], &torch)
        })
        .map_err(failed)?;
    install(&[], &format!("safetensors=={SAFETENSORS}")).map_err(failed)?;
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
