//! What the program says in sentences, in Bahasa Indonesia: refusals, reasons, and what was wrong with a command line.
//!
//! The rooms below speak English, one sentence a reason, and so does JSON. A sentence is found here by its words, with
//! `{}` for each value, and one that is not found is shown as it is. What it never does: change what a program reads.

use std::cmp::Reverse;

use crate::{
    input,
    label::{self, Lang},
    output::when,
};

/// Returns a message in the language of the screen, with the words of the contract as the screen says them.
pub(crate) fn told(message: &str, lang: Lang) -> String {
    let message = with_option(plain(message), lang);
    let said = match lang {
        Lang::En => message,
        Lang::Id => in_indonesian(&message),
    };
    // Every second part stands between two backticks.
    let parts = said.split('`').enumerate().map(|(place, part)| {
        let quoted = place % 2 == 1;
        let word = || label::word(part, lang).or(right(part, lang));
        let word = || word().map(str::to_owned);
        let shown = quoted.then(|| word().or_else(|| local(part))).flatten();
        shown.unwrap_or_else(|| part.to_owned())
    });
    parts.collect::<Vec<String>>().join("`")
}

/// Returns what a right is called on an Indonesian screen; none of another word.
fn right(name: &str, lang: Lang) -> Option<&'static str> {
    let known = right::RIGHT.iter().filter(|_| lang == Lang::Id);
    let mut known = known.filter(|(right, _)| *right == name);
    known.next().map(|(_, said)| *said)
}

/// Returns a time that the node tells in UTC as the screens show times; none of another word.
fn local(text: &str) -> Option<String> {
    let at = text
        .ends_with('Z')
        .then(|| input::time(text).ok())
        .flatten()?;
    Some(when(Some(&at)))
}

/// Returns a message without the numbers of the operating system's errors, whose words say the same.
pub(crate) fn plain(message: &str) -> String {
    let mut parts = message.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once(')').map_or(part, |(_, rest)| rest)
    })
}

/// Returns a message about a field of the contract as one about the option by which it is given.
fn with_option(message: String, lang: Lang) -> String {
    let option = || {
        let (field, rest) = message.strip_prefix("field `")?.split_once('`')?;
        let (_, option) = OPTIONS.iter().find(|(known, _)| *known == field)?;
        let named = help::VALUES.iter().find(|(english, _)| english == option);
        let named = named.filter(|_| lang == Lang::Id);
        let option = named.map_or(option, |(_, indonesian)| indonesian);
        Some(format!("field `{option}`{rest}"))
    };
    option().unwrap_or(message)
}

/// Returns lines of messages in the language of the screen.
pub(crate) fn lines(text: &str, lang: Lang) -> String {
    let lines = text.lines().map(|line| {
        let words = line.trim_start();
        let (indent, _) = line.split_at(line.len() - words.len());
        let said = told(words, lang);
        match lang {
            Lang::Id => format!("{indent}{}", help::placed(&said)),
            Lang::En => format!("{indent}{said}"),
        }
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// Returns every sentence that is known, with how it is said in Bahasa Indonesia.
fn phrases() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    ours().chain(FOREIGN).chain(feed::LIBRARIES)
}

/// Returns the sentences that our own rooms say.
fn ours() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    OURS.iter()
        .chain(feed::FEED)
        .chain(config::CONFIG)
        .chain(import::IMPORT)
        .chain(incident::INCIDENT)
        .chain(kind::KIND)
}

fn in_indonesian(message: &str) -> String {
    // What begins with a value does not begin with a chain of causes: that is told link by link.
    let is_chain = |english: &str, values: &[&str]| {
        let begin = values.first().filter(|_| english.starts_with("{}"));
        begin.is_some_and(|value| split_at(value, ": ").is_some())
    };
    let known = phrases().filter_map(|(english, indonesian)| {
        let values = values(english, message).filter(|values| !is_chain(english, values))?;
        Some((english, indonesian, values))
    });
    // Of two that fit, the one with more words of its own says more, and of equal ones that with fewer values.
    let own_words = |english: &str| {
        let values = english.matches("{}").count();
        (english.len() - 2 * values, Reverse(values))
    };
    let best = known.max_by_key(|(english, ..)| own_words(english));
    let Some((_, indonesian, values)) = best else {
        // What went wrong stands before its cause, and what is told of several things between semicolons.
        return [": ", "; "]
            .into_iter()
            .find_map(|mark| {
                let (what, cause) = split_at(message, mark)?;
                Some(format!(
                    "{}{mark}{}",
                    in_indonesian(what),
                    in_indonesian(cause)
                ))
            })
            .unwrap_or_else(|| message.into());
    };
    let mut values = values.into_iter();
    let mut said = String::new();
    for (place, part) in indonesian.split("{}").enumerate() {
        if place > 0 {
            let value = values.next().unwrap_or_default();
            // What is quoted was given by somebody, and stays.
            if said.ends_with(['`', '\'']) {
                said += value;
            } else {
                said += &in_indonesian(value);
            }
        }
        said += part;
    }
    said
}

/// Returns what stands in the places of a phrase's `{}`; none when the message is another.
fn values<'a>(phrase: &str, message: &'a str) -> Option<Vec<&'a str>> {
    let (first, others) = phrase.split_once("{}").unwrap_or((phrase, ""));
    let mut rest = message.strip_prefix(first)?;
    if first == phrase {
        return rest.is_empty().then(Vec::new);
    }
    let mut parts: Vec<&str> = others.split("{}").collect();
    let last = parts.pop().unwrap_or_default();
    let mut values = Vec::new();
    for part in parts {
        let (value, after) = rest.split_once(part)?;
        values.push(value);
        rest = after;
    }
    values.push(rest.strip_suffix(last)?);
    // What a phrase quotes ends at the next quote.
    let quoted = |place: usize| {
        phrase
            .split("{}")
            .nth(place)
            .is_some_and(|part| part.ends_with('`'))
    };
    let fits =
        (values.iter().enumerate()).all(|(place, value)| !quoted(place) || !value.contains('`'));
    fits.then_some(values)
}

/// Splits a message at the first mark that stands in no value.
fn split_at<'a>(message: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let mut quoted = false;
    let (at, _) = message.match_indices(['`', ':', ';']).find(|(at, found)| {
        quoted ^= *found == "`";
        !quoted
            && message
                .get(*at..)
                .is_some_and(|rest| rest.starts_with(mark))
    })?;
    let (what, cause) = message.split_at(at);
    Some((what, cause.get(mark.len()..)?))
}

