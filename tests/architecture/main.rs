//! The architecture, held against every import of the workspace: which way the arrows point, what
//! each part may know, and how large files and folders may grow. No server is needed.
//!
//! What fails names the importing file, the imported one and the item.

mod imports;
mod modules;
mod names;
mod small_tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use imports::{Import, Target, circles, circles_of_folders};
use modules::{Workspace, entries};

/// They join what comes from one server with what goes to another.
const JOINING: &[&str] = &["ingest", "export", "replay", "anchor", "verification"];

/// Each speaks to one kind of server, and to nobody else's.
const SERVERS: &[&str] = &["kafka", "store", "registry"];

/// In these nothing waits and nothing is asked. They may import each other, but not in a circle,
/// which is a test of its own.
const PURE: &[&str] = &["event", "dead_letter", "filter", "ledger", "analysis", "evidence"];

/// The rooms of the library (folders and files of `src`), and the rooms that each may import.
fn rooms() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut rooms = BTreeMap::from([
        ("main", vec!["cli"]),
        ("lib", vec![]),
        (
            "cli",
            [JOINING, SERVERS, PURE, &["output", "value", "time", "host", "count_text"]].concat(),
        ),
        ("count_text", vec![]),
        ("host", vec![]),
        ("output", vec!["value", "time"]),
        ("value", vec!["time"]),
        ("time", vec![]),
    ]);
    rooms.extend(
        JOINING.iter().map(|room| {
            (*room, [SERVERS, PURE, &["value", "time", "host", "count_text"]].concat())
        }),
    );
    // Files are written by the renderers that write to stdout.
    rooms.entry("export").or_default().push("output");
    // Checkpoints are signed beside the recording, too.
    rooms.entry("ingest").or_default().push("anchor");
    rooms.extend(SERVERS.iter().map(|room| (*room, [PURE, &["time", "count_text"]].concat())));
    rooms.entry("store").or_default().push("value");
    rooms.extend(PURE.iter().map(|room| (*room, [PURE, &["time", "count_text"]].concat())));
    rooms
}

/// Crates that wait, ask a server, or read a command line.
const NOT_PURE: [&str; 8] = [
    "clap",
    "deadpool",
    "indicatif",
    "postgres_openssl",
    "rdkafka",
    "refinery",
    "tokio",
    "tokio_postgres",
];

fn workspace() -> &'static Workspace {
    static WORKSPACE: OnceLock<Workspace> = OnceLock::new();
    WORKSPACE.get_or_init(|| Workspace::read(Path::new(env!("CARGO_MANIFEST_DIR"))))
}

fn all_imports() -> &'static BTreeSet<Import> {
    static IMPORTS: OnceLock<BTreeSet<Import>> = OnceLock::new();
    IMPORTS.get_or_init(|| imports::imports(workspace()))
}

/// Imports from one file of the library to another, by their places below `src`.
fn within_library() -> impl Iterator<Item = (&'static str, &'static str, &'static Import)> {
    all_imports().iter().filter_map(|import| {
        let to = import.file()?.strip_prefix("src/")?;
        Some((import.from.strip_prefix("src/")?, to, import))
    })
}

/// The first name of a place: `store` of `store/read/events.rs`, `value` of `value.rs`.
fn room(place: &str) -> &str {
    place.split('/').next().unwrap_or(place).trim_end_matches(".rs")
}

#[track_caller]
fn assert_none<T: ToString>(rule: &str, broken: impl IntoIterator<Item = T>) {
    let broken: Vec<String> = broken.into_iter().map(|broken| broken.to_string()).collect();
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn imports_never_lead_back_to_the_file_where_they_began() {
    let circles = circles(all_imports());
    assert_none(
        "files that import each other, or in a longer circle",
        circles.iter().map(|circle| told(circle)),
    );
}

#[test]
fn folders_never_import_in_a_circle_either() {
    let circles = circles_of_folders(all_imports());
    assert_none("folders that import each other", circles.iter().map(|circle| told(circle)));
}

fn told(circle: &[Import]) -> String {
    circle.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n    ")
}

#[test]
fn a_room_of_the_library_imports_only_the_rooms_below_it() {
    let rooms = rooms();
    let files = source_files();
    let unknown: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.strip_prefix("src/"))
        .map(room)
        .filter(|room| !rooms.contains_key(room))
        .collect();
    assert_none("rooms without a place in this test", unknown);
    let broken = within_library()
        .filter(|(from, to, _)| room(from) != room(to) && !rooms[room(from)].contains(&room(to)));
    assert_none("imports against the arrows", broken.map(|(.., import)| import));
}

#[test]
fn within_the_store_reading_and_writing_stand_on_search_on_connection_on_errors() {
    let rank = |place: &str| match room(place) {
        "error" => 0,
        "connection" => 1,
        "search" => 2,
        "read" | "write" => 3,
        "mod" => 4,
        other => panic!("src/store/{other} has no place in this test"),
    };
    assert_none("imports against the arrows of the store", against_ranks("store/", rank));
}

