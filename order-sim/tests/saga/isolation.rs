//! Each service has its own role, which reaches its own database and no other.

use crate::world::{World, payment_sim, query};

const ORDER_ROLE: &str = include_str!("../../../sql/order_db/roles.sql");
const PAYMENT_ROLE: &str = include_str!("../../../sql/payment_db/roles.sql");

/// The same database for another user.
fn url_as(role: &str, database_url: &str) -> String {
    let (scheme, rest) = database_url.split_once("://").expect("a URL");
    let (_, server) = rest.split_once('@').expect("a URL with a user");
    format!("{scheme}://{role}@{server}")
}

#[test]
fn each_service_works_as_its_own_role_and_cannot_connect_to_another_database() {
    let world = World::new("isolation");
    let third = world.another_database();
    for (database, roles) in [(&world.order_db, ORDER_ROLE), (&world.payment_db, PAYMENT_ROLE)] {
        // Twice: a second time does no harm.
        query(database, roles).expect("an administrator makes the role");
        query(database, roles).expect("an administrator makes the role again");
    }
    let closed = "DO $$ BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()); END $$";
    query(&third, closed).expect("an administrator closes the third database");

    let payment = world.start(payment_sim(), &url_as("payment_service", &world.payment_db), "");
    let order = std::path::Path::new(env!("CARGO_BIN_EXE_order-sim"));
    let options = "--count 5 --rate 100 --until-settled";
    world.start(order, &url_as("order_service", &world.order_db), options).succeed();
    assert!(payment.terminate().0.success());
    let owner = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(world.rows(&world.order_db, owner), [["order_service"]]);
    assert_eq!(world.rows(&world.payment_db, owner), [["payment_service"]]);

    for (role, other) in [
        ("order_service", &world.payment_db),
        ("order_service", &third),
        ("payment_service", &world.order_db),
        ("payment_service", &third),
    ] {
        let refused =
            query(&url_as(role, other), "SELECT 1").expect_err("the connection is refused");
        // insufficient_privilege
        assert_eq!(
            refused.code().map(tokio_postgres::error::SqlState::code),
            Some("42501"),
            "{role}: {refused}"
        );
    }
}