/// The fields of the contract that are given by an option of another name.
const OPTIONS: &[(&str, &str)] = &[
    ("as_of", "--as-of"),
    ("answer_escalation.level", "LEVEL"),
    ("assessment.answers", "answers"),
    ("caption", "--caption"),
    ("count_occupancy.as_of", "--as-of"),
    ("count_occupancy.people", "--people"),
    ("escalate.answer_by", "--answer-by"),
    ("escalate.level", "LEVEL"),
    ("fill_post.account_ref", "--account"),
    ("figures.age_band", "--figure"),
    ("figures.sex", "--figure"),
    ("meet_need.kind", "KIND"),
    ("plan_period.from", "--from"),
    ("plan_period.until", "--until"),
    ("relate.incident_id", "INCIDENT"),
    ("report_output.from", "--from"),
    ("report_output.quantity", "QUANTITY"),
    ("report_output.until", "--until"),
    ("set_capacity.capacity", "CAPACITY"),
    ("set_need.as_of", "--as-of"),
    ("set_need.due_at", "--due"),
    ("set_need.kind", "KIND"),
    ("set_need.priority", "--priority"),
    ("set_objective.due_at", "--due"),
    ("set_objective.post", "--post"),
    ("set_objective.priority", "--priority"),
    ("site.capacity", "--capacity"),
    ("site.kind", "--kind"),
    ("site.name", "--name"),
    ("site.place", "--region"),
    ("unrelate.incident_id", "INCIDENT"),
    ("vacate_post.account_ref", "--account"),
    ("vacate_post.post", "POST"),
    ("warning_origin", "--from-warning"),
    ("card", "CARD"),
    ("channel", "--channel"),
    ("assessment_id", "ID"),
    ("assign_glide.glide", "--glide"),
    ("content.areas", "--region"),
    ("content.areas.circles.center", "--circle"),
    ("content.areas.circles.radius_m", "--circle"),
    ("content.areas.polygons", "--polygon"),
    ("content.areas.polygons.points", "--polygon"),
    ("content.areas.region_codes", "--region"),
    ("content.description", "--description"),
    ("content.effective_at", "--effective-at"),
    ("content.event", "--event"),
    ("content.expires_at", "--expires-at"),
    ("content.headline", "--headline"),
    ("content.instruction", "--instruction"),
    ("content.language", "--language"),
    ("content.sent_at", "--sent-at"),
    ("content.status", "--status"),
    ("content.web", "--web"),
    ("content.severity", "--severity"),
    ("content.urgency", "--urgency"),
    ("content.certainty", "--certainty"),
    ("content.hazard", "--hazard"),
    ("content.texts.headline", "--headline-en"),
    ("content.texts.description", "--description-en"),
    ("content.texts.instruction", "--instruction-en"),
    ("regions", "--region"),
    ("subscription.region", "--region"),
    ("directive.body", "--body"),
    ("directive.priority", "--priority"),
    ("directive.province_codes", "--province"),
    ("directive.title", "--title"),
    ("directive.valid_until", "--valid-until"),
    ("directive.zone_ids", "--zone"),
    ("duplicate_of", "--duplicate-of"),
    ("fingerprint", "--fingerprint"),
    ("figures", "--figure"),
    ("figures.count", "--figure"),
    ("figures.measure", "--figure"),
    ("grant.from", "--from"),
    ("grant.role", "--role"),
    ("grant.scope", "--scope"),
    ("grant.until", "--until"),
    ("identifier", "--identifier"),
    ("legal_basis", "--legal-basis"),
    ("meta.occurred_at", "--occurred-at"),
    ("note", "--note"),
    ("occurred_at", "--occurred-at"),
    ("origin", "--origin"),
    ("place", "--region"),
    ("kind", "--kind"),
    ("place.point", "--lat"),
    ("place.region_code", "--region"),
    ("publisher", "--publisher"),
    ("reason", "--reason"),
    ("region_code", "--region"),
    ("severity", "--severity"),
    ("text", "TEXT"),
    ("zone_id", "--zone"),
    ("assessment.assessed_at", "assessed_at"),
    ("assessment.kind", "kind"),
    ("assessment.place", "region"),
    ("assessment.supersedes", "supersedes"),
    ("declare_emergency.authority", "--authority"),
    ("declare_emergency.decree_date", "--date"),
    ("declare_emergency.decree_number", "--decree"),
    ("declare_emergency.extends", "--extends"),
    ("declare_emergency.from", "--from"),
    ("declare_emergency.hazards", "--hazard"),
    ("declare_emergency.region_codes", "--region"),
    ("declare_emergency.until", "--until"),
    ("meet_need.quantity", "--quantity"),
    ("meet_need.source", "--by"),
    ("set_need.place", "--region"),
    ("set_need.quantity", "--quantity"),
    ("set_need.sector", "--sector"),
    ("set_need.unit", "--unit"),
];

macro_rules! phrases {
    ($vis:vis $name:ident: $($english:literal: $indonesian:literal;)*) => {
        $vis const $name: &[(&str, &str)] = &[$(($english, $indonesian)),*];
    };
}

mod config;
mod explain;
mod feed;
mod help;
mod import;
mod incident;
mod kind;
mod right;

pub(crate) use self::help::{headed, helped};

// English and Indonesian; a `{}` is a value, in the same order in both, and is looked up itself unless it is quoted.

phrases! { FOREIGN:
    // The command line.
    "error: {}": "galat: {}";
    "tip: {}": "saran: {}";
    "Usage: {}": "Pemakaian: {}";
    "For more information, try '{}'.": "Keterangan lebih lanjut: '{}'.";
    "invalid value '{}' for '{}'": "nilai '{}' tidak sah untuk '{}'";
    "invalid value '{}' for '{}': {}": "nilai '{}' tidak sah untuk '{}': {}";
    "a value is required for '{}' but none was supplied": "'{}' memerlukan nilai";
    "the following required arguments were not provided:": "argumen berikut wajib diisi:";
    "the argument '{}' cannot be used with '{}'": "argumen '{}' tidak dapat dipakai bersama '{}'";
    "the argument '{}' cannot be used with:": "argumen '{}' tidak dapat dipakai bersama:";
    "the argument '{}' cannot be used multiple times": "argumen '{}' tidak dapat dipakai lebih dari sekali";
    "unexpected argument '{}' found": "argumen '{}' tidak dikenal";
    "unexpected value '{}' for '{}' found; no more were expected": "nilai '{}' berlebih untuk '{}'";
    "unrecognized subcommand '{}'": "perintah '{}' tidak dikenal";
    "'{}' requires a subcommand but one was not provided": "'{}' memerlukan perintah lanjutan";
    "a similar argument exists: {}": "ada argumen yang mirip: {}";
    "a similar subcommand exists: {}": "ada perintah yang mirip: {}";
    "some similar subcommands exist: {}": "ada beberapa perintah yang mirip: {}";
    "a similar value exists: {}": "ada nilai yang mirip: {}";
    "to pass '{}' as a value, use '{}'": "untuk memakai '{}' sebagai nilai, tulis '{}'";
    "[possible values: {}]": "[pilihan: {}]";
    "[subcommands: {}]": "[perintah: {}]";
    "[default: {}]": "[bawaan: {}]";
    "invalid digit found in string": "diharapkan bilangan bulat";
    "cannot parse integer from empty string": "diharapkan bilangan bulat";
    "number too large to fit in target type": "bilangan terlalu besar";
    "{} is not in {}": "{} di luar {}";
    "a value is required": "nilai wajib diisi";
    // The operating system.
    "No such file or directory": "berkas atau direktori tidak ada";
    "File exists": "berkas sudah ada";
    "Permission denied": "tidak ada izin";
    "Is a directory": "itu direktori";
    "Not a directory": "bukan direktori";
    "No space left on device": "disk penuh";
    "Connection refused": "sambungan ditolak";
    "Connection reset by peer": "sambungan diputus";
    "Address already in use": "alamat sudah dipakai";
    "stream did not contain valid UTF-8": "bukan teks UTF-8";
    "tls handshake eof": "sambungan ditutup selama jabat tangan";
}

