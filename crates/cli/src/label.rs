//! The words of the human output, in Bahasa Indonesia and in English.
//!
//! What it never does: name anything in JSON, which knows no language.

use clap::ValueEnum;
use posko_proto::{
    common::v1::{Hazard, LinkState, Role},
    directive::v1::{self as directive, Priority},
    federation::v1::NodeRole,
    incident::v1::{self as incident, FigureSource, Measure, ReportChannel, Scale, Status},
    warning::v1::{self as warning, AlertStatus, Certainty, FeedHealth, Source, State, Urgency},
};

use crate::name::Named;

/// The language of the human output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Lang {
    /// Bahasa Indonesia.
    #[default]
    Id,
    /// English.
    En,
}

/// A phrase in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    id: &'static str,
    en: &'static str,
}

impl Label {
    /// Returns the phrase in a language.
    pub(crate) fn text(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Id => self.id,
            Lang::En => self.en,
        }
    }
}

/// An enum whose values have a label.
pub(crate) trait Labelled: Named {
    /// Returns the value's label.
    fn label(self) -> Label;
}

/// Returns the label of a number on the wire: a dash when unspecified, the number itself when this program does not know it.
pub(crate) fn of<T: Labelled>(number: i32, lang: Lang) -> String {
    match T::from_number(number) {
        _ if number == 0 => "-".into(),
        Some(value) => value.label().text(lang).into(),
        None => number.to_string(),
    }
}

/// Returns a value of the contract that a message names, `STATUS_CLOSED`, in the words of a screen; none of another word.
pub(crate) fn word(name: &str, lang: Lang) -> Option<&'static str> {
    fn of<T: Labelled>(name: &str, lang: Lang) -> Option<&'static str> {
        let value = T::from_contract_name(name)?;
        Some(value.label().text(lang))
    }
    let words = [
        of::<Status>,
        of::<AlertStatus>,
        of::<Measure>,
        of::<FigureSource>,
        of::<Role>,
    ];
    words.iter().find_map(|word| word(name, lang))
}

const fn label(id: &'static str, en: &'static str) -> Label {
    Label { id, en }
}

macro_rules! labels {
    ($($name:ident: $id:literal, $en:literal;)*) => {
        $(pub(crate) const $name: Label = label($id, $en);)*

        #[cfg(test)]
        const ALL: &[(&str, Label)] = &[$((stringify!($name), $name)),*];
    };
}

