//! Compiles a schema with all that it imports.
//!
//! `protox-parse` reads the text, and `prost-reflect` resolves names. What lies between (finding
//! imports, their order, circles) is done here without recursion, in time that grows with the
//! number of files alone: schemas come from a server that others write to.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_reflect::prost_types::FileDescriptorProto;

use super::known;
use super::lighten::lighten;
use super::numbering::Numbering;
use super::tables::Tables;
use crate::registry::protobuf::large_stack::on_large_stack;

/// The most bytes of a schema with all that it imports.
const MAX_BYTES: usize = 32 << 20;

/// The most files of a schema.
const MAX_FILES: usize = 1_000;

/// The most imports, those among them that public imports bring. The library looks each of them
/// up for each file that imports the file.
const MAX_IMPORTS: usize = 20_000;

/// The parser recurses as deep as messages are nested in each other: at most 31 levels in text, 100
/// in a descriptor. That needs a part of it, even without the compiler's optimizations.
const STACK_BYTES: usize = 16 << 20;

/// Where imported files are.
pub(in crate::registry::protobuf) trait Imports: Sync {
    /// The text of a file; `None` where there is no such file.
    fn text(&self, name: &str) -> Result<Option<Cow<'_, str>>, String>;

    /// Files that belong to the schema, whether or not anything imports them.
    fn names(&self) -> Vec<&str>;
}

/// Compiles a schema.
pub(in crate::registry::protobuf) fn compile(
    name: &str,
    text: &str,
    imports: &dyn Imports,
) -> Result<(Tables, Numbering), String> {
    on_large_stack("protobuf-schema", STACK_BYTES, || compile_here(name, text, imports))
        .unwrap_or_else(|| Err("the schema makes its parser fail".to_owned()))
}

fn compile_here(
    name: &str,
    text: &str,
    imports: &dyn Imports,
) -> Result<(Tables, Numbering), String> {
    let mut loaded = Loaded::default();
    // No import can have this name where one of the references has the schema's own.
    let main = if imports.names().contains(&name) { format!("{name} ") } else { name.to_owned() };
    let numbering = loaded.add(&main, text)?;
    let mut wanted: Vec<(String, String)> = loaded.imports_of(&main);
    wanted.extend(imports.names().into_iter().map(|name| (name.to_owned(), main.clone())));
    while let Some((name, by)) = wanted.pop() {
        if loaded.files.contains_key(&name) {
            continue;
        }
        if let Some(descriptor) = known::descriptor(&name) {
            loaded.keep(&name, descriptor)?;
        } else if let Some(text) = imports.text(&name)? {
            loaded.add(&name, &text)?;
        } else if let Some(text) = known::text(&name) {
            loaded.add(&name, text)?;
        } else {
            let by = if by == main { "the schema".to_owned() } else { format!("{by:?}") };
            return Err(format!(
                "{by} imports {name:?}, which is neither among its references nor built in"
            ));
        }
        wanted.extend(loaded.imports_of(&name));
    }
    let pool = loaded.pool()?;
    Ok((Tables::of(&pool), numbering))
}

/// The files of a schema, by the names under which they are imported.
#[derive(Default)]
struct Loaded {
    files: HashMap<String, FileDescriptorProto>,
    bytes: usize,
}

impl Loaded {
    /// Reads a file: text, or a descriptor in base64.
    fn add(&mut self, name: &str, schema: &str) -> Result<Numbering, String> {
        self.bytes += schema.len();
        if self.bytes > MAX_BYTES {
            return Err(format!("the schema has more than {} MiB", MAX_BYTES >> 20));
        }
        let (file, is_text) = match descriptor(schema) {
            Some(file) => (file.map_err(|error| format!("{name}: {error}"))?, false),
            None => (parsed(name, schema)?, true),
        };
        if file.syntax() == "editions" {
            return Err(format!("{name}: editions of Protobuf are not supported"));
        }
        let numbering = Numbering::of(&file, is_text);
        self.keep(name, file)?;
        Ok(numbering)
    }

    fn keep(&mut self, name: &str, mut file: FileDescriptorProto) -> Result<(), String> {
        if self.files.len() >= MAX_FILES {
            return Err(format!("the schema has more than {MAX_FILES} files"));
        }
        lighten(&mut file);
        file.name = Some(name.to_owned());
        self.files.insert(name.to_owned(), file);
        Ok(())
    }

    /// The names that a file imports, each with the file's own.
    fn imports_of(&self, name: &str) -> Vec<(String, String)> {
        let imports = self.files.get(name).map_or(&[][..], |file| &file.dependency);
        imports.iter().map(|import| (import.clone(), name.to_owned())).collect()
    }

