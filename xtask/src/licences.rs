//! `cargo xtask licences`: the licences of everything that the page and the trainer are made of, as two text files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::env::Env;
use crate::process::{output, shown};
use crate::versions::WASM_TARGET;

/// A program that is given out, the file that tells its licences, and how its packages are listed.
struct Product {
    title: &'static str,
    file: &'static str,
    tree: &'static [&'static str],
}

const PRODUCTS: [Product; 2] = [
    Product {
        title: "RG-Flow's page",
        file: "web/licences.txt",
        tree: &["--package", "web", "--no-default-features", "--features", "gpu", "--target", WASM_TARGET],
    },
    Product { title: "RG-Flow's trainer", file: "trainer/licences.txt", tree: &["--package", "trainer"] },
];

/// Writes both files.
///
/// # Errors
/// Cargo does not answer, a package is not on this machine, a file cannot be written.
pub fn licences(env: &Env) -> Result<()> {
    for product in PRODUCTS {
        let (path, text) = (env.root.join(product.file), made(env, &product)?);
        fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}: {} kB", product.file, text.len() / 1000);
    }
    Ok(())
}

/// Whether both files name the packages that they should.
///
/// # Errors
/// One that does not, or as [`licences`].
pub fn check(env: &Env) -> Result<()> {
    for product in PRODUCTS {
        let old = fs::read_to_string(env.root.join(product.file)).unwrap_or_default();
        let listed = packages(env, &product)?;
        if let Some(missing) = listed.iter().find(|package| !old.contains(&package.line())) {
            bail!("{} does not tell of {}: run `cargo xtask licences`", product.file, missing.line());
        }
    }
    Ok(())
}

/// A package and how it may be used.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
}

impl Package {
    /// A line of `cargo tree`; none for the project's own.
    fn parse(line: &str) -> Option<Self> {
        let (package, licence) = line.trim_end_matches(" (*)").split_once(';')?;
        let mut words = package.split(' ');
        let (name, version) = (words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned());
        let own = words.next().is_some_and(|word| word.starts_with("(/"));
        (!own).then(|| Self { name, version, licence: licence.to_owned() })
    }

    fn line(&self) -> String {
        format!("{} {} ({})", self.name, self.version, self.licence)
    }

    /// Of several licences to choose from, what the name of the chosen one's file says.
    fn chosen(&self) -> &'static [&'static str] {
        let allows = |name: &str| self.licence.contains(name) && !self.licence.contains(" AND ");
        if allows("MIT") {
            &["mit", "license", "licence", "copying"]
        } else if allows("Apache-2.0") {
            &["apache", "license", "licence", "copying"]
        } else {
            &["license", "licence", "copying", "notice"]
        }
    }
}

