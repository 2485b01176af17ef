//! Manifests: what was handed over in which files, for whoever must show that all of it is there
//! and unaltered.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use openssl::sha::Sha256;
use serde::{Deserialize, Serialize};

use super::batch_range::BatchRange;
use super::error::Error;
use super::files::{Finished, SealedFile, WholeFile};
use super::manifest_name::{beside, is_manifest};
use super::target::{FileFormat, Target};

/// What the first member of a manifest says.
const KIND: &str = "audit-manifest-1";

/// What is handed over, whatever the files: two runs that differ in it do not continue each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The installation that recorded the events.
    pub installation: String,
    /// The selectors, as they were typed.
    pub selectors: Vec<String>,
    /// The columns, in their order.
    pub columns: Vec<String>,
    /// The options that change how values are written, or which deliveries count, as typed.
    pub options: Vec<String>,
}

/// What was handed over, in which files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    manifest: String,
    /// The format of the files.
    pub format: FileFormat,
    /// What they hold.
    #[serde(flatten)]
    pub contents: Contents,
    /// Of which batches. Without a bookmark, rows that no batch recorded are there, too.
    pub batches: BatchRange,
    /// When they were written, RFC 3339.
    pub written_at: String,
    /// The files.
    pub files: Vec<ManifestFile>,
}

/// A file of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestFile {
    /// Its name, from the manifest's folder.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

impl Manifest {
    /// The manifest of finished files.
    pub(super) fn new(
        target: &Target,
        contents: &Contents,
        batches: BatchRange,
        now: DateTime<Utc>,
        files: &[Finished],
    ) -> Self {
        let file = |finished: &Finished| {
            let name = match target.is_folder() {
                true => finished.name.as_path(),
                false => Path::new(finished.name.file_name().unwrap_or_default()),
            };
            ManifestFile {
                name: name.to_string_lossy().into_owned(),
                rows: finished.rows,
                bytes: finished.written.bytes,
                sha256: hex(&finished.written.sha256),
            }
        };
        Self {
            manifest: KIND.to_owned(),
            format: target.format,
            contents: contents.clone(),
            batches,
            written_at: now.to_rfc3339_opts(SecondsFormat::Secs, true),
            files: files.iter().map(file).collect(),
        }
    }

    /// Writes it to the disk; it lacks only its name then.
    pub(super) fn seal(&self, path: &Path, unfinished: &str) -> Result<SealedFile, Error> {
        let mut file = WholeFile::begin(path, None, unfinished)?;
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        file.write_all(&text).map_err(Error::file("writing", path))?;
        file.seal()
    }

    /// Reads one.
    ///
    /// # Errors
    /// `Error::File`; `Error::Unusable` where it is no manifest.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(Error::file("reading", path))?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| Error::unusable(path, format!("this is no manifest: {error}")))?;
        if manifest.manifest != KIND {
            let problem = format!("a manifest of kind {:?} is not known here", manifest.manifest);
            return Err(Error::unusable(path, problem));
        }
        Ok(manifest)
    }
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What can be wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// It is not there.
    Missing,
    /// Its bytes are others.
    Altered(String),
    /// No manifest names it.
    Unnamed,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Checked {
    /// How many manifests were read.
    pub manifests: u64,
    /// How many files are as they were written.
    pub good: u64,
    /// How many rows these have.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Checks the files of a manifest, those of the manifests of a folder, or one file that has a
/// manifest. `progress` is told how many bytes were read.
///
/// # Errors
/// Where there is no manifest, or one can't be read.
pub fn check(path: &Path, mut progress: impl FnMut(u64)) -> Result<Checked, Error> {
    let manifests = manifests_at(path)?;
    let mut checked = Checked::default();
    let mut named = HashSet::new();
    for manifest_path in &manifests {
        let manifest = Manifest::read(manifest_path)?;
        let folder = manifest_path.parent().unwrap_or(Path::new(""));
        for file in &manifest.files {
            let name = Path::new(&file.name);
            if !is_inside(name) {
                let problem = format!("it names a file outside its folder: {}", file.name);
                return Err(Error::unusable(manifest_path, problem));
            }
            let path = folder.join(name);
            match wrong_with(&path, file, &mut |bytes| progress(checked.bytes + bytes))? {
                Some(wrong) => checked.findings.push(Finding { path: path.clone(), wrong }),
                None => {
                    checked.good += 1;
                    checked.rows += file.rows;
                    checked.bytes += file.bytes;
                }
            }
            named.insert(path);
        }
        checked.manifests += 1;
    }
    if path.is_dir() {
        let unnamed = data_files(path)?.into_iter().filter(|file| !named.contains(file));
        checked.findings.extend(unnamed.map(|path| Finding { path, wrong: Wrong::Unnamed }));
    }
    Ok(checked)
}

/// Whether a name is one of a file within the folder.
pub(super) fn is_inside(name: &Path) -> bool {
    name.file_name().is_some() && name.components().all(|part| matches!(part, Component::Normal(_)))
}

/// The manifest itself, the one beside a file, or all those in a folder.
fn manifests_at(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let none = || Error::unusable(path, "there is no manifest");
    if path.is_dir() {
        let manifests = manifests_of(path)?;
        return if manifests.is_empty() { Err(none()) } else { Ok(manifests) };
    }
    if is_manifest(path) {
        return if path.is_file() { Ok(vec![path.to_owned()]) } else { Err(none()) };
    }
    let beside = beside(path);
    if beside.is_file() { Ok(vec![beside]) } else { Err(none()) }
}

/// The manifests in a folder.
pub(super) fn manifests_of(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut manifests = entries(folder)?;
    manifests.retain(|path| is_manifest(path) && path.is_file());
    Ok(manifests)
}

/// The files in a folder and below it that hold data: what begins with a dot is unfinished, or
/// somebody else's.
pub(super) fn data_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || is_manifest(&path) {
                continue;
            }
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = || Error::file("reading", folder);
    let entries = fs::read_dir(folder).map_err(failed())?;
    let mut entries: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed())?;
    entries.sort();
    Ok(entries)
}

fn wrong_with(
    path: &Path,
    expected: &ManifestFile,
    progress: &mut dyn FnMut(u64),
) -> Result<Option<Wrong>, Error> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(Some(Wrong::Missing));
        }
        Err(error) => return Err(Error::file("reading", path)(error)),
    };
    if path.is_dir() {
        return Ok(Some(Wrong::Altered("it is a folder".to_owned())));
    }
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 18]);
    loop {
        let read = file.read(&mut buffer).map_err(Error::file("reading", path))?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
        progress(bytes);
    }
    if bytes != expected.bytes {
        let difference = format!("it has {bytes} bytes, not {}", expected.bytes);
        return Ok(Some(Wrong::Altered(difference)));
    }
    let is_same = hex(&hash.finish()).eq_ignore_ascii_case(&expected.sha256);
    Ok((!is_same).then(|| Wrong::Altered("its SHA-256 is another one".to_owned())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
