//! The proxy between a client and the real PostgreSQL.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use sandbox::{Direction, Proxy, Sandbox, Verdict};
use tokio_postgres::Client;

use crate::connect;

const MOMENT: Duration = Duration::from_millis(300);

#[test]
fn cut_resets_open_connections_and_no_later_ones() {
    let (proxy, _echo) = proxy_to_echo();
    let mut open = client_of(&proxy);
    assert_eq!(echoed(&mut open, b"before").unwrap(), b"before");
    proxy.cut();
    let error = open.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(echoed(&mut client_of(&proxy), b"after").unwrap(), b"after");
}

#[test]
fn block_is_silent_and_unblock_delivers_what_was_held_back() {
    let (proxy, _echo) = proxy_to_echo();
    let mut open = client_of(&proxy);
    assert_eq!(echoed(&mut open, b"before").unwrap(), b"before");
    proxy.block();
    open.set_read_timeout(Some(MOMENT)).unwrap();
    let error = echoed(&mut open, b"held").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    // A new connection is accepted, and silent too.
    let mut new = client_of(&proxy);
    new.set_read_timeout(Some(MOMENT)).unwrap();
    assert!(echoed(&mut new, b"new").is_err());
    proxy.unblock();
    for (client, expected) in [(&mut open, &b"held"[..]), (&mut new, b"new")] {
        client.set_read_timeout(None).unwrap();
        let mut bytes = vec![0; expected.len()];
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, expected);
    }
}

#[test]
fn dropping_the_proxy_resets_its_connections() {
    let (proxy, _echo) = proxy_to_echo();
    let mut open = client_of(&proxy);
    assert_eq!(echoed(&mut open, b"before").unwrap(), b"before");
    drop(proxy);
    assert_eq!(open.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn an_ordinary_end_arrives_after_all_data() {
    let (proxy, _echo) = proxy_to_echo();
    let mut client = client_of(&proxy);
    let data = vec![7; 1_000_000];
    let mut writer = client.try_clone().unwrap();
    let sent = data.clone();
    let write = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut received = Vec::new();
    client.read_to_end(&mut received).unwrap();
    write.join().unwrap();
    assert!(received == data);
}

#[test]
fn a_hook_sees_both_directions_and_is_done_after_its_cut() {
    let (proxy, _echo) = proxy_to_echo();
    proxy.cut_when(|direction, bytes| {
        if direction == Direction::ToClient && bytes == b"two" {
            Verdict::CutBefore
        } else {
            Verdict::Forward
        }
    });
    let mut client = client_of(&proxy);
    assert_eq!(echoed(&mut client, b"one").unwrap(), b"one");
    assert!(proxy.is_waiting_to_cut());
    assert_eq!(echoed(&mut client, b"two").unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(!proxy.is_waiting_to_cut());
    assert_eq!(echoed(&mut client_of(&proxy), b"two").unwrap(), b"two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_reply_is_cut_happened_and_its_client_cannot_know() {
    let (proxy, scope, direct) = proxied_table("reply_cut").await;
    let client = connect(&through(&proxy, scope.database_url())).await;
    client.batch_execute("BEGIN; INSERT INTO written VALUES (1)").await.unwrap();
    proxy.cut_reply_to(b"COMMIT");
    let error = client.batch_execute("COMMIT").await.unwrap_err();
    assert!(error.as_db_error().is_none(), "{error}");
    assert_eq!(count(&direct).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_cut_on_its_way_did_not_happen() {
    let (proxy, scope, direct) = proxied_table("request_cut").await;
    let client = connect(&through(&proxy, scope.database_url())).await;
    client.batch_execute("BEGIN; INSERT INTO written VALUES (1)").await.unwrap();
    proxy.cut_before(b"COMMIT");
    assert!(client.batch_execute("COMMIT").await.is_err());
    // The lock is free once the server has ended that session.
    direct.batch_execute("BEGIN; LOCK TABLE written; COMMIT").await.unwrap();
    assert_eq!(count(&direct).await, 0);
}

async fn proxied_table(name: &str) -> (Proxy, sandbox::Scope<'static>, Client) {
    let sandbox = Sandbox::shared();
    let scope = sandbox.scope(name);
    let direct = connect(scope.database_url()).await;
    direct.batch_execute("CREATE TABLE written (id INT)").await.unwrap();
    (Proxy::start(sandbox.postgres().port()).unwrap(), scope, direct)
}

fn through(proxy: &Proxy, url: &str) -> String {
    let port = Sandbox::shared().postgres().port();
    url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()))
}

async fn count(client: &Client) -> i64 {
    client.query_one("SELECT count(*) FROM written", &[]).await.unwrap().get(0)
}

/// A proxy to a server that sends back what it gets, until the listener is dropped with the test.
fn proxy_to_echo() -> (Proxy, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepting = listener.try_clone().unwrap();
    std::thread::spawn(move || {
        for connection in accepting.incoming() {
            std::thread::spawn(move || {
                let connection = connection.unwrap();
                // A reset ends it, too.
                let _ = std::io::copy(&mut &connection, &mut &connection);
            });
        }
    });
    (Proxy::start(port).unwrap(), listener)
}

fn client_of(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port())).unwrap()
}

fn echoed(client: &mut TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    client.write_all(bytes)?;
    let mut answer = vec![0; bytes.len()];
    client.read_exact(&mut answer)?;
    Ok(answer)
}
