//! The page of the web form: plain HTML without a script, for any telephone and any reader.
//!
//! What it never does: show again what was sent without escaping it, or ask for a name, a number or an address.

use posko_domain::{hazard, region};

use super::read::{TEXT_CHARACTERS, Wrong};

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
}

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:0 auto;padding:1rem;color:#111;background:#fff}\
label{display:block;font-weight:600;margin-top:1rem}input,select,textarea{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:2px solid #555;border-radius:.25rem}\
button{font:inherit;font-weight:600;margin-top:1.25rem;padding:.75rem 1.5rem;background:#b00;color:#fff;border:0;border-radius:.25rem}\
.note{background:#eef;padding:.75rem;border-left:.3rem solid #336}.wrong{background:#fee;padding:.75rem;border-left:.3rem solid #b00}\
.hint{font-weight:400;color:#333}:focus{outline:3px solid #06c}";

impl Page<'_> {
    /// Returns the form, with what was wrong and what was typed before. `key` tells this sending from another.
    pub(super) fn form(&self, key: &str, typed: &[(String, String)], wrong: &[Wrong]) -> String {
        let say = |indonesian, english| self.lang.say(indonesian, english);
        let value = |name: &str| {
            let found = typed.iter().find(|(known, _)| known == name);
            escaped(found.map_or("", |(_, value)| value.as_str()))
        };
        let chosen = |name: &str, option: &str| {
            let same = typed
                .iter()
                .any(|(known, value)| known == name && value == option);
            if same { " selected" } else { "" }
        };
        let hazards = hazard::ALL.iter().map(|label| {
            let name = self.lang.say(label.indonesian, label.english);
            let selected = chosen("hazard", label.name);
            format!(
                "<option value=\"{}\"{selected}>{}</option>",
                label.name,
                escaped(name)
            )
        });
        let hazards: String = hazards.collect();
        let title = say("Lapor kejadian darurat", "Report an emergency");
        let body = format!(
            "<h1>{title}</h1>{wrong}\
<p class=\"note\">{intro}</p>\
<form method=\"post\" action=\"/lapor?lang={lang}\" accept-charset=\"utf-8\">\
<input type=\"hidden\" name=\"key\" value=\"{key}\">\
<label for=\"hazard\">{what}</label>\
<select id=\"hazard\" name=\"hazard\" required><option value=\"\">{choose}</option>{hazards}</select>\
<label for=\"region_code\">{place}</label>\
<select id=\"region_code\" name=\"region_code\" required><option value=\"\">{choose}</option>{places}</select>\
<label for=\"text\">{told} <span class=\"hint\">{told_hint}</span></label>\
<textarea id=\"text\" name=\"text\" rows=\"5\" maxlength=\"{TEXT_CHARACTERS}\">{text}</textarea>\
<label for=\"observed_at\">{time} <span class=\"hint\">{optional}</span></label>\
<input id=\"observed_at\" name=\"observed_at\" type=\"datetime-local\" value=\"{observed_at}\">\
<label for=\"latitude\">{latitude_label} <span class=\"hint\">{optional}</span></label>\
<input id=\"latitude\" name=\"latitude\" inputmode=\"text\" autocomplete=\"off\" value=\"{latitude}\">\
<label for=\"longitude\">{longitude_label} <span class=\"hint\">{optional}</span></label>\
<input id=\"longitude\" name=\"longitude\" inputmode=\"text\" autocomplete=\"off\" value=\"{longitude}\">\
<button type=\"submit\">{send}</button></form>\
<p><a href=\"/lapor?lang={other}\" hreflang=\"{other}\" lang=\"{other}\">{other_name}</a></p>",
            wrong = self.wrong(wrong),
            intro = self.intro(),
            lang = self.lang.tag(),
            key = escaped(key),
            what = say("Apa yang terjadi?", "What is happening?"),
            choose = say("— pilih —", "— choose —"),
            place = say("Di mana? (kecamatan)", "Where? (kecamatan)"),
            places = places(self.node, |code| chosen("region_code", code)),
            told = say("Ceritakan keadaannya", "Tell what you see"),
            told_hint = say(
                "(tanpa nama, nomor telepon, NIK atau alamat surel siapa pun)",
                "(without anybody's name, telephone number, NIK or e-mail address)"
            ),
            text = value("text"),
            time = say("Kapan terlihat?", "When was it seen?"),
            optional = say("(boleh kosong)", "(may be left empty)"),
            observed_at = value("observed_at"),
            latitude_label = say("Lintang, seperti -6.24", "Latitude, such as -6.24"),
            latitude = value("latitude"),
            longitude_label = say("Bujur, seperti 106.99", "Longitude, such as 106.99"),
            longitude = value("longitude"),
            send = say("Kirim laporan", "Send the report"),
            other = self.lang.say("en", "id"),
            other_name = self.lang.say("In English", "Dalam Bahasa Indonesia"),
        );
        self.page(title, &body)
    }

    /// Returns the page that says that a report is recorded.
    pub(super) fn thanks(&self, number: &str) -> String {
        let title = self.lang.say("Laporan diterima", "Report received");
        let said = self.lang.say(
            "Terima kasih. Laporan Anda tercatat dan menunggu petugas piket. Bila ada yang terancam jiwanya, segera hubungi petugas darurat setempat.",
            "Thank you. Your report is recorded and waits for the duty officer. If a life is in danger, call the local emergency services at once.",
        );
        let label = self.lang.say("Nomor laporan", "Report number");
        let body = format!(
            "<h1>{title}</h1><p class=\"note\" role=\"status\">{said}</p><p>{label}: <code>{}</code></p>{}",
            escaped(number),
            self.call()
        );
        self.page(title, &body)
    }

    /// Returns a page that says why nothing was recorded.
    pub(super) fn trouble(&self, why: &str) -> String {
        let title = self
            .lang
            .say("Laporan belum tercatat", "The report is not recorded");
        let body = format!(
            "<h1>{title}</h1><p class=\"wrong\" role=\"alert\">{}</p>{}<p><a href=\"/lapor?lang={}\">{}</a></p>",
            escaped(why),
            self.call(),
            self.lang.tag(),
            self.lang.say("Coba lagi", "Try again"),
        );
        self.page(title, &body)
    }

    fn intro(&self) -> String {
        let said = self.lang.say(
            "Laporan ini dibaca petugas piket PMI. Nama dan nomor Anda tidak diminta dan tidak disimpan, jadi kami tidak dapat menghubungi Anda kembali.",
            "This report is read by PMI's duty officer. Your name and number are not asked for and not kept, so we cannot call you back.",
        );
        format!("{said} {}", self.call())
    }

    fn call(&self) -> String {
        if self.phone.is_empty() {
            return String::new();
        }
        let said = self.lang.say(
            "Bila perlu dihubungi kembali, telepon posko:",
            "If you need to be called back, telephone the posko:",
        );
        format!("{said} <strong>{}</strong>.", escaped(self.phone))
    }

    fn wrong(&self, wrong: &[Wrong]) -> String {
        if wrong.is_empty() {
            return String::new();
        }
        let title = self.lang.say(
            "Belum terkirim. Mohon perbaiki:",
            "Not sent yet. Please mend:",
        );
        let items = wrong.iter().map(|wrong| {
            let said = self.lang.say(&wrong.indonesian, &wrong.english);
            let field = match (wrong.field, self.lang) {
                ("hazard", Lang::Id) => "Apa yang terjadi",
                ("hazard", Lang::En) => "What is happening",
                ("region_code", Lang::Id) => "Di mana",
                ("region_code", Lang::En) => "Where",
                ("text", Lang::Id) => "Ceritakan keadaannya",
                ("text", Lang::En) => "Tell what you see",
                ("observed_at", Lang::Id) => "Kapan terlihat",
                ("observed_at", Lang::En) => "When was it seen",
                (_, Lang::Id) => "Titik",
                (_, Lang::En) => "Point",
            };
            format!(
                "<li><a href=\"#{}\">{field}</a>: {}</li>",
                wrong.field,
                escaped(said)
            )
        });
        format!(
            "<div class=\"wrong\" role=\"alert\"><p>{title}</p><ul>{}</ul></div>",
            items.collect::<String>()
        )
    }

    fn page(&self, title: &str, body: &str) -> String {
        format!(
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>{title} · PMI</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n",
            self.lang.tag()
        )
    }
}

/// Returns the places of a province to choose from: each kab/kota with its kecamatan.
fn places(node: &str, chosen: impl Fn(&str) -> &'static str) -> String {
    let everywhere = region::find(node).is_none();
    let inside = region::all()
        .iter()
        .filter(|region| everywhere || region::within(region.code, node));
    let mut text = String::new();
    let mut is_open = false;
    for region in inside {
        let option = |name: &str| {
            format!(
                "<option value=\"{0}\"{1}>{2}</option>",
                region.code,
                chosen(region.code),
                escaped(name)
            )
        };
        match region.code.matches('.').count() {
            0 => {}
            1 => {
                if is_open {
                    text.push_str("</optgroup>");
                }
                text.push_str("<optgroup label=\"");
                text.push_str(&escaped(region.name));
                text.push_str("\">");
                text.push_str(&option(region.name));
                is_open = true;
            }
            _ => text.push_str(&option(region.name)),
        }
    }
    if is_open {
        text.push_str("</optgroup>");
    }
    text
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
        }
    }

    #[test]
    fn the_form_is_said_in_both_languages_without_a_script() {
        let indonesian = page(Lang::Id).form("k", &[], &[]);
        assert!(
            indonesian.contains("<html lang=\"id\">") && indonesian.contains("Apa yang terjadi?")
        );
        assert!(indonesian.contains("telepon posko: <strong>(022) 000-0000</strong>"));
        assert!(indonesian.contains("<option value=\"32.75\">Kota Bekasi</option>"));
        assert!(!indonesian.contains("31.75") && !indonesian.contains("<script"));
        let english = page(Lang::En).form("k", &[], &[]);
        assert!(english.contains("<html lang=\"en\">") && english.contains("What is happening?"));
    }

    #[test]
    fn every_field_has_its_label() {
        let form = page(Lang::Id).form("k", &[], &[]);
        for id in [
            "hazard",
            "region_code",
            "text",
            "observed_at",
            "latitude",
            "longitude",
        ] {
            assert!(form.contains(&format!("<label for=\"{id}\">")), "{id}");
            assert!(form.contains(&format!("id=\"{id}\"")), "{id}");
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
            ("latitude".to_owned(), "\"><b>".to_owned()),
        ];
        let wrong = [Wrong::new("text", "<b>", "<i>")];
        let form = page(Lang::Id).form("\"k", &typed, &wrong);
        assert!(!form.contains("<script") && !form.contains("<b>") && !form.contains("\"\"k"));
        assert!(form.contains("&lt;/textarea&gt;&lt;script&gt;"));
        assert!(form.contains("<option value=\"flood\" selected>"));
        assert!(page(Lang::En).trouble("<x>").contains("&lt;x&gt;"));
    }
}
