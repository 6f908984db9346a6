//! Numbers: marts and reports against the same numbers computed here.

use std::collections::{BTreeMap, BTreeSet};

use clickstream_event::{Action, Event, Micros};
use serde_json::Value;

use super::{
    database, day, drop_database, report,
    sample::{BEGIN, event, object},
    settling::settle,
};
use crate::{
    Report, Warehouse,
    marts::{MARTS, Mart},
};

/// Events of three days with everything in them that marts must tell apart.
fn mixed() -> Vec<Event> {
    (0..600_i64)
        .map(|n| {
            let mut e = event("s", n * 397, &format!("anon{}", n % 37));
            e.action = [Action::View, Action::Click, Action::Page, Action::View, Action::Custom][(n % 5) as usize];
            e.name = (n % 10 == 4).then(|| "element_left".to_owned());
            e.element_id = Some(format!("el{}", n % 7));
            e.path = Some(format!("/p{}", n % 11));
            e.user_id = (n % 3 == 0).then(|| format!("user{}", n % 13));
            e.session_id = (n % 4 == 0).then(|| format!("session{}", n / 40));
            e.visible_ms = (n % 2 == 0).then_some(n * 10);
            e.x = (n % 6 != 0).then_some((n % 1_300) as i32);
            e.bot = n % 17 == 0;
            e.os = (n % 5 != 0).then(|| "Linux".to_owned());
            e.country = (n % 9 != 0).then(|| "DE".to_owned());
            e.url = Some("https://www.shop.example/".to_owned());
            e.referrer =
                [Some("https://www.search.example/?q=1"), Some("https://shop.example/cart"), None][(n % 3) as usize].map(str::to_owned);
            e.utm_source = (n % 4 == 2).then(|| "letter".to_owned());
            e
        })
        .collect()
}

fn day_of(e: &Event) -> i64 {
    (e.occurred_at.0 - BEGIN).div_euclid(Micros::DAY)
}

fn people<'e>(events: impl Iterator<Item = &'e Event>) -> usize {
    events.map(|e| e.person().map(ToOwned::to_owned)).collect::<BTreeSet<_>>().len()
}

async fn rows(warehouse: &Warehouse, table: &str) -> Vec<Value> {
    let order = "ORDER BY ALL";
    let text = warehouse.query(&format!("SELECT * FROM {table} {order}")).fetch_bytes("JSONEachRow").unwrap().collect().await.unwrap();
    text.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect()
}

fn near(value: &Value, wanted: f64) -> bool {
    value.as_f64().is_some_and(|v| (v - wanted).abs() < 1e-6)
}

/// Marts of settled events and live reports of fresh ones give what a plain count gives.
pub async fn marts_are_what_the_events_say(url: String) {
    let warehouse = database(&url).await;
    let events = mixed();
    // Half settled, half fresh: the reports see all of it, the marts the settled half.
    let commit = settle(&warehouse, 1, 0, &events[..300], 300).await;
    warehouse.insert_raw(object(200, &events[200..])).await.unwrap();
    let days = warehouse.days_of_load(commit.load_id).await.unwrap();
    assert_eq!(days.len(), 2);
    warehouse.rebuild_marts(&days).await.unwrap();
    check_elements(&rows(&warehouse, "element_daily").await, &events[..300], None);
    check_elements(&table_rows(report(&warehouse, Report::Elements, "s").await), &events, Some(0));
    check_pages(&table_rows(report(&warehouse, Report::Pages, "s").await), &events);
    check_devices(&table_rows(report(&warehouse, Report::Devices, "s").await), &events);
    check_activity(&rows(&warehouse, "user_activity_daily").await, &events[..300]);
    check_persons(&rows(&warehouse, "person_daily").await, &events[..300]);
    check_sources(&rows(&warehouse, "source_daily").await, &events[..300]);
    let clicks: u64 = table_rows(report(&warehouse, Report::Heatmap, "s").await).iter().filter_map(|r| r["clicks"].as_u64()).sum();
    let wanted = events.iter().filter(|e| !e.bot && day_of(e) == 0 && e.action == Action::Click && e.x.is_some()).count();
    assert_eq!(clicks, wanted as u64);
    drop_database(&warehouse).await;
}

