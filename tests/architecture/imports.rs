//! Which file imports what: every name is followed to the file that defines it, through the
//! `pub use` lines of the folders on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use crate::modules::{Module, Workspace};
use crate::names::{Segments, Use};

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A file of the workspace.
    File(String),
    /// A crate of somebody else's.
    Crate(String),
}

/// One file names something of another file or crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) to: Target,
    /// What it names, as it stands there.
    pub(crate) item: String,
}

impl Import {
    /// The file that is imported, if it is one of the workspace.
    pub(crate) fn file(&self) -> Option<&str> {
        match &self.to {
            Target::File(file) => Some(file),
            Target::Crate(_) => None,
        }
    }
}

impl fmt::Display for Import {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Target::File(to) | Target::Crate(to)) = &self.to;
        write!(formatter, "{} -> {to} ({})", self.from, self.item)
    }
}

/// All imports of a workspace, sorted.
pub(crate) fn imports(workspace: &Workspace) -> BTreeSet<Import> {
    let mut imports = BTreeSet::new();
    for (number, module) in workspace.modules.iter().enumerate() {
        let mut add = |to: Target, path: &[String], end: &str| {
            if to != Target::File(module.file.clone()) {
                let item = format!("{}{end}", path.join("::"));
                imports.insert(Import { from: module.file.clone(), to, item });
            }
        };
        for line in &module.names.uses {
            let to = workspace.target(number, &line.path);
            if !is_shop_window(module, line, &to) {
                add(to, &line.path, if line.name.is_none() { "::*" } else { "" });
            }
        }
        for path in &module.names.paths {
            add(workspace.target(number, path), path, "");
        }
        // What a folder hands on, it may use as well.
        for name in &module.names.types {
            let is_used = |line: &&Use| line.is_handed_on && line.name.as_ref() == Some(name);
            for line in module.names.uses.iter().filter(is_used) {
                add(workspace.target(number, &line.path), &line.path, "");
            }
        }
    }
    imports
}

/// Whether a line only shows what lies in the module's own folder: a `pub use` of `mod.rs` or
/// `lib.rs`, or of `store.rs` beside `store/`.
fn is_shop_window(module: &Module, line: &Use, to: &Target) -> bool {
    let file = Path::new(&module.file);
    let is_front = ["mod.rs", "lib.rs"].iter().any(|name| file.ends_with(name));
    let folder =
        if is_front { file.parent().map(Path::to_owned) } else { Some(file.with_extension("")) };
    let lies_below = match to {
        Target::File(to) => folder.is_some_and(|folder| Path::new(to).starts_with(folder)),
        Target::Crate(_) => false,
    };
    line.is_handed_on && lies_below
}

/// How many `use` lines a name may lead through: more than anybody writes, so that lines that name
/// each other end.
const DEPTH: usize = 32;

impl Workspace {
    /// Where a path leads that stands in this module.
    fn target(&self, module: usize, path: &[String]) -> Target {
        // What can't be found is made by a macro, in the last module that the path names.
        self.follow(module, path, DEPTH)
            .unwrap_or_else(|last| Target::File(self.modules[last].file.clone()))
    }

    /// Follows a path from its first name. The error is the last module that it reaches.
    fn follow(&self, module: usize, path: &[String], depth: usize) -> Result<Target, usize> {
        let Some((first, rest)) = path.split_first() else { return Err(module) };
        match first.as_str() {
            "crate" => return self.descend(self.modules[module].root, rest, depth),
            "self" | "super" => return self.descend(module, path, depth),
            "" => {}
            _ => {
                if let Ok(target) = self.descend(module, path, depth) {
                    return Ok(target);
                }
                if self.modules[module].children.contains_key(first) {
                    return Err(module);
                }
            }
        }
        let path = if first.is_empty() { rest } else { path };
        let Some((name, rest)) = path.split_first() else { return Err(module) };
        match self.libraries.get(name) {
            Some(root) => self.descend(*root, rest, depth),
            None => Ok(Target::Crate(name.clone())),
        }
    }

