//! Rebuilds when a migration is added: `embed_migrations!` notices a changed file, but not a new
//! one.

fn main() {
    println!("cargo::rerun-if-changed=sql/audit_db");
}
