//! Waiting for a fact, bounded.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// How often a fact is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Whether a person wants to stop.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Makes every wait of this process end with an error, so that what was started is cleaned up on the way out.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Errors when the process is to stop.
pub fn check_going() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}

/// Looks until the fact is there, and returns it with how long it took.
///
/// `look` answers with the fact, with nothing yet, or with why it is not there; after `limit` the last reason is the error.
pub fn eventually<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<(T, Duration)> {
    let start = Instant::now();
    loop {
        check_going()?;
        let looked = look();
        if let Ok(Some(fact)) = looked {
            return Ok((fact, start.elapsed()));
        }
        if start.elapsed() >= limit {
            let why = looked
                .err()
                .map(|why| format!(": {why:#}"))
                .unwrap_or_default();
            bail!("not within {} s: {what}{why}", limit.as_secs());
        }
        pause(LOOK_EVERY);
    }
}

/// Lets time pass between two looks, or between two faults whose moment is random.
pub fn pause(time: Duration) {
    let start = Instant::now();
    // Parking may end early.
    while let Some(left) = time
        .checked_sub(start.elapsed())
        .filter(|left| !left.is_zero())
    {
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_that_never_comes_is_an_error_with_the_last_reason() {
        let error = eventually(
            "rain",
            Duration::from_millis(60),
            || -> Result<Option<()>> { bail!("the sky is blue") },
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "not within 0 s: rain: the sky is blue"
        );
    }

    #[test]
    fn a_fact_is_returned_when_it_comes() {
        let mut looks = 0;
        let (fact, _) = eventually("three looks", Duration::from_secs(5), || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        })
        .unwrap();
        assert_eq!(fact, 3);
    }
}
