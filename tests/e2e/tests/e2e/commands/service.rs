//! Which service the commands talk to, and as whom; the configuration.

use clickstream_e2e::{Output, Service, StartOptions, binary, command, output};

const TOKEN: &str = "a-token-of-many-characters";
/// Every command that talks to a service.
const COMMANDS: [&[&str]; 6] = [
    &["export"],
    &["trace", "0190a6e0-7b2c-7d11-8a3e-5f6c2b1d4e90"],
    &["report", "elements"],
    &["status"],
    &["replay", "rejected"],
    &["import"],
];

#[tokio::test(flavor = "multi_thread")]
async fn without_a_service_each_command_says_how_to_start_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("events.csv");
    std::fs::write(&file, "").expect("a file");
    let data = folder.path().join("data");
    let service = Service::start(&data, &StartOptions::default()).await;
    let url = service.url.clone();
    // What a killed service leaves behind still names it.
    service.kill().await;
    for arguments in COMMANDS.into_iter().chain([&["demo", "--count", "1"][..]]) {
        let mut asked = command(&data);
        asked.args(arguments);
        if arguments[0] == "import" {
            asked.arg(&file);
        }
        let said = output(asked).await.expect_failure();
        assert!(said.contains(&url) && said.contains("clickstream up") && said.contains("--url"), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_a_token_is_used_with_it_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("events.ndjson");
    std::fs::write(&file, "{}\n").expect("a file");
    let options = StartOptions { environment: vec![("ADMIN_TOKEN", TOKEN.to_owned())], ..StartOptions::default() };
    let service = Service::start(&data, &options).await;
    let ask = async |arguments: &[&str], token: Option<&str>| -> Output {
        let mut asked = command(folder.path());
        asked.args(["--url", &service.url]).args(arguments).envs(token.map(|token| ("ADMIN_TOKEN", token)));
        if arguments[0] == "import" {
            asked.arg(&file);
        }
        output(asked).await
    };
    for arguments in COMMANDS {
        for wrong in [None, Some("another-token-of-many-characters")] {
            let said = ask(arguments, wrong).await.expect_failure();
            assert!(said.contains("ADMIN_TOKEN"), "{arguments:?}: {said}");
        }
        let output = ask(arguments, Some(TOKEN)).await;
        if arguments[0] == "trace" {
            let said = output.expect_failure();
            assert!(said.contains("no event"), "{said}");
        } else {
            output.expect_success();
        }
    }
    let said = std::fs::read_to_string(data.with_extension("stderr")).expect("what it said");
    assert!(!said.contains(TOKEN), "a log names no token");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_shown_with_where_it_comes_from_and_without_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = command(folder.path());
    config.arg("config").envs([("ADMIN_TOKEN", TOKEN), ("SITES", "shop:k3y,blog:0th3r"), ("COMPACT_INTERVAL", "30")]);
    let text = output(config).await.expect_success();
    let line = |name: &str| text.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("{name} is missing: {text}"));
    assert!(line("COMPACT_INTERVAL").contains("30 s") && line("COMPACT_INTERVAL").ends_with("environment"));
    assert!(line("LAKE_FILE_MB").contains(" 128 ") && line("LAKE_RETENTION_DAYS").contains(" 7 "));
    assert!(line("LAND_WINDOW_MS").ends_with("default or option"));
    assert!(line("SITES").contains("shop,blog"));
    assert!(!text.contains(TOKEN) && !text.contains("k3y"), "{text}");

    let mut help = std::process::Command::new(binary());
    help.arg("--help");
    let help = output(help).await.expect_success();
    for name in ["up", "demo", "import", "export", "trace", "report", "status", "replay", "config"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(name)), "{name} is missing: {help}");
    }
    let mut none = std::process::Command::new(binary());
    none.arg("dance");
    assert!(output(none).await.expect_failure().contains("dance"));
}
