//! The pages of the web form: plain HTML without a script, for any telephone and any reader.
//!
//! ```text
//! /lapor ──▶ which kab/kota? ──▶ /lapor?kab=32.75 ──▶ the form ──▶ recorded, with what happens next
//!                                                      ▲   │
//!                                                      └───┘ what is wrong, with all that was typed
//! ```
//! What it never does: show again what was sent without escaping it, or ask for a name, a number or an address.

use std::{fmt::Write as _, sync::LazyLock};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use posko_domain::{
    hazard,
    region::{self, Region},
};
use sha2::{Digest, Sha256};

use super::{
    Report,
    read::{TEXT_CHARACTERS, Wrong},
};
use crate::outgoing::named;

const STYLE: &str = include_str!("form.css");

/// What a page may load: its own style, and nothing else.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lang {
    Id,
    En,
}

impl Lang {
    /// Returns the first text in Bahasa Indonesia, the second in English.
    pub(super) fn say<'a>(self, indonesian: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Id => indonesian,
            Self::En => english,
        }
    }

    fn tag(self) -> &'static str {
        self.say("id", "en")
    }
}

/// What all pages need.
pub(super) struct Page<'a> {
    pub(super) lang: Lang,
    /// The node's origin: its province's places may be chosen.
    pub(super) node: &'a str,
    /// The posko's telephone number, or empty.
    pub(super) phone: &'a str,
    /// The kab/kota whose kecamatan are offered; none offers the kab/kota alone.
    pub(super) kab: Option<&'static Region>,
}

