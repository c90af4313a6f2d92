//! The texts that own warnings are written from: for each hazard and severity, in Bahasa Indonesia and in English.
//!
//! They are plain words for everybody, and a province replaces or adds to them in its configuration. What it never does:
//! leave a placeholder standing, or fill one that it does not know.

use posko_proto::{
    common::v1::Hazard,
    time::Millis,
    warning::v1::{Severity, Text},
};

/// What may stand between braces in a template's text: the area's names, from when and until when it holds, the level,
/// and what it is known from.
pub const PLACEHOLDERS: [&str; 5] = ["area", "time", "until", "level", "source"];

/// The most characters of a template's text.
pub const CHARACTERS: usize = 4_000;

/// The months in Bahasa Indonesia.
pub const MONTHS_ID: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];
/// The months in English.
pub(super) const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A text that own warnings are written from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its name, the same for every severity.
    pub name: String,
    /// The kind of danger.
    pub hazard: Hazard,
    /// For which severity it is.
    pub severity: Severity,
    /// Its texts, Bahasa Indonesia first.
    pub texts: Vec<Text>,
    /// Whether it stands in the node's configuration.
    pub configured: bool,
}

/// What stands for the placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// The area's names.
    pub area: String,
    /// From when it holds.
    pub time: Millis,
    /// Until when it holds.
    pub until: Millis,
    /// The level; empty for the severity's word.
    pub level: String,
    /// What it is known from.
    pub source: String,
}

/// A text with braces that no placeholder stands between.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is no placeholder: known are {{area}}, {{time}}, {{until}}, {{level}} and {{source}}"
)]
pub struct UnknownPlaceholder {
    /// What stands there, with its braces.
    pub found: String,
}

/// A hazard's words in one language: what is coming, and what people do while it is far, near and here.
struct Words {
    noun: &'static str,
    what: &'static str,
    ready: &'static str,
    act: &'static str,
    leave: &'static str,
}

/// A hazard's templates as they are shipped.
struct Shipped {
    name: &'static str,
    hazard: Hazard,
    indonesian: Words,
    english: Words,
}

const SEVERITIES: [Severity; 4] = [
    Severity::Minor,
    Severity::Moderate,
    Severity::Severe,
    Severity::Extreme,
];

