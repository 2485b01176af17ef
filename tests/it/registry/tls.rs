//! A registry behind TLS, with a certificate of an authority of its own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use openssl::pkey::PKey;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::X509;

use super::fake::FakeRegistry;
use super::{ORDER, nowhere, order, wire};
use crate::support::Authority;

/// Passes TLS on to the registry, one connection after the other. Returns its port.
fn behind_tls(registry: &FakeRegistry, authority: &Authority) -> u16 {
    let identity = authority.issue("registry", Some("localhost"));
    let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls()).expect("an acceptor");
    acceptor
        .set_certificate(&X509::from_pem(&identity.certificate).expect("a certificate"))
        .and_then(|()| {
            acceptor.set_private_key(PKey::private_key_from_pem(&identity.key)?.as_ref())
        })
        .expect("an identity");
    let acceptor = Arc::new(acceptor.build());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let (port, target) = (listener.local_addr().expect("an address").port(), registry.port());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let acceptor = Arc::clone(&acceptor);
            thread::spawn(move || {
                let Ok(mut outer) = acceptor.accept(stream) else { return };
                let Ok(mut inner) = TcpStream::connect(("127.0.0.1", target)) else { return };
                let mut buffer = vec![0; 64 * 1024];
                // The client waits for each answer, which comes in one piece.
                while let Ok(read) = outer.read(&mut buffer) {
                    if read == 0 || inner.write_all(&buffer[..read]).is_err() {
                        return;
                    }
                    let Ok(read) = inner.read(&mut buffer) else { return };
                    if outer.write_all(&buffer[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[test]
fn a_registry_is_trusted_by_the_certificates_of_a_file_and_otherwise_not() {
    let registry = FakeRegistry::start();
    registry.register(1, "AVRO", ORDER, &["orders-value"]);
    let authority = Authority::new("an authority of ours");
    let port = behind_tls(&registry, &authority);
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("it can be written");
        path.display().to_string()
    };
    let value = write("value", &wire(1, &order(1)));
    write("ca.pem", &authority.certificate());
    write("other.pem", &Authority::new("another").certificate());
    write("empty.pem", b"");
    let decode = |ca_file: &str| {
        let profile = format!(
            "[profiles.tls]\nschema_registry = \"https://localhost:{port}/below/here\"\n{ca_file}\n"
        );
        let config = write("config.toml", profile.as_bytes());
        let mut command =
            nowhere().command(&["--profile", "tls", "decode", &value, "-o", "ndjson"]);
        let output = command.env("AUDIT_CONFIG", config).output();
        let output = output.unwrap_or_else(|error| panic!("{error}"));
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text.into_owned())
    };
    let (code, said) = decode("schema_registry_ca_file = \"ca.pem\"");
    assert!(code == Some(0) && said.contains("OrderPlaced"), "{said}");
    for ca_file in ["", "schema_registry_ca_file = \"other.pem\""] {
        let (code, said) = decode(ca_file);
        assert!(code == Some(1) && said.contains("certificate verify failed"), "{said}");
    }
    for (name, reason) in [("empty.pem", "no certificate"), ("nothing.pem", "No such file")] {
        let (code, said) = decode(&format!("schema_registry_ca_file = \"{name}\""));
        assert!(code == Some(2) && said.contains(name) && said.contains(reason), "{said}");
    }
}
