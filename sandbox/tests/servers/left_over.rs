//! However a sandbox's process ends, no process and no directory is left.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox::Sandbox;
use tempfile::TempDir;

const ROLE: &str = "SANDBOX_TEST_ROLE";

#[test]
fn a_normal_end_leaves_nothing_while_another_sandbox_goes_on() {
    let goes_on = Sandbox::shared();
    let ends = Sandbox::start().unwrap();
    assert!(command_of(process_of_registry(&ends)).contains("apicurio-registry"));
    assert_ne!(goes_on.postgres().port(), ends.postgres().port());
    assert_ne!(goes_on.kafka().brokers(), ends.kafka().brokers());
    let traces = Traces::of(ends.directory());
    drop(ends);
    traces.assert_gone_within(Duration::ZERO);
    Traces::of(goes_on.directory()).assert_there();
    goes_on.postgres().create_database("goes_on").unwrap();
}

#[test]
fn a_panic_leaves_nothing_of_a_sandbox_that_is_dropped() {
    let (say, heard) = std::sync::mpsc::channel();
    let panicked = std::thread::spawn(move || {
        let sandbox = Sandbox::start().unwrap();
        say.send(Traces::of(sandbox.directory())).unwrap();
        panic!("a test that fails");
    });
    assert!(panicked.join().is_err());
    heard.recv().unwrap().assert_gone_within(Duration::ZERO);
}

/// The test runs itself once more: in the role of a test program that fails.
#[test]
fn a_failing_test_program_leaves_nothing_of_a_sandbox_that_is_never_dropped() {
    if std::env::var_os(ROLE).is_some() {
        println!("directory {}", Sandbox::shared().directory().display());
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        panic!("a test that fails");
    }
    let name =
        "left_over::a_failing_test_program_leaves_nothing_of_a_sandbox_that_is_never_dropped";
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ROLE, "fails")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
    let directory =
        lines.find_map(|line| Some(PathBuf::from(line.split_once("directory ")?.1))).unwrap();
    let traces = Traces::of(&directory);
    traces.assert_there();
    drop(program.stdin.take());
    lines.for_each(drop);
    assert!(!program.wait().unwrap().success());
    traces.assert_gone_within(Duration::from_secs(15));
}

#[test]
fn kill_9_of_its_process_leaves_nothing() {
    let (mut up, traces) = sandbox_up(&[], &[]);
    traces.assert_there();
    assert!(!traces.has_registry(), "nobody asked for one");
    signal(&up, Signal::SIGKILL);
    up.wait().unwrap();
    traces.assert_gone_within(Duration::from_secs(15));
}

#[test]
fn kill_9_leaves_nothing_of_a_schema_registry() {
    let (mut up, traces) = sandbox_up(&["--registry"], &[]);
    traces.assert_there();
    assert!(traces.has_registry());
    signal(&up, Signal::SIGKILL);
    up.wait().unwrap();
    traces.assert_gone_within(Duration::from_secs(15));
}

#[test]
fn kill_9_leaves_nothing_while_a_child_of_the_process_lives_on() {
    let (mut up, traces) = sandbox_up(&[], &["--", "sleep", "300"]);
    let children = children_of(&up);
    signal(&up, Signal::SIGKILL);
    up.wait().unwrap();
    traces.assert_gone_within(Duration::from_secs(15));
    let sleeps: Vec<i32> =
        children.into_iter().filter(|child| command_of(*child).contains("sleep")).collect();
    assert_eq!(sleeps.len(), 1, "the command of the user is not the sandbox's to end");
    kill(Pid::from_raw(sleeps[0]), Signal::SIGKILL).unwrap();
}

#[test]
fn ctrl_c_ends_it_well_and_leaves_nothing() {
    let (mut up, traces) = sandbox_up(&["--registry"], &[]);
    signal(&up, Signal::SIGINT);
    let status = up.wait().unwrap();
    assert!(status.success(), "{status}");
    traces.assert_gone_within(Duration::ZERO);
}

