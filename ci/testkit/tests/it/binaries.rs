//! The obtained binaries run and report their version.

use std::process::Command;

#[test]
fn both_binaries_say_the_version_that_was_promised() {
    let Some(found) = etcd_testkit::require() else { return };
    for path in [&found.etcd, &found.etcdctl] {
        let argument = if path == &found.etcd { "--version" } else { "version" };
        let output = Command::new(path).arg(argument).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap().to_lowercase();
        assert!(text.contains(&format!("version: {}", found.version)), "{}: {text}", path.display());
    }
}

#[test]
fn the_line_that_was_asked_for_is_the_line_that_is_found() {
    let Some(line) = etcd_testkit::Line::from_env().unwrap() else { return };
    let Some(found) = etcd_testkit::require() else { return };
    assert_eq!(found.version.line(), line);
}
