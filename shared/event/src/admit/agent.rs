//! What a user agent says of device, system, browser, and of machines that act as people.
//!
//! Families by uap-core's expressions (data/NOTICE); results are cached, as sites see few distinct agents.

use std::sync::{Arc, LazyLock};

use quick_cache::sync::Cache;
use serde::Deserialize;
use ua_parser::{device, os, user_agent};

use crate::DeviceType;

/// Distinct agents remembered.
const REMEMBERED: usize = 10_000;
/// Longest agent that is looked at, bytes: the expressions see no more.
const LOOKED_AT: usize = 512;

/// What an agent says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    pub device_type: DeviceType,
    pub os: Option<String>,
    pub browser: Option<String>,
    /// Why it is a machine; empty for a person.
    pub bot_reasons: Vec<&'static str>,
    /// A browser without a window: a test, a monitor, or a machine.
    pub headless: bool,
}

struct Families {
    browsers: user_agent::Extractor<'static>,
    systems: os::Extractor<'static>,
    spiders: device::Extractor<'static>,
}

#[derive(Deserialize)]
struct Data {
    user_agent_parsers: Vec<user_agent::Parser<'static>>,
    os_parsers: Vec<os::Parser<'static>>,
    device_parsers: Vec<device::Parser<'static>>,
}

static FAMILIES: LazyLock<Option<Families>> = LazyLock::new(|| {
    let data: Data = serde_json::from_str(include_str!("../../data/uap-core.json")).ok()?;
    Some(Families {
        browsers: data.user_agent_parsers.into_iter().try_fold(user_agent::Builder::new(), user_agent::Builder::push).ok()?.build().ok()?,
        systems: data.os_parsers.into_iter().try_fold(os::Builder::new(), os::Builder::push).ok()?.build().ok()?,
        spiders: data.device_parsers.into_iter().try_fold(device::Builder::new(), device::Builder::push).ok()?.build().ok()?,
    })
});

static KNOWN: LazyLock<Cache<String, Arc<Agent>>> = LazyLock::new(|| Cache::new(REMEMBERED));

/// What `text` says.
pub fn agent(text: &str) -> Arc<Agent> {
    let text = cut(text);
    if let Some(known) = KNOWN.get(text) {
        return known;
    }
    let agent = Arc::new(parse(text));
    KNOWN.insert(text.to_owned(), Arc::clone(&agent));
    agent
}

/// True if a browser sends such an agent; libraries say something about the calling program instead.
pub fn is_browser(text: &str) -> bool {
    text.starts_with("Mozilla/") || text.starts_with("Opera/")
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn parse(text: &str) -> Agent {
    let Some(families) = FAMILIES.as_ref() else { return Agent::default() };
    let browser = families.browsers.extract(text).map(|b| b.family.into_owned());
    let os = families.systems.extract(text).map(|o| o.os.into_owned());
    let spider = families.spiders.extract(text).is_some_and(|d| d.device == "Spider");
    let mut bot_reasons = Vec::new();
    if spider {
        bot_reasons.push("ua_spider");
    } else if !is_browser(text) && browser.as_deref().is_some_and(is_library) {
        bot_reasons.push("ua_library");
    }
    let device_type = if bot_reasons.is_empty() { device_of(text, os.as_deref()) } else { DeviceType::Bot };
    Agent { device_type, os, browser, bot_reasons, headless: text.contains("Headless") || text.contains("PhantomJS") }
}

/// HTTP libraries among uap-core's families.
fn is_library(family: &str) -> bool {
    const LIBRARIES: [&str; 14] = [
        "Python Requests",
        "Python-urllib",
        "Python/",
        "aiohttp",
        "curl",
        "Wget",
        "Go-http-client",
        "okhttp",
        "Apache-HttpClient",
        "Java",
        "libwww-perl",
        "HTTPie",
        "axios",
        "node-fetch",
    ];
    LIBRARIES.iter().any(|l| family.eq_ignore_ascii_case(l))
}

/// Devices by the conventions of their agents: Android phones say `Mobile`, tablets do not.
fn device_of(text: &str, os: Option<&str>) -> DeviceType {
    let has = |word: &str| text.contains(word);
    if has("iPad") || has("Tablet") || has("Kindle") || has("Silk/") || (has("Android") && !has("Mobile")) {
        return DeviceType::Tablet;
    }
    if has("Mobile") || has("iPhone") || has("iPod") || has("Windows Phone") || has("Opera Mini") {
        return DeviceType::Mobile;
    }
    match os {
        Some("Windows" | "Mac OS X" | "Linux" | "Ubuntu" | "Fedora" | "Debian" | "Chrome OS" | "FreeBSD" | "OpenBSD") => {
            DeviceType::Desktop
        }
        Some("Android" | "iOS") => DeviceType::Mobile,
        _ => DeviceType::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (DeviceType, Option<String>, Option<String>) {
        let a = agent(text);
        (a.device_type, a.os.clone(), a.browser.clone())
    }

    #[test]
    fn common_agents_are_told_apart() {
        let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
        assert_eq!(told(chrome), (DeviceType::Desktop, Some("Windows".into()), Some("Chrome".into())));
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
        assert_eq!(told(iphone), (DeviceType::Mobile, Some("iOS".into()), Some("Mobile Safari".into())));
        let ipad = "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1";
        assert_eq!(told(ipad).0, DeviceType::Tablet);
        let pixel = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36";
        assert_eq!(told(pixel), (DeviceType::Mobile, Some("Android".into()), Some("Chrome Mobile".into())));
    }

    #[test]
    fn a_spider_is_a_machine_and_says_why() {
        let bot = agent("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");
        assert_eq!((bot.device_type, bot.bot_reasons.as_slice()), (DeviceType::Bot, ["ua_spider"].as_slice()));
        assert_eq!(agent("curl/8.5.0").bot_reasons, ["ua_library"]);
        assert_eq!(agent("").device_type, DeviceType::Unknown);
    }

    #[test]
    fn a_browser_without_a_window_is_told_but_is_no_bot() {
        let headless =
            agent("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36");
        assert!(headless.headless && headless.bot_reasons.is_empty());
        assert_eq!(headless.device_type, DeviceType::Desktop);
    }
}