/// Ctrl-C while the servers still start.
#[test]
fn ctrl_c_in_the_middle_of_the_start_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    open_to_all(temporary.path());
    for moment_ms in [50, 300, 900, 1_800, 2_500, 4_500] {
        let mut up = Command::new(env!("CARGO_BIN_EXE_sandbox"))
            .args(["up", "--registry"])
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(moment_ms));
        signal(&up, Signal::SIGINT);
        up.wait().unwrap();
        let is_empty = || std::fs::read_dir(temporary.path()).unwrap().next().is_none();
        assert!(soon(Duration::from_secs(15), is_empty), "something is left after {moment_ms} ms");
        let is_alone = || processes_that_mention(temporary.path()).is_empty();
        assert!(soon(Duration::from_secs(15), is_alone), "a process is left after {moment_ms} ms");
    }
}

/// Everything that a running sandbox would leave behind: its directory, and the processes that work
/// in it.
struct Traces {
    directory: PathBuf,
    /// What it lies in, when that is the test's own.
    _temporary: Option<TempDir>,
}

impl Traces {
    fn of(directory: &Path) -> Traces {
        Traces { directory: directory.to_path_buf(), _temporary: None }
    }

    fn assert_there(&self) {
        assert!(self.directory.is_dir());
        let processes = processes_that_mention(&self.directory);
        // The guardian, PostgreSQL and Kafka at least.
        assert!(processes.len() >= 3, "{processes:?}");
    }

    fn has_registry(&self) -> bool {
        processes_that_mention(&self.directory)
            .iter()
            .any(|process| process.contains("apicurio-registry"))
    }

    fn assert_gone_within(&self, within: Duration) {
        let ending = PathBuf::from(format!("{}.ending", self.directory.display()));
        assert!(
            soon(within, || !self.directory.exists() && !ending.exists()),
            "the directory is left"
        );
        // PostgreSQL's own children take a moment longer.
        let within = within.max(Duration::from_secs(2));
        let is_alone = || processes_that_mention(&self.directory).is_empty();
        assert!(soon(within, is_alone), "{:?} are left", processes_that_mention(&self.directory));
    }
}

/// Starts `sandbox up` with options and a command, and waits until its servers are up.
fn sandbox_up(options: &[&str], command: &[&str]) -> (Child, Traces) {
    let temporary = tempfile::tempdir().unwrap();
    open_to_all(temporary.path());
    let mut up = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .arg("up")
        .args(options)
        .args(command)
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    if command.is_empty() {
        let mut line = String::new();
        BufReader::new(up.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("export AUDIT_DATABASE_URL=postgres://"), "{line}");
    } else {
        let runs =
            || children_of(&up).into_iter().any(|child| command_of(child).starts_with("sleep"));
        assert!(soon(Duration::from_secs(60), runs));
    }
    let directory = std::fs::read_dir(temporary.path()).unwrap().next().unwrap().unwrap().path();
    (up, Traces { directory, _temporary: Some(temporary) })
}

fn process_of_registry(sandbox: &Sandbox) -> i32 {
    i32::try_from(sandbox.registry().process_id().unwrap()).unwrap()
}

/// PostgreSQL runs as another user when the tests run as root.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711)).unwrap();
}

fn signal(process: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(process.id()).unwrap()), signal).unwrap();
}

fn soon(within: Duration, is_so: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + within;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn ps(columns: &str) -> Vec<String> {
    let output = Command::new("ps").args(["-A", "-ww", "-o", columns]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_string).collect()
}

/// What the command lines of running processes say that name this path.
fn processes_that_mention(path: &Path) -> Vec<String> {
    let path = path.display().to_string();
    ps("pid=,args=").into_iter().filter(|line| line.contains(&path)).collect()
}

fn children_of(process: &Child) -> Vec<i32> {
    let parent = process.id().to_string();
    let numbers = |line: &String| {
        let mut words = line.split_whitespace();
        let child = words.next()?.parse().ok()?;
        (words.next()? == parent).then_some(child)
    };
    ps("pid=,ppid=").iter().filter_map(numbers).collect()
}

fn command_of(process: i32) -> String {
    let lines = ps("pid=,args=");
    let own = lines.iter().find_map(|line| {
        let (id, command) = line.trim_start().split_once(' ')?;
        (id == process.to_string()).then(|| command.trim().to_string())
    });
    own.unwrap_or_default()
}