labels! {
    ACCOUNT: "akun", "account";
    ACTOR: "pelaku", "actor";
    ADDED: "ditambahkan", "added";
    ADDRESS: "alamat", "address";
    ADDRESSED_TO: "ditujukan kepada", "addressed to";
    BACKED_UP: "salinan cadangan dibuat", "backup made";
    BACKUP_INTACT: "salinan cadangan utuh", "backup intact";
    BYTES: "bita", "bytes";
    EVERYONE: "semua", "all";
    EVENT: "peristiwa", "event";
    AREA: "wilayah", "area";
    AS_OF: "per", "as of";
    BEHIND: "tertinggal", "behind";
    CARD: "kartu", "card";
    CERTAINTY: "kepastian", "certainty";
    CHANNEL: "saluran", "channel";
    CLOCK: "selisih jam", "clock skew";
    COMPARE: "bandingkan sidik ini lewat telepon sebelum menerima", "compare this fingerprint by telephone before accepting";
    CONFIG_VALID: "konfigurasi sah", "configuration is valid";
    CONNECTED: "tersambung", "connected";
    COUNT: "jumlah", "count";
    DAYS: "hr", "d";
    DEPTH: "kedalaman", "depth";
    DESCRIPTION: "uraian", "description";
    DIGEST: "intisari", "digest";
    DISABLED: "nonaktif", "disabled";
    DIRECTIVE: "arahan", "directive";
    DIRECTIVES: "arahan pusat yang berlaku", "headquarters' directives in force";
    DIRECTORY: "direktori", "directory";
    DISOWNED: "tidak diakui", "disowned";
    DISPUTED: "DISENGKETAKAN", "DISPUTED";
    DUPLICATE_OF: "ganda dari", "duplicate of";
    EFFECTIVE: "berlaku", "effective";
    ENDED: "sesi diakhiri", "session ended";
    ENTRIES: "entri", "entries";
    ERROR: "galat", "error";
    EXERCISE: "LATIHAN", "EXERCISE";
    EXPIRES: "berakhir", "expires";
    EXPORTED: "log diekspor", "log exported";
    FEDERATION: "federasi", "federation";
    FEED: "umpan", "feed";
    FEEDS_NONE: "tidak ada umpan: daftar kosong bukan berarti aman", "there are no feeds: an empty list does not mean safe";
    FIGURES: "angka dampak", "impact figures";
    FINGERPRINT: "sidik", "fingerprint";
    FORKED_AT: "bercabang di", "forked at";
    FORKED_OTHER: "isinya sejak itu disengketakan; pemilik log membukanya kembali dengan kunci pemulihan",
        "disputed from there on; its owner opens it again with the recovery key";
    FORKED_OWN: "matikan mesin kembarannya, lalu jalankan `posko log reopen` dengan kunci pemulihan",
        "stop the other machine, then run `posko log reopen` with the recovery key";
    ARRIVED: "tiba", "arrived";
    AT: "di", "at";
    FIRST_ARRIVED: "pertama tiba", "first arrived";
    KNOWN_UP_TO: "diketahui sampai", "known up to";
    LEFT_OUT_SINCE: "sejak itu ditinggalkan oleh log", "left out of the log since";
    NOTHING_YET: "belum ada", "nothing yet";
    RECORDED_FROM: "dicatat sejak", "recorded from";
    UNTOLD: "berkas dipulihkan, tidak tercatat apa yang tiba; mungkin lebih banyak",
        "the file was put back, what arrived was not noted; it may be more";
    EVIDENCE: "cabang mesin kembarannya", "other machine's branch";
    FORK_PROOF: "bukti cabang", "fork proof";
    OPENED_AGAIN_IN: "dibuka kembali di epok", "opened again in epoch";
    OTHER_BRANCH: "entri dari cabang mesin kembarannya, disimpan sebagai bukti",
        "entries of the other machine's branch, kept as evidence";
    FROM: "sejak", "from";
    FRESHNESS: "kesegaran gambaran", "freshness of the picture";
    GAP: "selisih", "gap";
    GRANT: "penugasan", "grant";
    HOURS: "j", "h";
    HAZARD: "bahaya", "hazard";
    HEADERS_ONLY: "hanya kepala entri dari kelas", "only headers of class";
    HEADLINE: "judul", "headline";
    HEALTH: "kesehatan", "health";
    HOURS_OLD: "jam yang lalu", "hours old";
    HEARD: "kabar terakhir", "last heard";
    IDENTIFIER: "pengenal", "identifier";
    INCIDENT: "kejadian", "incident";
    INIT_DONE: "simpul dibuat", "node made";
    INSTRUCTION: "imbauan", "instruction";
    IN_FORCE: "berlaku", "in force";
    ISSUED: "dikeluarkan", "issued";
    KEYS: "kunci simpul", "node keys";
    KEYS_OPENED: "terbuka dengan kunci pemulihan", "opened with the recovery key";
    KEYS_SEALED: "tersegel bagi kunci pemulihan", "sealed to the recovery key";
    LAST_SUCCESS: "terakhir baik", "last success";
    LOGGED_IN: "masuk", "logged in";
    LOGGED_OUT: "keluar", "logged out";
    LOGIN: "nama masuk", "login";
    LOG: "log", "log";
    LOGS: "log yang dipegang simpul ini", "logs held by this node";
    MADE: "dibuat", "made";
    MADE_BY: "dibuat dengan", "made by";
    MAGNITUDE: "magnitudo", "magnitude";
    MEASURE: "ukuran", "measure";
    MINUTES: "mnt", "min";
    MILESTONES: "tahapan", "milestones";
    MORE: "masih ada lagi: naikkan `--limit`", "there is more: raise `--limit`";
    NAME: "nama", "name";
    NEVER: "belum sejak simpul berjalan", "not since the node started";
    NO: "tidak", "no";
    NOT_CONNECTED_SINCE: "tidak terhubung sejak", "not connected since";
    NOT_HEARD_SINCE: "tidak terdengar lagi sejak", "no longer heard since";
    NO_SOURCE: "tanpa sumber", "no source";
    NO_COPY: "belum ada", "there is none";
    NODE: "simpul", "node";
    NONE: "tidak ada yang cocok", "nothing matches";
    NOTES: "catatan", "notes";
    NUMBER: "nomor", "number";
    OPENED: "dibuka", "opened";
    ORIGIN: "asal", "origin";
    OUTSIDE: "luar wilayah", "outside";
    PART: "bagian", "part";
    PAYLOADS_MISSING: "isi yang belum ada", "missing payloads";
    PASSWORD: "Kata sandi", "Password";
    PASSWORD_AGAIN: "Ulangi kata sandi", "Repeat the password";
    PEER: "rekan", "peer";
    PEERS: "rekan, dan apa yang mereka punya dari log ini", "peers, and what they have of this log";
    PEER_ADDED: "rekan diterima", "peer accepted";
    PEER_REMOVED: "rekan dilepas", "peer removed";
    PLACE: "tempat", "place";
    POSITION: "posisi", "position";
    PRIORITY: "prioritas", "priority";
    PUBLISHER: "penerbit", "publisher";
    REBUILT: "tampilan dibangun ulang", "views rebuilt";
    RECORDED: "tercatat", "recorded";
    REFUSED: "ditolak", "refused";
    REFUSED_EVENTS: "peristiwa ditolak", "refused events";
    REOPENED: "log dibuka kembali; entri yang akan dicatat ulang", "log opened again; entries to be recorded again";
    REPORTED: "dilaporkan", "reported";
    RESTORED: "simpul dipulihkan ke", "node restored to";
    ROLE: "peran", "role";
    ROUND_TRIP: "pulang pergi", "round trip";
    ROWS: "baris", "rows";
    SCALE: "skala", "scale";
    SCOPE: "lingkup", "scope";
    SECONDS: "dtk", "s";
    SENT: "dikirim", "sent";
    SESSION: "sesi", "session";
    SEVERITY: "keparahan", "severity";
    SINCE: "sejak", "since";
    LAST: "terakhir", "last";
    THROUGH: "lewat", "through";
    TIME: "waktu", "time";
    TYPE: "jenis", "type";
    TIMES: "kali", "times";
    REFUSALS: "sambungan masuk yang ditolak", "refused connections";
    SOFTWARE: "perangkat lunak", "software";
    SOURCE: "sumber", "source";
    SOURCE_BEHIND_SINCE: "punya kurang dari yang ada di sini sejak", "holds less than is here since";
    STALLED_SINCE: "tidak mengirim sejak", "does not keep up since";
    STARTED: "berjalan sejak", "running since";
    LEFT_OUT: "ditinggalkan", "left out";
    LEGAL_BASIS: "dasar hukum", "legal basis";
    LOST: "hilang", "lost";
    NOT_APPLIED: "belum menerapkan", "not yet applied by";
    NOT_ASKED: "belum ditanya", "not yet asked";
    PAYLOAD_MISSING: "isi tiada", "payload missing";
    REPEAT_YES: "Belum ada yang dicatat: ulangi dengan --yes", "Nothing is recorded yet: repeat it with --yes";
    STATEMENT: "pernyataan", "statement";
    STATE: "keadaan", "state";
    STATUS: "status", "status";
    TAKEN: "diambil", "taken";
    TITLE: "perihal", "title";
    TOKEN_FILE: "berkas token", "token file";
    TYPE_YES: "Ketik ya untuk menerima", "Type yes to accept";
    UNACKNOWLEDGED: "belum diakui", "unacknowledged";
    UNKNOWN: "tidak diketahui", "unknown";
    UNKNOWN_EVENTS: "peristiwa tak dikenal", "unknown events";
    UNTIL: "sampai", "until";
    URGENCY: "kedesakan", "urgency";
    VERIFIED: "utuh", "intact";
    NOT_VERIFIED: "TIDAK UTUH", "NOT INTACT";
    VERSION: "versi", "version";
    VIEW: "tampilan", "view";
    WARNING: "peringatan", "warning";
    WITHDRAWN: "dicabut", "withdrawn";
    WITHHELD: "riwayat ditahan", "withheld history";
    WHO_IS_BEHIND: "siapa tertinggal, dalam entri, dari kepala log terbaru yang diketahui", "who is behind the newest head known, in entries";
    WHY: "sebab", "why";
    WRITING: "menerima perintah", "takes commands";
    YES: "ya", "yes";
    YOUNGEST_COPY: "cadangan termuda", "youngest backup";
    ZONE: "zona", "zone";
}

