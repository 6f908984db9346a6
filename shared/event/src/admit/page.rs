//! Addresses of pages: scrubbed before anything keeps them.

use url::Url;

/// The five campaign parameters, in the order of the event's columns.
pub const UTM: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/// An address without credentials, fragment, and query parameters that may name a person.
#[derive(Debug)]
pub struct Page {
    /// The scrubbed address.
    pub url: String,
    /// Its path.
    pub path: String,
    /// Campaign parameters found in it.
    pub utm: [Option<String>; 5],
}

/// Reads `text` as an absolute address, or as a path of the site.
pub fn scrub(text: &str, allowed_query: &[String]) -> Option<Page> {
    let base;
    let (mut url, relative) = match Url::parse(text) {
        Ok(url) => (url, false),
        Err(url::ParseError::RelativeUrlWithoutBase) if text.starts_with('/') => {
            base = Url::parse("http://site.invalid").ok()?;
            (base.join(text).ok()?, true)
        }
        Err(_) => return None,
    };
    url.set_fragment(None);
    // Addresses without a host (mailto:, app-scheme:x) carry no credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let mut utm: [Option<String>; 5] = Default::default();
    if url.query().is_some() {
        let mut kept = url::form_urlencoded::Serializer::new(String::new());
        let mut any = false;
        for (name, value) in url.query_pairs() {
            let campaign = UTM.iter().position(|u| *u == name);
            if let Some(index) = campaign
                && utm[index].is_none()
                && !value.is_empty()
            {
                utm[index] = Some(value.clone().into_owned());
            }
            if campaign.is_some() || allowed_query.iter().any(|a| *a == name) {
                kept.append_pair(&name, &value);
                any = true;
            }
        }
        let kept = kept.finish();
        url.set_query(any.then_some(kept.as_str()));
    }
    let path = url.path().to_owned();
    let url = if relative { url[url::Position::BeforePath..].to_owned() } else { url.into() };
    Some(Page { url, path, utm })
}

/// An address that [`scrub`] gave, by the rules of now; what it gave by the same rules stays as it is.
pub fn scrub_again(kept: &str, allowed_query: &[String]) -> Option<Page> {
    // A path may begin like the name of a host: it is read behind one.
    const SITE: &str = "http://site.invalid";
    if !kept.starts_with('/') {
        return scrub(kept, allowed_query);
    }
    let page = scrub(&format!("{SITE}{kept}"), allowed_query)?;
    let url = page.url.strip_prefix(SITE).map(str::to_owned)?;
    Some(Page { url, ..page })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_may_name_a_person_is_cut() {
        let page = scrub("https://u:p@shop.example/a/b?email=x%40y&utm_source=news&q=1#token", &["q".to_owned()]).unwrap();
        assert_eq!(page.url, "https://shop.example/a/b?utm_source=news&q=1");
        assert_eq!(page.path, "/a/b");
        assert_eq!(page.utm[0].as_deref(), Some("news"));
    }

    #[test]
    fn a_path_alone_will_do() {
        let page = scrub("/cart?session=1", &[]).unwrap();
        assert_eq!((page.url.as_str(), page.path.as_str()), ("/cart", "/cart"));
        assert!(scrub("not an address", &[]).is_none());
    }

    #[test]
    fn what_was_scrubbed_is_scrubbed_again_by_the_rules_of_now() {
        let again = |url: &str, allowed: &[&str]| {
            let allowed: Vec<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
            scrub_again(url, &allowed).map(|page| page.url)
        };
        assert_eq!(again("https://shop.example/a?q=1&utm_source=news", &[]).unwrap(), "https://shop.example/a?utm_source=news");
        assert_eq!(again("/a?q=1", &["q"]).unwrap(), "/a?q=1");
        let odd = scrub("/.//host/x?a=1", &[]).unwrap().url;
        assert_eq!((odd.as_str(), again(&odd, &[]).unwrap().as_str()), ("//host/x", "//host/x"));
        assert!(again("no address", &[]).is_none());
    }
}
