//! Change events of tables.

use super::{ORDER, Recorded};

#[test]
fn a_change_is_found_by_the_primary_key_that_people_know() {
    let Some(recorded) = Recorded::shared() else { return };
    for connector in ["schemas", "connect_times", "bare", "bare_strings"] {
        let types = recorded.types(&format!("{connector}.public.orders"), &["--aggregate", ORDER]);
        println!("{connector} {types:?}");
    }
}
