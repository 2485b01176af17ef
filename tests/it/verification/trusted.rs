//! What may be done with a record is not taken for an alteration.