impl Labelled for Hazard {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Flood => label("banjir", "flood"),
            Self::FlashFlood => label("banjir bandang", "flash flood"),
            Self::CoastalFlood => label("banjir rob", "coastal flood"),
            Self::Landslide => label("tanah longsor", "landslide"),
            Self::Earthquake => label("gempa bumi", "earthquake"),
            Self::Tsunami => label("tsunami", "tsunami"),
            Self::Volcano => label("erupsi gunung api", "volcano"),
            Self::ExtremeWind => label("angin kencang", "extreme wind"),
            Self::StormSurge => label("gelombang pasang", "storm surge"),
            Self::Drought => label("kekeringan", "drought"),
            Self::Wildfire => label("kebakaran hutan dan lahan", "wildfire"),
            Self::UrbanFire => label("kebakaran permukiman", "urban fire"),
            Self::Epidemic => label("wabah", "epidemic"),
            Self::Industrial => label("kegagalan teknologi", "industrial accident"),
            Self::Transport => label("kecelakaan transportasi", "transport accident"),
            Self::Building => label("bangunan runtuh", "collapsed building"),
            Self::SocialConflict => label("konflik sosial", "social conflict"),
            Self::Population => label("pengungsian", "population movement"),
            Self::ExtremeRain => label("hujan lebat", "extreme rain"),
        }
    }
}

