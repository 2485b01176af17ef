//! `script/bootstrap`, on computers that lack things: a PATH with only what each test puts there.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What the script itself runs, which every system has.
const ALWAYS_THERE: [&str; 11] =
    ["bash", "sh", "sed", "cut", "dirname", "head", "id", "ls", "env", "true", "ln"];

#[test]
fn is_quick_and_silent_when_all_is_there() {
    // Once before, so that a cold cache of the disk doesn't count.
    Command::new(script()).output().unwrap();
    let started = Instant::now();
    let output = Command::new(script()).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    // A second is the promise; the tests beside this one take their share of the processors.
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn lists_everything_missing_at_once_where_it_cannot_install() {
    let computer = Computer::with(&[]);
    let output = computer.bootstrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for what in [
        "Rust 1.",
        "C compiler",
        "C++ compiler",
        "make",
        "pkg-config",
        "OpenSSL",
        "Java 17",
        "Maven",
    ] {
        assert!(stderr.contains(what), "{what} is not in:\n{stderr}");
    }
    assert!(stderr.contains("https://rustup.rs") && stderr.contains("libssl-dev"), "{stderr}");
}

#[test]
fn says_which_packages_it_installs_and_installs_them() {
    let computer = Computer::with(&["cargo", "rustc"]);
    computer.add_script("sudo", "if [ \"$1\" = -n ]; then shift; fi; exec \"$@\"");
    let brought = ["cc", "c++", "make", "pkg-config", "java"].map(real).join(" ");
    let folder = computer.folder().display();
    // The script looks whether Maven is there, and doesn't run it.
    let install = format!("ln -s {brought} {folder}; ln -s {} {folder}/mvn", real("true"));
    computer.add_script(
        "apt-get",
        &format!("echo \"apt-get $*\" >&2; if [ \"$1\" = install ]; then {install}; fi"),
    );
    let output = computer.bootstrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    let said = stderr.find("installing through apt-get").unwrap();
    let done = stderr.find("apt-get install -y").unwrap();
    assert!(said < done, "{stderr}");
    for package in ["gcc", "g++", "make", "pkg-config", "maven"] {
        assert_eq!(stderr.matches(&format!(" {package}")).count(), 2, "{package}:\n{stderr}");
    }
}

#[test]
fn installs_nothing_when_it_is_only_to_check() {
    let computer = Computer::with(&[]);
    computer.add_script("apt-get", "echo was called >&2");
    let output = computer.command().arg("--check").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("sudo apt-get install") && !stderr.contains("was called"), "{stderr}");
}

#[test]
fn brings_cargo_shear_for_the_tests_alone_and_once() {
    let computer = Computer::with(&["rustc", "cc", "c++", "make", "pkg-config", "java"]);
    for program in ["mvn", "xz", "python3"] {
        symlink(real("true"), computer.folder().join(program)).unwrap();
    }
    let installed = computer.folder().join("installed");
    let installed = installed.display();
    computer.add_script(
        "cargo",
        &format!(
            "case $1 in shear) [ -e {installed} ];; install) echo \"cargo $*\" >&2; : >{installed};; esac"
        ),
    );
    let said = |arguments: &[&str]| {
        let output = computer.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(said(&[]), "");
    assert!(said(&["--tests"]).contains("cargo install --quiet --locked --debug cargo-shear@"));
    assert_eq!(said(&["--tests"]), "");
}

struct Computer(TempDir);

impl Computer {
    fn with(programs: &[&str]) -> Computer {
        let computer = Computer(tempfile::tempdir().unwrap());
        for program in ALWAYS_THERE.iter().chain(programs) {
            symlink(real(program), computer.folder().join(program)).unwrap();
        }
        computer
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn add_script(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(real("bash"));
        command.arg(script()).env("PATH", self.folder()).env("XDG_CACHE_HOME", self.folder());
        for variable in [
            "JAVA_HOME",
            "KAFKA_HOME",
            "OPENSSL_DIR",
            "SANDBOX_BROKERS",
            "SANDBOX_SCHEMA_REGISTRY_URL",
        ] {
            command.env_remove(variable);
        }
        command
    }

    fn bootstrap(&self) -> Output {
        self.command().output().unwrap()
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../script/bootstrap")
}

/// The path of a program that this computer has.
fn real(program: &str) -> String {
    let path = std::env::var_os("PATH").unwrap();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    found.unwrap().display().to_string()
}