phrases! { OURS:
    "{}; whether it was recorded is not known: repeat it with `--command-id {}`":
        "{}; belum diketahui apakah sudah tercatat: ulangi dengan `--command-id {}`";
    // Values.
    "`{}` is no {}: expected one of {}": "`{}` bukan {}: pilih salah satu dari {}";
    "`{}` is no {}: did you mean {}? expected one of {}":
        "`{}` bukan {}: maksudnya {}? pilih salah satu dari {}";
    "`{}` is more than one place: expected one of {}": "`{}` nama beberapa tempat: pilih salah satu dari {}";
    "`{}` is no place of the three provinces: the nearest is {}; `posko region find` looks names up":
        "`{}` bukan tempat di tiga provinsi: yang terdekat {}; `posko region find` mencari kodenya";
    "`{}` may be more than one {}: expected one of {}": "`{}` dapat berarti lebih dari satu {}: pilih salah satu dari {}";
    "zone": "zona";
    "`{}` is no id: expected a UUID such as `{}`": "`{}` bukan id: diharapkan UUID seperti `{}`";
    "`{}` is no node: expected 1 to 16 characters of a-z and 0-9, such as `32` or `ims`":
        "`{}` bukan simpul: diharapkan 1 sampai 16 karakter a-z dan 0-9, seperti `32` atau `ims`";
    "`{}` is no time: expected `14:00` of today or `{}`, in WIB, or another zone's with its offset, such as `{}`":
        "`{}` bukan waktu: diharapkan `14:00` hari ini atau `{}`, dalam WIB, atau waktu zona lain dengan selisihnya";
    "`{}` is no figure: expected `MEASURE=COUNT` such as `displaced=1200`":
        "`{}` bukan angka dampak: diharapkan `UKURAN=JUMLAH` seperti `displaced=1200`";
    "`{}` is no count of {}: expected digits only such as `1200`":
        "`{}` bukan jumlah {}: diharapkan angka saja, tanpa titik ribuan, seperti `1200`";
    "`{}` is no {}: expected degrees from -{} to {} such as `-6.85`":
        "`{}` bukan {}: diharapkan derajat dari -{} sampai {} seperti `-6.85`";
    "latitude": "lintang";
    "longitude": "bujur";
    "`{}` is no point: expected `LAT,LON`": "`{}` bukan titik: diharapkan `LINTANG,BUJUR`";
    "`{}` is no circle: expected `LAT,LON,METRES` such as `{}`":
        "`{}` bukan lingkaran: diharapkan `LINTANG,BUJUR,METER` seperti `{}`";
    "`{}` is no polygon: expected at least four points, the last as the first":
        "`{}` bukan poligon: diharapkan sedikitnya empat titik, yang terakhir sama dengan yang pertama";
    "`{}` is no incident: expected its number such as `{}`, or its id":
        "`{}` bukan kejadian: diharapkan nomornya seperti `{}`, atau id-nya";
    "`{}` is no warning: expected `ORIGIN/ID` such as `{}`":
        "`{}` bukan peringatan: diharapkan `ASAL/ID` seperti `{}`";
    "`{}` is no role of a new node: expected node or gateway":
        "`{}` bukan peran simpul baru: pilih node atau gateway";
    "`{}` is no log filter: {}": "`{}` bukan saringan catatan: {}";
    "`{}` is given twice: expected at most one figure a measure":
        "`{}` diberikan dua kali: tiap ukuran paling banyak satu angka";
    "`--scope`, `--from`, `--until` and `--delegated-by` need `--role`":
        "`--scope`, `--from`, `--until` dan `--delegated-by` memerlukan `--role`";
    "a province's node needs `--origin`": "simpul provinsi memerlukan `--origin`";
    "name the file to write with `--out {}`": "sebutkan berkas yang akan ditulis dengan `--out {}`";
    // Asking at the terminal.
    "the two passwords differ": "kedua kata sandi berbeda";
    "the password is empty": "kata sandi kosong";
    "there is no terminal to ask for the password: use `--password-stdin`":
        "tidak ada terminal untuk menanyakan kata sandi: pakai `--password-stdin`";
    "there is no terminal to ask on: use `--fingerprint \"WORDS\"`":
        "tidak ada terminal untuk bertanya: pakai `--fingerprint \"KATA-KATA\"`";
    "there is no home directory to keep the token in: use `--print-token`":
        "tidak ada direktori rumah untuk menyimpan token: pakai `--print-token`";
    "the card was not accepted": "kartu tidak diterima";
    "the card is empty": "kartu kosong";
    "the card of `{}` is not accepted: {}": "kartu `{}` tidak diterima: {}";
    "the fingerprint has {} words, expected {}": "sidik berisi {} kata, seharusnya {}";
    "word {} of the fingerprint, `{}`, is none of ours: listen again":
        "kata ke-{} dari sidik, `{}`, tidak ada di daftar: dengarkan lagi";
    "word {} of the fingerprint is `{}`, but this card's is `{}`: it is another card":
        "kata ke-{} dari sidik adalah `{}`, pada kartu ini `{}`: kartunya lain";
    "the text begins with `{}`, a card begins with `posko-card-1:`":
        "teks diawali `{}`, kartu diawali `posko-card-1:`";
    "the card's bytes are cut off or no card: {}": "isi kartu terpotong atau bukan kartu: {}";
    "the card's text is no base64url: {}": "teks kartu bukan base64url: {}";
    "the card's `signature` is not by the recovery key on it: the card was changed after it was made":
        "tanda tangan kartu bukan dari kunci pemulihannya: kartu diubah setelah dibuat";
    "the card is node `{}`'s own": "kartu itu milik simpul `{}` sendiri";
    "no card of `{}` was accepted": "tidak ada kartu `{}` yang diterima";
    // Reaching the node, and who may do what.
    "node `{}` at `{}` does not run: start it with `posko serve`":
        "simpul `{}` di `{}` tidak berjalan: jalankan dengan `posko serve`";
    "node `{}` at `{}`: {}": "simpul `{}` di `{}`: {}";
    "what listens at `{}` is not node `{}`: {}": "yang mendengarkan di `{}` bukan simpul `{}`: {}";
    "node `{}` at `{}` does not answer": "simpul `{}` di `{}` tidak menjawab";
    "the token holds characters that no token has": "token berisi karakter yang tidak pernah ada di token";
    "no token: log in first": "tidak ada token: masuklah dulu dengan `posko login`";
    "the token is not, or no longer, good: log in again":
        "token tidak atau tidak lagi berlaku: masuklah lagi dengan `posko login`";
    "login name or password is wrong": "nama masuk atau kata sandi salah";
    "{} wrong passwords: try again in {} min": "{} kali kata sandi salah: coba lagi dalam {} menit";
    "too many logins at once: try again in a few seconds":
        "terlalu banyak yang masuk bersamaan: coba lagi beberapa detik lagi";
    "the old password is wrong": "kata sandi lama salah";
    "nobody changes their own roles: another account with the right to must":
        "tidak seorang pun mengubah perannya sendiri: harus akun lain yang berhak";
    "the account is disabled": "akun dinonaktifkan";
    "`{}` is not allowed: {}": "`{}` tidak diizinkan: {}";
    "none of the account's roles has this right": "tidak satu pun peran akun ini memberi hak itu";
    "the role with this right is not held now": "peran yang memberi hak itu sedang tidak dipegang";
    "`{}` lies outside the area of the role": "`{}` di luar wilayah peran";
    "no account has the login `{}`": "tidak ada akun dengan nama masuk `{}`";
    "that login name is taken": "nama masuk itu sudah dipakai";
    "field `login`: 3 to 64 of a-z, 0-9, dot, dash and underscore are allowed":
        "nama masuk: 3 sampai 64 karakter a-z, 0-9, titik, tanda hubung dan garis bawah";
    "field `password` has {} bytes: {} to {} are allowed": "kata sandi berisi {} bita: harus {} sampai {}";
    "session `{}` is not open": "sesi `{}` tidak terbuka";
    "the account already exists": "akun sudah ada";
    "there is no such account here": "akun itu tidak ada di sini";
    "the account holds no grant `{}`": "akun tidak memegang penugasan `{}`";
    "the account already holds grant `{}`": "akun sudah memegang penugasan `{}`";
    "an account is never part of an exercise": "akun tidak pernah menjadi bagian latihan";
    "field `{}` is `{}`, not after `grant.from` at `{}`": "`{}` berisi `{}`, tidak sesudah `--from` `{}`";
    "a role that an account may hold": "harus peran yang boleh dipegang akun";
    "a zone such as `Z1`, a region code, or empty for the whole node; {}":
        "zona seperti `Z1`, kode wilayah, atau kosong untuk seluruh simpul; {}";
    // A command that is wrong, and the node that takes none.
    "field `{}` is ``: {}": "`{}`: {}";
    "field `{}` is `unspecified`: it must be given": "`{}` wajib diisi";
    "field `{}` is `{}`: {}": "`{}` berisi `{}`: {}";
    "field `{}` has `{}` characters: at most {}": "`{}` berisi `{}` karakter: paling banyak {}";
    "field `{}` is empty: expected a region code such as `{}`": "`{}` kosong: diharapkan kode wilayah seperti `{}`";
    "field `{}` names no region: {}": "`{}` tidak menyebut wilayah: {}";
    "field `{}`: {}": "`{}`: {}";
    "`{}` is no region code of {}; the nearest is `{}` ({})": "`{}` bukan kode wilayah {}; yang terdekat `{}` ({})";
    "field `{}` is `{}`, which lies in the future: it is `{}` here":
        "`{}` berisi `{}`, yang belum terjadi: di sini pukul `{}`";
    "field `{}` is `{}`, more than a year before the report: what is past is imported as a historical record":
        "`{}` berisi `{}`, lebih dari setahun sebelum laporannya: catat sebagai data lampau dengan `posko incident import`";
    "at most a year after it is sent": "paling lama setahun sesudah dikirim";
    "field `{}` is `{}`, which is past: it is `{}` here": "`{}` berisi `{}`, yang sudah lewat: di sini pukul `{}`";
    "field `{}` is `{}`, not after its beginning at `{}`":
        "`{}` berisi `{}`, tidak sesudah mulainya `{}`";
    "it must not be empty": "tidak boleh kosong";
    "it must be given": "wajib diisi";
    "no value known to this version": "nilai yang tidak dikenal versi ini";
    "at most 4,000 characters": "paling banyak 4.000 karakter";
    "at most 1,000,000,000": "paling banyak 1.000.000.000";
    "at least one figure is needed": "sedikitnya satu angka";
    "a place is needed": "tempat wajib diisi";
    "a place is needed, since the warning does not name just one of this province":
        "tempat wajib diisi, karena peringatan itu tidak menyebut tepat satu tempat di provinsi ini";
    "a report that came by a warning names it in `warning_origin` and `warning_id`":
        "laporan dari peringatan menyebut peringatannya dengan `--from-warning`";
    "a time within the years 1 to 9999": "waktu dalam tahun 1 sampai 9999";
    "a reason of 1 to 500 characters": "alasan sepanjang 1 sampai 500 karakter";
    "it must be routine, urgent or immediate": "harus routine, urgent atau immediate";
    "the code of a province, such as `32`": "harus kode provinsi, seperti `32`";
    "no such border zone": "bukan zona perbatasan";
    "1 to 1,000 events": "1 sampai 1.000 peristiwa";
    "it has changed meanwhile: version {} stands where version {} was expected":
        "sudah berubah: sekarang versi {}, sedangkan yang diharapkan versi {}";
    "command id `{}` was already used for another command": "id perintah `{}` sudah dipakai untuk perintah lain";
    "`{}` belongs to node `{}`: only its owner changes it":
        "`{}` milik simpul `{}`: hanya pemiliknya yang mengubahnya";
    "log `{}` is not known here": "log `{}` tidak dikenal di sini";
    "`{}` is not known here": "`{}` tidak dikenal di sini";
    "incident `{}` is not known here": "kejadian `{}` tidak dikenal di sini";
    "warning `{}` is not known here": "peringatan `{}` tidak dikenal di sini";
    "directive `{}` is not known here": "arahan `{}` tidak dikenal di sini";
    "field `incident_id` or `number` must be given": "sebutkan id atau nomor kejadian";
    "the log of `{}` is not held here: no card of it was accepted":
        "log `{}` tidak ada di sini: kartunya belum diterima";
    "no incident has the number `{}`": "tidak ada kejadian bernomor `{}`";
    "the event has {} bytes; at most {} are recorded": "isinya {} bita; paling banyak {} yang dicatat";
    "the node is busy: {} commands wait already": "simpul sedang sibuk: {} perintah sudah menunggu";
    "the node could not record it: {}": "simpul tidak dapat mencatatnya: {}";
    "the node has a fault: its log has the cause": "simpul mengalami gangguan: sebabnya ada di catatan simpul";
    "the node stopped before it could answer": "simpul berhenti sebelum sempat menjawab";
    "the store has stopped": "penyimpanan sudah berhenti";
    "the disk has `{}` MiB free, below `{}` MiB no commands are taken":
        "sisa ruang disk `{}` MiB, di bawah `{}` MiB tidak ada perintah yang diterima";
    "the disk has `{}` MiB free, below `{}` MiB no entries of other nodes are taken":
        "sisa ruang disk `{}` MiB, di bawah `{}` MiB entri simpul lain tidak diterima";
    "{}; this is the gateway node `{}`": "{}; ini gerbang `{}`";
    "{}; this is the province's node `{}`": "{}; ini simpul provinsi `{}`";
    "warnings are recorded by a province's node": "peringatan dicatat oleh simpul provinsi";
    "incidents are recorded by a province's node": "kejadian dicatat oleh simpul provinsi";
    "directives are issued and withdrawn at headquarters' gateway `ims`":
        "arahan dikeluarkan dan dicabut di gerbang pusat `ims`";
    // Incidents.
    "`{}` does not lie in province `{}`: an incident is recorded by the province where it is":
        "`{}` tidak terletak di provinsi `{}`: kejadian dicatat oleh provinsi tempatnya";
    "warning `{}` of `{}` is not known here": "peringatan `{}` dari `{}` tidak dikenal di sini";
    "a warning of status `{}` never raises an incident": "peringatan berstatus `{}` tidak menjadi kejadian";
    "a real warning or report never raises a drill: leave out `--exercise`, or name a warning of an exercise":
        "peringatan atau laporan nyata tidak menjadi latihan: hapus `--exercise`, atau sebut peringatan latihan";
    "a warning of an exercise never raises a real incident: add `--exercise`":
        "peringatan latihan tidak menjadi kejadian nyata: tambahkan `--exercise`";
    "a real": "nyata";
    "an": "apa pun";
    "there is no such incident here": "kejadian itu tidak ada di sini";
    "incident `{}` has already been reported": "kejadian `{}` sudah dilaporkan";
    "incident `{}` is already verified": "kejadian `{}` sudah terverifikasi";
    "incident `{}` was already rejected: it is `{}`": "kejadian `{}` sudah ditolak: keadaannya `{}`";
    "incident `{}` is already activated": "kejadian `{}` sudah diaktivasi";
    "the operation of incident `{}` has already ended": "operasi kejadian `{}` sudah selesai";
    "incident `{}` is already closed": "kejadian `{}` sudah ditutup";
    "an incident in `{}` cannot be {}": "kejadian dalam keadaan `{}` tidak dapat {}";
    "verified": "diverifikasi";
    "rejected": "ditolak";
    "activated": "diaktivasi";
    "given impact figures": "diberi angka dampak";
    "noted on": "diberi catatan";
    "given attachments": "diberi lampiran";
    "ended": "diakhiri";
    "closed": "ditutup";
    "brought into transition": "dibawa ke transisi";
    "cancelled": "dibatalkan";
    "reopened": "dibuka lagi";
    "judged": "dinilai";
    "given a scale": "diberi skala";
    "dated": "diberi waktu kejadian";
    "assessed": "diberi asesmen";
    "departed for": "diberi waktu keberangkatan";
    "arrived at": "diberi waktu kedatangan";
    "given a post": "diberi jabatan";
    "escalated": "dieskalasi";
    "planned": "direncanakan";
    "given objectives": "diberi sasaran";
    "{} at `{}` would lie before {} at `{}`": "{} pada `{}` akan mendahului {} pada `{}`";
    "the event": "kejadiannya";
    "the report": "laporan";
    "the activation": "aktivasi";
    "the departure": "keberangkatan tim";
    "the arrival": "kedatangan tim";
    "the assessment": "asesmen";
    "the end of the operation": "akhir operasi";
    "the handover": "serah terima";
    "the command's begin": "awal komando";
    "the period's end": "akhir periode";
    "the period's begin": "awal periode";
    "its begin": "awalnya";
    "the end of the one before": "akhir periode sebelumnya";
    "there is no {} `{}` here": "tidak ada {} `{}` di sini";
    "the {} is `{}` already": "{} sudah `{}`";
    "objective": "sasaran";
    "period": "periode";
    "parent incident": "kejadian induk";
    "escalation level": "tingkat eskalasi";
    "the incident has {} of its {} already, and takes no more": "kejadian itu sudah punya {} {}, dan tidak menerima lagi";
    // Attachments.
    "a photo is a JPEG, PNG or WebP picture: give another kind": "foto berupa gambar JPEG, PNG atau WebP: pilih jenis lain";
    "file `{}` is not here: send it first": "berkas `{}` tidak ada di sini: kirim dulu";
    "file `{}` is not here: have it fetched first": "berkas `{}` tidak ada di sini: ambil dulu";
    "file `{}` has another length or type here than the command says":
        "berkas `{}` di sini berbeda panjang atau jenisnya dari yang disebut perintah";
    "the file's bytes are of no type that is taken: JPEG, PNG, WebP, PDF, Office Open XML or OpenDocument":
        "isi berkas itu bukan jenis yang diterima: JPEG, PNG, WebP, PDF, Office Open XML atau OpenDocument";
    "the file is a HEIC or AVIF picture: save it as JPEG first": "berkas itu gambar HEIC atau AVIF: simpan dulu sebagai JPEG";
    "the {} picture is damaged at byte {}: {}": "gambar {} rusak pada bita {}: {}";
    "it does not begin with a start marker": "tidak diawali penanda awal";
    "a marker is expected": "diharapkan sebuah penanda";
    "a segment is shorter than its length": "sebuah segmen lebih pendek dari panjangnya";
    "a marker stands in coded data": "ada penanda di tengah data gambar";
    "a chunk is expected": "diharapkan sebuah potongan";
    "the first chunk is not `IHDR`": "potongan pertamanya bukan `IHDR`";
    "a frame is shorter than its head": "sebuah bingkai lebih pendek dari kepalanya";
    "a chunk is longer than the file says that it is": "sebuah potongan lebih panjang dari berkasnya";
    "the {} picture was cut off: it ends before its end is said": "gambar {} terpotong: berakhir sebelum penutupnya";
    "the file has {} bytes, more than {} MiB, the limit of `[blob] max_mib`":
        "berkas itu {} bita, lebih dari {} MiB, batas `[blob] max_mib`";
    "file `{}` has {} bytes, more than {} MiB, the limit of `[blob] max_mib`":
        "berkas `{}` {} bita, lebih dari {} MiB, batas `[blob] max_mib`";
    "no event names file `{}` by which it may be here": "tidak ada peristiwa yang menyebut berkas `{}` untuk simpul ini";
    "the file is longer than it was said to be": "berkas itu lebih panjang dari yang disebut";
    "the file ended before the length that it was said to have": "berkas itu berakhir sebelum panjang yang disebut";
    "the file is empty": "berkas itu kosong";
    "the file was let go before it was whole: send it again": "berkas itu dilepas sebelum lengkap: kirim ulang";
    "the file was withdrawn while it was given out": "berkas itu dicabut ketika sedang dikirim";
    "{} files are being put here: try again later": "{} berkas sedang diterima: coba lagi nanti";
    "the incident has no attachment whose hash begins with `{}`": "kejadian itu tidak punya lampiran dengan hash berawal `{}`";
    "the incident has several attachments whose hash begins with `{}`: give more of it":
        "kejadian itu punya beberapa lampiran dengan hash berawal `{}`: sebutkan lebih panjang";
    "nobody who is connected has file `{}`, asked for since `{}`: the node goes on asking, repeat it later":
        "tidak ada simpul terhubung yang memiliki berkas `{}`, diminta sejak `{}`: simpul terus memintanya, ulangi nanti";
    "file `{}` is not whole yet, {} of {} bytes are here: the node goes on, repeat it later":
        "berkas `{}` belum lengkap, {} dari {} bita sudah ada: simpul terus mengambilnya, ulangi nanti";
    "`{}` is no hash: expected 8 to 64 hexadecimal digits": "`{}` bukan hash: diharapkan 8 sampai 64 angka heksadesimal";
    "`{}` is no file": "`{}` bukan berkas";
    "file `{}` came with other bytes than its hash says": "isi berkas `{}` tidak sesuai hash-nya";
    // What it needs.
    "given needs": "diberi kebutuhan";
    "given what it needs": "diberi pemenuhan kebutuhan";
    "needs": "kebutuhan";
    "settlement of the need": "hasil kebutuhan itu";
    "settlement of the objective": "hasil sasaran itu";
    "unit of the need, of which a part came,": "satuan kebutuhan yang sudah terpenuhi sebagian";
    "part of the need by": "bagian kebutuhan dari";
    "a new objective is worded in the note": "sasaran baru ditulis dalam catatan, dengan `--note`";
    "a new need is worded in the note": "kebutuhan baru ditulis dalam catatan, dengan `--note`";
    "a unit goes with a quantity, and a quantity with a unit": "jumlah dan satuan diberikan bersama";
    "how much came, at least 1": "berapa yang datang, sedikitnya 1";
    "0, since the need is not quantified": "0, karena kebutuhan itu tanpa jumlah";
    "a place within the incident's province": "tempat di provinsi kejadian itu";
    // Its legal status.
    "given a legal status": "diberi status keadaan darurat";
    "declaration": "pernyataan status";
    "declarations": "pernyataan status";
    "declaration of that decree": "pernyataan dari surat keputusan itu";
    "extension of the declaration": "perpanjangan status itu";
    "early end of the declaration": "pencabutan lebih awal status itu";
    "early end of what it extends": "pencabutan lebih awal status yang diperpanjang";
    "the end of the status": "akhir status";
    "the begin of the status": "awal status";
    "the early end": "pencabutan lebih awal";
    "the extension's begin": "awal perpanjangan";
    "the end of what it extends": "akhir status yang diperpanjang";
    "siaga darurat is declared for slow-onset hazards only: what has struck is tanggap darurat":
        "siaga darurat hanya untuk bahaya yang datang perlahan: yang sudah terjadi adalah tanggap darurat";
    "each hazard may stand once": "tiap bahaya disebut satu kali";
    "at least one hazard is needed": "sedikitnya satu bahaya";
    "at least one area is needed": "sedikitnya satu wilayah";
    "a status of a kab/kota holds in one kab/kota, of a province in one province":
        "status kab/kota berlaku di satu kab/kota, status provinsi di satu provinsi";
    "the office of that level: bupati of a kabupaten, wali kota of a kota, gubernur of a province, presiden of the nation, or kepala BNPB for keadaan tertentu":
        "pejabat tingkat itu: bupati untuk kabupaten, wali kota untuk kota, gubernur untuk provinsi, presiden untuk nasional, atau kepala BNPB untuk keadaan tertentu";
    "1 to 80 letters, digits and `. / - ( )`, such as 360/Kep.12-BPBD/2026":
        "1 sampai 80 huruf, angka dan `. / - ( )`, seperti 360/Kep.12-BPBD/2026";
    "a decree's number without a telephone number or a NIK": "nomor surat keputusan tanpa nomor telepon atau NIK";
    "the day of the decree such as 2026-01-05": "tanggal surat keputusan seperti 2026-01-05";
    "an end at most 366 days after the begin": "akhir paling lama 366 hari setelah awalnya";
    "an extension has the status, the level and the authority of what it extends":
        "perpanjangan berstatus, bertingkat dan berpejabat sama dengan yang diperpanjang";
    "a name without line ends and characters that nobody sees":
        "nama tanpa ganti baris dan tanpa karakter yang tidak terlihat";
    "a SHA-256 of 32 bytes": "SHA-256 sepanjang 32 bita";
    // Its assessments.
    "the submission": "penyerahan";
    "assessment": "asesmen";
    "assessments": "asesmen";
    "newer version of the assessment": "versi baru asesmen itu";
    "a newer version answers the same form": "versi baru menjawab formulir yang sama";
    "a version of the form that is known here": "versi formulir yang dikenal di sini";
    "the code of a question of the form": "kode pertanyaan formulir itu";
    "a question is answered once": "tiap pertanyaan dijawab satu kali";
    "given twice": "dua kali";
    "at least one question is answered": "sedikitnya satu pertanyaan dijawab";
    "the same as the kind of the assessment": "sama dengan jenis asesmennya";
    "no answer: it names a person, who never stands in a log": "tanpa jawaban: itu menyebut orang, yang tidak pernah dicatat";
    "only what names a person is left out": "hanya yang menyebut orang yang tidak dicatat";
    "a whole number in the question's unit, at most 1,000,000,000":
        "bilangan bulat dalam satuan pertanyaan, paling banyak 1.000.000.000";
    "yes or no": "ya atau tidak";
    "one of the question's options": "salah satu pilihan pertanyaan";
    "at least one of the question's options, each once": "sedikitnya satu pilihan pertanyaan, masing-masing sekali";
    "counts of people by sex and age": "jumlah jiwa menurut jenis kelamin dan umur";
    "an answer in words": "jawaban kata-kata";
    "ages that do not overlap, each sex and age once": "umur yang tidak tumpang tindih, tiap jenis kelamin dan umur sekali";
    "at most 100,000 characters in all": "paling banyak 100.000 karakter seluruhnya";
    "assessment `{}` is not known here": "asesmen `{}` tidak dikenal di sini";
    "answer `{}`": "jawaban `{}`";
    "every province would read what looks like {}: leave it out, or add `--text-as-is` when it is none":
        "semua provinsi akan membaca yang tampak seperti {}: hapuslah, atau tambahkan `--text-as-is` bila bukan";
    "{} at character {}": "{} di karakter {}";
    "key `{}`": "kunci `{}`";
    "`{}` is no key of a file of answers: expected one of {}": "`{}` bukan kunci berkas jawaban: pilih salah satu dari {}";
    "`{}` is no form of this program": "`{}` bukan formulir program ini";
    "`{}` is no question of the form `{}`: `{}` lists them": "`{}` bukan pertanyaan formulir `{}`: lihat `{}`";
    "question `{}` is answered with `{}`: expected {}": "pertanyaan `{}` dijawab `{}`: diharapkan {}";
    "a whole number, 0 or more": "bilangan bulat, 0 atau lebih";
    "one of {}": "salah satu dari {}";
    "a list of {}": "daftar dari {}";
    "counts such as `{}`": "jumlah seperti `{}`";
    "a time with its offset": "waktu dengan selisih zonanya";
    "a text": "teks";
    "it has {} bytes; at most {} are read": "besarnya {} bita; paling banyak dibaca {}";
    // Sites.
    "`{}` is no count of people: expected digits only such as `212`":
        "`{}` bukan jumlah orang: diharapkan angka saja, tanpa titik ribuan, seperti `212`";
    "there is no such site here": "titik layanan itu tidak ada di sini";
    "the site is closed": "titik layanan itu sudah ditutup";
    "this node has no incident `{}` of its own": "simpul ini tidak punya kejadian `{}` sendiri";
    "incident `{}` is in `{}`: it takes no sites": "kejadian `{}` dalam keadaan `{}`: tidak menerima titik layanan";
    "a figure as of `{}` is held, newer than the one as of `{}`":
        "sudah ada angka per `{}`, lebih baru daripada yang per `{}`";
    "the site lacks nothing of the kind `{}`": "titik layanan itu tidak kekurangan `{}`";
    "`{}` at `{}` lies before `{}` at `{}`": "`{}` pada `{}` mendahului `{}` pada `{}`";
    "the answers of assessment `{}` are not here so far": "jawaban asesmen `{}` belum ada di sini";
    "an assessment of the incident's whole place: figures are of the whole incident":
        "asesmen seluruh wilayah kejadian: angka berlaku untuk seluruh kejadian";
    "a figure for `{}` of `{}` as of `{}` is held, newer than the one as of `{}`":
        "sudah ada angka `{}` dari `{}` per `{}`, lebih baru daripada yang per `{}`";
    "the incident is an exercise, and the command is not: add `--exercise`":
        "kejadian itu latihan, sedangkan perintahnya bukan: tambahkan `--exercise`";
    "the incident is real, and the command belongs to an exercise: leave out `--exercise`":
        "kejadian itu nyata, sedangkan perintahnya latihan: hapus `--exercise`";
    // Warnings and directives.
    "`{}` is no height: expected centimeters from -1000 to 10000 such as `210`":
        "`{}` bukan tinggi muka air: diharapkan sentimeter dari -1000 sampai 10000 seperti `210`";
    "field `station` is `{}`: the configured gauges are {}":
        "pos duga air `{}` tidak ada di konfigurasi: yang ada {}";
    "Kepmendagri 300.2.2-2430/2025, attachment; figures of 2025": "lampiran Kepmendagri 300.2.2-2430/2025; angka tahun 2025";
    "there is no such warning here": "peringatan itu tidak ada di sini";
    "warning `{}` is already cancelled": "peringatan `{}` sudah dibatalkan";
    "warning `{}` is this node's own: draft its cancellation, which a second person approves":
        "peringatan `{}` milik simpul ini sendiri: susun draf pembatalannya dengan `posko warning draft --cancel`, yang disetujui orang kedua";
    "warning `{}` is not this node's own: a draft changes an own warning only":
        "peringatan `{}` bukan milik simpul ini sendiri: draf hanya mengubah peringatan sendiri";
    "warning `{}` is over since `{}`: draft a new one": "peringatan `{}` sudah berakhir sejak `{}`: susun draf baru";
    "warning `{}` has changed since the draft was made: draft it again":
        "peringatan `{}` sudah berubah sejak draf dibuat: susun lagi drafnya";
    "`{}` lies outside of province `{}`: a province warns in its own area":
        "`{}` di luar provinsi `{}`: provinsi memperingatkan di wilayahnya sendiri";
    "there is no such draft here": "draf itu tidak ada di sini";
    "the draft was made already": "draf itu sudah dibuat";
    "the draft is `{}` already": "draf itu sudah `{}`";
    "the draft ended at `{}` and was not approved before: draft a new one":
        "draf itu berakhir pada `{}` dan belum disetujui: susun draf baru";
    "the account that drafted it cannot approve it: a second person must":
        "akun yang menyusunnya tidak dapat menyetujuinya: harus orang kedua";
    "a command of an exercise needs a draft of an exercise": "perintah latihan memerlukan draf latihan";
    "the draft belongs to an exercise, and the command does not": "draf itu latihan, sedangkan perintahnya bukan";
    "a report is about one place: give `--region` once": "laporan menyangkut satu tempat: berikan `--region` satu kali";
    "`{}` lies outside of province `{}`: report it to its own posko":
        "`{}` di luar provinsi `{}`: laporkan ke poskonya sendiri";
    "the console has no subscriptions: log in with an account": "konsol tidak punya langganan: masuklah dengan akun";
    "the account has 100 subscriptions already: end one first": "akun sudah punya 100 langganan: akhiri satu dulu";
    "the account has the same subscription already: `{}`": "akun sudah punya langganan yang sama: `{}`";
    "the account has no subscription `{}`": "akun tidak punya langganan `{}`";
    "a zone such as `Z1`, a region code, or empty for everywhere; {}":
        "zona seperti `Z1`, kode wilayah, atau kosong untuk di mana saja; {}";
    "field `{}` is no mark that an inbox gave": "`{}` bukan tanda dari kotak masuk";
    "field `channel`: only what was told by telephone is typed in":
        "`--channel`: hanya laporan lewat telepon yang diketik";
    "warning `{}` is no report": "peringatan `{}` bukan laporan";
    "report `{}` is `{}` already": "laporan `{}` sudah `{}`";
    "draft `{}` is not known here": "draf `{}` tidak dikenal di sini";
    "field `{}` is kept from the warning and says `{}`, while it is to hold at other times: give it anew, or name a template":
        "`{}` dari peringatan lama menyebut `{}`, padahal waktu berlakunya berubah: tulis ulang teksnya, atau sebutkan `--template`";
    "template `{}` is not known here": "teks baku `{}` tidak dikenal di sini";
    "template `{}` is not known here; known are {}": "teks baku `{}` tidak dikenal di sini; yang dikenal {}";
    "template `{}` has a text for each severity: name the severity":
        "teks baku `{}` punya teks untuk tiap tingkat: sebutkan `--severity`";
    "template `{}` has no text for `{}`": "teks baku `{}` tidak punya teks untuk tingkat `{}`";
    "zone `{}` has no part in province `{}`": "zona `{}` tidak punya bagian di provinsi `{}`";
    "the warning cannot be written as CAP: {}": "peringatan itu tidak dapat ditulis sebagai CAP: {}";
    "an own warning is written in Bahasa Indonesia, `id`": "peringatan sendiri ditulis dalam Bahasa Indonesia, `id`";
    "an own warning says until when it holds": "peringatan sendiri menyebut sampai kapan berlaku, dengan `--hours` atau `--expires-at`";
    "an own warning names at least one region": "peringatan sendiri menyebut sedikitnya satu wilayah";
    "where it holds must be given: a region, a shape or words":
        "tempat berlakunya wajib diberikan: wilayah, bentuk, atau kata-kata";
    "each language once": "tiap bahasa satu kali";
    "the alert says that it is of BMKG, and `{}` brings it: only a feed of BMKG does":
        "peringatan itu mengaku dari BMKG, tetapi dibawa `{}`: hanya umpan BMKG yang membawanya";
    "warning `{}` was brought by `{}`: `{}` can neither change nor end it":
        "peringatan `{}` dibawa `{}`: `{}` tidak dapat mengubah atau mengakhirinya";
    "warning `{}` was taken back here by a person and not by its publisher, in whose name nothing is written":
        "peringatan `{}` dicabut di sini oleh seseorang, bukan oleh penerbitnya; tidak ada yang ditulis atas nama penerbit itu";
    "template `{}` is of `{}`, and the hazard given is `{}`":
        "templat `{}` untuk `{}`, padahal bahaya yang diberikan `{}`";
    "warning `{}` was sent after the message that would end it":
        "peringatan `{}` dikirim sesudah pesan yang hendak mengakhirinya";
    "warning `{}` is held with another source or identifier":
        "peringatan `{}` sudah ada dengan sumber atau pengenal lain";
    "a command of an exercise needs a warning of an exercise": "perintah latihan memerlukan peringatan latihan";
    "the warning belongs to an exercise, and the command does not":
        "peringatan itu latihan, sedangkan perintahnya bukan";
    "there is no such directive here": "arahan itu tidak ada di sini";
    "the directive is issued already": "arahan itu sudah dikeluarkan";
    "directive `{}` is already withdrawn": "arahan `{}` sudah dicabut";
    "the command belongs to an exercise, and the directive does not":
        "perintahnya latihan, sedangkan arahannya bukan";
    "the directive belongs to an exercise, and the command does not":
        "arahan itu latihan, sedangkan perintahnya bukan";
    // The log.
    "this node's log holds no such event `{}`": "log simpul ini tidak memuat peristiwa `{}`";
    "event `{}` is not left out: it stands in this node's log":
        "peristiwa `{}` tidak ditinggalkan: ada di log simpul ini";
    "the payload of event `{}` is not missing": "isi peristiwa `{}` tidak hilang";
    "the payload of event `{}` is withdrawn or lost already": "isi peristiwa `{}` sudah dicabut atau hilang";
    "event `{}` cannot be withdrawn: only a log note can, since no state depends on its text":
        "peristiwa `{}` tidak dapat dicabut: hanya catatan yang dapat, karena tidak ada keadaan yang bergantung pada isinya";
    "this was said already": "hal itu sudah dinyatakan";
    "what an owner says about its log is never part of an exercise":
        "pernyataan tentang log tidak pernah menjadi bagian latihan";
    "the log of `{}` is not forked: there is nothing to open again":
        "log `{}` tidak bercabang: tidak ada yang perlu dibuka kembali";
    "this is not the recovery key of `{}`": "ini bukan kunci pemulihan `{}`";
    // What the node waits for, and why it writes no more.
    "waiting: {}": "menunggu: {}";
    "{} not yet asked{}": "{} belum ditanya{}";
    "{} and {} not yet asked{}": "{} dan {} belum ditanya{}";
    " again": " lagi";
    "{} not yet asked for the payload of event `{}`": "{} belum ditanya tentang isi peristiwa `{}`";
    "no peer was accepted yet that could be asked": "belum ada rekan yang diterima yang dapat ditanya";
    "{} payloads of this node's log are missing": "{} isi log simpul ini belum ada";
    "nothing waits: the start is proven, and there is no risk to accept":
        "tidak ada yang menunggu: awal simpul terbukti, dan tidak ada risiko yang perlu diterima";
    "the last run was fenced": "jalannya yang lalu dipagari";
    "an earlier start was not proven": "awal sebelumnya belum terbukti";
    "the file is a backup copy": "berkasnya salinan cadangan";
    "the file was not there": "berkasnya tidak ada";
    "the high-water mark was not there": "tanda batas tertinggi tidak ada";
    "the high-water mark is gone": "tanda batas tertinggi hilang";
    "the high-water mark is ahead of the file": "tanda batas tertinggi mendahului berkasnya";
    "the high-water mark is at {}, which is not here: the machine was rolled back, or another run writes":
        "tanda batas tertinggi di {}, yang tidak ada di sini: mesin dikembalikan ke keadaan lama, atau kembarannya menulis";
    "the high-water mark says that another run has begun":
        "tanda batas tertinggi menyatakan bahwa kembarannya sudah berjalan";
    "`{}` holds the log of `{}` up to {}, which is not here":
        "`{}` memegang log `{}` sampai {}, yang tidak ada di sini";
    // Sessions with peers.
    "another run of `{}` is alive since `{}` at `{}`": "kembaran `{}` berjalan sejak `{}` di `{}`";
    "a second run of `{}` was refused from `{}`, last at `{}`":
        "kembaran `{}` yang kedua ditolak dari `{}`, terakhir pada `{}`";
    "another run of this node writes: {}": "kembaran simpul ini menulis: {}";
    "connected, waiting for a signed head": "tersambung, menunggu kepala log yang bertanda tangan";
    "catching up": "sedang mengejar";
    "its card was removed": "kartunya dilepas";
    "no session yet": "belum ada sesi";
    "not reached at {}": "tidak tercapai di {}";
    "no connection within {} s": "tidak tersambung dalam {} dtk";
    "no handshake within {} s": "tidak ada jabat tangan dalam {} dtk";
    "the handshake failed: {}": "jabat tangan gagal: {}";
    "the connection was lost: {}": "sambungan terputus: {}";
    "`{}` said goodbye, {}: {}": "`{}` berpamitan, {}: {}";
    "ended here, {}: {}": "diakhiri di sini, {}: {}";
    "refused here, {}: {}": "ditolak di sini, {}: {}";
    "refused by `{}`, {}: {}": "ditolak oleh `{}`, {}: {}";
    "node `{}` stops": "simpul `{}` berhenti";
    "the card of `{}` is not accepted any more": "kartu `{}` tidak diterima lagi";
    "a newer session goes on": "sesi yang lebih baru diteruskan";
    "the peer is `{}`, expected a node whose card was accepted here: none of `{}` was":
        "rekan itu `{}`, padahal kartunya belum diterima di sini: tidak ada kartu `{}`";
    "the peer is `{}`, expected `{}`": "rekan itu `{}`, seharusnya `{}`";
    "the peer is of federation `{}`, expected `{}`": "rekan itu dari federasi `{}`, seharusnya `{}`";
    "its card has no address": "kartunya tanpa alamat";
    // Backups and files.
    "`{}` is there already, and is not overwritten": "`{}` sudah ada, dan tidak ditimpa";
    "`{}` is there already: a node is made once": "`{}` sudah ada: simpul dibuat sekali saja";
    "`{}` is not empty: a node is restored to a new directory":
        "`{}` tidak kosong: simpul dipulihkan ke direktori baru";
    "`{}` is in use by another process of this node": "`{}` sedang dipakai proses lain dari simpul ini";
    "`{}` is being written by another process": "`{}` sedang ditulis proses lain";
    "`{}` of the backup is damaged: {}": "bagian `{}` dari salinan cadangan rusak: {}";
    "`{}` is no backup: {}": "`{}` bukan salinan cadangan: {}";
    "it is empty": "berkasnya kosong";
    "it does not begin as one": "awalnya bukan salinan cadangan";
    "`{}` holds no recovery key: expected 64 hexadecimal digits":
        "`{}` tidak berisi kunci pemulihan: diharapkan 64 digit heksadesimal";
    "the recovery key does not fit: it is `{}`, and the backup's keys are sealed to `{}`":
        "kunci pemulihan tidak cocok: ini `{}`, sedangkan kunci simpul tersegel bagi `{}`";
    "`{}` has heard of node `{}` {} s ago: it runs elsewhere, and two of it would undo each other; stop it for good and wait {} minutes, or insist and whichever was not started last stops writing":
        "`{}` mendengar simpul `{}` {} dtk yang lalu: simpul itu berjalan di tempat lain, dan dua kembaran saling merusak; matikan untuk selamanya dan tunggu {} menit, atau paksakan dengan `--force` dan yang tidak dijalankan terakhir berhenti menulis";
    "cannot {} `{}`": "tidak dapat {} `{}`";
    "read": "membaca";
    "write": "menulis";
    "make": "membuat";
    "read `{}`": "membaca `{}`";
    "`{}` is an address, and this reads files: `posko feed test NAME` asks a feed of the configuration":
        "`{}` sebuah alamat, sedangkan yang dibaca di sini berkas: `posko feed test NAMA` menanyai umpan di konfigurasi";
    "write `{}`": "menulis `{}`";
    "open `{}`": "membuka `{}`";
    "read card `{}`": "membaca kartu `{}`";
    "read the node's CA `{}`": "membaca CA simpul `{}`";
    "read the card of the node to join": "membaca kartu simpul yang diikuti";
    "read configuration `{}`": "membaca konfigurasi `{}`";
    "{}; name the node's directory with `--dir` or $POSKO_DIR":
        "{}; sebutkan direktori simpul dengan `--dir` atau $POSKO_DIR";
    "configuration `{}`: {}": "konfigurasi `{}`: {}";
    "line `{}` is not TOML: {}": "baris `{}` bukan TOML: {}";
    "line `{}` is not JSON: {}": "baris `{}` bukan JSON: {}";
    "key `{}` on line `{}` is not known; the nearest known key is `{}`":
        "kunci `{}` di baris `{}` tidak dikenal; yang terdekat `{}`";
    "key `{}` is missing in the section that begins on line `{}`: it must be {}":
        "kunci `{}` tidak ada di bagian yang dimulai pada baris `{}`: harus {}";
    "a whole number from {} to {}": "bilangan bulat dari {} sampai {}";
    "key `{}` on line `{}` is `{}`: it must be {}": "kunci `{}` di baris `{}` berisi `{}`: harus {}";
    "`{}` is no province: expected the code of one, such as `32`":
        "`{}` bukan provinsi: diharapkan kodenya, seperti `32`";
    "`{}` is no gateway: headquarters' gateway is named `{}`": "`{}` bukan gerbang: gerbang pusat bernama `{}`";
    "a gateway joins a federation: give the card of one of its nodes":
        "gerbang bergabung dengan federasi: berikan kartu salah satu simpulnya dengan `--join`";
    "the new configuration": "konfigurasi baru";
    "an address IP:PORT such as `{}` or `{}`": "alamat IP:PORT seperti `{}` atau `{}`";
    "HOST:PORT such as `{}`": "HOST:PORT seperti `{}`";
    "a list of host names and IP addresses without ports": "nama host dan alamat IP tanpa port";
    "make `{}`": "membuat `{}`";
    "listen for peers on `{}`": "mendengarkan rekan di `{}`";
    "listen for operators on `{}`": "mendengarkan operator di `{}`";
    "the recovery key is not in the node's `keys/recovery.key`: fetch it from the safe":
        "kunci pemulihan tidak ada di `keys/recovery.key`: ambil dari brankas";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(english: &str, indonesian: &str) {
        assert_eq!(told(english, Lang::Id), indonesian);
    }

    #[test]
    fn a_refusal_is_told_in_bahasa_indonesia_with_its_values() {
        check(
            "incident `PMI-32-2026-000001` is already closed",
            "kejadian `PMI-32-2026-000001` sudah ditutup",
        );
        check(
            "waiting: `32` and `36` not yet asked",
            "menunggu: `32` dan `36` belum ditanya",
        );
        check(
            "waiting: `31`, `32` and `36` not yet asked again",
            "menunggu: `31`, `32` dan `36` belum ditanya lagi",
        );
        check(
            "directives are issued and withdrawn at headquarters' gateway `ims`; this is the province's node `32`",
            "arahan dikeluarkan dan dicabut di gerbang pusat `ims`; ini simpul provinsi `32`",
        );
    }

    #[test]
    fn a_chain_of_causes_is_told_link_by_link() {
        check(
            "read card `a: b`: No such file or directory",
            "membaca kartu `a: b`: berkas atau direktori tidak ada",
        );
        check(
            "something new: Permission denied",
            "something new: tidak ada izin",
        );
        check("", "");
    }

    #[test]
    fn no_number_of_the_operating_system_is_shown() {
        let message = "read card `x`: No such file or directory (os error 2); try again";
        assert_eq!(
            plain(message),
            "read card `x`: No such file or directory; try again"
        );
        check("Permission denied (os error 13)", "tidak ada izin");
    }

    #[test]
    fn a_time_is_told_as_the_screens_show_it() {
        check(
            "field `meta.occurred_at` is `2030-01-01T00:00:00Z`, which lies in the future: it is `2026-11-25T00:07:47.531Z` here",
            "`--occurred-at` berisi `2030-01-01 07:00:00 WIB`, yang belum terjadi: di sini pukul `2026-11-25 07:07:47 WIB`",
        );
    }

    #[test]
    fn a_field_is_told_by_its_option() {
        let message = "field `place.region_code` is empty: expected a region code such as `32.03`";
        assert!(told(message, Lang::En).starts_with("field `--region` is empty"));
        check(
            message,
            "`--region` kosong: diharapkan kode wilayah seperti `32.03`",
        );
        check(
            "field `grant.role` is `x`: it must be given",
            "`--role` berisi `x`: wajib diisi",
        );
        check(
            "field `content.hazard` is `unspecified`: it must be given",
            "`--hazard` wajib diisi",
        );
        check(
            "field `count_occupancy.people` is ``: the count of everybody is needed",
            "`--people`: jumlah seluruhnya wajib diisi",
        );
    }

    #[test]
    fn what_somebody_gave_stays_as_it_was_given() {
        check(
            "`closed` is no hazard: expected one of flood, drought",
            "`closed` bukan bahaya: pilih salah satu dari flood, drought",
        );
    }

    #[test]
    fn a_word_of_the_contract_is_told_as_the_screen_says_it() {
        let refusal = "incident `N` was already rejected: it is `STATUS_FALSE`";
        assert_eq!(
            told(refusal, Lang::En),
            "incident `N` was already rejected: it is `false`"
        );
        check(
            refusal,
            "kejadian `N` sudah ditolak: keadaannya `tidak benar`",
        );
    }

    #[test]
    fn what_is_missing_and_what_has_to_come_first_is_said_plainly() {
        for (english, indonesian) in [
            (
                "field `note` is ``: a new objective is worded in the note",
                "`--note`: sasaran baru ditulis dalam catatan, dengan `--note`",
            ),
            (
                "an incident in `STATUS_REPORTED` cannot be activated: it has to be verified first",
                "kejadian dalam keadaan `laporan dini` tidak dapat diaktivasi: verifikasi dulu dengan `posko incident verify`",
            ),
            (
                "there is no figure to correct for `MEASURE_DEAD` here",
                "tidak ada angka yang dapat diralat untuk `meninggal` di sini",
            ),
        ] {
            assert_eq!(told(english, Lang::Id), indonesian);
        }
    }

    #[test]
    fn a_place_in_a_text_is_told_behind_what_stands_before_it() {
        check(
            "answer `PMI-19`: every province would read what looks like a telephone number at character 27: leave it out, \
             or add `--text-as-is` when it is none",
            "jawaban `PMI-19`: semua provinsi akan membaca yang tampak seperti nomor telepon di karakter 27: hapuslah, atau \
             tambahkan `--text-as-is` bila bukan",
        );
        check(
            "read `b4.toml`: line `3` is not TOML: string values must be quoted",
            "membaca `b4.toml`: baris `3` bukan TOML: string values must be quoted",
        );
        check(
            "document is empty, not a format that warnings are read from",
            "dokumen ini kosong, bukan format yang memuat peringatan",
        );
    }

    #[test]
    fn lines_keep_their_indent() {
        assert_eq!(
            lines(
                "error: unexpected argument 'x' found\n\n  tip: y\n",
                Lang::Id
            ),
            "galat: argumen 'x' tidak dikenal\n\n  saran: y"
        );
    }

    #[test]
    fn no_sentence_stands_twice() {
        let mut seen = std::collections::BTreeSet::new();
        let twice = phrases().filter(|(english, _)| !seen.insert(*english));
        assert_eq!(twice.collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
    }

    #[test]
    fn both_languages_have_the_same_values() {
        for (english, indonesian) in phrases() {
            let count = |text: &str| text.matches("{}").count();
            assert!(count(english) >= count(indonesian), "{english}");
            assert_ne!(english, indonesian);
        }
    }

    /// Returns the text of every source file under a directory, tests apart.
    fn sources(dir: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "tests" && name != "phrase" {
                sources(&path, text);
            } else if path.extension().is_some_and(|end| end == "rs") && name != "phrase.rs" {
                *text += &std::fs::read_to_string(&path).unwrap();
            }
        }
    }

    /// Returns the text of the sources of the rooms, or of a part of them.
    pub(super) fn said_below(part: &str) -> String {
        let mut text = String::new();
        let rooms = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        sources(&rooms.join(part), &mut text);
        // A literal that is broken over lines goes on at its first word.
        text.split("\\\n")
            .map(str::trim_start)
            .collect::<Vec<&str>>()
            .concat()
    }

    /// Returns every error of a part of the rooms, as it is written in the sources.
    pub(super) fn errors_below(part: &str) -> Vec<String> {
        let text = said_below(part);
        let errors = text.split("#[error(").skip(1).filter_map(|rest| {
            let error = rest.trim_start().strip_prefix('"')?;
            let error = error.replace("\\\"", "\u{1}");
            let error = error.split(['\n', '"']).next()?;
            Some(error.replace('\u{1}', "\""))
        });
        errors.collect()
    }

    #[test]
    fn every_phrase_of_ours_is_still_said_somewhere() {
        let text = said_below("").replace("\\\"", "\"");
        let silent: Vec<&str> = (ours().map(|(english, _)| *english))
            .filter(|english| !english.split("{}").all(|part| text.contains(part)))
            .collect();
        assert_eq!(silent, [""; 0], "nobody says this any more");
    }
}
