use sandbox::Sandbox;
#[test]
fn starts() {
    let s = Sandbox::start().unwrap();
    let scope = s.scope("starts");
    println!("{} {}", scope.database_url(), scope.create_topic("a", 3));
    println!("{:?}", s.directory());
}