/// Why a form is shown.
#[derive(Clone, Copy)]
pub(super) enum Why<'a> {
    /// It was asked for.
    Asked,
    /// Something in it must be mended.
    Wrong(&'a [Wrong]),
    /// It is right, and was not recorded for this reason.
    Held(&'a str),
}

impl Page<'_> {
    /// Returns the page that asks in which kab/kota it is.
    pub(super) fn start(&self) -> String {
        let title = self.title();
        let mut places = String::new();
        for (kind, heading) in [
            ("Kabupaten ", self.say("Kabupaten", "Kabupaten (regencies)")),
            ("Kota ", self.say("Kota", "Kota (cities)")),
        ] {
            let mut found: Vec<(&str, &Region)> = self
                .regencies()
                .filter_map(|region| Some((short(region.name.strip_prefix(kind)?), region)))
                .collect();
            if found.is_empty() {
                continue;
            }
            found.sort_by_key(|(name, _)| *name);
            let links = found.iter().map(|(name, region)| {
                format!(
                    "<li><a href=\"/lapor?lang={}&amp;kab={}\"><span><span class=\"sr\">{kind}</span>{}</span></a></li>",
                    self.lang.tag(),
                    region.code,
                    escaped(name)
                )
            });
            let links: String = links.collect();
            let _ = write!(
                places,
                "<h3>{heading}</h3><ul class=\"places\">{links}</ul>"
            );
        }
        let body = format!(
            "<h1>{title}</h1>{}<h2>{}</h2>{places}<p>{}</p>",
            self.calls(),
            self.say(
                "Di kabupaten atau kota mana kejadiannya?",
                "In which kabupaten or kota is it?"
            ),
            self.privacy(),
        );
        self.page(title, &body)
    }

    /// Returns the form, with why it is shown and what was typed before. `key` tells this sending from another.
    pub(super) fn form(&self, key: &str, typed: &[(String, String)], why: Why<'_>) -> String {
        let form = Form {
            page: self,
            typed,
            wrong: match why {
                Why::Wrong(wrong) => wrong,
                Why::Asked | Why::Held(_) => &[],
            },
        };
        let title = self.title();
        let chosen = self.kab.map_or_else(String::new, |kab| {
            format!(
                "<p class=\"chosen\"><strong>{}</strong> · <a href=\"/lapor?lang={}\">{}</a></p>",
                escaped(kab.name),
                self.lang.tag(),
                self.say("ganti", "change")
            )
        });
        let body = format!(
            "{top}<h1>{title}</h1>{calls}{chosen}\
<form method=\"post\" action=\"{action}\" accept-charset=\"utf-8\">\
<input type=\"hidden\" name=\"key\" value=\"{key}\" autocomplete=\"off\">\
{fields}<p>{privacy}</p><button type=\"submit\">{send}</button></form>",
            top = match why {
                Why::Asked => String::new(),
                Why::Wrong(wrong) => self.summary(wrong),
                Why::Held(held) => alert(
                    self.say("Laporan belum terkirim", "The report is not sent yet"),
                    &format!("<p>{}</p>", escaped(held)),
                ),
            },
            calls = self.calls(),
            privacy = self.privacy(),
            action = self.here(),
            key = escaped(key),
            fields = form.fields(),
            send = self.say("Kirim laporan", "Send the report"),
        );
        match why {
            Why::Asked => self.page(title, &body),
            Why::Wrong(_) | Why::Held(_) => {
                let title = format!("{}: {title}", self.say("Belum terkirim", "Not sent yet"));
                self.page(&title, &body)
            }
        }
    }

    /// Returns the page that says that a report is recorded, and what happens next.
    pub(super) fn thanks(&self, report: &Report, number: &str) -> String {
        let title = self.say("Laporan Anda tercatat", "Your report is recorded");
        let label = hazard::ALL
            .iter()
            .find(|label| label.hazard == report.hazard);
        let what = label.map_or("", |label| self.say(label.indonesian, label.english));
        let reach = if self.phone.is_empty() {
            self.say("kirim laporan baru", "send a new report")
        } else {
            self.say(
                "kirim laporan baru atau telepon posko, dan sebutkan nomor laporan ini",
                "send a new report, or telephone the posko and tell this report's number",
            )
        };
        let body = format!(
            "<div class=\"good\"><h1>{title}</h1><p>{waits}</p></div>\
<dl><dt>{what_label}</dt><dd>{what}</dd><dt>{where_label}</dt><dd>{place}</dd>\
<dt>{number_label}</dt><dd><code>{number}</code></dd></dl>\
<h2>{next}</h2><ol><li>{read}</li><li>{no_call} {worse}{reach}.</li><li>{safe}</li></ol>\
{calls}<a class=\"next\" href=\"{again}\">{another}</a>",
            waits = self.say(
                "Petugas piket PMI akan membacanya. Laporan ini bukan panggilan darurat: belum tentu bantuan segera berangkat.",
                "PMI's duty officer will read it. It is no emergency call: help is not on its way yet.",
            ),
            what_label = self.say("Kejadian", "What"),
            what = escaped(what),
            where_label = self.say("Tempat", "Where"),
            place = escaped(&named(&report.place.region_code)),
            number_label = self.say("Nomor laporan", "Report number"),
            number = escaped(number),
            next = self.say("Yang terjadi selanjutnya", "What happens next"),
            read = self.say(
                "Petugas piket memeriksa laporan ini, dan bila benar posko memulai penanganan.",
                "The duty officer checks this report, and if it is true the posko begins its response.",
            ),
            no_call = self.say(
                "Kami tidak dapat menghubungi Anda.",
                "We cannot call you back."
            ),
            worse = self.say("Bila keadaan memburuk, ", "If it gets worse, "),
            safe = self.say(
                "Utamakan keselamatan Anda: menjauhlah dari bahaya.",
                "Your safety comes first: keep away from the danger."
            ),
            calls = self.calls(),
            again = self.here(),
            another = self.say("Kirim laporan lain", "Send another report"),
        );
        self.page(title, &body)
    }

    /// Returns a page that says why nothing was recorded, where there is no form to show again.
    pub(super) fn trouble(&self, why: &str) -> String {
        let title = self.say("Tidak ada laporan yang tercatat", "No report is recorded");
        let body = format!(
            "<h1>{title}</h1><p>{}</p>{}<a class=\"next\" href=\"{}\">{}</a>",
            escaped(why),
            self.calls(),
            self.here(),
            self.say("Buka formulir laporan", "Open the report form"),
        );
        self.page(title, &body)
    }

    fn say<'b>(&self, indonesian: &'b str, english: &'b str) -> &'b str {
        self.lang.say(indonesian, english)
    }

    fn title(&self) -> &'static str {
        self.lang
            .say("Lapor kejadian darurat", "Report an emergency")
    }

    /// Returns the address of the form in this language and kab/kota, escaped.
    fn here(&self) -> String {
        self.address(self.lang.tag())
    }

    fn address(&self, lang: &str) -> String {
        let kab = self
            .kab
            .map_or_else(String::new, |kab| format!("&amp;kab={}", kab.code));
        format!("/lapor?lang={lang}{kab}")
    }

    /// Says whom to call when a life is in danger: a form is read by somebody, some time.
    fn calls(&self) -> String {
        let mut calls = format!(
            "<li><a href=\"tel:112\">112 {}</a></li><li><a href=\"tel:119\">119 {}</a></li>",
            self.say("Darurat", "Emergency"),
            self.say("Ambulans", "Ambulance"),
        );
        if !self.phone.is_empty() {
            let dialed = |c: &char| c.is_ascii_digit() || *c == '+';
            let dialed: String = self.phone.chars().filter(dialed).collect();
            let _ = write!(
                calls,
                "<li><a href=\"tel:{dialed}\">{} {}</a></li>",
                self.say("Posko PMI", "PMI's posko"),
                escaped(self.phone)
            );
        }
        let said = self.say(
            "Ada yang terancam jiwa? Telepon sekarang.",
            "Is a life in danger? Call now.",
        );
        format!("<div class=\"call\"><p><strong>{said}</strong></p><ul>{calls}</ul></div>")
    }

    fn privacy(&self) -> &'static str {
        self.lang.say(
            "Laporan dibaca petugas piket PMI. Nama dan nomor Anda tidak diminta dan tidak disimpan, jadi kami tidak dapat menghubungi Anda.",
            "The report is read by PMI's duty officer. Your name and number are not asked for and not kept, so we cannot call you back.",
        )
    }

    fn summary(&self, wrong: &[Wrong]) -> String {
        let items = wrong.iter().map(|wrong| {
            let said = self.say(&wrong.indonesian, &wrong.english);
            format!(
                "<li><a href=\"#{}\">{}: {}</a></li>",
                input(wrong.field),
                self.label(input(wrong.field)),
                escaped(said)
            )
        });
        let items: String = items.collect();
        alert(
            self.say(
                "Belum terkirim. Perbaiki dahulu:",
                "Not sent yet. Please mend:",
            ),
            &format!("<ul>{items}</ul>"),
        )
    }

    /// Returns what an input asks for.
    fn label(&self, input: &str) -> &'static str {
        let (indonesian, english) = match input {
            "hazard" => ("Apa yang terjadi?", "What is happening?"),
            "region_code" => ("Di mana?", "Where?"),
            "text" => ("Ceritakan keadaannya", "Tell what you see"),
            "observed_at" => ("Kapan terlihat?", "When was it seen?"),
            _ => ("Titik di peta", "Point on the map"),
        };
        self.lang.say(indonesian, english)
    }

    fn regencies(&self) -> impl Iterator<Item = &'static Region> {
        let everywhere = region::find(self.node).is_none();
        region::all().iter().filter(move |region| {
            is_regency(region) && (everywhere || region::within(region.code, self.node))
        })
    }

    fn page(&self, title: &str, body: &str) -> String {
        let (other, name) = match self.lang {
            Lang::Id => ("en", "English"),
            Lang::En => ("id", "Bahasa Indonesia"),
        };
        format!(
            "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
<meta name=\"robots\" content=\"noindex\"><title>{title} · PMI</title><style>{STYLE}</style></head>\
<body><header class=\"top\"><strong>Palang Merah Indonesia</strong><a href=\"{}\" hreflang=\"{other}\" lang=\"{other}\">{name}</a></header>\
<main>{body}</main></body></html>\n",
            self.lang.tag(),
            self.address(other),
        )
    }
}

