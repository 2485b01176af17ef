//! Where a person sits in front: a real pseudo-terminal, the pager, the shell's completions.

mod appearance;
mod completion;
mod completions;
mod pager;
mod progress;
mod tables;