#[rustfmt::skip]
const SHIPPED: [Shipped; 10] = [
    Shipped {
        name: "banjir",
        hazard: Hazard::Flood,
        indonesian: Words {
            noun: "banjir",
            what: "Air sungai dan genangan di {area} naik dan dapat merendam rumah serta jalan.",
            ready: "Pantau tinggi air. Siapkan tas siaga, simpan surat penting dan barang berharga di tempat tinggi, dan pastikan jalur keluar tidak terhalang.",
            act: "Matikan listrik dan gas sebelum air masuk. Pindahkan anak, lansia, ibu hamil dan penyandang disabilitas ke tempat tinggi sekarang. Jangan berjalan atau berkendara melewati air yang mengalir.",
            leave: "Tinggalkan rumah sekarang menuju titik kumpul atau tempat pengungsian. Jangan menunggu barang. Jangan menyeberangi air yang mengalir, walau tampak dangkal.",
        },
        english: Words {
            noun: "flood",
            what: "Rivers and standing water in {area} are rising and may cover houses and roads.",
            ready: "Watch the water level. Prepare an emergency bag, put papers and valuables up high, and keep the way out clear.",
            act: "Switch off electricity and gas before water comes in. Move children, older people, pregnant women and people with disabilities to high ground now. Do not walk or drive through flowing water.",
            leave: "Leave your house now for the assembly point or shelter. Do not wait for belongings. Do not cross flowing water, even if it looks shallow.",
        },
    },
    Shipped {
        name: "banjir-bandang",
        hazard: Hazard::FlashFlood,
        indonesian: Words {
            noun: "banjir bandang",
            what: "Arus deras yang membawa lumpur, batu dan kayu dapat datang tiba-tiba di {area}, juga saat di tempat Anda tidak hujan.",
            ready: "Jauhi alur sungai dan lembah. Perhatikan air yang mendadak keruh, surut atau bergemuruh. Kenali jalan ke tempat tinggi.",
            act: "Tinggalkan bantaran sungai dan mulut lembah sekarang. Naik ke tempat tinggi dengan berjalan kaki menjauhi alur sungai. Beri tahu tetangga.",
            leave: "Lari ke tempat tinggi sekarang juga, menjauhi alur sungai. Jangan kembali mengambil barang. Jangan menyeberangi jembatan atau sungai.",
        },
        english: Words {
            noun: "flash flood",
            what: "A torrent with mud, rocks and logs may come suddenly in {area}, even where it does not rain.",
            ready: "Keep away from river beds and valleys. Look out for water that suddenly turns muddy, falls or rumbles. Know the way to high ground.",
            act: "Leave river banks and valley mouths now. Go up to high ground on foot, away from the river. Tell your neighbors.",
            leave: "Run to high ground at once, away from the river. Do not go back for belongings. Do not cross bridges or rivers.",
        },
    },
    Shipped {
        name: "longsor",
        hazard: Hazard::Landslide,
        indonesian: Words {
            noun: "tanah longsor",
            what: "Lereng di {area} dapat longsor, terutama saat dan sesudah hujan lama.",
            ready: "Periksa retakan tanah, pohon atau tiang yang miring, dan mata air baru. Jangan menggali atau membangun di lereng. Siapkan tas siaga.",
            act: "Jangan tidur di rumah yang berada di bawah atau di tepi lereng. Pindah ke tempat aman sebelum gelap. Laporkan retakan baru kepada petugas.",
            leave: "Tinggalkan lereng dan kaki lereng sekarang, ke arah samping menjauhi jalur longsor. Jangan kembali sebelum petugas menyatakan aman.",
        },
        english: Words {
            noun: "landslide",
            what: "Slopes in {area} may slide, above all during and after long rain.",
            ready: "Look for cracks in the ground, leaning trees or poles, and new springs. Do not dig or build on slopes. Prepare an emergency bag.",
            act: "Do not sleep in a house below or on the edge of a slope. Move to a safe place before dark. Report new cracks to the officers.",
            leave: "Leave the slope and its foot now, sideways out of the slide's path. Do not return before the officers say that it is safe.",
        },
    },
    Shipped {
        name: "gempa",
        hazard: Hazard::Earthquake,
        indonesian: Words {
            noun: "gempa bumi",
            what: "Gempa bumi dirasakan di {area}. Gempa susulan dapat terjadi.",
            ready: "Periksa rumah dari retakan. Siapkan tas siaga dan sepatu di dekat tempat tidur. Kenali tempat berlindung dan titik kumpul.",
            act: "Saat terasa guncangan: merunduk, lindungi kepala, bertahan. Sesudahnya keluar dengan tenang, matikan gas dan listrik, dan jauhi bangunan yang retak.",
            leave: "Keluar dari bangunan yang rusak dan jangan masuk kembali. Berkumpul di tempat terbuka, jauh dari bangunan, tiang dan lereng. Di pantai, segera ke tempat tinggi.",
        },
        english: Words {
            noun: "earthquake",
            what: "An earthquake was felt in {area}. Aftershocks may follow.",
            ready: "Check your house for cracks. Keep an emergency bag and shoes beside your bed. Know where to take cover and where to meet.",
            act: "When it shakes: drop, cover your head, hold on. Afterwards go out calmly, switch off gas and electricity, and keep away from cracked buildings.",
            leave: "Leave damaged buildings and do not go back in. Gather in the open, away from buildings, poles and slopes. At the coast go to high ground at once.",
        },
    },
    Shipped {
        name: "tsunami",
        hazard: Hazard::Tsunami,
        indonesian: Words {
            noun: "tsunami",
            what: "Gelombang tsunami dapat mencapai pantai {area}. Gelombang datang beberapa kali dan yang pertama belum tentu yang terbesar.",
            ready: "Jauhi pantai dan muara sungai. Ikuti keterangan resmi BMKG. Kenali jalur evakuasi ke tempat tinggi.",
            act: "Tinggalkan pantai dan muara sungai sekarang. Naik ke tempat tinggi mengikuti jalur evakuasi, dengan berjalan kaki bila dapat.",
            leave: "Segera lari ke tempat setinggi mungkin atau ke lantai tiga ke atas bangunan kokoh. Jangan menunggu melihat gelombang. Jangan kembali sebelum dinyatakan aman.",
        },
        english: Words {
            noun: "tsunami",
            what: "Tsunami waves may reach the coast of {area}. They come several times, and the first need not be the largest.",
            ready: "Keep away from the beach and river mouths. Follow BMKG's official word. Know the evacuation route to high ground.",
            act: "Leave the beach and river mouths now. Go up to high ground by the evacuation route, on foot if you can.",
            leave: "Run at once to ground as high as possible, or to the third floor or higher of a strong building. Do not wait to see the wave. Do not return before it is declared safe.",
        },
    },
    Shipped {
        name: "gunung-api",
        hazard: Hazard::Volcano,
        indonesian: Words {
            noun: "aktivitas gunung api",
            what: "Aktivitas gunung api meningkat dan berdampak di {area}.",
            ready: "Jangan masuk ke zona bahaya yang ditetapkan PVMBG. Siapkan masker, kacamata dan tas siaga. Ikuti keterangan resmi.",
            act: "Keluar dari zona bahaya sekarang. Pakai masker dan kacamata bila turun abu, tutup sumber air. Jauhi alur sungai yang berhulu di puncak karena lahar.",
            leave: "Tinggalkan zona bahaya sekarang mengikuti jalur evakuasi. Jauhi lembah dan sungai. Lindungi hidung dan mata dari abu.",
        },
        english: Words {
            noun: "volcanic activity",
            what: "Volcanic activity has risen and affects {area}.",
            ready: "Do not enter the danger zone that PVMBG has set. Prepare masks, goggles and an emergency bag. Follow the official word.",
            act: "Leave the danger zone now. Wear a mask and goggles when ash falls, and cover water. Keep away from rivers that come from the summit, because of lahars.",
            leave: "Leave the danger zone now by the evacuation route. Keep away from valleys and rivers. Protect nose and eyes from ash.",
        },
    },
    Shipped {
        name: "angin-kencang",
        hazard: Hazard::ExtremeWind,
        indonesian: Words {
            noun: "angin kencang",
            what: "Angin kencang atau puting beliung dapat terjadi di {area}.",
            ready: "Ikat atau simpan barang yang dapat terbang. Pangkas dahan rapuh. Jangan parkir di bawah pohon atau papan reklame.",
            act: "Masuk ke bangunan kokoh, jauhi jendela. Di luar, jauhi pohon, tiang listrik dan papan reklame. Tunda perjalanan dan kegiatan di luar.",
            leave: "Berlindung sekarang di ruang dalam bangunan kokoh dan lindungi kepala. Tinggalkan tenda dan bangunan ringan. Jangan menyentuh kabel yang jatuh.",
        },
        english: Words {
            noun: "extreme wind",
            what: "Strong wind or a whirlwind may occur in {area}.",
            ready: "Tie down or store what may fly. Cut weak branches. Do not park under trees or billboards.",
            act: "Go into a strong building, away from windows. Outside keep away from trees, power poles and billboards. Put off journeys and outdoor activities.",
            leave: "Take shelter now in an inner room of a strong building and protect your head. Leave tents and light buildings. Do not touch fallen cables.",
        },
    },
    Shipped {
        name: "gelombang-pasang",
        hazard: Hazard::StormSurge,
        indonesian: Words {
            noun: "gelombang pasang",
            what: "Gelombang tinggi dan air pasang dapat melanda pesisir {area}.",
            ready: "Tambatkan perahu dengan kuat. Pindahkan barang dari tepi pantai. Tunda berenang dan memancing.",
            act: "Jangan melaut. Jauhi pantai, tanggul dan dermaga. Pindahkan keluarga dari rumah di tepi pantai ke tempat lebih tinggi.",
            leave: "Tinggalkan pesisir sekarang menuju tempat tinggi. Jangan mendekat untuk menonton ombak. Matikan listrik sebelum pergi.",
        },
        english: Words {
            noun: "storm surge",
            what: "High waves and high tide may strike the coast of {area}.",
            ready: "Moor boats firmly. Move goods from the shore. Put off swimming and fishing.",
            act: "Do not go to sea. Keep away from beaches, dikes and piers. Move families from houses on the shore to higher ground.",
            leave: "Leave the coast now for high ground. Do not come near to watch the waves. Switch off electricity before you go.",
        },
    },
    Shipped {
        name: "kekeringan",
        hazard: Hazard::Drought,
        indonesian: Words {
            noun: "kekeringan",
            what: "Air bersih di {area} berkurang karena hujan lama tidak turun.",
            ready: "Hemat air dan tampung air bersih dalam wadah tertutup. Perbaiki keran bocor. Jangan membakar lahan atau sampah.",
            act: "Utamakan air untuk minum dan memasak. Masak air sampai mendidih. Laporkan sumur yang kering kepada kelurahan atau PMI.",
            leave: "Ambil air hanya dari titik pembagian resmi. Dahulukan bayi, ibu hamil, lansia dan orang sakit. Segera ke puskesmas bila ada diare atau lemas.",
        },
        english: Words {
            noun: "drought",
            what: "Clean water in {area} is running short, as rain has not fallen for long.",
            ready: "Save water and keep clean water in closed containers. Mend leaking taps. Do not burn land or waste.",
            act: "Keep water for drinking and cooking first. Boil water before use. Report dry wells to the village office or PMI.",
            leave: "Take water only from official distribution points. Babies, pregnant women, older and sick people come first. Go to a health center at once with diarrhea or weakness.",
        },
    },
    Shipped {
        name: "kebakaran-hutan",
        hazard: Hazard::Wildfire,
        indonesian: Words {
            noun: "kebakaran hutan dan lahan",
            what: "Api dan asap kebakaran hutan dan lahan dapat mencapai {area}.",
            ready: "Jangan membakar apa pun di luar. Siapkan air, masker dan tas siaga. Bersihkan daun kering di sekitar rumah.",
            act: "Pakai masker, tutup pintu dan jendela dari asap, dan kurangi kegiatan di luar. Pindahkan anak, lansia dan penderita sesak lebih dulu. Laporkan titik api.",
            leave: "Tinggalkan daerah itu sekarang, melawan arah datangnya api dan asap. Tutup hidung dan mulut dengan kain basah. Jangan kembali sebelum dinyatakan aman.",
        },
        english: Words {
            noun: "wildfire",
            what: "Fire and smoke of wildfires may reach {area}.",
            ready: "Burn nothing outdoors. Prepare water, masks and an emergency bag. Clear dry leaves around the house.",
            act: "Wear a mask, close doors and windows against smoke, and stay indoors. Move children, older people and those short of breath first. Report fires.",
            leave: "Leave the area now, away from fire and smoke. Cover nose and mouth with a wet cloth. Do not return before it is declared safe.",
        },
    },
];

