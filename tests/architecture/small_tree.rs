//! What the tests of the architecture rest on, tried on small trees whose rules are broken on
//! purpose.

use std::fs;

use tempfile::TempDir;

use crate::imports::{Import, circles, circles_of_folders, imports};
use crate::modules::Workspace;

const MANIFEST: &str =
    "[workspace]\nmembers = [\"two-words\"]\n[package]\nname = \"one\"\nversion = \"0.0.0\"\n";
const MEMBER: &str = "[package]\nname = \"two-words\"\nversion = \"0.0.0\"\n";

/// Reads a workspace of these files, which are removed afterwards.
fn read(files: &[(&str, &str)]) -> Workspace {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let manifests = [("Cargo.toml", MANIFEST), ("two-words/Cargo.toml", MEMBER)];
    for (name, text) in manifests.iter().chain(files) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder"))
            .expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    Workspace::read(folder.path())
}

/// The imports of a tree, one a line.
fn found(files: &[(&str, &str)]) -> String {
    let found: Vec<String> = imports(&read(files)).iter().map(Import::to_string).collect();
    found.join("\n")
}

/// The circles of a tree, one a line.
fn found_circles(files: &[(&str, &str)]) -> String {
    told(&circles(&imports(&read(files))))
}

fn told(circles: &[Vec<Import>]) -> String {
    let circles: Vec<String> = circles
        .iter()
        .map(|circle| circle.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        .collect();
    circles.join("\n")
}

#[test]
fn two_files_that_import_each_other_are_found() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c;"),
        ("src/a.rs", "use crate::b::B; pub struct A;"),
        ("src/b.rs", "pub struct B; fn a(_: super::a::A) {}"),
        ("src/c.rs", "use crate::a::A;"),
    ];
    let circle = "src/a.rs -> src/b.rs (crate::b::B), src/b.rs -> src/a.rs (super::a::A)";
    assert_eq!(found_circles(&files), circle);
}

#[test]
fn a_longer_circle_is_found_through_macros_attributes_and_folders() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c;"),
        ("src/a.rs", "pub fn a() { println!(\"{}\", crate::b::NAME); }"),
        ("src/b/mod.rs", "mod name; pub use name::NAME;"),
        ("src/b/name.rs", "#[serde(with = \"crate::c::form\")] pub const NAME: &str = \"\";"),
        ("src/c.rs", "use crate::a; pub mod form {} fn c() { a::a() }"),
    ];
    assert_eq!(
        found_circles(&files),
        "src/a.rs -> src/b/name.rs (crate::b::NAME), \
         src/b/name.rs -> src/c.rs (crate::c::form), \
         src/c.rs -> src/a.rs (a::a)"
    );
}

#[test]
fn two_folders_that_import_each_other_are_found_though_no_two_files_do() {
    let files = [
        ("src/lib.rs", "mod read; mod write; mod json;"),
        ("src/read/mod.rs", "mod rows; mod row; pub use row::Row; pub use rows::rows;"),
        ("src/read/row.rs", "pub struct Row;"),
        ("src/read/rows.rs", "pub fn rows() { crate::write::flush() }"),
        ("src/write.rs", "use crate::read::Row; pub fn flush() {}"),
        ("src/json.rs", "mod text; pub struct Json(text::Text);"),
        ("src/json/text.rs", "pub struct Text;"),
    ];
    let imports = imports(&read(&files));
    assert_eq!(told(&circles(&imports)), "");
    assert_eq!(
        told(&circles_of_folders(&imports)),
        "src/read -> src/write (src/read/rows.rs: crate::write::flush), \
         src/write -> src/read (src/write.rs: crate::read::Row)"
    );
}

#[test]
fn a_tree_without_circles_has_none() {
    let files = [
        ("src/lib.rs", "mod a; mod b; pub use a::A;"),
        ("src/a.rs", "use crate::b::B; pub struct A(B);"),
        ("src/b.rs", "pub struct B;"),
    ];
    assert_eq!(found_circles(&files), "");
}

#[test]
fn a_name_is_followed_to_the_file_that_defines_it() {
    let files = [
        ("src/lib.rs", "mod user; mod store; pub use store::Row as Line;"),
        ("src/store/mod.rs", "mod read; mod row; pub use read::*; pub use self::row::Row;"),
        ("src/store/read.rs", "use super::Row; pub fn read() -> Row { Row }"),
        ("src/store/row.rs", "pub struct Row;"),
        ("src/user.rs", "use crate::{Line, store}; fn user() -> Line { store::read() }"),
    ];
    assert_eq!(
        found(&files),
        "src/store/read.rs -> src/store/row.rs (super::Row)\n\
         src/user.rs -> src/store/mod.rs (crate::store)\n\
         src/user.rs -> src/store/read.rs (store::read)\n\
         src/user.rs -> src/store/row.rs (crate::Line)"
    );
}

#[test]
fn a_folder_that_uses_what_it_hands_on_imports_it() {
    let files = [
        ("src/lib.rs", "mod list;"),
        ("src/list/mod.rs", "mod entry; pub use entry::Entry; pub struct List(Vec<Entry>);"),
        ("src/list/entry.rs", "use super::List; pub struct Entry;"),
    ];
    let circle = "src/list/entry.rs -> src/list/mod.rs (super::List), \
                  src/list/mod.rs -> src/list/entry.rs (entry::Entry)";
    assert_eq!(found_circles(&files), circle);
}

#[test]
fn what_only_tests_have_is_left_out() {
    let files = [
        ("src/lib.rs", "mod a; mod b; #[cfg(test)] mod b_test;"),
        ("src/a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }"),
        (
            "src/b.rs",
            "use crate::a::A; pub struct B; impl B { #[cfg(test)] fn c() -> serde::C {} }",
        ),
        ("src/b_test.rs", "use crate::b::B;"),
    ];
    assert_eq!(found(&files), "src/b.rs -> src/a.rs (crate::a::A)");
    let workspace = read(&files);
    assert!(workspace.knows("src/b_test.rs") && !workspace.knows("src/c.rs"));
}

#[test]
fn crates_of_others_and_of_the_workspace_are_told_apart() {
    let files = [
        ("src/lib.rs", "mod rows; pub use tokio_postgres::Row;"),
        ("src/rows.rs", "use crate::Row; async fn rows() { tokio::time::sleep(two_words::LONG) }"),
        ("tests/all/main.rs", "mod support; use support::wait;"),
        ("tests/all/support.rs", "use one::Row; pub fn wait() { ::clap::Parser::parse() }"),
        ("two-words/src/lib.rs", "mod length; pub use length::LONG;"),
        ("two-words/src/length.rs", "pub const LONG: u8 = 0;"),
    ];
    assert_eq!(
        found(&files),
        "src/lib.rs -> tokio_postgres (tokio_postgres::Row)\n\
         src/rows.rs -> two-words/src/length.rs (two_words::LONG)\n\
         src/rows.rs -> tokio (tokio::time::sleep)\n\
         src/rows.rs -> tokio_postgres (crate::Row)\n\
         tests/all/main.rs -> tests/all/support.rs (support::wait)\n\
         tests/all/support.rs -> clap (::clap::Parser::parse)\n\
         tests/all/support.rs -> tokio_postgres (one::Row)"
    );
}
