//! The folders and files of the workspace.

#[cfg(feature = "testkit")]
use std::path::PathBuf;
#[cfg(feature = "testkit")]
use std::process::Command;
use std::{fs, path::Path};

use anyhow::{Context as _, Result};

/// A text file of the workspace, named by its path from the root with `/` between the parts.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Returns the root folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the root")
}

/// Returns the target directory.
#[cfg(feature = "testkit")]
pub(crate) fn target() -> PathBuf {
    let configured = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    root().join(configured.unwrap_or_else(|| "target".into()))
}

/// Returns a command of the cargo that runs this task, in the root folder.
#[cfg(feature = "testkit")]
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(arguments).env("CARGO_TERM_COLOR", "never");
    command
}

/// Reads every text file below the root, except build output, and sorts them by path.
pub(crate) fn files() -> Result<Vec<File>> {
    let mut found = Vec::new();
    collect(root(), &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<File>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                collect(&path, found)?;
            }
        } else if is_text(&name) {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            found.push(File { path: relative(&path), text });
        }
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    const ENDINGS: [&str; 8] = [".rs", ".toml", ".md", ".proto", ".sh", ".go", ".mod", ".txt"];
    ENDINGS.iter().any(|ending| name.ends_with(ending)) || name == "run" || name.starts_with("LICENSE-")
}

fn relative(path: &Path) -> String {
    let inside = path.strip_prefix(root()).expect("only paths below the root are listed");
    inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_finds_this_file_and_no_build_output() {
        let files = files().expect("the workspace is readable");
        assert!(files.iter().any(|file| file.path == "xtask/src/workspace.rs"));
        assert!(files.iter().all(|file| !file.path.starts_with("target/")));
    }
}
