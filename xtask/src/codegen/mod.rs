//! `cargo xtask codegen`: writes or compares the generated files of the workspace.

mod annotations;
mod errors;
mod proto;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

/// A folder with generated files only. A file in it that no generator writes is a leftover.
const PROTO_DIR: &str = "etcd-proto/src/generated";
const ERRORS_TABLE: &str = "etcd-errors/table/v3rpc.tsv";
const ERRORS_OUTPUT: &str = "etcd-errors/src/code/generated.rs";

/// A generated file: its path below the workspace root and its text.
#[derive(Debug)]
struct Output {
    path: PathBuf,
    text: String,
}

/// Writes all generated files. With `check`, compares them to the files in the repository instead.
///
/// # Errors
///
/// Returns an error if a generator fails, if a file cannot be read or written, or if `check` finds a difference. The
/// error names each file and the command that updates it.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace root")?;
    let outputs = generate(root)?;
    let leftovers = leftovers(root, &outputs)?;
    if check { compare(root, &outputs, &leftovers) } else { write(root, &outputs, &leftovers) }
}

fn generate(root: &Path) -> Result<Vec<Output>> {
    let mut outputs = Vec::new();
    for (name, text) in proto::generate(&root.join("etcd-proto/proto"))? {
        outputs.push(Output { path: Path::new(PROTO_DIR).join(name), text });
    }
    let table = fs::read_to_string(root.join(ERRORS_TABLE)).context(ERRORS_TABLE)?;
    outputs.push(Output { path: ERRORS_OUTPUT.into(), text: errors::generate(&table)? });
    Ok(outputs)
}

/// Returns the files of the generated folder that no generator writes.
fn leftovers(root: &Path, outputs: &[Output]) -> Result<Vec<PathBuf>> {
    let directory = root.join(PROTO_DIR);
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).context(PROTO_DIR)? {
        let path = Path::new(PROTO_DIR).join(entry?.file_name());
        if !outputs.iter().any(|output| output.path == path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn write(root: &Path, outputs: &[Output], leftovers: &[PathBuf]) -> Result<()> {
    for Output { path, text } in outputs {
        let target = root.join(path);
        if let Some(directory) = target.parent() {
            fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        // An unchanged file keeps its time stamp, which avoids a rebuild.
        if fs::read_to_string(&target).ok().as_ref() != Some(text) {
            fs::write(&target, text).with_context(|| path.display().to_string())?;
        }
    }
    for path in leftovers {
        fs::remove_file(root.join(path)).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn compare(root: &Path, outputs: &[Output], leftovers: &[PathBuf]) -> Result<()> {
    let drifted: Vec<String> = outputs
        .iter()
        .filter(|output| fs::read_to_string(root.join(&output.path)).ok().as_ref() != Some(&output.text))
        .map(|output| format!("{} is missing or out of date", output.path.display()))
        .chain(leftovers.iter().map(|path| format!("{} is no longer generated", path.display())))
        .collect();
    ensure!(drifted.is_empty(), "{}\nrun `cargo xtask codegen` and commit the result", drifted.join("\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_reported_with_the_command_that_fixes_it() {
        let root = std::env::temp_dir().join(format!("codegen-drift-{}", std::process::id()));
        let outputs = [Output { path: Path::new(PROTO_DIR).join("a.rs"), text: "new\n".into() }];
        let message = |leftovers: &[PathBuf]| compare(&root, &outputs, leftovers).map_err(|e| e.to_string());

        let missing = message(&[]).expect_err("nothing was written yet");
        assert!(missing.contains("etcd-proto/src/generated/a.rs"), "{missing}");
        assert!(missing.contains("cargo xtask codegen"), "{missing}");

        write(&root, &outputs, &[]).expect("the temporary folder is writable");
        assert_eq!(message(&leftovers(&root, &outputs).expect("the folder exists")), Ok(()));

        fs::write(root.join(PROTO_DIR).join("a.rs"), "edited\n").expect("writable");
        fs::write(root.join(PROTO_DIR).join("b.rs"), "").expect("writable");
        let drift =
            message(&leftovers(&root, &outputs).expect("the folder exists")).expect_err("edited by hand");
        assert!(drift.contains("a.rs is missing or out of date"), "{drift}");
        assert!(drift.contains("b.rs is no longer generated"), "{drift}");

        write(&root, &outputs, &leftovers(&root, &outputs).expect("the folder exists")).expect("writable");
        assert_eq!(message(&leftovers(&root, &outputs).expect("the folder exists")), Ok(()));
        fs::remove_dir_all(&root).expect("the folder was created above");
    }

    #[test]
    fn generated_files_are_up_to_date() {
        run(true).expect("generated files are current");
    }
}
