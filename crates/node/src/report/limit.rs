//! How many reports are taken, a bucket of tokens for each address and one for all, and for each system of another office
//! one of its own; and how many connections one address may hold.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use posko_proto::time::Millis;

/// How many addresses are remembered; past that those that wait for nothing go.
const ADDRESSES: usize = 10_000;

/// How many there may be at once, and how many come back in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// At once.
    pub(crate) burst: u32,
    /// In an hour.
    pub(crate) hourly: u32,
}

/// Buckets of tokens.
#[derive(Debug)]
pub(crate) struct Limit {
    each: Rate,
    all: Rate,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    addresses: HashMap<IpAddr, Bucket>,
    sources: HashMap<String, Bucket>,
    all: Bucket,
}

/// What was taken from a bucket and has not come back yet, in milliseconds of waiting.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// When everything is back.
    full_at: i64,
}

impl Bucket {
    /// Returns it as a clock that was set back must find it: never empty for longer than it takes to fill.
    fn at(self, rate: Rate, now: Millis) -> Self {
        let whole = rate.each_ms() * i64::from(rate.burst);
        Self {
            full_at: self.full_at.clamp(now.0, now.0 + whole),
        }
    }

    /// Returns for how many milliseconds nothing may be taken.
    fn wait(self, rate: Rate, now: Millis) -> i64 {
        let whole = rate.each_ms() * i64::from(rate.burst);
        (self.full_at + rate.each_ms() - now.0 - whole).max(0)
    }

    /// Returns it after one was taken.
    fn taken(self, rate: Rate) -> Self {
        Self {
            full_at: self.full_at + rate.each_ms(),
        }
    }
}

impl Rate {
    /// Returns how long one takes to come back, in milliseconds.
    fn each_ms(self) -> i64 {
        3_600_000 / i64::from(self.hourly.max(1))
    }
}

impl Limit {
    pub(crate) fn new(each: Rate, all: Rate) -> Self {
        Self {
            each,
            all,
            buckets: Mutex::default(),
        }
    }

    /// Takes one for an address, or says after how many seconds it may ask again.
    pub(crate) fn take(&self, address: IpAddr, now: Millis) -> Result<(), u64> {
        let address = line_of(address);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.addresses.len() >= ADDRESSES {
            buckets.addresses.retain(|_, bucket| bucket.full_at > now.0);
        }
        let known = buckets.addresses.get(&address).copied();
        // So many at once are no citizens: nobody new is let in until some have gone.
        if known.is_none() && buckets.addresses.len() >= ADDRESSES {
            return Err(60);
        }
        let one = known.unwrap_or_default().at(self.each, now);
        let all = buckets.all.at(self.all, now);
        let wait = one.wait(self.each, now).max(all.wait(self.all, now));
        let (one, all) = if wait > 0 {
            (one, all)
        } else {
            (one.taken(self.each), all.taken(self.all))
        };
        buckets.addresses.insert(address, one);
        buckets.all = all;
        if wait > 0 {
            return Err(seconds(wait));
        }
        Ok(())
    }

    /// Takes one for another office's system, which as many may come from as from all citizens together, and which waits
    /// for none of them; or says after how many seconds it may ask again.
    pub(crate) fn take_of(&self, source: &str, now: Millis) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.sources.entry(source.to_owned()).or_default();
        *bucket = bucket.at(self.all, now);
        let wait = bucket.wait(self.all, now);
        if wait > 0 {
            return Err(seconds(wait));
        }
        *bucket = bucket.taken(self.all);
        Ok(())
    }
}

fn seconds(wait_ms: i64) -> u64 {
    u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000)
}

/// How many connections each line holds, so that one alone cannot hold all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection of a line, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    lines: Lines,
    line: IpAddr,
}

