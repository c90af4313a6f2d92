//! Where a row's event happened, by a published code or by names: a place of this province, one elsewhere, or nowhere known.

use std::{collections::HashMap, sync::LazyLock};

use posko_domain::region::{self, CodeError, CodeSystem, Region};

/// Where a row belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// In this node's province.
    Here(&'static Region),
    /// In another province, whose own node records it.
    Elsewhere,
}

/// The provinces of Indonesia by the two digits that begin their codes; Kemendagri's and BPS's differ in Papua alone.
const PROVINCES: [(&str, &str); 40] = [
    ("11", "Aceh"),
    ("12", "Sumatera Utara"),
    ("13", "Sumatera Barat"),
    ("14", "Riau"),
    ("15", "Jambi"),
    ("16", "Sumatera Selatan"),
    ("17", "Bengkulu"),
    ("18", "Lampung"),
    ("19", "Kepulauan Bangka Belitung"),
    ("21", "Kepulauan Riau"),
    ("31", "DKI Jakarta"),
    ("32", "Jawa Barat"),
    ("33", "Jawa Tengah"),
    ("34", "DI Yogyakarta"),
    ("35", "Jawa Timur"),
    ("36", "Banten"),
    ("51", "Bali"),
    ("52", "Nusa Tenggara Barat"),
    ("53", "Nusa Tenggara Timur"),
    ("61", "Kalimantan Barat"),
    ("62", "Kalimantan Tengah"),
    ("63", "Kalimantan Selatan"),
    ("64", "Kalimantan Timur"),
    ("65", "Kalimantan Utara"),
    ("71", "Sulawesi Utara"),
    ("72", "Sulawesi Tengah"),
    ("73", "Sulawesi Selatan"),
    ("74", "Sulawesi Tenggara"),
    ("75", "Gorontalo"),
    ("76", "Sulawesi Barat"),
    ("81", "Maluku"),
    ("82", "Maluku Utara"),
    ("91", "Papua"),
    ("92", "Papua Barat"),
    ("93", "Papua Selatan"),
    ("94", "Papua"),
    ("95", "Papua Pegunungan"),
    ("96", "Papua Barat Daya"),
    ("97", "Papua Pegunungan"),
    ("34", "Daerah Istimewa Yogyakarta"),
];

/// What a published code names, and what there is to say about how it was read.
pub(super) fn of_code(
    code: &str,
    system: Option<CodeSystem>,
    province: &str,
) -> Result<(Where, Option<&'static str>), String> {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let plain = code.chars().all(|c| c.is_ascii_digit() || c == '.');
    let of = digits.get(..2).unwrap_or_default();
    let known = PROVINCES.iter().any(|(known, _)| *known == of);
    if plain && known && of != province {
        return Ok((Where::Elsewhere, None));
    }
    let of_bps = !code.contains('.') && matches!(digits.len(), 2 | 4 | 7 | 10);
    if system == Some(CodeSystem::Bps) && plain && !code.is_empty() && !of_bps {
        return Err(format!(
            "`{}` is no code of BPS, which has 2 digits for a province, 4 for a kab/kota, 7 for a kecamatan and 10 for a \
             desa, and no dots",
            short(code)
        ));
    }
    let dotted = |parts: &[(usize, usize)]| {
        let part = |(from, to): &(usize, usize)| digits.get(*from..*to);
        let parts: Option<Vec<&str>> = parts.iter().map(part).collect();
        parts.map(|parts| parts.join(".")).unwrap_or_default()
    };
    let kecamatan = || dotted(&[(0, 2), (2, 4), (4, 6)]);
    let found = match (digits.len(), system) {
        (2 | 4, _) => region::of_record(code, system).map(|region| (region, None)),
        (6 | 7 | 10, None) if plain && !code.contains('.') => {
            return Err(format!(
                "`{code}` is a code of a kecamatan, a kelurahan or a desa, which BPS and Kemendagri number each in their \
                 own way: {ASK}"
            ));
        }
        (7 | 10, Some(CodeSystem::Bps)) if plain => {
            let regency = digits.get(..4).unwrap_or_default();
            let note =
                "BPS's code of a kecamatan, a kelurahan or a desa is read up to its kab/kota";
            region::of_record(regency, system).map(|region| (region, Some(note)))
        }
        (6, _) if plain => region::parse(&kecamatan())
            .map(|region| (region, None))
            .map_err(CodeError::from),
        (10, _) if plain => {
            let note = "the code of a kelurahan or a desa is read up to its kecamatan";
            region::parse(&kecamatan())
                .map(|region| (region, Some(note)))
                .map_err(CodeError::from)
        }
        _ => region::of_record(code, system).map(|region| (region, None)),
    };
    match found {
        Ok((region, note)) => Ok((Where::Here(region), note)),
        Err(error @ CodeError::Ambiguous { .. }) => Err(format!("{error}: {ASK}")),
        Err(error) => Err(error.to_string()),
    }
}

/// What to write where nobody said whose codes they are.
pub(super) const ASK: &str =
    "write `system = \"bps\"` or `system = \"kemendagri\"` under [region] of the map";

