//! What shells and `man` make of the completions and the manual pages.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::Audit;

/// `audit` without a database: these commands need none.
fn audit() -> Audit {
    Audit { database_url: String::new(), brokers: String::new() }
}

fn is_installed(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a program that is given a text.
fn fed(command: &mut Command, text: &str) -> Output {
    let spawned =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child =
        spawned.unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
    let stdin = child.stdin.take();
    let text = text.to_owned();
    let writer =
        std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(text.as_bytes())));
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(writer.join(), Ok(Some(Ok(())))), "{output:?}");
    output
}

#[test]
fn the_scripts_of_all_shells_are_read_where_those_are_installed() {
    let mut read = Vec::new();
    for (shell, asks) in [("bash", true), ("zsh", true), ("fish", true), ("elvish", false)] {
        let script = audit().succeed(&["completions", shell]);
        assert_eq!(
            script.contains(&format!("AUDIT_COMPLETE=\"{shell}\""))
                || script.contains(&format!("AUDIT_COMPLETE={shell} ")),
            asks,
            "{shell}"
        );
        assert!(asks || script.contains("replay-dlt"), "{shell}");
        if asks && is_installed(shell) {
            let output = fed(Command::new(shell).args(["-n", "/dev/stdin"]), &script);
            assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
            read.push(shell);
        }
    }
    eprintln!("completions read by {read:?} of bash, zsh and fish");
}

#[test]
fn manual_pages_are_written_for_each_command_and_groff_has_no_complaint_where_it_is_installed() {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let directory = folder.path().join("man1");
    audit().succeed(&["man", &directory.display().to_string()]);
    let mut pages: Vec<_> = std::fs::read_dir(&directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    pages.sort();
    let names: Vec<_> = pages.iter().filter_map(|page| page.file_stem()?.to_str()).collect();
    assert!(names.contains(&"audit") && names.contains(&"audit-replay-dlt"), "{names:?}");
    let main = std::fs::read_to_string(directory.join("audit.1")).unwrap_or_default();
    assert_eq!(audit().succeed(&["man"]), main);
    if !is_installed("groff") {
        eprintln!("groff is not installed: the pages were not set");
        return;
    }
    for page in &pages {
        let set =
            |page: &Path| Command::new("groff").args(["-ww", "-man", "-Tutf8"]).arg(page).output();
        let output = set(page).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", page.display());
        assert!(output.status.success() && !output.stdout.is_empty(), "{}", page.display());
    }
}