#[test]
fn within_the_command_line_commands_stand_on_what_they_share_on_settings_on_the_terminal() {
    let rank = |place: &str| match room(place) {
        "ui" | "usage" => 0,
        "settings" => 1,
        "shared" => 2,
        "completion" => 3,
        "commands" => 4,
        "mod" => 5,
        other => panic!("src/cli/{other} has no place in this test"),
    };
    assert_none("imports against the arrows of the command line", against_ranks("cli/", rank));
}

/// Imports within a room that lead to another folder of the same rank, or of a higher one.
fn against_ranks(within: &str, rank: impl Fn(&str) -> u8) -> Vec<&'static Import> {
    within_library()
        .filter_map(|(from, to, import)| {
            let (from, to) = (from.strip_prefix(within)?, to.strip_prefix(within)?);
            (room(from) != room(to) && rank(from) <= rank(to)).then_some(import)
        })
        .collect()
}

#[test]
fn one_command_never_imports_another() {
    let broken = within_library().filter_map(|(from, to, import)| {
        let from = room(from.strip_prefix("cli/commands/")?);
        let to = room(to.strip_prefix("cli/commands/")?);
        (from != to && from != "mod").then_some(import)
    });
    assert_none("what two commands need belongs into src/cli/shared", broken);
}

#[test]
fn the_simulated_services_and_the_sandbox_never_import_audit() {
    let broken = all_imports().iter().filter(|import| {
        !["src/", "tests/", "benches/"].iter().any(|ours| import.from.starts_with(ours))
            && import.file().is_some_and(|to| to.starts_with("src/"))
    });
    assert_none("the contract between services and audit is fixtures/, not code", broken);
}

#[test]
fn pure_rooms_know_no_runtime_no_server_and_no_command_line() {
    let broken =
        outside("src/").filter(|(place, name, _)| is_pure(room(place)) && NOT_PURE.contains(name));
    assert_none("imports that end the purity of a room", broken.map(|(.., import)| import));
}

#[test]
fn the_command_line_never_speaks_to_postgresql_itself() {
    let broken = outside("src/cli/").filter(|(_, name, _)| *name == "tokio_postgres");
    assert_none(
        "what is asked of PostgreSQL belongs into src/store",
        broken.map(|(.., import)| import),
    );
}

#[test]
fn rdkafka_is_known_to_the_rooms_kafka_and_ingest_alone() {
    let broken = outside("src/").filter(|(place, name, _)| {
        name.starts_with("rdkafka") && !["kafka", "ingest"].contains(&room(place))
    });
    assert_none("what is asked of Kafka belongs into src/kafka", broken.map(|(.., import)| import));
}

fn is_pure(room: &str) -> bool {
    PURE.contains(&room) || ["output", "value", "time"].contains(&room)
}

/// Imports of somebody else's crates by files below this folder: the place, the crate's name, and
/// the import.
fn outside(below: &str) -> impl Iterator<Item = (&'static str, &'static str, &'static Import)> {
    all_imports().iter().filter_map(move |import| match &import.to {
        Target::Crate(name) => Some((import.from.strip_prefix(below)?, name.as_str(), import)),
        Target::File(_) => None,
    })
}

#[test]
fn every_source_file_belongs_to_a_crate() {
    let unknown = source_files().into_iter().filter(|file| !workspace().knows(file));
    assert_none("files that no `mod` line leads to", unknown);
}

#[test]
fn no_file_of_the_library_has_more_than_450_lines() {
    let long =
        source_files().into_iter().filter(|file| file.starts_with("src/")).filter_map(|file| {
            let lines = text(&file).lines().count();
            (lines > 450).then(|| format!("{file} has {lines}"))
        });
    assert_none("files to be split", long);
}

#[test]
fn no_folder_holds_more_than_15_source_files() {
    let mut by_folder = BTreeMap::<String, usize>::new();
    for file in source_files() {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        *by_folder.entry(folder).or_default() += 1;
    }
    let large = by_folder.iter().filter(|(_, files)| **files > 15);
    assert_none(
        "folders to be divided",
        large.map(|(folder, files)| format!("{folder} holds {files}")),
    );
}

#[test]
fn comments_are_at_most_100_columns_wide() {
    let mut wide = Vec::new();
    for file in source_files() {
        for (number, line) in text(&file).lines().enumerate() {
            let comment = line.trim_start();
            // Tables and addresses can't be broken.
            let is_table = comment.trim_start_matches(['/', '!']).trim_start().starts_with('|');
            let is_free = is_table || comment.contains("://");
            if comment.starts_with("//") && !is_free && line.chars().count() > 100 {
                wide.push(format!("{file}:{}", number + 1));
            }
        }
    }
    assert_none("comments to be wrapped", wide);
}

/// Every `.rs` file of the workspace's crates, relative to the workspace.
fn source_files() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                if !is_left_out(root, &path) {
                    waiting.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let path = path.strip_prefix(root).expect("it lies below the root");
                files.push(path.to_str().expect("names are UTF-8").to_owned());
            }
        }
    }
    files.sort();
    files
}

/// The fuzz target is a workspace of its own; what was built, and hidden folders, are no source.
fn is_left_out(root: &Path, folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.')
        || ["target", "fuzz"].map(|name| root.join(name)).contains(&folder.to_owned())
}

fn text(file: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("can't read {file}: {error}"))
}