/// A form that is being written.
struct Form<'a> {
    page: &'a Page<'a>,
    typed: &'a [(String, String)],
    wrong: &'a [Wrong],
}

impl Form<'_> {
    fn fields(&self) -> String {
        let say = |indonesian, english| self.page.say(indonesian, english);
        let choose = format!(
            "<option value=\"\">{}</option>",
            say("— pilih —", "— choose —")
        );
        let hazards = hazard::ALL
            .iter()
            .map(|label| self.option("hazard", label.name, say(label.indonesian, label.english)));
        let hazards: String = hazards.collect();
        let more = [
            self.field("observed_at", "", |attributes| {
                let value = self.value("observed_at");
                format!("<input type=\"datetime-local\" value=\"{value}\"{attributes}>")
            }),
            self.field(
                "point",
                say(
                    "Salin dari aplikasi peta, seperti -6.24, 106.99",
                    "Copy it from a map, such as -6.24, 106.99",
                ),
                |attributes| {
                    let value = self.value("point");
                    format!("<input autocomplete=\"off\" value=\"{value}\"{attributes}>")
                },
            ),
        ];
        let is_open = ["observed_at", "point"]
            .iter()
            .any(|name| !self.value(name).is_empty() || self.fault(name).is_some());
        [
            self.field("hazard", "", |attributes| {
                format!("<select required{attributes}>{choose}{hazards}</select>")
            }),
            self.field("region_code", "", |attributes| {
                format!("<select required{attributes}>{choose}{}</select>", self.places())
            }),
            self.field(
                "text",
                say(
                    "Di desa atau jalan mana? Adakah yang terluka atau terjebak? Jangan tulis nama, nomor telepon, NIK atau alamat surel siapa pun.",
                    "In which village or street? Is anybody hurt or trapped? Do not write anybody's name, telephone number, NIK or e-mail address.",
                ),
                |attributes| {
                    let text = self.value("text");
                    // A line's end right behind the tag is the browser's, not the text's.
                    format!("<textarea rows=\"5\" maxlength=\"{TEXT_CHARACTERS}\"{attributes}>\n{text}</textarea>")
                },
            ),
            format!(
                "<details{}><summary>{}</summary>{}</details>",
                if is_open { " open" } else { "" },
                say("Waktu dan titik (boleh dilewati)", "Time and point (may be left empty)"),
                more.concat()
            ),
        ]
        .concat()
    }

    /// Returns an input with its label, its hint and what is wrong with it.
    fn field(&self, name: &str, hint: &str, input: impl FnOnce(&str) -> String) -> String {
        let mut described = Vec::new();
        let mut around = String::new();
        if !hint.is_empty() {
            described.push(format!("{name}-hint"));
            let _ = write!(around, "<p class=\"hint\" id=\"{name}-hint\">{hint}</p>");
        }
        let fault = self.fault(name);
        if let Some(wrong) = fault {
            described.push(format!("{name}-error"));
            let said = self.page.say(&wrong.indonesian, &wrong.english);
            let _ = write!(
                around,
                "<p class=\"error\" id=\"{name}-error\">{}</p>",
                escaped(&capital(said))
            );
        }
        let mut attributes = format!(" id=\"{name}\" name=\"{name}\"");
        if !described.is_empty() {
            let _ = write!(attributes, " aria-describedby=\"{}\"", described.join(" "));
        }
        if fault.is_some() {
            attributes += " aria-invalid=\"true\"";
        }
        let optional = match name {
            "text" => self.page.say(" (boleh dilewati)", " (may be left empty)"),
            _ => "",
        };
        format!(
            "<div class=\"field{}\"><label for=\"{name}\">{}{optional}</label>{around}{}</div>",
            if fault.is_some() { " bad" } else { "" },
            self.page.label(name),
            input(&attributes)
        )
    }

    /// Returns the places to choose from: the kecamatan of the kab/kota, and every kab/kota as a whole.
    fn places(&self) -> String {
        let option = |code: &str, name: &str| self.option("region_code", code, name);
        let mut text = String::new();
        if let Some(kab) = self.page.kab {
            let unsure = self.page.say(
                "Saya tidak tahu kecamatannya",
                "I do not know the kecamatan",
            );
            let mut inside: Vec<&Region> = region::all()
                .iter()
                .filter(|region| region.code != kab.code && region::within(region.code, kab.code))
                .collect();
            inside.sort_by_key(|region| region.name);
            let inside: String = inside
                .iter()
                .map(|region| option(region.code, region.name))
                .collect();
            let _ = write!(
                text,
                "{}<optgroup label=\"{}\">{inside}</optgroup>",
                option(kab.code, unsure),
                self.page.say("Kecamatan", "Kecamatan")
            );
        }
        let others = self.page.regencies();
        let others =
            others.filter(|region| self.page.kab.is_none_or(|kab| kab.code != region.code));
        let others: String = others
            .map(|region| option(region.code, region.name))
            .collect();
        let label = match self.page.kab {
            Some(_) => self.page.say("Di tempat lain", "Elsewhere"),
            None => self.page.say("Kabupaten dan kota", "Kabupaten and kota"),
        };
        let _ = write!(text, "<optgroup label=\"{label}\">{others}</optgroup>");
        text
    }

    fn option(&self, field: &str, value: &str, shown: &str) -> String {
        let is_chosen = self
            .typed
            .iter()
            .any(|(name, typed)| name == field && typed == value);
        let selected = if is_chosen { " selected" } else { "" };
        format!(
            "<option value=\"{value}\"{selected}>{}</option>",
            escaped(shown)
        )
    }

    /// Returns what was typed into a field, escaped.
    fn value(&self, field: &str) -> String {
        let found = self.typed.iter().find(|(name, _)| name == field);
        escaped(found.map_or("", |(_, value)| value.as_str()))
    }

    fn fault(&self, name: &str) -> Option<&Wrong> {
        self.wrong.iter().find(|wrong| input(wrong.field) == name)
    }
}

