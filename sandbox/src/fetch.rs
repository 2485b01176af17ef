//! Finds programs, and fetches through Maven what is not installed; what was fetched stays in the
//! user's cache folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use uuid::Uuid;

use crate::error::Error;
use crate::process::{Guardian, Process};
use crate::progress::Progress;

/// The Apache Kafka that pom.xml names.
pub(crate) const KAFKA_VERSION: &str = "4.1.1";
const KAFKA_POM: &str = include_str!("../pom.xml");

/// The schema registry that is fetched, and what of it Java starts.
pub(crate) const SCHEMA_REGISTRY_VERSION: &str = "2.6.13.Final";
pub(crate) const SCHEMA_REGISTRY_JAR: &str = "apicurio-registry-app-2.6.13.Final-runner.jar";

/// The PostgreSQL that is fetched where none is installed, and for tests of another major version.
const POSTGRES_VERSION: &str = "17.7.0";

/// The first file of this name in the folders of PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Java in `JAVA_HOME`, on PATH or where Homebrew puts it, when it is version 17 or newer;
/// otherwise why not.
pub(crate) fn java() -> Result<PathBuf, String> {
    let in_home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let of_homebrew = ["/opt/homebrew", "/usr/local"]
        .map(|prefix| Path::new(prefix).join("opt/openjdk/bin/java"));
    let mut reason = "there is no Java".to_string();
    for java in
        in_home.into_iter().chain(on_path("java")).chain(of_homebrew).filter(|file| file.is_file())
    {
        let output = Command::new(&java).arg("-version").stdin(Stdio::null()).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
        match text.ok().as_deref().and_then(java_version) {
            Some(17..) => return Ok(java),
            Some(version) => {
                reason =
                    format!("{} is version {version}, and Kafka needs 17 or newer", java.display());
            }
            None => reason = format!("{} does not say its version", java.display()),
        }
    }
    Err(reason)
}

/// The major version out of `java -version`: `openjdk version "17.0.15" 2025-04-15`.
fn java_version(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    quoted.split(['.', '-', '+']).next()?.parse().ok()
}

/// The folder of Apache Kafka's jars: out of the cache, or fetched into it. Needs Java; without
/// Maven, too, only what was fetched before can be used (`None` otherwise).
pub(crate) fn kafka(guardian: &Guardian, progress: &Progress) -> Result<Option<PathBuf>, Error> {
    let what = format!("Apache Kafka {KAFKA_VERSION} (43 MB)");
    let name = format!("kafka-{KAFKA_VERSION}");
    copy_dependencies(guardian, progress, &name, &what, KAFKA_POM)
}

/// The folder of all jars that a Maven project depends on: out of the cache, or fetched into it
/// (`None` where it is not there, and there is no Maven). Another project of the same name has
/// another folder.
pub(crate) fn jars(
    guardian: &Guardian,
    progress: &Progress,
    name: &str,
    pom: &str,
) -> Result<Option<PathBuf>, Error> {
    let mut digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, pom.as_bytes()).simple().to_string();
    digest.truncate(12);
    copy_dependencies(guardian, progress, &format!("{name}-{digest}"), name, pom)
}

fn copy_dependencies(
    guardian: &Guardian,
    progress: &Progress,
    name: &str,
    what: &str,
    pom: &str,
) -> Result<Option<PathBuf>, Error> {
    let cache = cache_folder(false);
    if cache.join(name).is_dir() {
        return Ok(Some(cache.join(name)));
    }
    let Some(maven) = on_path("mvn") else { return Ok(None) };
    let _step = progress.begin(&format!("fetching {what} through Maven, once"));
    into_cache(&cache, name, what, |partial| {
        let folder = guardian.folder(&format!("fetch-{name}"), None)?;
        let pom_path = folder.join("pom.xml");
        std::fs::write(&pom_path, pom).map_err(|error| unusable(&pom_path, &error))?;
        run(guardian, &folder, &maven, what, |command| {
            command
                .args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-f"])
                .arg(&pom_path)
                .arg(format!("-DoutputDirectory={}", partial.display()));
        })
    })
    .map(Some)
}