fn table_rows(table: crate::Table) -> Vec<Value> {
    table.rows.into_iter().map(Value::Object).collect()
}

fn check_elements(rows: &[Value], events: &[Event], only: Option<i64>) {
    let mut groups: BTreeMap<(i64, String), Vec<&Event>> = BTreeMap::new();
    let mut left: BTreeMap<(i64, String), i64> = BTreeMap::new();
    for e in events.iter().filter(|e| !e.bot && only.is_none_or(|d| day_of(e) == d)) {
        let key = (day_of(e), e.element_id.clone().unwrap());
        match e.action {
            Action::View | Action::Click => groups.entry(key).or_default().push(e),
            Action::Custom if e.name.as_deref() == Some("element_left") => *left.entry(key).or_default() += e.visible_ms.unwrap_or(0),
            _ => {}
        }
    }
    assert_eq!(rows.len(), groups.len());
    for ((d, element), group) in groups {
        let date = day().checked_add(jiff::Span::new().days(d)).unwrap().to_string();
        let row = rows.iter().find(|r| r["day"] == date && r["element_id"] == element).unwrap();
        let views = group.iter().filter(|e| e.action == Action::View).count();
        let clicks = group.len() - views;
        assert_eq!((row["views"].as_u64(), row["clicks"].as_u64()), (Some(views as u64), Some(clicks as u64)), "{row}");
        assert_eq!(row["people"].as_u64(), Some(people(group.iter().copied()) as u64), "{row}");
        assert!(near(&row["click_through_rate"], if views == 0 { 0. } else { clicks as f64 / views as f64 }), "{row}");
        let xs: Vec<f64> = group.iter().filter_map(|e| e.x).map(f64::from).collect();
        assert!(near(&row["avg_x"], xs.iter().sum::<f64>() / xs.len() as f64), "{row}");
        let visible = group.iter().filter_map(|e| e.visible_ms).sum::<i64>() + left.remove(&(d, element)).unwrap_or(0);
        assert_eq!(row["visible_ms"].as_i64(), Some(visible), "{row}");
    }
}

fn check_pages(rows: &[Value], events: &[Event]) {
    let mut views: BTreeMap<&str, u64> = BTreeMap::new();
    for e in events.iter().filter(|e| !e.bot && day_of(e) == 0 && e.action == Action::Page) {
        *views.entry(e.path.as_deref().unwrap()).or_default() += 1;
    }
    let mut ranked: Vec<_> = views.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let got: Vec<_> = rows.iter().map(|r| (r["path"].as_str().unwrap(), r["views"].as_u64().unwrap())).collect();
    assert_eq!(got, ranked);
    assert!(rows.iter().zip(1..).all(|(r, rank)| r["rank"].as_u64() == Some(rank)));
}

fn check_devices(rows: &[Value], events: &[Event]) {
    for os in [None, Some("Linux")] {
        let group: Vec<_> = events.iter().filter(|e| !e.bot && day_of(e) == 0 && e.os.as_deref() == os).collect();
        let row = rows.iter().find(|r| r["os"].as_str() == os).unwrap();
        let sessions: BTreeSet<_> = group.iter().filter_map(|e| e.session_id.clone()).collect();
        assert_eq!((row["events"].as_u64(), row["sessions"].as_u64()), (Some(group.len() as u64), Some(sessions.len() as u64)), "{row}");
        assert_eq!(row["people"].as_u64(), Some(people(group.into_iter()) as u64), "{row}");
    }
}