/// Returns the templates as they are shipped, by name, the mildest first.
pub fn shipped() -> Vec<Template> {
    let all = SHIPPED.iter().flat_map(|shipped| {
        SEVERITIES.map(|severity| Template {
            name: shipped.name.into(),
            hazard: shipped.hazard,
            severity,
            texts: vec![
                text("id", &shipped.indonesian, severity),
                text("en", &shipped.english, severity),
            ],
            configured: false,
        })
    });
    sorted(all.collect())
}

fn text(language: &str, words: &Words, severity: Severity) -> Text {
    let place = if language == "id" { "di" } else { "in" };
    let holds = if language == "id" {
        "Sumber: {source}. Berlaku {time} sampai {until}."
    } else {
        "Source: {source}. In force from {time} until {until}."
    };
    let instruction = match severity {
        Severity::Severe => words.act,
        Severity::Extreme => words.leave,
        Severity::Unspecified | Severity::Minor | Severity::Moderate => words.ready,
    };
    Text {
        language: language.into(),
        headline: format!("{{level}}: {} {place} {{area}}", words.noun),
        description: format!("{} {holds}", words.what),
        instruction: instruction.into(),
        ..Text::default()
    }
}

/// Returns the shipped templates with the node's own in their places.
pub fn with_own(own: Vec<Template>) -> Vec<Template> {
    let mut all = shipped();
    let replaced = |known: &Template| {
        own.iter()
            .any(|own| (&own.name, own.severity) == (&known.name, known.severity))
    };
    all.retain(|known| !replaced(known));
    all.extend(own);
    sorted(all)
}

