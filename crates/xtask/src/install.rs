//! The tools that checks need and the house brings itself: buf from npm, Python with its libraries.
//!
//! Each is installed once and again when its list of versions changes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    repo::{self, Repo},
    screen,
};

/// Returns the program `buf`, installing it into `tools/buf/node_modules` when it is not there yet.
pub(crate) fn buf(repo: &Repo) -> Result<PathBuf> {
    let folder = repo.root.join("tools/buf");
    let lock = read(&folder.join("package-lock.json"))?;
    let stamp = folder.join("node_modules/.installed-lock");
    let program = folder.join("node_modules/.bin/buf");
    if is_installed(&stamp, &lock) && program.exists() {
        return Ok(program);
    }
    if !repo::works(repo.command("npm").arg("--version")) {
        bail!("npm is missing: install Node.js 20 or newer, which brings it");
    }
    screen::say("installing buf from npm");
    repo::succeed(repo.command("npm").arg("ci").current_dir(&folder)).context("install buf")?;
    fs::write(&stamp, lock).with_context(|| format!("write `{}`", stamp.display()))?;
    Ok(program)
}

/// Returns a Python with what `requirements.txt` in a folder of `tests` lists, in an environment inside the target folder.
pub(crate) fn python(repo: &Repo, folder: &str) -> Result<PathBuf> {
    let requirements = repo
        .root
        .join("tests")
        .join(folder)
        .join("requirements.txt");
    let Ok(version) = repo::output(repo.command("python3").arg("--version")) else {
        bail!(
            "python3 is missing: install Python 3.10 or newer (on Debian: python3, python3-venv)"
        );
    };
    let wanted = version + &read(&requirements)?;
    let venv = repo.target.join(format!("venv-{folder}"));
    let stamp = venv.join("installed-requirements");
    let python = venv.join("bin/python3");
    if is_installed(&stamp, &wanted) && python.exists() {
        return Ok(python);
    }
    screen::say(&format!(
        "installing the Python libraries of tests/{folder}"
    ));
    repo::succeed(
        repo.command("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&venv),
    )
    .context(
        "make a Python environment: is Python's venv module missing (on Debian: python3-venv)?",
    )?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ];
    repo::succeed(repo.command(&python).args(install).arg(&requirements))
        .with_context(|| format!("install the Python libraries of tests/{folder}"))?;
    fs::write(&stamp, wanted).with_context(|| format!("write `{}`", stamp.display()))?;
    Ok(python)
}

fn is_installed(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|installed| installed == wanted)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("read `{}`", path.display()))
}
