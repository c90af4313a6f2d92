//! The volcanoes of Indonesia by their names: which of them warn the three provinces, and which lie elsewhere.
//!
//! The names are those of PVMBG's list, the craters the Global Volcanism Program's.
//! What it never does: take a name that it does not know for a volcano that lies elsewhere.

use std::{cmp::Reverse, sync::LazyLock};

use super::Point;

/// How many names that are like one are told.
const TOLD: usize = 3;

/// The longest part of a name that is compared with those that are known, in characters.
const COMPARED: usize = 64;

/// What stands beside a volcano's name and says no more than that it is one.
const WORDS: [&str; 8] = [
    "g",
    "gn",
    "gg",
    "gunung",
    "gunungapi",
    "mt",
    "mount",
    "volcano",
];

/// A volcano of Indonesia.
#[derive(Debug, PartialEq, Eq)]
pub struct Volcano {
    /// The name as it is shown.
    pub name: &'static str,
    /// Where its crater is; none of one that lies elsewhere and warns nobody here.
    pub crater: Option<Point>,
    /// The codes of the kab/kota across the water that it warns.
    pub across: Vec<&'static str>,
    /// All its names, squeezed, the shown one first.
    keys: Vec<String>,
}

/// What a name stands for among the volcanoes.
#[derive(Debug, PartialEq, Eq)]
pub enum NamedVolcano {
    /// One volcano.
    One(&'static Volcano),
    /// One of several: nobody can know which.
    Several(Vec<&'static Volcano>),
    /// None that is known, with those whose names are most like it, the nearest first.
    Unknown(Vec<&'static Volcano>),
}

static VOLCANOES: LazyLock<Vec<Volcano>> = LazyLock::new(|| {
    let rows = include_str!("../../data/volcano.csv").lines().skip(1);
    rows.filter_map(|row| {
        let mut fields = row.split(',');
        let (name, also) = (fields.next()?, fields.next()?);
        let mut degrees = || fields.next()?.parse::<f64>().ok();
        let (lat, lon) = (degrees(), degrees());
        let names = std::iter::once(name).chain(also.split('|'));
        Some(Volcano {
            name,
            crater: lat.zip(lon).map(|(lat, lon)| Point::from_degrees(lat, lon)),
            across: fields.next()?.split_whitespace().collect(),
            keys: names
                .filter(|name| !name.is_empty())
                .map(squeezed)
                .collect(),
        })
    })
    .collect()
});

impl Volcano {
    /// Returns what identifies it whatever it is called: its shown name in lower case, without blanks and marks.
    pub fn key(&self) -> &str {
        self.keys.first().map_or(self.name, String::as_str)
    }
}

/// Finds the volcano that a name stands for.
///
/// Case, blanks, hyphens and words such as `G.`, `Gn.` and `Gunung` do not matter.
/// Where the whole is not known, its parts between brackets, commas and strokes are looked at: those that are must agree.
pub fn volcano_named(name: &str) -> NamedVolcano {
    let whole = called(name);
    if !whole.is_empty() {
        return one_of(whole);
    }
    let parts = name.split(['(', ')', '[', ']', ',', '/', ';']).map(called);
    let parts: Vec<_> = parts.filter(|found| !found.is_empty()).collect();
    let all = parts.concat();
    let is_agreed = |volcano: &&Volcano| parts.iter().all(|part| part.contains(volcano));
    let agreed: Vec<_> = all.iter().copied().filter(is_agreed).collect();
    match (all.is_empty(), agreed.is_empty()) {
        (true, _) => NamedVolcano::Unknown(most_like(name)),
        (false, true) => one_of(all),
        (false, false) => one_of(agreed),
    }
}

/// Returns the volcanoes that are called exactly so.
fn called(name: &str) -> Vec<&'static Volcano> {
    let wanted = squeezed(name);
    let volcanoes = VOLCANOES.iter();
    volcanoes
        .filter(|volcano| volcano.keys.contains(&wanted))
        .collect()
}

fn one_of(mut found: Vec<&'static Volcano>) -> NamedVolcano {
    found.sort_by_key(|volcano| volcano.name);
    found.dedup();
    match found.as_slice() {
        [one] => NamedVolcano::One(one),
        _ => NamedVolcano::Several(found),
    }
}

/// Returns those of which one name differs in less than half of its letters.
fn most_like(name: &str) -> Vec<&'static Volcano> {
    let wanted: String = squeezed(name).chars().take(COMPARED).collect();
    let likeness = |key: &String| {
        let letters = key.chars().count().max(1);
        let same = letters.saturating_sub(strsim::damerau_levenshtein(key, &wanted));
        same * 100 / letters
    };
    let mut like: Vec<_> = VOLCANOES
        .iter()
        .filter_map(|volcano| {
            let best = volcano.keys.iter().map(likeness).max()?;
            (best > 50).then_some((best, volcano))
        })
        .collect();
    like.sort_by_key(|(likeness, _)| Reverse(*likeness));
    let like = like.into_iter().map(|(_, volcano)| volcano);
    like.take(TOLD).collect()
}

/// Returns a name in lower case without blanks, marks, and the words that say that it is a volcano's.
fn squeezed(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let mut after_mountain = false;
    let mut kept = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        // `Gunung Api Siau` is Siau, and `Banda Api` is not Banda.
        let says_nothing = WORDS.contains(&word) || (after_mountain && word == "api");
        after_mountain = word == "gunung";
        if !says_nothing {
            kept.push_str(word);
        }
    }
    match kept.strip_prefix("gunung") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::find, *};

    #[test]
    fn a_volcano_is_found_however_it_is_spelled() {
        for (spelled, name) in [
            ("Tangkuban Perahu", "Tangkubanparahu"),
            ("TANGKUBANPARAHU", "Tangkubanparahu"),
            ("Tangkuban-Parahu", "Tangkubanparahu"),
            ("G. Tangkuban Parahu", "Tangkubanparahu"),
            ("G. Gede", "Gede"),
            ("Gn.Gede", "Gede"),
            ("Gunung Gede-Pangrango", "Gede"),
            ("gununggede", "Gede"),
            ("Gunung Api Gede", "Gede"),
            ("Gede, Jawa Barat", "Gede"),
            ("Cereme", "Ciremai"),
            ("Ceremai", "Ciremai"),
            ("Ciremai (Cereme)", "Ciremai"),
            ("Karang", "Karang"),
            ("Pulosari", "Pulosari"),
            ("Patuha", "Patuha"),
            ("Telaga Bodas", "Talagabodas"),
            ("Talaga Bodas", "Talagabodas"),
            ("Wayang Windu", "Wayang-Windu"),
            ("Kawah Karaha", "Karaha"),
            ("Karaha/Kawah Karaha", "Karaha"),
            ("Kawah Ratu (Salak)", "Salak"),
            ("Kawah Ratu, G. Tangkuban Perahu", "Tangkubanparahu"),
            ("Guntur", "Guntur"),
            ("Papandayan", "Papandayan"),
            ("Galunggung", "Galunggung"),
            ("Anak Krakatau", "Anak Krakatau"),
            ("Gunung Anak Krakatau", "Anak Krakatau"),
            ("Anak Gunung Krakatau", "Anak Krakatau"),
            ("Gunung Api Siau", "Karangetang"),
            ("Merapi", "Merapi"),
            ("Dieng", "Dieng"),
        ] {
            match volcano_named(spelled) {
                NamedVolcano::One(volcano) => assert_eq!(volcano.name, name, "{spelled}"),
                other => panic!("{spelled}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_name_that_is_not_known_or_of_several_is_no_volcano_elsewhere() {
        let names = |found: Vec<&Volcano>| -> Vec<&str> {
            found.iter().map(|volcano| volcano.name).collect()
        };
        let unknown = |name: &str| match volcano_named(name) {
            NamedVolcano::Unknown(like) => names(like),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(unknown("Galungung")[0], "Galunggung");
        assert_eq!(unknown("Tangkuban Parhu")[0], "Tangkubanparahu");
        assert_eq!(unknown("Gunung"), [""; 0]);
        assert_eq!(unknown("Vesuvius"), [""; 0]);
        assert_eq!(unknown(&"x".repeat(100_000)), [""; 0]);
        let several = |name: &str| match volcano_named(name) {
            NamedVolcano::Several(found) => names(found),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(several("Kawah Ratu"), ["Salak", "Tangkubanparahu"]);
        assert_eq!(several("Salak / Gede"), ["Gede", "Salak"]);
    }

    #[test]
    fn every_name_leads_to_its_own_volcano_and_warns_places_that_exist() {
        assert_eq!(
            VOLCANOES.len(),
            include_str!("../../data/volcano.csv").lines().count() - 1
        );
        for volcano in VOLCANOES.iter() {
            for key in &volcano.keys {
                let found = called(key);
                assert!(found.contains(&volcano), "{key}");
                assert!(found.len() == 1 || key == "kawahratu", "{key}: {found:?}");
            }
            assert!(volcano.across.iter().all(|code| find(code).is_some()));
        }
        let ours = VOLCANOES.iter().filter(|volcano| volcano.crater.is_some());
        assert_eq!(ours.count(), 19);
    }
}