/// The folder of Apicurio Registry: out of the cache, or fetched into it (`None` where it is not
/// there, and there is no Maven).
pub(crate) fn schema_registry(
    guardian: &Guardian,
    progress: &Progress,
) -> Result<Option<PathBuf>, Error> {
    let cache = cache_folder(false);
    let name = format!("apicurio-registry-{SCHEMA_REGISTRY_VERSION}");
    if cache.join(&name).is_dir() {
        return Ok(Some(cache.join(name)));
    }
    let Some(maven) = on_path("mvn") else { return Ok(None) };
    let what = format!("Apicurio Registry {SCHEMA_REGISTRY_VERSION} (142 MB)");
    let what = what.as_str();
    let _step = progress.begin(&format!("fetching {what} through Maven, once"));
    into_cache(&cache, &name, what, |partial| {
        let folder = guardian.folder("fetch-schema-registry", None)?;
        run(guardian, &folder, &maven, what, |command| {
            command.args(["-q", "-B", "dependency:unpack"]).arg(format!(
                "-Dartifact=io.apicurio:apicurio-registry-app:{SCHEMA_REGISTRY_VERSION}:tar.gz:all"
            ));
            command.arg(format!("-DoutputDirectory={}", partial.display()));
        })?;
        if partial.join(SCHEMA_REGISTRY_JAR).is_file() {
            return Ok(());
        }
        let reason = format!("the artifact holds no {SCHEMA_REGISTRY_JAR}");
        Err(Error::Fetch { what: what.to_string(), reason })
    })
    .map(Some)
}

/// The `bin` folder of a PostgreSQL that is made for embedding: out of the cache, or fetched into
/// it.
pub(crate) fn postgres(guardian: &Guardian, progress: &Progress) -> Result<PathBuf, Error> {
    let name = format!("postgres-{POSTGRES_VERSION}");
    // Root runs PostgreSQL as another user, who must be able to read it.
    let cache = cache_folder(true);
    let bin = cache.join(&name).join("bin");
    if bin.is_dir() {
        return Ok(bin);
    }
    let missing = |reason: &str| Error::NoPostgres { reason: reason.to_string() };
    let maven = on_path("mvn")
        .ok_or_else(|| missing("none is installed, and there is no Maven to fetch one"))?;
    let system = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-amd64",
        ("linux", "aarch64") => "linux-arm64v8",
        ("macos", "x86_64") => "darwin-amd64",
        ("macos", "aarch64") => "darwin-arm64v8",
        _ => {
            return Err(missing(
                "none is installed, and none can be fetched for this kind of computer",
            ));
        }
    };
    let what = format!("PostgreSQL {POSTGRES_VERSION} (15 MB)");
    let what = what.as_str();
    let _step = progress.begin(&format!("fetching {what} through Maven, once"));
    into_cache(&cache, &name, what, |partial| {
        let folder = guardian.folder("fetch-postgres", None)?;
        run(guardian, &folder, &maven, what, |command| {
            command.args(["-q", "-B", "dependency:unpack"]).arg(format!(
                "-Dartifact=io.zonky.test.postgres:embedded-postgres-binaries-{system}:{POSTGRES_VERSION}:jar"
            ));
            command.arg(format!("-DoutputDirectory={}", folder.display()));
        })?;
        let archive = std::fs::read_dir(&folder)
            .map_err(|error| unusable(&folder, &error))?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "txz"))
            .ok_or_else(|| Error::Fetch {
                what: what.to_string(),
                reason: "the artifact holds no .txz archive".into(),
            })?;
        let tar = on_path("tar").unwrap_or_else(|| "tar".into());
        run(guardian, &folder, &tar, what, |command| {
            command.arg("-xJf").arg(&archive).arg("-C").arg(partial);
        })
    })?;
    Ok(bin)
}