/// What the names of a row name; an empty one is not given.
pub(super) fn of_names(
    province_name: &str,
    regency_name: &str,
    district_name: &str,
    province: &str,
) -> Result<Where, String> {
    if !province_name.is_empty() {
        let wanted = plain(province_name);
        let bare = wanted
            .strip_prefix("provinsi")
            .unwrap_or(&wanted)
            .to_owned();
        let names = |name: &str| {
            let name = plain(name);
            name == bare
                || format!("dki{bare}") == name
                || bare == "daerahkhususibukotajakarta" && name == "dkijakarta"
        };
        let codes = PROVINCES
            .iter()
            .filter(|(_, name)| names(name))
            .map(|(code, _)| *code);
        let codes: Vec<&str> = codes.collect();
        if codes.is_empty() {
            let near = nearest(PROVINCES.iter().map(|(_, name)| *name), province_name);
            return Err(format!(
                "`{}` is no province; the nearest is `{near}`",
                short(province_name)
            ));
        }
        if !codes.contains(&province) {
            return Ok(Where::Elsewhere);
        }
    }
    let regency = match regency_name {
        "" => None,
        name => {
            let all = matching(name, 5, "");
            let own: Vec<&'static Region> = all
                .iter()
                .copied()
                .filter(|region| region.province() == province)
                .collect();
            match (own.as_slice(), all.is_empty()) {
                ([region], _) => Some(*region),
                // A name of both is this province's only when the row says so.
                ([], false) if province_name.is_empty() => return Ok(Where::Elsewhere),
                ([], _) => return Err(unknown(name, 5, province)),
                (several, _) => return Err(ambiguous(name, several)),
            }
        }
    };
    let within = regency.map_or(province, |regency| regency.code);
    let found = match district_name {
        "" => regency,
        name => match matching(name, 8, within).as_slice() {
            [region] => Some(*region),
            [] => return Err(unknown(name, 8, within)),
            several => return Err(ambiguous(name, several)),
        },
    };
    match found.or_else(|| {
        (!province_name.is_empty())
            .then(|| region::find(province))
            .flatten()
    }) {
        Some(region) => Ok(Where::Here(region)),
        None => Err("the row names no region".to_owned()),
    }
}

/// Says whether a name may be that of a region's kab/kota; one that is no kab/kota's at all says nothing.
pub(super) fn contradicts(region: &Region, regency_name: &str) -> bool {
    let named = matching(regency_name, 5, "");
    let own = region::regency_of(region.code);
    own.is_some_and(|own| !named.is_empty() && !named.contains(&own))
}

/// Every region by each way in which it is named.
static NAMES: LazyLock<HashMap<String, Vec<&'static Region>>> = LazyLock::new(|| {
    let mut names: HashMap<String, Vec<&'static Region>> = HashMap::new();
    for region in region::all() {
        for form in forms(region.name) {
            let named = names.entry(form).or_default();
            if !named.contains(&region) {
                named.push(region);
            }
        }
    }
    names
});

/// Returns the regions of a code's length within an area that have the name.
fn matching(name: &str, length: usize, within: &str) -> Vec<&'static Region> {
    let named = NAMES
        .get(&plain(name))
        .map(Vec::as_slice)
        .unwrap_or_default();
    let fits = |region: &&&'static Region| {
        let inside = within.is_empty() || region::within(region.code, within);
        region.code.len() == length && inside
    };
    named.iter().filter(fits).copied().collect()
}

/// The ways in which an area is named: whole, without `Administrasi`, and without the kind of area.
fn forms(name: &str) -> [String; 3] {
    let whole = plain(name);
    let short = whole.replacen("administrasi", "", 1);
    let kinds = ["kabupaten", "kota"];
    let bare = kinds
        .iter()
        .find_map(|kind| short.strip_prefix(kind))
        .unwrap_or(&short)
        .to_owned();
    [whole, short, bare]
}

/// Lower case letters and digits alone, with what is often shortened spelled out.
fn plain(name: &str) -> String {
    let words = name.to_lowercase();
    let words = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let spelled = words.map(|word| match word {
        "kab" => "kabupaten",
        "adm" => "administrasi",
        "kep" => "kepulauan",
        "prov" => "provinsi",
        word => word,
    });
    spelled.collect()
}

fn ambiguous(name: &str, several: &[&Region]) -> String {
    let candidates: Vec<String> = several
        .iter()
        .take(12)
        .map(|region| candidate(region))
        .collect();
    format!(
        "`{}` is the name of {} places: {}",
        short(name),
        several.len(),
        candidates.join(", ")
    )
}

fn candidate(region: &Region) -> String {
    let regency = region::regency_of(region.code).filter(|regency| regency.code != region.code);
    let of = regency
        .map(|regency| format!(", {}", regency.name))
        .unwrap_or_default();
    format!("{}{of} ({})", region.name, region.code)
}

