//! The modules of the workspace's crates, as the compiler finds them: from each crate's root along
//! its `mod` lines. What is compiled for tests alone is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, ItemMod};
use toml::de::DeTable;

use crate::names::{self, Names};

/// One module: a file, or a `mod name { … }` within one.
pub(crate) struct Module {
    /// Relative to the workspace, with `/`.
    pub(crate) file: String,
    /// The first module of its crate.
    pub(crate) root: usize,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    /// What it defines itself: types, functions, constants, macros.
    pub(crate) defines: BTreeSet<String>,
    pub(crate) names: Names,
}

/// All crates of a workspace.
pub(crate) struct Workspace {
    folder: PathBuf,
    pub(crate) modules: Vec<Module>,
    /// The first modules of the libraries, by the names under which others import them.
    pub(crate) libraries: BTreeMap<String, usize>,
    /// Files and folders of modules that exist under `#[cfg(test)]` alone.
    only_for_tests: Vec<String>,
}

impl Workspace {
    /// Reads the package in this folder and the members that its manifest names.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut workspace = Self {
            folder: folder.to_owned(),
            modules: Vec::new(),
            libraries: BTreeMap::new(),
            only_for_tests: Vec::new(),
        };
        let manifest = text_of_manifest(folder);
        let manifest = parsed(&manifest, folder);
        let members = manifest["workspace"].get_ref()["members"].get_ref().as_array();
        workspace.read_package(folder);
        for member in members.expect("members are a list") {
            workspace.read_package(&folder.join(member.get_ref().as_str().expect("a path")));
        }
        workspace
    }

    /// The files that were read, and those that only tests have.
    pub(crate) fn knows(&self, file: &str) -> bool {
        self.modules.iter().any(|module| module.file == file)
            || self.only_for_tests.iter().any(|known| Path::new(file).starts_with(known))
    }

    fn read_package(&mut self, package: &Path) {
        let manifest = text_of_manifest(package);
        let manifest = parsed(&manifest, package);
        let name = manifest["package"].get_ref()["name"].get_ref().as_str();
        let name = name.expect("a package has a name");
        let library = package.join("src/lib.rs");
        if library.is_file() {
            let root = self.read_root(&library);
            self.libraries.insert(name.replace('-', "_"), root);
        }
        let programs = ["build.rs", "src/main.rs"].map(|file| package.join(file)).into_iter();
        let others = ["src/bin", "tests", "benches", "examples"]
            .into_iter()
            .flat_map(|folder| entries(&package.join(folder)))
            .map(|path| if path.is_dir() { path.join("main.rs") } else { path })
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        for root in programs.chain(others).filter(|path| path.is_file()) {
            self.read_root(&root);
        }
    }

    fn read_root(&mut self, file: &Path) -> usize {
        let folder = file.parent().expect("a file lies in a folder").to_owned();
        self.read_file(file, &folder, None)
    }

    /// Reads a file; the modules that it declares lie in `children`.
    fn read_file(&mut self, file: &Path, children: &Path, parent: Option<usize>) -> usize {
        let text = fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("can't read {}: {error}", file.display()));
        let syntax = syn::parse_file(&text)
            .unwrap_or_else(|error| panic!("can't parse {}: {error}", file.display()));
        self.read_module(&syntax.items, file, children, parent)
    }

    fn read_module(
        &mut self,
        items: &[Item],
        file: &Path,
        children: &Path,
        parent: Option<usize>,
    ) -> usize {
        let number = self.modules.len();
        self.modules.push(Module {
            file: self.relative(file),
            root: parent.map_or(number, |parent| self.modules[parent].root),
            parent,
            children: BTreeMap::new(),
            defines: items.iter().filter_map(name_of).collect(),
            names: Names::of(items),
        });
        for item in items {
            let Item::Mod(module) = item else { continue };
            let name = module.ident.to_string();
            let below = children.join(&name);
            let child = if names::is_only_for_tests(&module.attrs) {
                if module.content.is_none() {
                    let (file, _) = find(module, file, children);
                    let known = [self.relative(&file), self.relative(&below)];
                    self.only_for_tests.extend(known);
                }
                continue;
            } else if let Some((_, items)) = &module.content {
                self.read_module(items, file, &below, Some(number))
            } else {
                let (file, children) = find(module, file, children);
                self.read_file(&file, &children, Some(number))
            };
            self.modules[number].children.insert(name, child);
        }
        number
    }

    fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.folder).expect("all files lie in the workspace");
        path.to_str().expect("names of files are UTF-8").replace('\\', "/")
    }
}

/// The file of a `mod name;`, and the folder of the modules below it.
fn find(module: &ItemMod, declared_in: &Path, children: &Path) -> (PathBuf, PathBuf) {
    let name = module.ident.to_string();
    if let Some(path) = path_attribute(&module.attrs) {
        let file = declared_in.parent().expect("a file lies in a folder").join(path);
        let folder = file.parent().expect("a file lies in a folder").to_owned();
        return (file, folder);
    }
    let folder = children.join(&name);
    let beside = children.join(format!("{name}.rs"));
    (if beside.is_file() { beside } else { folder.join("mod.rs") }, folder)
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("path")).find_map(|attribute| {
        let value = &attribute.meta.require_name_value().ok()?.value;
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) = value else {
            return None;
        };
        Some(path.value())
    })
}

fn name_of(item: &Item) -> Option<String> {
    let (attributes, name) = match item {
        Item::Const(item) => (&item.attrs, &item.ident),
        Item::Enum(item) => (&item.attrs, &item.ident),
        Item::Fn(item) => (&item.attrs, &item.sig.ident),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()?),
        Item::Static(item) => (&item.attrs, &item.ident),
        Item::Struct(item) => (&item.attrs, &item.ident),
        Item::Trait(item) => (&item.attrs, &item.ident),
        Item::Type(item) => (&item.attrs, &item.ident),
        Item::Union(item) => (&item.attrs, &item.ident),
        _ => return None,
    };
    (!names::is_only_for_tests(attributes)).then(|| name.to_string())
}

fn text_of_manifest(package: &Path) -> String {
    let path = package.join("Cargo.toml");
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("can't read {}: {error}", path.display()))
}

fn parsed<'t>(manifest: &'t str, package: &Path) -> DeTable<'t> {
    DeTable::parse(manifest)
        .unwrap_or_else(|error| panic!("{}/Cargo.toml: {error}", package.display()))
        .into_inner()
}

/// What lies in a folder, by name; nothing where there is no such folder.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> =
        entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    paths.sort();
    paths
}
