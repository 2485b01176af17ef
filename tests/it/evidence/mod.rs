//! Proofs and keys, checked by the program and by `examples/verify_proof.py`, which shares no code
//! with it: what is right is accepted by both, and what is forged refused.

mod altered;
mod attacks;
mod both;
mod commands;
mod forged;
mod keygen;
mod records;
mod replays;
mod retention;
mod sample;
mod vectors;
mod whole_way;