fn unknown(name: &str, length: usize, within: &str) -> String {
    let inside =
        |region: &&Region| region.code.len() == length && region::within(region.code, within);
    let names = region::all()
        .iter()
        .filter(inside)
        .map(|region| region.name);
    let near = nearest(names, name);
    let area = region::find(within).map_or(within, |region| region.name);
    format!(
        "`{}` is no place in {area}; the nearest name is `{near}`",
        short(name)
    )
}

fn nearest<'a>(names: impl Iterator<Item = &'a str>, wanted: &str) -> &'a str {
    let wanted = plain(&short(wanted));
    let farness = |name: &&str| {
        let ways = forms(name).map(|form| strsim::damerau_levenshtein(&form, &wanted));
        ways.into_iter().min()
    };
    names.min_by_key(farness).unwrap_or_default()
}

fn short(name: &str) -> String {
    name.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(
        text: &str,
        system: Option<CodeSystem>,
        province: &str,
    ) -> Result<&'static str, String> {
        of_code(text, system, province).map(|(found, _)| match found {
            Where::Here(region) => region.code,
            Where::Elsewhere => "elsewhere",
        })
    }

    fn names(
        province: &str,
        regency: &str,
        district: &str,
        own: &str,
    ) -> Result<&'static str, String> {
        of_names(province, regency, district, own).map(|found| match found {
            Where::Here(region) => region.code,
            Where::Elsewhere => "elsewhere",
        })
    }

    #[test]
    fn the_same_code_is_another_kota_by_each_system_and_who_does_not_say_is_asked() {
        assert_eq!(
            code("3171", Some(CodeSystem::Bps), "31").unwrap(),
            "31.74",
            "Jakarta Selatan"
        );
        assert_eq!(
            code("3171", Some(CodeSystem::Kemendagri), "31").unwrap(),
            "31.71",
            "Jakarta Pusat"
        );
        let asked = code("3171", None, "31").unwrap_err();
        assert!(
            asked.contains("Jakarta Pusat") && asked.contains("system = \"bps\""),
            "{asked}"
        );
        assert!(code("3171010", None, "31").unwrap_err().contains("system"));
        assert_eq!(
            code("3171010", Some(CodeSystem::Bps), "31").unwrap(),
            "31.74"
        );
        assert_eq!(
            code("327501", Some(CodeSystem::Kemendagri), "32").unwrap(),
            "32.75.01"
        );
        assert_eq!(
            code("32.75.01.1001", Some(CodeSystem::Kemendagri), "32").unwrap(),
            "32.75.01"
        );
    }

    #[test]
    fn what_is_written_as_kemendagri_writes_is_no_code_of_bps() {
        for (wrong, own) in [("31.71", "31"), ("327501", "32"), ("32.75.01", "32")] {
            let refused = code(wrong, Some(CodeSystem::Bps), own).unwrap_err();
            assert!(refused.contains("7 for a kecamatan"), "{refused}");
        }
    }

    #[test]
    fn other_provinces_are_elsewhere_and_a_code_of_none_is_refused() {
        assert_eq!(
            code("3301", Some(CodeSystem::Bps), "32").unwrap(),
            "elsewhere"
        );
        assert_eq!(code("1101", None, "32").unwrap(), "elsewhere");
        assert!(
            code("3299", Some(CodeSystem::Bps), "32")
                .unwrap_err()
                .contains("nearest")
        );
        assert!(code("0001", Some(CodeSystem::Bps), "32").is_err());
        assert!(code("", Some(CodeSystem::Bps), "32").is_err());
    }

    #[test]
    fn a_name_is_a_place_only_when_it_is_one() {
        assert_eq!(
            names("", "Jakarta Utara", "Penjaringan", "31").unwrap(),
            "31.72.01"
        );
        assert_eq!(
            names("DKI JAKARTA", "KOTA JAKARTA SELATAN", "", "31").unwrap(),
            "31.74"
        );
        assert_eq!(
            names("Jawa Barat", "KABUPATEN BOGOR", "", "32").unwrap(),
            "32.01"
        );
        assert_eq!(
            names("", "Kab. Adm. Kep. Seribu", "", "31").unwrap(),
            "31.01"
        );
        assert_eq!(
            names("Jawa Tengah", "Kabupaten Cilacap", "", "32").unwrap(),
            "elsewhere"
        );
        assert_eq!(names("", "Kota Bekasi", "", "31").unwrap(), "elsewhere");
        let two = names("Jawa Barat", "Bogor", "", "32").unwrap_err();
        assert!(
            two.contains("2 places") && two.contains("32.01") && two.contains("32.71"),
            "{two}"
        );
        let many = names("Jawa Barat", "", "Cibitung", "32").unwrap_err();
        assert!(
            many.contains("places") && many.contains("Kabupaten"),
            "{many}"
        );
        let typo = names("", "Jakarta Utara", "Penjaringn", "31").unwrap_err();
        assert!(typo.contains("nearest name is `Penjaringan`"), "{typo}");
        assert!(
            names("Jawa Brat", "", "", "32")
                .unwrap_err()
                .contains("Jawa Barat")
        );
    }
}
