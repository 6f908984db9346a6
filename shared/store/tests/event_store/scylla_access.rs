//! Passwords, rights and encryption, on a Cassandra that asks for them.

use std::{path::Path, process::Command};

use clickstream_store::{
    EventStore, Retention, StoreError,
    conformance::event,
    scylla::{ScyllaConfig, ScyllaStore, Tls, migrate},
};
use clickstream_testkit::servers::folder;

use crate::cassandra;

fn keytool(arguments: &[&str]) {
    let output = Command::new("keytool").args(arguments).output().expect("keytool, a part of the Java that runs Cassandra");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A key with a certificate for 127.0.0.1 that it signed itself, as Cassandra and as we read it.
fn certificate(folder: &Path, name: &str) -> (String, String) {
    let (store, pem) = (folder.join(format!("{name}.p12")), folder.join(format!("{name}.pem")));
    let (store, pem) = (store.to_str().unwrap().to_owned(), pem.to_str().unwrap().to_owned());
    let store_options = ["-alias", name, "-keystore", &store, "-storepass", "password"];
    let key = ["-keyalg", "EC", "-dname", "CN=test", "-ext", "san=ip:127.0.0.1", "-storetype", "PKCS12"];
    keytool(&[&["-genkeypair"][..], &store_options, &key].concat());
    keytool(&[&["-exportcert", "-rfc", "-file", &pem][..], &store_options].concat());
    (store, pem)
}

async fn refused(config: &ScyllaConfig) -> String {
    match ScyllaStore::connect(config, Retention::default()).await.unwrap_err() {
        StoreError::Setting(text) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asks_for_a_password_and_encrypts_is_used_as_it_wants() {
    let folder = folder();
    let (store, pem) = certificate(folder.path(), "server");
    let (_, other_pem) = certificate(folder.path(), "other");
    let encryption = format!("client_encryption_options={{enabled: true, optional: true, keystore: {store}, keystore_password: password}}");
    let start =
        move || cassandra::start_on(folder, &["authenticator=PasswordAuthenticator", "authorizer=CassandraAuthorizer", &encryption]);
    let server = tokio::task::spawn_blocking(start).await.unwrap();
    let mut config = cassandra::config(&server);

    let text = refused(&config).await;
    assert!(text.contains("wants a user: set SCYLLA_USERNAME and SCYLLA_PASSWORD"), "{text}");
    config.credentials = Some(("cassandra".to_owned(), "wrong".to_owned()));
    let text = refused(&config).await;
    assert!(text.contains("SCYLLA_PASSWORD") && !text.contains("wrong;"), "{text}");

    config.credentials = Some(("cassandra".to_owned(), "cassandra".to_owned()));
    config.tls = Tls::Authority(pem.into());
    migrate(&config).await.unwrap();
    cassandra::connect(&config).await.put_events(&[event("shop", 1)]).await.unwrap();
    let mut mistaken = config.clone();
    mistaken.tls = Tls::Authority(other_pem.into());
    let error = ScyllaStore::connect(&mistaken, Retention::default()).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");

    let plain = ScyllaConfig { tls: Tls::Off, ..config.clone() };
    cassandra::execute(&plain, "CREATE ROLE reader WITH PASSWORD = 'reader' AND LOGIN = true").await;
    config.credentials = Some(("reader".to_owned(), "reader".to_owned()));
    let text = refused(&config).await;
    assert!(text.contains("grant it SELECT and MODIFY"), "{text}");
}
