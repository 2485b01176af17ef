//! Where the file is, and what is wrong with it.

use super::Configured;

#[test]
fn what_is_wrong_with_the_file_is_named_with_its_line() {
    let configured = Configured::new("[profiles.local]\n\ndatabse_url = \"postgresql://h/d\"\n");
    let stderr = configured.refused(&["query"], &[]);
    assert_eq!(
        stderr,
        "error: FOLDER/config.toml:3: unknown key 'databse_url' in profile 'local'\nhint: did you mean database_url?\n"
    );
    configured.write("config.toml", "[profiles.local]\nbrokers = 9092\n", 0o600);
    let stderr = configured.refused(&["config", "show"], &[]);
    assert!(stderr.starts_with(
        "error: FOLDER/config.toml:2: brokers is a number, expected text\nhint: write "
    ));
    configured.write("config.toml", "[profiles.local\n", 0o600);
    let stderr = configured.refused(&["query"], &[]);
    assert!(stderr.starts_with("error: FOLDER/config.toml:1: "), "{stderr}");
    // A shell that starts must not fail for it.
    assert!(!configured.succeed(&["completions", "bash"], &[]).is_empty());
}

#[test]
fn a_profile_that_does_not_exist_is_an_error_that_names_those_that_do() {
    let configured = Configured::new("[profiles.local]\n[profiles.production]\n");
    assert_eq!(
        configured.refused(&["--profile", "prodction", "query"], &[]),
        "error: --profile: FOLDER/config.toml has no profile 'prodction'\n\
         hint: did you mean production? the profiles are local, production\n"
    );
    assert_eq!(
        configured.refused(&["query"], &[("AUDIT_PROFILE", "zebra")]),
        "error: AUDIT_PROFILE: FOLDER/config.toml has no profile 'zebra'\nhint: the profiles are local, production\n"
    );
    let stderr = configured.refused(&["query"], &[("AUDIT_CONFIG", "/nowhere/config.toml")]);
    assert!(
        stderr.starts_with("error: configuration file /nowhere/config.toml: No such file"),
        "{stderr}"
    );
}

#[test]
fn the_file_is_looked_for_where_users_keep_theirs() {
    let configured = Configured::new("");
    let says = |variables: &[(&str, &str)]| {
        let mut command = configured.command(&["config", "show"], &[]);
        command.env_remove("AUDIT_CONFIG").envs(variables.iter().copied());
        let output = command.output().unwrap_or_else(|error| panic!("{error}"));
        assert!(output.status.success());
        configured.text(&output.stderr)
    };
    // Nobody needs to have one.
    assert_eq!(says(&[]), "there is no FOLDER/.config/audit/config.toml\n");
    configured.write(".config/audit/config.toml", "[profiles.home]", 0o644);
    assert_eq!(says(&[]), "read FOLDER/.config/audit/config.toml: profiles home\n");
    let xdg = configured.path("xdg").display().to_string();
    assert_eq!(says(&[("XDG_CONFIG_HOME", &xdg)]), "there is no FOLDER/xdg/audit/config.toml\n");
    configured.write("xdg/audit/config.toml", "[profiles.xdg]", 0o644);
    assert_eq!(
        says(&[("XDG_CONFIG_HOME", &xdg)]),
        "read FOLDER/xdg/audit/config.toml: profiles xdg\n"
    );
    let named = configured.path("config.toml").display().to_string();
    assert_eq!(
        says(&[("XDG_CONFIG_HOME", &xdg), ("AUDIT_CONFIG", &named)]),
        "read FOLDER/config.toml: no profiles\n"
    );
    let mut command = configured.command(&["--profile", "x", "config", "show"], &[]);
    let output = command.env_remove("AUDIT_CONFIG").env("HOME", "/dev/null").output();
    let output = output.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        configured
            .text(&output.stderr)
            .contains("because there is no /dev/null/.config/audit/config.toml")
    );
}

#[test]
fn settings_that_cannot_be_used_are_told_after_those_that_can() {
    let configured = Configured::new(
        "[profiles.a]\ndatabase_url = \"postgresql://h/d\"\ndatabase_password_file = \"nowhere\"\nbrokers = \"b:1\"",
    );
    let output = configured.run(&["--profile", "a", "config", "show"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(configured.text(&output.stdout).contains("b:1"));
    let stderr = configured.text(&output.stderr);
    assert!(
        stderr.contains("error: database_password_file FOLDER/nowhere: No such file"),
        "{stderr}"
    );
    assert!(stderr.contains("hint: it is set by profile a (FOLDER/config.toml)"), "{stderr}");
}
