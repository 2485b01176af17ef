//! Handing over: `audit export` to files, and what is left of them when something breaks.

mod files;
mod folder;
mod folders;
mod incremental;
mod kills;
mod manifests;
mod refused;
mod streams;
