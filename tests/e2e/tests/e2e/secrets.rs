//! At log level debug, requests of every kind tell nothing of what was sent: no body, no key, no token, no address.

mod requests;

use clickstream_e2e::{Service, StartOptions};
use requests::{Secrets, everything};

/// Lines that a service at that level says at least, so that silence is no success.
const LINES: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_holds_a_body_a_key_a_token_or_an_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let secrets = Secrets::default();
    let environment = vec![
        ("RUST_LOG", "debug".to_owned()),
        ("ADMIN_TOKEN", secrets.token.to_owned()),
        ("SITES", format!("shop:{}", secrets.key)),
        ("TRUSTED_PROXIES", "127.0.0.1/32".to_owned()),
    ];
    let service = Service::start(&folder.path().join("data"), &StartOptions { port: 0, environment }).await;
    everything(&service, &secrets).await;

    let said = service.said();
    let lines = said.lines().filter(|line| line.contains("DEBUG")).count();
    println!("{lines} lines at debug");
    assert!(lines > LINES, "the service says little at debug: {lines} lines");
    for (what, secret) in secrets.all() {
        let told: Vec<&str> = said.lines().filter(|line| line.to_lowercase().contains(&secret.to_lowercase())).collect();
        assert!(told.is_empty(), "{what} stands in {} lines, first in: {}", told.len(), told[0]);
    }
    assert!(service.terminate().await.success());
}