/// Returns what a reader must meet first: it has the focus when the page is there.
fn alert(heading: &str, body: &str) -> String {
    format!(
        "<div class=\"wrong\" role=\"alert\" tabindex=\"-1\" autofocus><h2>{heading}</h2>{body}</div>"
    )
}

/// Returns the input in which a field is typed.
fn input(field: &str) -> &str {
    match field {
        "latitude" | "longitude" => "point",
        field => field,
    }
}

/// Returns the kab/kota of a code in the province of a node.
pub(super) fn regency(code: &str, node: &str) -> Option<&'static Region> {
    let inside = region::find(node).is_none() || region::within(code, node);
    region::regency_of(code).filter(|_| inside)
}

fn is_regency(region: &Region) -> bool {
    region.code.matches('.').count() == 1
}

/// Returns the name of one of Jakarta's as people say it.
fn short(name: &str) -> &str {
    name.strip_prefix("Administrasi ").unwrap_or(name)
}

/// Returns a text that begins as a sentence does.
fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(rest).collect()
    })
}

/// Returns a text as HTML shows it.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() && c != '\n' && c != '\t' && c != '\r' => {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lang: Lang) -> Page<'static> {
        Page {
            lang,
            node: "32",
            phone: "(022) 000-0000",
            kab: regency("32.75", "32"),
        }
    }

    #[test]
    fn the_form_is_said_in_both_languages_without_a_script() {
        let indonesian = page(Lang::Id).form("k", &[], Why::Asked);
        assert!(
            indonesian.contains("<html lang=\"id\">") && indonesian.contains("Apa yang terjadi?")
        );
        assert!(indonesian.contains("<a href=\"tel:0220000000\">Posko PMI (022) 000-0000</a>"));
        assert!(indonesian.contains("<a href=\"tel:112\">"));
        assert!(!indonesian.contains("31.75") && !indonesian.contains("<script"));
        let english = page(Lang::En).form("k", &[], Why::Asked);
        assert!(english.contains("<html lang=\"en\">") && english.contains("What is happening?"));
    }

    #[test]
    fn the_place_is_found_in_two_short_steps() {
        let start = page(Lang::Id).start();
        let link = "<a href=\"/lapor?lang=id&amp;kab=32.75\"><span><span class=\"sr\">Kota </span>Bekasi</span></a>";
        assert!(start.contains(link), "{start}");
        let regencies = |page: &str| page.matches("&amp;kab=").count();
        assert_eq!(
            regencies(&start),
            27 + 1,
            "each once, and the other language"
        );
        let form = page(Lang::Id).form("k", &[], Why::Asked);
        assert!(form.contains("<option value=\"32.75.01\">Bekasi Timur</option>"));
        assert!(form.contains("<option value=\"32.75\">Saya tidak tahu kecamatannya</option>"));
        assert!(form.contains("<option value=\"32.16\">Kabupaten Bekasi</option>"));
        assert!(!form.contains("32.16.01"));
        assert!(form.len() < 16 * 1024, "{} bytes", form.len());
    }

    #[test]
    fn a_kab_of_another_province_or_of_none_is_not_offered() {
        for code in ["31.75", "32", "32.99", "", "32.750", "<b>"] {
            assert_eq!(regency(code, "32"), None, "{code}");
        }
        let found = regency("32.75.01", "32").map(|region| region.code);
        assert_eq!(found, Some("32.75"));
    }

    #[test]
    fn every_field_has_its_label() {
        let form = page(Lang::Id).form("k", &[], Why::Asked);
        for id in ["hazard", "region_code", "text", "observed_at", "point"] {
            assert!(form.contains(&format!("<label for=\"{id}\">")), "{id}");
            assert!(
                form.contains(&format!(" id=\"{id}\" name=\"{id}\"")),
                "{id}"
            );
        }
    }

    #[test]
    fn what_was_typed_comes_back_escaped_and_chosen() {
        let typed = [
            (
                "text".to_owned(),
                "</textarea><script>alert('x')</script>".to_owned(),
            ),
            ("hazard".to_owned(), "flood".to_owned()),
            ("point".to_owned(), "\"><b>\0".to_owned()),
        ];
        let wrong = [Wrong::new("text", "<b>", "<i>")];
        let form = page(Lang::Id).form("\"k", &typed, Why::Wrong(&wrong));
        assert!(!form.contains("<script") && !form.contains("<b>") && !form.contains("\"\"k"));
        assert!(form.contains("&quot;&gt;&lt;b&gt;\u{fffd}\""));
        assert!(form.contains("&lt;/textarea&gt;&lt;script&gt;"));
        assert!(form.contains("<option value=\"flood\" selected>"));
        assert!(form.contains("<details open>"), "what was typed is seen");
        assert!(page(Lang::En).trouble("<x>").contains("&lt;x&gt;"));
    }

    #[test]
    fn what_is_wrong_has_the_focus_and_is_said_at_its_field() {
        let wrong = [
            Wrong::new("text", "terlalu panjang", "too long"),
            Wrong::new("latitude", "bukan titik", "no point"),
        ];
        let form = page(Lang::Id).form("k", &[], Why::Wrong(&wrong));
        assert!(form.contains("role=\"alert\" tabindex=\"-1\" autofocus"));
        assert!(form.contains("<a href=\"#text\">Ceritakan keadaannya: terlalu panjang</a>"));
        assert!(form.contains("<a href=\"#point\">"));
        assert!(form.contains("aria-describedby=\"text-hint text-error\" aria-invalid=\"true\""));
        assert!(form.contains("<p class=\"error\" id=\"point-error\">Bukan titik</p>"));
        assert!(form.contains("<title>Belum terkirim: "));
        let held = page(Lang::En).form("k", &[], Why::Held("Wait."));
        assert!(held.contains("autofocus") && held.contains("<p>Wait.</p>"));
    }
}
