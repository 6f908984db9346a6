//! A sites file that is changed, broken and mended while its sites are in use.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use clickstream_event::VisitorSecret;
use clickstream_objects::{PutOptions, SharedObjects, s3::S3Objects};
use clickstream_sites::{LiveSites, Place, SitesFileError, SitesSetting};
use clickstream_testkit::s3::Bucket;

fn site(id: &str, key: &str) -> String {
    format!("[[site]]\nid = \"{id}\"\nwrite_keys = [\"{key}\"]\n")
}

async fn open(path: &Path) -> Result<LiveSites, SitesFileError> {
    LiveSites::open(SitesSetting::Written(Place::File(path.to_owned())), None, None).await
}

#[tokio::test]
async fn a_change_takes_effect_and_a_broken_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sites.toml");
    fs::write(&path, site("shop", "k1")).unwrap();
    let live = open(&path).await.unwrap();
    let sites = live.sites();
    assert_eq!(sites.by_write_key("k1").unwrap().site_id, "shop");
    let first = live.state();
    assert!(first.read_at.is_some() && first.error.is_none());
    live.look().await;
    assert_eq!(live.state(), first, "nothing was read anew");

    fs::write(&path, site("shop", "k2")).unwrap();
    live.look().await;
    assert!(sites.by_write_key("k1").is_none() && sites.by_write_key("k2").is_some());
    let second = live.state();
    assert!(second.read_at > first.read_at);

    for (broken, told) in [("[[site]]\nid = 7\n", "line 2: id of [site]"), ("", "at least one table"), ("\u{0}", "no TOML")] {
        fs::write(&path, broken).unwrap();
        live.look().await;
        let state = live.state();
        assert!(state.error.as_ref().unwrap().contains(told), "{state:?}");
        assert!(state.error.unwrap().contains(path.to_str().unwrap()));
        assert_eq!(state.read_at, second.read_at);
        assert!(sites.by_write_key("k2").is_some(), "the sites are as they were");
    }
    fs::write(&path, [0xff, 0xfe]).unwrap();
    live.look().await;
    assert!(live.state().error.unwrap().contains("UTF-8"));
    fs::remove_file(&path).unwrap();
    live.look().await;
    assert!(live.state().error.unwrap().contains("is not there"));
    // Mended as it was.
    fs::write(&path, site("shop", "k2")).unwrap();
    live.look().await;
    assert_eq!(live.state().error, None);
    assert!(sites.by_write_key("k2").is_some());
}

#[tokio::test]
async fn a_link_that_moves_is_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sites.toml");
    for (name, key) in [("a", "k1"), ("b", "k2")] {
        fs::write(folder.path().join(name), site("shop", key)).unwrap();
    }
    std::os::unix::fs::symlink("a", &path).unwrap();
    let live = open(&path).await.unwrap();
    std::os::unix::fs::symlink("b", folder.path().join("new")).unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    live.look().await;
    assert!(live.sites().by_write_key("k2").is_some());
}

#[tokio::test]
async fn nothing_starts_with_a_file_that_is_missing_or_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sites.toml");
    assert!(matches!(open(&path).await, Err(SitesFileError::Missing(_))));
    assert!(matches!(open(folder.path()).await, Err(SitesFileError::Unreadable { .. })));
    fs::write(&path, "sites = 1").unwrap();
    let Err(error) = open(&path).await else { panic!("it opens") };
    assert!(error.to_string().starts_with(&format!("SITES_FILE={} is wrong: line 1: ", path.display())), "{error}");
    assert_eq!(Place::File(path.clone()).check().unwrap_err().to_string(), error.to_string());
    fs::write(&path, vec![b'#'; 5 << 20]).unwrap();
    assert!(open(&path).await.err().unwrap().to_string().contains("4 MiB"));
}

#[tokio::test]
async fn a_cookieless_site_needs_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sites.toml");
    fs::write(&path, format!("{}cookieless = true\n", site("shop", "k"))).unwrap();
    let Err(error) = open(&path).await else { panic!("it opens") };
    assert!(error.to_string().contains("COOKIELESS_SECRET") && error.to_string().contains("\"shop\""), "{error}");
    let setting = SitesSetting::Written(Place::File(path));
    let live = LiveSites::open(setting, None, Some(VisitorSecret::new(b"secret"))).await.unwrap();
    let made = |secret: &VisitorSecret| secret.visitor_id(clickstream_event::Micros(0), "shop", None, Some("Firefox"));
    let site = live.sites().by_id("shop").unwrap();
    assert_eq!(made(&site.visitor_secret), made(&VisitorSecret::new(b"secret")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_followed_too() {
    let bucket = Bucket::start().await;
    let objects: SharedObjects = Arc::<S3Objects>::clone(&bucket.objects);
    let setting = || SitesSetting::Written(Place::Object("config/sites.toml".to_owned()));
    let Err(error) = LiveSites::open(setting(), Some(Arc::clone(&objects)), None).await else { panic!("it opens") };
    assert_eq!(error.to_string(), "SITES_FILE=object:config/sites.toml is not there: write it, or name another");
    let live = LiveSites::open_waiting(setting(), Some(Arc::clone(&objects)), None).await.unwrap();
    assert!(live.state().error.is_some() && live.sites().iter().count() == 0);

    let put = async |text: String| objects.put("config/sites.toml", Bytes::from(text), PutOptions::default()).await.unwrap();
    put(site("shop", "k1")).await;
    live.look().await;
    assert!(live.state().error.is_none() && live.sites().by_write_key("k1").is_some());
    put("[[site]]".to_owned()).await;
    live.look().await;
    assert!(live.state().error.unwrap().contains("line 1"));
    put(site("shop", "k2")).await;
    live.look().await;
    assert!(live.state().error.is_none() && live.sites().by_write_key("k2").is_some());
    objects.delete("config/sites.toml").await.unwrap();
    live.look().await;
    assert!(live.state().error.unwrap().contains("is not there") && live.sites().by_write_key("k2").is_some());
}
