//! Where a person sits in front: a real pseudo-terminal, the pager, the shell's completions.

mod completions;
mod manners;
mod pager;
