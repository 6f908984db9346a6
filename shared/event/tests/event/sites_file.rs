//! The sites file: what it says, and how a wrong one is told apart.

use clickstream_event::{IpPolicy, Sites, SitesError};
use proptest::prelude::*;

const WHOLE: &str = r#"
[[site]]
id = "shop"
write_keys = ["k1", "k2"]
allowed_origins = ["https://shop.example", "http://localhost:3000"]
ip = "drop"
cookieless = true
timezone = "Europe/Berlin"
max_age_days = 7
max_skew_seconds = 60
allowed_query = ["q"]
property_names = 500

[site.quota]
events_per_second = 1_000
burst = 5_000
per_ip = { events_per_second = 50 }

[[site]]
id = "blog"
write_keys = ["b"]
"#;

#[test]
fn a_file_says_everything_of_a_site_and_the_rest_is_as_ever() {
    let sites = Sites::from_toml(WHOLE).unwrap();
    let shop = sites.by_id("shop").unwrap();
    assert_eq!(shop.write_keys, ["k1", "k2"]);
    assert_eq!(shop.allowed_origins, ["https://shop.example", "http://localhost:3000"]);
    assert_eq!((shop.ip_policy, shop.cookieless, shop.timezone.as_str()), (IpPolicy::Drop, true, "Europe/Berlin"));
    assert_eq!((shop.max_age_days, shop.max_skew_seconds, shop.allowed_query.as_slice()), (7, 60, ["q".to_owned()].as_slice()));
    assert_eq!(shop.property_names.as_ref().unwrap().most(), 500);
    let key = shop.quota.per_key.unwrap();
    assert_eq!((key.events_per_second.get(), key.burst.get()), (1_000, 5_000));
    let ip = shop.quota.per_ip.unwrap();
    assert_eq!((ip.events_per_second.get(), ip.burst.get()), (50, 500));
    let blog = sites.by_write_key("b").unwrap();
    assert_eq!((blog.site_id.as_str(), blog.ip_policy, blog.cookieless), ("blog", IpPolicy::Anonymize, false));
    assert_eq!((blog.timezone.as_str(), blog.max_age_days, blog.max_skew_seconds), ("UTC", 30, 3_600));
    assert!(blog.quota.per_key.is_none() && blog.quota.per_ip.is_none() && blog.property_names.is_none());
}

/// Line and message of a file that is wrong.
fn fault(text: &str) -> (usize, String) {
    match Sites::from_toml(text).unwrap_err() {
        SitesError::File { line, what } => (line, what),
        SitesError::List(text) => panic!("{text}"),
    }
}

#[test]
fn a_wrong_file_names_the_line_the_key_and_what_would_be_right() {
    let site = |lines: &str| format!("[[site]]\nid = \"shop\"\nwrite_keys = [\"s3cret\"]\n{lines}");
    for (text, line, says) in [
        (String::new(), 1, "at least one table [[site]]"),
        ("[[site]]\nid = \"shop\n".to_owned(), 2, "no TOML"),
        ("sites = 1".to_owned(), 1, "\"sites\""),
        ("site = 1".to_owned(), 1, "[[site]]"),
        ("[[site]]\nwrite_keys = [\"k\"]".to_owned(), 1, "has no id"),
        ("[[site]]\nid = \"../x\"\nwrite_keys = [\"k\"]".to_owned(), 2, "id of [site]"),
        ("[[site]]\nid = 7\nwrite_keys = [\"k\"]".to_owned(), 2, "not an integer"),
        ("[[site]]\nid = \"shop\"".to_owned(), 1, "has no write_keys"),
        ("[[site]]\nid = \"shop\"\nwrite_keys = []".to_owned(), 3, "one key at least"),
        ("[[site]]\nid = \"shop\"\nwrite_keys = [\"\"]".to_owned(), 3, "one at least"),
        ("[[site]]\nid = \"shop\"\nwrite_keys = [\"a:b\"]".to_owned(), 3, "colon"),
        ("[[site]]\nid = \"shop\"\nwrite_keys = \"s3cret\"".to_owned(), 3, "not a string"),
        (site("write_key = \"x\""), 4, "\"write_key\""),
        (site("allowed_origins = [\"https://shop.example/\"]"), 4, "https://shop.example"),
        (site("allowed_origins = [\"shop.example\"]"), 4, "https://shop.example"),
        (site("ip = \"keep\""), 4, "\"anonymize\" or \"drop\""),
        (site("cookieless = \"yes\""), 4, "true or false"),
        (site("timezone = \"Mars/Base\""), 4, "Europe/Berlin"),
        (site("max_age_days = 0"), 4, "from 1 to 3650"),
        (site("max_age_days = 1.5"), 4, "from 1 to 3650"),
        (site("max_skew_seconds = 99999999999999999999"), 4, "from 1 to 86400"),
        (site("property_names = -1"), 4, "from 1 to 100000"),
        (site("allowed_query = [1]"), 4, "query parameters"),
        (site("\n[site.quota]\nrate = 1"), 6, "\"rate\""),
        (site("[site.quota]\n"), 4, "events_per_second, per_ip, or both"),
        (site("[site.quota]\nburst = 5"), 4, "events_per_second"),
        (site("[site.quota]\nper_ip = {}"), 5, "[site.quota.per_ip]"),
        (site("[site.quota]\nevents_per_second = 0"), 5, "from 1 to"),
        (site("\n[[site]]\nid = \"shop\"\nwrite_keys = [\"k\"]"), 6, "another site is named"),
        (site("\n[[site]]\nid = \"blog\"\nwrite_keys = [\"s3cret\"]"), 7, "twice"),
        (site("[[site]]\nid = \"blog\"\nwrite_keys = [\"k\", \"k\"]"), 6, "twice"),
    ] {
        let (told, what) = fault(&text);
        assert!(told == line && what.contains(says), "line {told}: {what}\nwanted line {line}: {says}\n{text}");
        assert!(!what.contains("s3cret"), "a key is told: {what}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_reading(text in ".{0,200}", cut in 0..WHOLE.len(), put in ".{0,3}") {
        let _ = Sites::from_toml(&text);
        let mut changed = WHOLE.to_owned();
        changed.insert_str(cut, &put);
        if let Err(error) = Sites::from_toml(&changed) {
            prop_assert!(error.to_string().starts_with("line "));
        }
    }
}