fn sorted(mut all: Vec<Template>) -> Vec<Template> {
    all.sort_by_key(|template| (template.name.clone(), i32::from(template.severity)));
    all
}

/// Refuses a text in which something else than a placeholder stands between braces.
pub fn check(text: &str) -> Result<(), UnknownPlaceholder> {
    parts(text, |_| Ok(String::new())).map(drop)
}

/// Returns a template's texts with the values in them.
pub fn fill(
    texts: &[Text],
    severity: Severity,
    values: &Values,
) -> Result<Vec<Text>, UnknownPlaceholder> {
    let filled = texts.iter().map(|text| {
        let fill = |words: &str| parts(words, |name| Ok(values.of(name, severity, &text.language)));
        Ok(Text {
            language: text.language.clone(),
            headline: fill(&text.headline)?,
            description: fill(&text.description)?,
            instruction: fill(&text.instruction)?,
            ..Text::default()
        })
    });
    filled.collect()
}

/// Puts a value in the place of each placeholder.
fn parts(
    text: &str,
    value: impl Fn(&str) -> Result<String, UnknownPlaceholder>,
) -> Result<String, UnknownPlaceholder> {
    let unknown = |found: &str| UnknownPlaceholder {
        found: found.chars().take(40).collect(),
    };
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        let inside = from
            .strip_prefix('{')
            .and_then(|inside| inside.split_once('}'));
        let Some((name, after)) = inside.filter(|(name, _)| PLACEHOLDERS.contains(name)) else {
            let end = from.find('}').map_or(from.len(), |end| end + 1);
            return Err(unknown(from.get(..end).unwrap_or(from)));
        };
        filled.push_str(before);
        filled.push_str(&value(name)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

impl Values {
    fn of(&self, name: &str, severity: Severity, language: &str) -> String {
        match name {
            "area" => self.area.clone(),
            "time" => said_time(self.time, language),
            "until" => said_time(self.until, language),
            "level" if self.level.is_empty() => said_level(severity, language).into(),
            "level" => self.level.clone(),
            _ => self.source.clone(),
        }
    }
}

/// Returns the word for a severity, as warnings in Indonesia have it.
pub fn said_level(severity: Severity, language: &str) -> &'static str {
    match (severity, language) {
        (Severity::Unspecified | Severity::Minor, "id") => "Informasi",
        (Severity::Moderate, "id") => "Waspada",
        (Severity::Severe, "id") => "Siaga",
        (Severity::Extreme, "id") => "Awas",
        (Severity::Unspecified | Severity::Minor, _) => "Notice",
        (Severity::Moderate, _) => "Watch",
        (Severity::Severe, _) => "Warning",
        (Severity::Extreme, _) => "Danger",
    }
}

/// Returns a moment in Waktu Indonesia Barat (UTC+7), such as `5 Januari 2026 pukul 12.05 WIB`.
pub fn said_time(at: Millis, language: &str) -> String {
    let (year, month, day, minutes) = civil(at);
    let months = if language == "id" {
        MONTHS_ID
    } else {
        MONTHS_EN
    };
    let month = usize::try_from(month - 1)
        .ok()
        .and_then(|month| months.get(month));
    let month = month.copied().unwrap_or_default();
    let (hour, minute) = (minutes / 60, minutes % 60);
    if language == "id" {
        format!("{day} {month} {year} pukul {hour:02}.{minute:02} WIB")
    } else {
        format!("{day} {month} {year}, {hour:02}:{minute:02} WIB")
    }
}

/// Returns year, month and day of a moment in UTC+7, and the minutes since that day began.
fn civil(at: Millis) -> (i64, i64, i64, i64) {
    // Civil from days (proleptic Gregorian), shifted so that a year begins in March and its leap day comes last.
    const DAYS_TO_0000_03_01: i64 = 719_468;
    let local = at.plus_seconds(7 * 3600).0;
    let days = local.div_euclid(86_400_000) + DAYS_TO_0000_03_01;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day, local.rem_euclid(86_400_000) / 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        Values {
            area: "Kota Bekasi".into(),
            time: Millis(1_767_589_500_000),
            until: Millis(1_767_632_400_000),
            level: String::new(),
            source: "TMA Katulampa 220 cm".into(),
        }
    }

    #[test]
    fn each_hazard_has_a_template_for_each_severity_in_both_languages() {
        let all = shipped();
        assert_eq!(all.len(), 40);
        for template in &all {
            let languages: Vec<&str> = template
                .texts
                .iter()
                .map(|text| text.language.as_str())
                .collect();
            assert_eq!(languages, ["id", "en"], "{}", template.name);
            for text in &fill(&template.texts, template.severity, &values()).unwrap() {
                let all = format!("{}{}{}", text.headline, text.description, text.instruction);
                assert!(!all.contains(['{', '}']), "{all}");
                assert!(text.headline.contains("Kota Bekasi"), "{}", text.headline);
                assert!(!text.instruction.is_empty() && text.description.contains("Katulampa"));
            }
        }
    }

    #[test]
    fn a_template_is_filled_with_area_times_level_and_source() {
        let banjir = shipped();
        let banjir = banjir
            .iter()
            .find(|one| one.name == "banjir" && one.severity == Severity::Severe)
            .unwrap();
        let filled = fill(&banjir.texts, banjir.severity, &values()).unwrap();
        assert_eq!(filled[0].headline, "Siaga: banjir di Kota Bekasi");
        assert_eq!(filled[1].headline, "Warning: flood in Kota Bekasi");
        assert!(
            filled[0].description.ends_with(
                "Sumber: TMA Katulampa 220 cm. Berlaku 5 Januari 2026 pukul 12.05 WIB sampai 6 Januari 2026 pukul 00.00 WIB."
            ),
            "{}",
            filled[0].description
        );
        let siaga = Values {
            level: "Siaga I".into(),
            ..values()
        };
        let filled = fill(&banjir.texts, banjir.severity, &siaga).unwrap();
        assert_eq!(filled[1].headline, "Siaga I: flood in Kota Bekasi");
    }

    #[test]
    fn an_unknown_placeholder_is_refused_with_what_stands_there() {
        for (text, found) in [
            ("{tempat}", "{tempat}"),
            ("a { b", "{ b"),
            ("a } b", "}"),
            ("{}", "{}"),
            ("{area", "{area"),
        ] {
            assert_eq!(check(text).unwrap_err().found, found);
        }
        assert_eq!(check("{area} {time} {until} {level} {source}"), Ok(()));
    }

    #[test]
    fn a_provinces_own_template_stands_in_the_place_of_a_shipped_one() {
        let own = Template {
            name: "banjir".into(),
            hazard: Hazard::Flood,
            severity: Severity::Severe,
            texts: Vec::new(),
            configured: true,
        };
        let fresh = Template {
            name: "rob".into(),
            ..own.clone()
        };
        let all = with_own(vec![own, fresh]);
        assert_eq!(all.len(), 41);
        let banjir = all.iter().filter(|one| one.name == "banjir");
        assert_eq!(
            banjir.map(|one| one.configured).collect::<Vec<_>>(),
            [false, false, true, false]
        );
    }

    #[test]
    fn a_time_is_said_as_people_say_it() {
        assert_eq!(
            said_time(Millis(1_709_139_540_000), "id"),
            "28 Februari 2024 pukul 23.59 WIB"
        );
        assert_eq!(
            said_time(Millis(1_709_226_000_000), "id"),
            "1 Maret 2024 pukul 00.00 WIB"
        );
        assert_eq!(
            said_time(Millis(1_709_225_940_000), "en"),
            "29 February 2024, 23:59 WIB"
        );
    }
}
