//! Nothing is started for sites that are wrong.

use clickstream_e2e::{command, output};

#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_wrong_sites_is_refused_with_what_would_be_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("sites.toml");
    let path = file.display().to_string();
    let refusal = async |environment: &[(&str, &str)]| {
        let mut up = command(&data);
        up.args(["up", "--listen", "127.0.0.1:0"]).envs(environment.iter().copied());
        output(up).await.expect_failure()
    };
    let said = refusal(&[("SITES_FILE", &path)]).await;
    assert!(said.contains(&path) && said.contains("is not there"), "{said}");
    std::fs::write(&file, "[[site]]\nid = \"shop\"\nwrite_keys = [\"k3y\"]\nip = \"keep\"\n").expect("a file");
    let said = refusal(&[("SITES_FILE", &path)]).await;
    assert!(said.contains(&path) && said.contains("line 4: ip of [site]") && said.contains("\"drop\""), "{said}");
    let said = refusal(&[("SITES_FILE", &path), ("SITES", "shop:k3y")]).await;
    assert!(said.contains("SITES and SITES_FILE"), "{said}");
    let said = refusal(&[("SITES_FILE", "object:")]).await;
    assert!(said.contains("SITES_FILE=\"object:\"") && said.contains("object:KEY"), "{said}");
    let said = refusal(&[("COOKIELESS_SECRET", "short")]).await;
    assert!(said.contains("COOKIELESS_SECRET") && said.contains("16"), "{said}");
    assert!(!data.exists(), "nothing was made");

    let mut shown = command(&data);
    std::fs::write(&file, "[[site]]\nid = \"shop\"\nwrite_keys = [\"k3y\"]\n").expect("a file");
    shown.arg("config").env("SITES_FILE", &path).env("COOKIELESS_SECRET", "a-secret-of-some-length");
    let shown = output(shown).await.expect_success();
    assert!(shown.contains(&path) && !shown.contains("a-secret") && !shown.contains("k3y"), "{shown}");
}
