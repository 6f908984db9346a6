//! Quotas: how many events a write key, and each address that sends with it, may send in a time.
//!
//! A request's events are counted together and pass together or not at all. Quotas are of this process: several share
//! none.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use clickstream_event::{Rate, Site};
use clickstream_telemetry::metric;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};

use crate::error::CollectError;

/// Checks between two cleanings: so many keys and addresses may be idle and still known.
const CHECKS: u32 = 65_536;
/// Most keys and addresses known at once. If more are busy, all begin anew, so that memory stays bounded.
const MOST_KNOWN: usize = 1_000_000;

/// Whose events are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// Those of a write key.
    Key,
    /// Those that one address sends with a write key.
    Address,
}

impl Whose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Address => "address",
        }
    }
}

impl fmt::Display for Whose {
    /// As whoever sends reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "this write key",
            Self::Address => "your address",
        })
    }
}

/// Keys and addresses stand as hashes.
type Limiter<C> = RateLimiter<u64, DashMapStateStore<u64>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The limiter of each rate that sites have.
type Limiters<C> = HashMap<(Whose, Rate), Arc<Limiter<C>>>;

/// What was sent lately, by rate: a site keeps its place when the sites are read again, unless its rate is another.
pub struct Quotas<C: Clock = MonotonicClock> {
    limiters: RwLock<Limiters<C>>,
    checks: AtomicU32,
    hasher: RandomState,
    clock: C,
}

impl Default for Quotas {
    fn default() -> Self {
        Self::new(MonotonicClock)
    }
}

impl<C: Clock + Clone> Quotas<C> {
    fn new(clock: C) -> Self {
        Self { limiters: RwLock::default(), checks: AtomicU32::new(0), hasher: RandomState::new(), clock }
    }

    /// Counts `events` of a request that came with `key` from `ip`.
    ///
    /// # Errors
    /// [`CollectError::OverBurst`] if so many can never come at once, else [`CollectError::OverQuota`] with the time after
    /// which they may. An address over its own quota takes nothing from its key's.
    pub fn check(&self, site: &Site, key: &str, ip: Option<IpAddr>, events: usize) -> Result<(), CollectError> {
        let Some(events) = u32::try_from(events).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        let of_address =
            site.quota.per_ip.zip(ip).map(|(rate, ip)| (Whose::Address, rate, self.hasher.hash_one((&site.site_id, key, block(ip)))));
        let of_key = site.quota.per_key.map(|rate| (Whose::Key, rate, self.hasher.hash_one((&site.site_id, key))));
        let quotas = || [of_address, of_key].into_iter().flatten();
        if let Some((whose, rate, _)) = quotas().find(|(_, rate, _)| events > rate.burst) {
            count(site, whose, events);
            return Err(CollectError::OverBurst { events: events.get(), burst: rate.burst.get() });
        }
        for (whose, rate, hash) in quotas() {
            if let Some(wait) = self.wait(whose, rate, hash, events) {
                count(site, whose, events);
                return Err(CollectError::OverQuota { whose, rate, wait });
            }
        }
        Ok(())
    }

    /// How long until `events` may pass; none if they do now.
    fn wait(&self, whose: Whose, rate: Rate, hash: u64, events: NonZeroU32) -> Option<Duration> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS == CHECKS - 1 {
            self.clean();
        }
        match self.limiter(whose, rate).check_key_n(&hash, events) {
            Ok(Err(until)) => Some(until.wait_time_from(self.clock.now())),
            // More than the burst was refused before.
            Ok(Ok(())) | Err(_) => None,
        }
    }

    fn limiter(&self, whose: Whose, rate: Rate) -> Arc<Limiter<C>> {
        if let Some(limiter) = self.limiters.read().unwrap_or_else(PoisonError::into_inner).get(&(whose, rate)) {
            return Arc::clone(limiter);
        }
        let mut limiters = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
        let limiter = limiters.entry((whose, rate)).or_insert_with(|| {
            let quota = Quota::per_second(rate.events_per_second).allow_burst(rate.burst);
            Arc::new(RateLimiter::dashmap_with_clock(quota, self.clock.clone()))
        });
        Arc::clone(limiter)
    }

    /// Forgets whoever is as if they had never come, and rates that nobody has.
    fn clean(&self) {
        let mut limiters = self.limiters.write().unwrap_or_else(PoisonError::into_inner);
        limiters.retain(|(whose, _), limiter| {
            limiter.retain_recent();
            limiter.shrink_to_fit();
            let too_many = limiter.len() > MOST_KNOWN;
            if too_many {
                tracing::warn!(whose = whose.as_str(), known = limiter.len(), "too many senders at once to count: all begin anew");
            }
            !limiter.is_empty() && !too_many
        });
    }

    #[cfg(test)]
    fn known(&self) -> usize {
        self.limiters.read().unwrap_or_else(PoisonError::into_inner).values().map(|limiter| limiter.len()).sum()
    }
}

fn count(site: &Site, whose: Whose, events: NonZeroU32) {
    metrics::counter!(metric::OVER_QUOTA, "site" => site.site_id.clone(), "quota" => whose.as_str()).increment(events.get().into());
}