fn check_activity(rows: &[Value], events: &[Event]) {
    // The two days of the events and the 29 that look back upon the second.
    assert_eq!(rows.len(), 31);
    for (row, d) in rows.iter().zip(0..) {
        let within = |days: i64| people(events.iter().filter(|e| !e.bot && day_of(e) <= d && day_of(e) > d - days)) as u64;
        assert_eq!(
            (row["dau"].as_u64(), row["wau"].as_u64(), row["mau"].as_u64()),
            (Some(within(1)), Some(within(7)), Some(within(30))),
            "{row}"
        );
    }
}

/// A date as the marts have it.
fn date(e: &Event) -> String {
    day().checked_add(jiff::Span::new().days(day_of(e))).unwrap().to_string()
}

/// A row for each day, person and country, in which a person is the same on every day.
fn check_persons(rows: &[Value], events: &[Event]) {
    let mut wanted: BTreeMap<(String, &str), BTreeSet<Option<&str>>> = BTreeMap::new();
    for e in events.iter().filter(|e| !e.bot) {
        wanted.entry((date(e), e.country.as_deref().unwrap_or_default())).or_default().insert(e.person());
    }
    let mut got: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for row in rows {
        *got.entry((row["day"].as_str().unwrap().to_owned(), row["country"].as_str().unwrap())).or_default() += 1;
    }
    assert_eq!(got, wanted.into_iter().map(|(key, people)| (key, people.len())).collect());
    let hashes: BTreeSet<String> = rows.iter().map(|row| row["person"].to_string()).collect();
    assert_eq!(hashes.len(), people(events.iter().filter(|e| !e.bot)));
}

/// The site before, of pages alone and never one's own; the campaign, of pages and clicks.
fn check_sources(rows: &[Value], events: &[Event]) {
    type Seen<'e> = (BTreeSet<Option<&'e str>>, BTreeSet<Option<&'e str>>, u64);
    let mut wanted: BTreeMap<(String, &str, &str), Seen<'_>> = BTreeMap::new();
    for e in events.iter().filter(|e| !e.bot && matches!(e.action, Action::Page | Action::Click)) {
        let abroad = e.action == Action::Page && e.referrer.as_ref().is_some_and(|url| url.contains("search"));
        let campaign = e.utm_source.as_deref().unwrap_or_default();
        if abroad || !campaign.is_empty() {
            let seen = wanted.entry((date(e), if abroad { "search.example" } else { "" }, campaign)).or_default();
            seen.0.insert(e.person());
            seen.1.insert(e.session_id.as_deref());
            seen.2 += u64::from(e.action == Action::Click);
        }
    }
    assert_eq!(wanted.len(), 6, "two days of each: a site before, a campaign, both");
    for ((day, site, campaign), (people, sessions, clicks)) in wanted {
        let group: Vec<_> = rows.iter().filter(|r| r["day"] == *day && r["site_before"] == *site && r["utm_source"] == *campaign).collect();
        let distinct = |column: &str| group.iter().map(|r| r[column].to_string()).collect::<BTreeSet<_>>().len();
        assert_eq!((distinct("person"), distinct("session")), (people.len(), sessions.len()), "{day} {site} {campaign}");
        assert_eq!(group.iter().filter_map(|r| r["clicks"].as_u64()).sum::<u64>(), clicks, "{day} {site} {campaign}");
    }
}

/// A second rebuild gives the same rows, and one after days lost their events clears them.
pub async fn rebuilding_marts_twice_changes_nothing(url: String) {
    let warehouse = database(&url).await;
    let commit = settle(&warehouse, 1, 0, &mixed(), 600).await;
    let days = warehouse.days_of_load(commit.load_id).await.unwrap();
    let mut first = Vec::new();
    for round in 0..2 {
        warehouse.rebuild_marts(&days).await.unwrap();
        for (at, Mart { table, .. }) in MARTS.iter().enumerate() {
            let rows = rows(&warehouse, table).await;
            assert!(!rows.is_empty(), "{table}");
            if round == 0 {
                first.push(rows);
            } else {
                assert_eq!(first[at], rows, "{table}");
            }
        }
    }
    warehouse.query("ALTER TABLE events DELETE WHERE true").with_setting("mutations_sync", "1").execute().await.unwrap();
    warehouse.rebuild_marts(&days).await.unwrap();
    for Mart { table, .. } in &MARTS {
        assert_eq!(rows(&warehouse, table).await, Vec::<Value>::new(), "{table}");
    }
    let left: Vec<String> = warehouse
        .query("SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'staging%'")
        .fetch_all()
        .await
        .unwrap();
    assert_eq!(left, Vec::<String>::new());
    drop_database(&warehouse).await;
}

