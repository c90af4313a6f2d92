//! Which hosts a feed may ask: its list's own, and those that the configuration names. A list or a redirect that leads to any
//! other, also one inside the node's own network, leads nowhere.

use crate::intake::{FeedConfig, FeedKind};

/// The hosts that a feed may ask, each in lower case, with its port where that is not the scheme's own.
#[derive(Debug, Clone, Default)]
pub(super) struct Hosts(Vec<String>);

/// Why an address is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Barred {
    /// It is no address of `http` or `https`, or has a user in it.
    NotWeb,
    /// It is of a host that the feed may not ask.
    Host(String),
    /// It would give up TLS.
    Downgrade,
}

impl Hosts {
    pub(super) fn of(config: &FeedConfig) -> Self {
        let named = match &config.kind {
            FeedKind::Cap { hosts, .. } => hosts.clone(),
            FeedKind::BmkgNowcast { .. }
            | FeedKind::BmkgEarthquake { .. }
            | FeedKind::Gauges { .. }
            | FeedKind::Volcanoes => Vec::new(),
        };
        let own = parts(&config.url).map(|(_, host, _)| host);
        Self(own.into_iter().chain(named).collect())
    }

    /// Returns where a link in a document leads that came from `base`.
    pub(super) fn link(&self, base: &str, link: &str) -> Result<String, Barred> {
        let url = resolve(base, link).ok_or(Barred::NotWeb)?;
        let (_, host, _) = parts(&url).ok_or(Barred::NotWeb)?;
        if self.0.contains(&host) {
            Ok(url)
        } else {
            Err(Barred::Host(host))
        }
    }

    /// Returns where a redirect from `base` leads, which never gives up TLS.
    pub(super) fn redirect(&self, base: &str, location: &str) -> Result<String, Barred> {
        let url = self.link(base, location)?;
        let is_safe = |url: &str| parts(url).is_some_and(|(scheme, ..)| scheme == "https");
        if is_safe(base) && !is_safe(&url) {
            return Err(Barred::Downgrade);
        }
        Ok(url)
    }
}

/// Returns the host of an address of the web; nothing of another.
pub(super) fn host_of(url: &str) -> String {
    parts(url).map(|(_, host, _)| host).unwrap_or_default()
}

/// Returns scheme, host and the rest of an address of the web, without a user.
fn parts(url: &str) -> Option<(String, String, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_lowercase();
    let usual = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(end);
    let host = host.to_lowercase();
    let host = host.strip_suffix(usual).unwrap_or(&host);
    // Some read `\` as `/`, and see another host than others do.
    let is_plain = !host.is_empty() && !host.contains(['@', '\\']);
    is_plain.then(|| (scheme, host.to_owned(), rest))
}

/// Returns the address that a reference means in a document from `base`.
fn resolve(base: &str, reference: &str) -> Option<String> {
    let reference = reference.trim();
    let has_scheme = reference
        .split_once(':')
        .is_some_and(|(before, _)| !before.contains(['/', '?', '#']));
    if has_scheme {
        return Some(reference.to_owned());
    }
    let (scheme, host, path) = parts(base)?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Some(if reference.starts_with("//") {
        format!("{scheme}:{reference}")
    } else if reference.starts_with('/') {
        format!("{scheme}://{host}{reference}")
    } else if reference.starts_with('?') {
        format!("{scheme}://{host}{path}{reference}")
    } else {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{host}{folder}/{reference}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "https://a.example/cap/list.xml?x=/1";

    fn hosts() -> Hosts {
        Hosts(vec!["a.example".into(), "b.example".into()])
    }

    #[test]
    fn a_redirect_leads_to_a_host_that_the_feed_may_ask_and_never_away_from_tls() {
        for (location, leads) in [
            ("/x.xml", Ok("https://a.example/x.xml")),
            ("x.xml", Ok("https://a.example/cap/x.xml")),
            ("?page=2", Ok("https://a.example/cap/list.xml?page=2")),
            ("//b.example/x", Ok("https://b.example/x")),
            ("https://A.example:443/x", Ok("https://A.example:443/x")),
            ("http://a.example/x", Err(Barred::Downgrade)),
            ("https://c.example/", Err(Barred::Host("c.example".into()))),
            (
                "https://a.example:8443/",
                Err(Barred::Host("a.example:8443".into())),
            ),
            ("http://127.0.0.1/", Err(Barred::Host("127.0.0.1".into()))),
            (
                "//169.254.169.254/",
                Err(Barred::Host("169.254.169.254".into())),
            ),
            ("https://[::1]/", Err(Barred::Host("[::1]".into()))),
            ("https://a.example@c.example/", Err(Barred::NotWeb)),
            ("https://c.example\\.a.example/", Err(Barred::NotWeb)),
            ("file:///etc/hostname", Err(Barred::NotWeb)),
            ("https:///x", Err(Barred::NotWeb)),
        ] {
            assert_eq!(
                hosts().redirect(LIST, location),
                leads.map(str::to_owned),
                "{location}"
            );
        }
        let plain = hosts().redirect("http://a.example/x", "https://a.example/x");
        assert_eq!(plain, Ok("https://a.example/x".into()));
    }

    #[test]
    fn a_link_may_be_without_tls() {
        let link = "http://b.example/a.cap";
        assert_eq!(hosts().link(LIST, link), Ok(link.into()));
        assert_eq!(
            hosts().link(LIST, "mailto:a@b.example"),
            Err(Barred::NotWeb)
        );
    }
}