fn packages(env: &Env, product: &Product) -> Result<BTreeSet<Package>> {
    let mut cmd = env.cargo();
    cmd.args(["tree", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p};{l}"]).args(product.tree);
    let lines = output(&mut cmd).with_context(|| format!("`{}` failed", shown(&cmd)))?;
    Ok(lines.lines().filter_map(Package::parse).collect())
}

/// The text of a product's file.
fn made(env: &Env, product: &Product) -> Result<String> {
    let packages = packages(env, product)?;
    let sources = sources()?;
    let mut list = String::new();
    // Texts by what is left of them without white space, with the packages that have them.
    let mut texts: BTreeMap<String, (String, Vec<&str>)> = BTreeMap::new();
    for package in &packages {
        let folder = format!("{}-{}", package.name, package.version);
        let folder = sources.iter().map(|root| root.join(&folder)).find(|folder| folder.is_dir());
        let folder = folder.with_context(|| format!("{} is not here: run `cargo fetch`", package.line()))?;
        writeln!(list, "{}", package.line())?;
        for file in files(&folder, package.chosen())? {
            let whole = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
            let (owners, text) = parted(&whole);
            owners.iter().try_for_each(|owner| writeln!(list, "    {owner}"))?;
            let key = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
            if !key.is_empty() {
                let entry = texts.entry(key).or_insert((text, Vec::new()));
                if entry.1.last() != Some(&package.name.as_str()) {
                    entry.1.push(&package.name);
                }
            }
        }
    }
    let mut text = format!(
        "{}: licences\n\nIts own code: MIT or Apache-2.0, as you like. It is made with these packages, whose authors keep \
         their rights.\nBelow the list are the texts, each once.\n\n{list}",
        product.title
    );
    let mut texts: Vec<_> = texts.into_values().collect();
    texts.sort_by_key(|(text, of)| (std::cmp::Reverse(of.len()), text.clone()));
    for (licence, of) in texts {
        write!(text, "\n{}\nOf {}:\n\n{licence}\n", "=".repeat(80), of.join(", "))?;
    }
    Ok(text)
}

/// Where cargo unpacks packages.
fn sources() -> Result<Vec<PathBuf>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let registry = home.context("where is cargo's folder? set CARGO_HOME")?.join("registry/src");
    let entries = fs::read_dir(&registry).with_context(|| format!("cannot list {}", registry.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

/// A package's licence files: those whose name has the first of these words that any has.
fn files(folder: &Path, words: &[&str]) -> Result<Vec<PathBuf>> {
    let mut all: Vec<(String, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let about = ["license", "licence", "copying", "notice", "unlicense"].iter().any(|word| name.starts_with(word));
        if about && entry.path().is_file() && !name.ends_with(".rs") {
            all.push((name, entry.path()));
        }
    }
    all.sort();
    let named = |word: &str| all.iter().any(|(name, _)| name.contains(word));
    let Some(word) = words.iter().copied().find(|word| named(word)) else { return Ok(vec![]) };
    Ok(all.into_iter().filter(|(name, _)| name.contains(word)).map(|(_, path)| path).collect())
}

/// Who holds the rights, and the text without that and without its title.
fn parted(whole: &str) -> (Vec<String>, String) {
    let (mut owners, mut text) = (Vec::new(), String::new());
    for line in whole.lines().map(str::trim_end) {
        let plain = line.trim().to_lowercase();
        // A template's own words are no owner.
        let owner = plain.starts_with("copyright") && plain.contains(|c: char| c.is_ascii_digit() || c == '©');
        let owner = owner || plain.starts_with("copyright (c) ") || plain.starts_with("copyright the ");
        if owner && !plain.contains("[yyyy]") {
            owners.push(line.trim().to_owned());
        } else if !["mit license", "the mit license", "the mit license (mit)", "mit license (mit)"]
            .contains(&plain.as_str())
        {
            text.push_str(line);
            text.push('\n');
        }
    }
    (owners, text.trim_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_and_the_projects_own_left_out() {
        let package = Package::parse("half v2.7.1;MIT OR Apache-2.0 (*)").unwrap();
        assert_eq!(package.line(), "half 2.7.1 (MIT OR Apache-2.0)");
        assert_eq!(package.chosen()[0], "mit");
        assert_eq!(Package::parse("web v0.1.0 (/p/web);MIT OR Apache-2.0"), None);
        assert_eq!(Package::parse("x v1.0.0;(MIT OR Apache-2.0) AND Unicode-3.0").unwrap().chosen()[0], "license");
    }

    #[test]
    fn owners_are_told_apart_from_the_text() {
        let (owners, text) = parted("MIT License\n\nCopyright (c) 2020 A. B.\n\nPermission is\nhereby granted\n");
        assert_eq!(
            (owners.as_slice(), text.as_str()),
            (&["Copyright (c) 2020 A. B.".to_owned()][..], "Permission is\nhereby granted")
        );
        let (owners, _) = parted("copyright notice that is included\nCopyright [yyyy] [name of copyright owner]");
        assert!(owners.is_empty(), "{owners:?}");
    }

    #[test]
    fn the_right_files_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "license.rs"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        assert_eq!(files(dir.path(), &["mit", "license"]).unwrap(), [dir.path().join("LICENSE-MIT")]);
        assert_eq!(files(dir.path(), &["license"]).unwrap().len(), 2);
        assert!(files(dir.path(), &["notice"]).unwrap().is_empty());
    }
}