impl Labelled for LinkState {
    fn label(self) -> Label {
        match self {
            Self::Unspecified | Self::Unknown => UNKNOWN,
            Self::Own => label("sendiri", "own"),
            Self::Live => label("langsung", "live"),
            Self::Behind => BEHIND,
        }
    }
}

impl Labelled for Role {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::DutyOfficer => label("petugas posko", "duty officer"),
            Self::VolunteerCoordinator => label("koordinator relawan", "volunteer coordinator"),
            Self::Volunteer => label("relawan", "volunteer"),
            Self::Warehouse => label("gudang", "warehouse"),
            Self::Dispatcher => label("pengendali ambulans", "dispatcher"),
            Self::Crew => label("awak ambulans", "crew"),
            Self::HospitalDesk => label("meja rumah sakit", "hospital desk"),
            Self::Training => label("pelatihan", "training"),
            Self::Board => label("papan informasi", "board"),
            Self::Auditor => label("auditor", "auditor"),
            Self::Viewer => label("pembaca", "viewer"),
            Self::It => label("TI", "IT"),
            Self::Feed => FEED,
            Self::Ims => label("IMS pusat", "headquarters' IMS"),
            Self::Headquarters => label("pusat", "headquarters"),
        }
    }
}

impl Labelled for NodeRole {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Node => label("simpul provinsi", "province node"),
            Self::Gateway => label("gerbang IMS", "IMS gateway"),
            Self::Standby => label("cadangan", "standby"),
            Self::Observer => label("pengamat", "observer"),
        }
    }
}

const MINOR: Label = label("ringan", "minor");
const MODERATE: Label = label("sedang", "moderate");
const SEVERE: Label = label("berat", "severe");
const EXTREME: Label = label("ekstrem", "extreme");

impl Labelled for incident::Severity {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Minor => MINOR,
            Self::Moderate => MODERATE,
            Self::Severe => SEVERE,
            Self::Extreme => EXTREME,
        }
    }
}

impl Labelled for warning::Severity {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Minor => MINOR,
            Self::Moderate => MODERATE,
            Self::Severe => SEVERE,
            Self::Extreme => EXTREME,
        }
    }
}

impl Labelled for ReportChannel {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Warning => label("peringatan dini", "warning"),
            Self::Branch => label("cabang PMI", "PMI branch"),
            Self::Government => GOVERNMENT,
            Self::Citizen => label("warga", "citizen"),
            Self::Volunteer => label("relawan", "volunteer"),
            Self::Media => label("media", "media"),
        }
    }
}

const GOVERNMENT: Label = label("pemerintah", "government");

impl Labelled for Scale {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Small => label("kecil", "small"),
            Self::Medium => label("sedang", "medium"),
            Self::Large => label("besar", "large"),
        }
    }
}

impl Labelled for Status {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Reported => label("laporan dini", "reported"),
            Self::Verified => label("terverifikasi", "verified"),
            Self::False => label("tidak benar", "false"),
            Self::Merged => label("gabung", "merged"),
            Self::Activated => label("aktivasi", "activated"),
            Self::OperationEnded => label("selesai operasi", "operation ended"),
            Self::Closed => label("ditutup", "closed"),
        }
    }
}