impl Lines {
    /// Counts a connection of an address; none when its line holds so many already.
    pub(crate) fn hold(&self, address: IpAddr, most: usize) -> Option<Held> {
        let line = line_of(address);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(line).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Held {
            lines: self.clone(),
            line,
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = held.get(&self.line).map_or(0, |count| count - 1);
        if left == 0 {
            held.remove(&self.line);
        } else {
            held.insert(self.line, left);
        }
    }
}

/// Returns what stands for everybody on a line: the address of IPv4, and of IPv6 the network of 64 bits, which a line is
/// given whole.
pub(crate) fn line_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_the_address_on_one_line_of_ipv6_waits_as_on_one_address() {
        let limit = limit();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        for host in ["2001:db8::1", "2001:db8::2"] {
            assert_eq!(limit.take(address(host), Millis(0)), Ok(()));
        }
        assert_eq!(limit.take(address("2001:db8::3"), Millis(0)), Err(60));
        assert_eq!(limit.take(address("2001:db8:0:1::1"), Millis(0)), Ok(()));
    }

    fn limit() -> Limit {
        let each = Rate {
            burst: 2,
            hourly: 60,
        };
        let all = Rate {
            burst: 3,
            hourly: 3600,
        };
        Limit::new(each, all)
    }

    #[test]
    fn an_address_waits_when_its_bucket_is_empty_and_is_told_how_long() {
        let (limit, address) = (limit(), IpAddr::from([192, 0, 2, 1]));
        assert_eq!(limit.take(address, Millis(0)), Ok(()));
        assert_eq!(limit.take(address, Millis(0)), Ok(()));
        assert_eq!(limit.take(address, Millis(0)), Err(60));
        assert_eq!(limit.take(address, Millis(30_000)), Err(30));
        assert_eq!(limit.take(address, Millis(60_000)), Ok(()));
        assert_eq!(
            limit.take(IpAddr::from([192, 0, 2, 2]), Millis(60_000)),
            Ok(())
        );
    }

    #[test]
    fn another_offices_system_waits_for_no_citizen_and_no_citizen_for_it() {
        let limit = limit();
        for last in 1..=3 {
            assert_eq!(
                limit.take(IpAddr::from([192, 0, 2, last]), Millis(0)),
                Ok(())
            );
        }
        for _ in 0..3 {
            assert_eq!(limit.take_of("BPBD", Millis(0)), Ok(()));
        }
        assert_eq!(limit.take_of("BPBD", Millis(0)), Err(1));
        assert_eq!(limit.take_of("PSC 119", Millis(0)), Ok(()));
        assert_eq!(
            limit.take(IpAddr::from([192, 0, 2, 4]), Millis(1_000)),
            Ok(())
        );
    }

    #[test]
    fn a_line_holds_so_many_connections_and_others_are_let_in() {
        let (lines, one) = (Lines::default(), IpAddr::from([192, 0, 2, 1]));
        let first = lines.hold(one, 2);
        let second = lines.hold(one, 2);
        assert!(first.is_some() && second.is_some() && lines.hold(one, 2).is_none());
        assert!(lines.hold(IpAddr::from([192, 0, 2, 2]), 2).is_some());
        drop(first);
        assert!(lines.hold(one, 2).is_some());
    }

    #[test]
    fn all_together_wait_when_the_common_bucket_is_empty() {
        let limit = limit();
        let address = |last| IpAddr::from([192, 0, 2, last]);
        for last in 1..=3 {
            assert_eq!(limit.take(address(last), Millis(0)), Ok(()));
        }
        assert_eq!(limit.take(address(4), Millis(0)), Err(1));
        assert_eq!(limit.take(address(4), Millis(1_000)), Ok(()));
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nobody_out_for_longer() {
        let (limit, address) = (limit(), IpAddr::from([192, 0, 2, 1]));
        assert_eq!(limit.take(address, Millis(1_000_000_000)), Ok(()));
        assert_eq!(limit.take(address, Millis(0)), Err(60));
        assert_eq!(limit.take(address, Millis(60_000)), Ok(()));
    }
}
