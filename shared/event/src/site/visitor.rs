//! Ids of visitors that nobody stores.
//!
//! A cookieless site tells visitors of one day apart by what every request shows anyway, address and user agent, mixed
//! with a secret and the date so that the id says nothing of either and differs from day to day and from site to site.

use std::{
    fmt::{self, Write as _},
    net::IpAddr,
    sync::{Arc, LazyLock},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use crate::Micros;

/// Bytes of an id.
const ID_BYTES: usize = 16;

/// What ids are made with. Whoever knows it can tell whether an address and agent known to them were there on a day.
#[derive(Clone)]
pub struct VisitorSecret(Arc<[u8]>);

/// The secret of a process that was given none.
static OWN: LazyLock<VisitorSecret> =
    LazyLock::new(|| VisitorSecret([Uuid::new_v4(), Uuid::new_v4()].iter().flat_map(|id| *id.as_bytes()).collect()));

impl VisitorSecret {
    /// A secret of any length; 32 random bytes are best.
    pub fn new(secret: &[u8]) -> Self {
        Self(secret.into())
    }

    /// The id of whoever was at `site` on the UTC day of `moment` with this address and user agent: 32 hex digits.
    pub fn visitor_id(&self, moment: Micros, site: &str, ip: Option<IpAddr>, agent: Option<&str>) -> String {
        let day: String = moment.to_string().chars().take_while(|c| *c != 'T').collect();
        let daily = mac(&self.0, &day);
        let ip = ip.map(|ip| ip.to_canonical().to_string()).unwrap_or_default();
        let id = mac(&daily, &format!("{site}\0{ip}\0{}", agent.unwrap_or_default()));
        id.iter().take(ID_BYTES).fold(String::with_capacity(2 * ID_BYTES), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl Default for VisitorSecret {
    /// A secret of this process alone, made at random: ids change when it is started again.
    fn default() -> Self {
        OWN.clone()
    }
}

impl fmt::Debug for VisitorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisitorSecret(…)")
    }
}

fn mac(key: &[u8], message: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const NOON: Micros = Micros(1_795_521_600_000_000); // 2026-11-24T12:00:00Z

    #[test]
    fn a_visitor_has_one_id_a_day_and_a_site() {
        let secret = VisitorSecret::new(b"secret");
        let ip = Some("93.184.216.34".parse().unwrap());
        let today = secret.visitor_id(NOON, "shop", ip, Some("Firefox"));
        assert_eq!(today.len(), 32);
        assert!(today.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(secret.visitor_id(NOON.plus(11 * Micros::HOUR), "shop", ip, Some("Firefox")), today);
        assert_eq!(secret.visitor_id(NOON, "shop", Some("::ffff:93.184.216.34".parse().unwrap()), Some("Firefox")), today);
        for other in [
            secret.visitor_id(NOON.plus(12 * Micros::HOUR), "shop", ip, Some("Firefox")),
            secret.visitor_id(NOON, "blog", ip, Some("Firefox")),
            secret.visitor_id(NOON, "shop", Some("93.184.216.35".parse().unwrap()), Some("Firefox")),
            secret.visitor_id(NOON, "shop", ip, Some("Chrome")),
            secret.visitor_id(NOON, "shop", None, Some("Firefox")),
            VisitorSecret::new(b"other").visitor_id(NOON, "shop", ip, Some("Firefox")),
        ] {
            assert_ne!(other, today);
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert!(!format!("{:?}", VisitorSecret::new(b"hunter2")).contains("hunter2"));
    }
}