    /// The pool of all files, and of the well-known types.
    fn pool(mut self) -> Result<DescriptorPool, String> {
        let order = self.order()?;
        // What importing a file brings: itself, and what it imports publicly, and so on. It is
        // told to the library as direct imports: it follows public ones only one step.
        let mut brings: HashMap<String, BTreeSet<String>> = HashMap::new();
        let mut files = Vec::with_capacity(order.len());
        let mut imports = 0;
        for name in order {
            let Some(mut file) = self.files.remove(&name) else { continue };
            let mut brought = BTreeSet::from([name.clone()]);
            for index in &file.public_dependency {
                let import = usize::try_from(*index).ok().and_then(|at| file.dependency.get(at));
                brought.extend(
                    import.and_then(|import| brings.get(import)).into_iter().flatten().cloned(),
                );
            }
            imports += brought.len();
            brings.insert(name, brought);
            let visible: BTreeSet<&String> =
                file.dependency.iter().filter_map(|import| brings.get(import)).flatten().collect();
            file.dependency = visible.into_iter().cloned().collect();
            imports += file.dependency.len();
            if imports > MAX_IMPORTS {
                return Err(format!(
                    "the schema's files import each other more than {MAX_IMPORTS} times"
                ));
            }
            file.public_dependency.clear();
            file.weak_dependency.clear();
            files.push(file);
        }
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_protos(files).map_err(|error| one_line(&error.to_string()))?;
        for name in known::WELL_KNOWN {
            if let (None, Some(mut file)) = (pool.get_file_by_name(name), known::descriptor(name)) {
                lighten(&mut file);
                // A schema that defines one of them under another file's name keeps its own.
                let _ = pool.add_file_descriptor_proto(file);
            }
        }
        Ok(pool)
    }

    /// The names of the files, each behind those that it imports.
    fn order(&self) -> Result<Vec<String>, String> {
        let mut importers: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut missing: HashMap<&str, usize> = HashMap::new();
        for (name, file) in &self.files {
            let imports: BTreeSet<&String> = file.dependency.iter().collect();
            missing.insert(name, imports.len());
            for import in imports {
                importers.entry(import).or_default().push(name);
            }
        }
        let mut ready: Vec<&str> =
            missing.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        ready.sort_unstable();
        let mut order = Vec::with_capacity(self.files.len());
        while let Some(name) = ready.pop() {
            order.push(name.to_owned());
            for importer in importers.get(name).into_iter().flatten() {
                if let Some(count) = missing.get_mut(importer) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(importer);
                    }
                }
            }
        }
        if order.len() == self.files.len() {
            return Ok(order);
        }
        let left = missing.iter().filter(|(_, count)| **count > 0).map(|(name, _)| *name).min();
        Err(format!("{:?} imports itself, or a file that does", left.unwrap_or_default()))
    }
}

/// The descriptor that a text is in base64; `None` where it is something else, as .proto text is.
fn descriptor(text: &str) -> Option<Result<FileDescriptorProto, String>> {
    let text: Cow<'_, str> = match text.trim() {
        text if text.contains(['\n', '\r']) => text.replace(['\n', '\r'], "").into(),
        text => text.into(),
    };
    if text.is_empty() {
        return None;
    }
    let bytes = STANDARD.decode(text.as_bytes()).ok()?;
    Some(
        FileDescriptorProto::decode(bytes.as_slice())
            .map_err(|error| one_line(&format!("in base64, but no descriptor of a file: {error}"))),
    )
}

fn parsed(name: &str, text: &str) -> Result<FileDescriptorProto, String> {
    // Its debug form names the file, the line and the column.
    protox_parse::parse(name, text).map_err(|error| {
        match text.trim_start().starts_with("edition") {
            true => format!("{name}: editions of Protobuf are not supported"),
            false => one_line(&format!("{error:?}")),
        }
    })
}

/// The first line, and no more of it than a person reads.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 500;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// The descriptors of a schema, for what the library itself makes of messages.
#[cfg(test)]
pub(in crate::registry::protobuf) fn descriptors(text: &str) -> DescriptorPool {
    let mut loaded = Loaded::default();
    loaded.add("main", text).expect("the schema is right");
    for (name, _) in loaded.imports_of("main") {
        loaded.keep(&name, known::descriptor(&name).expect("it is built in")).expect("few files");
    }
    loaded.pool().expect("the schema is right")
}