/// Who one sender is: an IPv4 address, or a /64 of IPv6, as each has 2^64 addresses of its own to send from.
fn block(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clickstream_event::Sites;
    use governor::clock::FakeRelativeClock;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    fn site(quota: &str) -> Arc<Site> {
        let sites = Sites::from_toml(&format!("[[site]]\nid = \"shop\"\nwrite_keys = [\"k\", \"other\"]\n[site.quota]\n{quota}"));
        sites.unwrap().by_id("shop").unwrap()
    }

    fn wait(refused: Result<(), CollectError>) -> Duration {
        match refused {
            Err(CollectError::OverQuota { wait, .. }) => wait,
            other => panic!("{other:?}"),
        }
    }

    const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(93, 184, 216, 34)));

    #[test]
    fn a_burst_passes_and_then_as_many_as_the_rate() {
        let clock = FakeRelativeClock::default();
        let quotas = Quotas::new(clock.clone());
        let site = site("events_per_second = 10\nburst = 50");
        quotas.check(&site, "k", None, 50).unwrap();
        assert_eq!(wait(quotas.check(&site, "k", None, 5)), Duration::from_millis(500));
        // Another key of the site has its own.
        quotas.check(&site, "other", None, 50).unwrap();
        clock.advance(Duration::from_millis(499));
        wait(quotas.check(&site, "k", None, 5));
        clock.advance(Duration::from_millis(1));
        quotas.check(&site, "k", None, 5).unwrap();
        wait(quotas.check(&site, "k", None, 1));
        clock.advance(Duration::from_mins(1));
        quotas.check(&site, "k", None, 50).unwrap();
        quotas.check(&site, "k", None, 0).unwrap();
    }

    #[test]
    fn more_than_a_burst_is_told_so_and_takes_nothing() {
        let quotas = Quotas::new(FakeRelativeClock::default());
        let site = site("events_per_second = 10\nburst = 50\nper_ip = { events_per_second = 5, burst = 20 }");
        assert!(matches!(quotas.check(&site, "k", ADDRESS, 21), Err(CollectError::OverBurst { events: 21, burst: 20 })));
        assert!(matches!(quotas.check(&site, "k", None, 51), Err(CollectError::OverBurst { events: 51, burst: 50 })));
        quotas.check(&site, "k", None, 50).unwrap();
    }

    #[test]
    fn an_address_over_its_quota_takes_nothing_from_others() {
        let quotas = Quotas::new(FakeRelativeClock::default());
        let site = site("events_per_second = 100\nburst = 100\nper_ip = { events_per_second = 10, burst = 20 }");
        let from = |text: &str| Some(text.parse().unwrap());
        quotas.check(&site, "k", ADDRESS, 20).unwrap();
        (0..50).for_each(|_| assert_eq!(wait(quotas.check(&site, "k", ADDRESS, 20)), Duration::from_secs(2)));
        quotas.check(&site, "k", from("2001:db8:0:1::1"), 20).unwrap();
        // Whoever has one address of a /64 has all.
        wait(quotas.check(&site, "k", from("2001:db8:0:1:ffff::2"), 1));
        quotas.check(&site, "k", from("2001:db8:0:2::1"), 20).unwrap();
        quotas.check(&site, "k", from("1.1.1.1"), 20).unwrap();
        quotas.check(&site, "k", None, 20).unwrap();
        assert!(matches!(quotas.check(&site, "k", from("1.1.1.2"), 1), Err(CollectError::OverQuota { whose: Whose::Key, .. })));
    }

    #[test]
    fn a_million_addresses_are_forgotten_once_they_are_idle() {
        let clock = FakeRelativeClock::default();
        let quotas = Quotas::new(clock.clone());
        let site = site("per_ip = { events_per_second = 10, burst = 20 }");
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut most = 0;
        for n in 0..1_000_000_u32 {
            let ip = IpAddr::from(random.random::<[u8; 16]>());
            quotas.check(&site, "k", Some(ip), 1).unwrap();
            if n % 10_000 == 0 {
                clock.advance(Duration::from_millis(50));
                most = most.max(quotas.known());
            }
        }
        assert!(most <= 2 * CHECKS as usize, "{most} addresses are known");
        // A rate that no site has any more goes with its senders.
        clock.advance(Duration::from_mins(1));
        quotas.clean();
        assert_eq!(quotas.known(), 0);
        assert!(quotas.limiters.read().unwrap().is_empty());
    }

    #[test]
    fn busy_addresses_are_bounded_too() {
        let quotas = Quotas::new(FakeRelativeClock::default());
        let site = site("per_ip = { events_per_second = 1, burst = 20 }");
        for n in 0..1_200_000_u128 {
            let ip = IpAddr::from((n << 64).to_be_bytes());
            quotas.check(&site, "k", Some(ip), 1).unwrap();
        }
        assert!(quotas.known() <= MOST_KNOWN + CHECKS as usize, "{} addresses are known", quotas.known());
    }
}