    /// Looks a path up within a module.
    fn descend(&self, number: usize, path: &[String], depth: usize) -> Result<Target, usize> {
        let module = &self.modules[number];
        let Some((name, rest)) = path.split_first() else {
            return Ok(Target::File(module.file.clone()));
        };
        match name.as_str() {
            "self" => return self.descend(number, rest, depth),
            "super" => return self.descend(module.parent.ok_or(number)?, rest, depth),
            _ => {}
        }
        if let Some(child) = module.children.get(name) {
            return self.descend(*child, rest, depth);
        }
        if module.defines.contains(name) {
            return Ok(Target::File(module.file.clone()));
        }
        if depth == 0 {
            return Err(number);
        }
        let onward = |begin: &[String], end: &[String]| -> Segments { [begin, end].concat() };
        for line in &module.names.uses {
            let found = match &line.name {
                Some(known) if known == name => {
                    self.follow(number, &onward(&line.path, rest), depth - 1)
                }
                // A `*` of another crate would seem to hold every name.
                None => match self.follow(number, &onward(&line.path, path), depth - 1) {
                    Ok(Target::Crate(_)) => continue,
                    found => found,
                },
                Some(_) => continue,
            };
            if found.is_ok() {
                return found;
            }
        }
        Err(number)
    }
}

/// Circles of imports, the shortest through each file, each told import by import.
pub(crate) fn circles(imports: &BTreeSet<Import>) -> Vec<Vec<Import>> {
    let mut by_file: BTreeMap<&str, Vec<(&str, &Import)>> = BTreeMap::new();
    for import in imports {
        if let Some(to) = import.file() {
            by_file.entry(&import.from).or_default().push((to, import));
        }
    }
    let mut seen = BTreeSet::new();
    let mut circles: Vec<Vec<Import>> = by_file
        .keys()
        .filter_map(|start| shortest_circle(start, &by_file))
        .filter(|circle| seen.insert(circle.iter().map(|step| &step.from).collect::<BTreeSet<_>>()))
        .map(|circle| circle.into_iter().cloned().collect())
        .collect();
    circles.sort_by_key(Vec::len);
    circles
}

/// Circles of folders that are none of their files: `store/read/a.rs` imports `store/search/b.rs`,
/// and `store/search/c.rs` imports `store/read/d.rs`.
pub(crate) fn circles_of_folders(imports: &BTreeSet<Import>) -> Vec<Vec<Import>> {
    let (mut between, mut deeper) = (BTreeSet::new(), BTreeSet::new());
    for import in imports {
        let Some(to_file) = import.file() else { continue };
        let Some((from, to)) = apart(&import.from, to_file) else { continue };
        if import.from.trim_end_matches(".rs") != from || to_file.trim_end_matches(".rs") != to {
            deeper.insert((from.clone(), to.clone()));
        }
        let item = format!("{}: {}", import.from, import.item);
        between.insert(Import { from, to: Target::File(to), item });
    }
    let is_of_folders = |step: &Import| {
        step.file().is_some_and(|to| deeper.contains(&(step.from.clone(), to.to_owned())))
    };
    let mut circles = circles(&between);
    circles.retain(|circle| circle.iter().any(is_of_folders));
    circles
}

/// Two files as seen from the folder in which their ways part: of `src/store/read/events.rs` and
/// `src/store/error.rs` it is `src/store/read` and `src/store/error`. None if one is the front of
/// the folder that holds the other, as `json.rs` is of `json/`.
fn apart(one: &str, other: &str) -> Option<(String, String)> {
    let depth =
        one.split('/').zip(other.split('/')).take_while(|(one, other)| one == other).count();
    let begin = |file: &str| {
        let names: Vec<&str> = file.split('/').take(depth + 1).collect();
        names.join("/").trim_end_matches(".rs").to_owned()
    };
    (begin(one) != begin(other)).then(|| (begin(one), begin(other)))
}

/// The shortest way along the imports from a file back to itself.
fn shortest_circle<'i>(
    start: &'i str,
    by_file: &BTreeMap<&'i str, Vec<(&'i str, &'i Import)>>,
) -> Option<Vec<&'i Import>> {
    let mut came_by: BTreeMap<&str, &Import> = BTreeMap::new();
    let mut waiting = vec![start];
    while !came_by.contains_key(start) && !waiting.is_empty() {
        for file in std::mem::take(&mut waiting) {
            for (to, import) in by_file.get(file).into_iter().flatten() {
                if !came_by.contains_key(to) {
                    came_by.insert(to, import);
                    waiting.push(to);
                }
            }
        }
    }
    let mut steps = vec![*came_by.get(start)?];
    while steps[steps.len() - 1].from != start {
        steps.push(came_by[steps[steps.len() - 1].from.as_str()]);
    }
    steps.reverse();
    Some(steps)
}