fn run(
    guardian: &Guardian,
    folder: &Path,
    program: &Path,
    what: &str,
    arrange: impl FnOnce(&mut Command),
) -> Result<(), Error> {
    Process::run(guardian, folder, program, arrange)
        .map_err(|error| Error::Fetch { what: what.to_string(), reason: error.to_string() })
}

/// Fills `cache/name` by `fill`, which is given an empty folder. Only a complete one gets its name,
/// and only one process at a time fetches.
fn into_cache(
    cache: &Path,
    name: &str,
    what: &str,
    fill: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let complete = cache.join(name);
    let failed = |reason: String| Error::Fetch { what: what.to_string(), reason };
    std::fs::create_dir_all(cache).map_err(|error| unusable(cache, &error))?;
    // One lock for all, because Maven's own folder is not safe for several at once. It goes with
    // the process.
    let lock_path = cache.join("lock");
    let lock = File::create(&lock_path).map_err(|error| unusable(&lock_path, &error))?;
    lock.lock().map_err(|error| failed(format!("cannot lock {}: {error}", lock_path.display())))?;
    if complete.is_dir() {
        return Ok(complete);
    }
    let partial = cache.join(format!("{name}.partial"));
    if partial.exists() {
        std::fs::remove_dir_all(&partial).map_err(|error| unusable(&partial, &error))?;
    }
    std::fs::create_dir(&partial).map_err(|error| unusable(&partial, &error))?;
    fill(&partial)?;
    std::fs::rename(&partial, &complete).map_err(|error| unusable(&complete, &error))?;
    Ok(complete)
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::Directory { path: path.to_path_buf(), reason: error.to_string() }
}

/// `audit-sandbox` in the user's cache folder. Root's own is closed to other users, so what they
/// must read is kept in the system's.
fn cache_folder(for_other_users: bool) -> PathBuf {
    let cache = if for_other_users && nix::unistd::geteuid().is_root() {
        PathBuf::from("/var/cache")
    } else {
        let named =
            std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::home_dir().map(|home| home.join(".cache"));
        named.or_else(home).unwrap_or_else(std::env::temp_dir)
    };
    cache.join("audit-sandbox")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version_of_java() {
        assert_eq!(java_version("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK"), Some(17));
        assert_eq!(java_version("openjdk version \"26-ea\" 2026-03-17"), Some(26));
        assert_eq!(java_version("java version \"1.8.0_402\""), Some(1));
        assert_eq!(java_version("Error: no JVM"), None);
    }

    #[test]
    fn names_the_kafka_that_the_pom_fetches() {
        assert!(KAFKA_POM.contains(&format!("<version>{KAFKA_VERSION}</version>")));
    }

    #[test]
    fn names_the_jar_of_the_registry_that_is_fetched() {
        assert!(SCHEMA_REGISTRY_JAR.contains(SCHEMA_REGISTRY_VERSION));
    }

    #[test]
    fn a_fetch_that_fails_leaves_nothing_that_looks_complete() {
        let cache = tempfile::tempdir().unwrap();
        let failing = into_cache(cache.path(), "thing", "thing", |partial| {
            std::fs::write(partial.join("half"), "half").unwrap();
            Err(Error::Fetch { what: "thing".into(), reason: "the network went away".into() })
        });
        assert!(failing.is_err());
        assert!(!cache.path().join("thing").exists());
        let complete = into_cache(cache.path(), "thing", "thing", |partial| {
            assert!(!partial.join("half").exists());
            std::fs::write(partial.join("whole"), "whole").unwrap();
            Ok(())
        });
        assert!(complete.unwrap().join("whole").exists());
    }

    #[test]
    fn several_that_want_the_same_thing_fetch_it_once() {
        let cache = tempfile::tempdir().unwrap();
        let fetched = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    into_cache(cache.path(), "thing", "thing", |_| {
                        fetched.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        std::thread::sleep(std::time::Duration::from_millis(20));
                        Ok(())
                    })
                    .unwrap();
                });
            }
        });
        assert_eq!(fetched.into_inner(), 1);
    }
}