impl Labelled for Measure {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Dead => label("meninggal", "dead"),
            Self::Missing => label("hilang", "missing"),
            Self::InjuredSevere => label("luka berat", "severely injured"),
            Self::InjuredModerate => label("luka sedang", "moderately injured"),
            Self::InjuredSlight => label("luka ringan", "slightly injured"),
            Self::Sick => label("sakit", "sick"),
            Self::Affected => label("terdampak", "affected"),
            Self::Displaced => label("mengungsi (jiwa)", "displaced (persons)"),
            Self::DisplacedHouseholds => label("mengungsi (KK)", "displaced (households)"),
            Self::Isolated => label("terisolir", "isolated"),
            Self::HousesSevere => label("rumah rusak berat", "houses severely damaged"),
            Self::HousesModerate => label("rumah rusak sedang", "houses moderately damaged"),
            Self::HousesSlight => label("rumah rusak ringan", "houses slightly damaged"),
            Self::HousesFlooded => label("rumah terendam", "houses flooded"),
        }
    }
}

impl Labelled for FigureSource {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Pmi => label("PMI", "PMI"),
            Self::Government => GOVERNMENT,
            Self::Other => label("lainnya", "other"),
        }
    }
}

impl Labelled for AlertStatus {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Actual => label("nyata", "actual"),
            Self::Exercise => label("latihan", "exercise"),
            Self::System => label("sistem", "system"),
            Self::Test => label("uji teknis", "test"),
            Self::Draft => label("rancangan", "draft"),
        }
    }
}

impl Labelled for Certainty {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Observed => label("teramati", "observed"),
            Self::Likely => label("sangat mungkin", "likely"),
            Self::Possible => label("mungkin", "possible"),
            Self::Unlikely => label("kecil kemungkinan", "unlikely"),
        }
    }
}

impl Labelled for Urgency {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Immediate => label("segera", "immediate"),
            Self::Expected => label("dalam satu jam", "expected"),
            Self::Future => label("nanti", "future"),
            Self::Past => label("lewat", "past"),
        }
    }
}

impl Labelled for Source {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::BmkgNowcast => label("BMKG cuaca", "BMKG nowcast"),
            Self::BmkgEarthquake => label("BMKG gempa", "BMKG earthquake"),
            Self::Manual => label("diketik", "manual"),
        }
    }
}

impl Labelled for State {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::InForce => IN_FORCE,
            Self::Expired => label("berakhir", "expired"),
            Self::Cancelled => label("dibatalkan", "cancelled"),
        }
    }
}

impl Labelled for FeedHealth {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Ok => label("baik", "ok"),
            Self::Late => label("terlambat", "late"),
            Self::Dead => label("mati", "dead"),
            Self::Invalid => label("tidak terbaca", "invalid"),
        }
    }
}

impl Labelled for Priority {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Routine => label("biasa", "routine"),
            Self::Urgent => label("segera", "urgent"),
            Self::Immediate => label("sangat segera", "immediate"),
        }
    }
}

impl Labelled for directive::State {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Open => IN_FORCE,
            Self::Expired => label("berakhir", "expired"),
            Self::Withdrawn => label("dicabut", "withdrawn"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_has_both_languages_and_no_full_stop() {
        for (name, label) in ALL {
            for text in [label.id, label.en] {
                assert!(
                    !text.is_empty() && !text.ends_with('.') && text.trim() == text,
                    "{name}: {text:?}"
                );
            }
        }
    }

    fn check_distinct<T: Labelled>() {
        for lang in [Lang::Id, Lang::En] {
            let mut texts: Vec<&str> = T::all().map(|value| value.label().text(lang)).collect();
            let count = texts.len();
            texts.sort_unstable();
            texts.dedup();
            assert_eq!(texts.len(), count, "{}", T::KIND);
        }
    }

    #[test]
    fn no_two_values_of_an_enum_look_the_same() {
        check_distinct::<Hazard>();
        check_distinct::<LinkState>();
        check_distinct::<Role>();
        check_distinct::<NodeRole>();
        check_distinct::<incident::Severity>();
        check_distinct::<ReportChannel>();
        check_distinct::<Scale>();
        check_distinct::<Status>();
        check_distinct::<Measure>();
        check_distinct::<FigureSource>();
        check_distinct::<AlertStatus>();
        check_distinct::<Certainty>();
        check_distinct::<Urgency>();
        check_distinct::<Source>();
        check_distinct::<State>();
        check_distinct::<FeedHealth>();
        check_distinct::<Priority>();
        check_distinct::<directive::State>();
    }

    #[test]
    fn a_value_of_a_newer_node_is_shown_by_its_number() {
        assert_eq!(of::<Hazard>(99, Lang::Id), "99");
        assert_eq!(of::<Hazard>(0, Lang::Id), "-");
        assert_eq!(of::<Hazard>(1, Lang::Id), "banjir");
        assert_eq!(of::<Hazard>(1, Lang::En), "flood");
    }
}