/// Without a session of the client's, 30 minutes of silence end one; a session belongs to the day it began.
pub async fn sessions_end_after_thirty_minutes(url: String) {
    let warehouse = database(&url).await;
    // One person: three events, a gap of 31 minutes, two more. Another: one event. A named session with a long gap,
    // across midnight. A bot.
    let mut events: Vec<_> = [0, 600, 2_400, 2_400 + 1_860, 2_400 + 1_860 + 100].iter().map(|s| event("s", *s, "one")).collect();
    events.push(event("s", 50, "two"));
    for seconds in [80_000, 90_000] {
        let mut named = event("s", seconds, "one");
        named.session_id = Some("named".to_owned());
        events.push(named);
    }
    // Began the day before: not of this day.
    events.extend([-100, 100].map(|s| event("s", s, "three")));
    let mut bot = event("s", 5, "bot");
    bot.bot = true;
    events.push(bot);
    warehouse.insert_raw(object(0, &events)).await.unwrap();
    let table = report(&warehouse, Report::Sessions, "s").await;
    let row = &table.rows[0];
    // Durations: 2400, 100, 0, 10000.
    assert_eq!((table.rows.len(), row["sessions"].as_u64(), row["events"].as_u64()), (1, Some(4), Some(8)), "{row:?}");
    assert!(near(&row["avg_duration_s"], 3_125.) && near(&row["median_duration_s"], 1_250.), "{row:?}");
    let std = ((725_f64.powi(2) + 3_025_f64.powi(2) + 3_125_f64.powi(2) + 6_875_f64.powi(2)) / 4.).sqrt();
    assert!(near(&row["std_duration_s"], std), "{row:?}");
    drop_database(&warehouse).await;
}

/// Every report has the columns that its mart has, also without rows.
pub async fn reports_have_their_columns(url: String) {
    let warehouse = database(&url).await;
    let wanted: [(Report, &[&str]); 6] = [
        (
            Report::Elements,
            &[
                "day",
                "site_id",
                "element_id",
                "element_kind",
                "element_text",
                "views",
                "clicks",
                "people",
                "click_through_rate",
                "avg_x",
                "avg_y",
                "visible_ms",
            ],
        ),
        (Report::Activity, &["day", "site_id", "dau", "wau", "mau", "dau_wau", "dau_mau"]),
        (Report::Sessions, &["day", "site_id", "sessions", "avg_duration_s", "median_duration_s", "std_duration_s", "events"]),
        (Report::Devices, &["day", "site_id", "device_type", "os", "browser", "events", "people", "sessions"]),
        (Report::Pages, &["day", "site_id", "path", "views", "people", "rank"]),
        (Report::Heatmap, &["path", "x_bucket", "y_bucket", "clicks"]),
    ];
    for round in 0..2 {
        for (name, columns) in wanted {
            let table = report(&warehouse, name, "s").await;
            assert_eq!(table.columns, columns, "{name:?}");
            assert_eq!(table.rows.is_empty(), round == 0, "{name:?}");
        }
        let mut page = event("s", 1, "p");
        page.action = Action::Page;
        warehouse.insert_raw(object(0, &[event("s", 0, "p"), page])).await.unwrap();
    }
    drop_database(&warehouse).await;
}
