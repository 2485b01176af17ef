//! The other programs of the workspace.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// The folder of the services and the sandbox. Cargo makes the programs of the tested package
/// alone, so these are asked for here; where they are up to date that takes a moment.
pub(crate) fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<&Path> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let parents = Path::new(env!("CARGO_BIN_EXE_audit")).ancestors().skip(1).take(2);
        let [profile, target] = parents.collect::<Vec<_>>()[..] else {
            panic!("a program is in a directory")
        };
        let name = profile.file_name().unwrap_or_default();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--target-dir"]).arg(target).arg("--profile");
        build.arg(if name == "debug" { "dev".as_ref() } else { name });
        build.args(["order-sim", "payment-sim", "sandbox"].map(|name| format!("--package={name}")));
        assert!(build.status().is_ok_and(|status| status.success()), "they can't be built");
        profile
    })
}
