//! The words of the human output, in Bahasa Indonesia and in English.
//!
//! What it never does: name anything in JSON, which knows no language.

mod alert;
mod figure;

use clap::ValueEnum;
use posko_proto::{
    blob::v1::{AttachmentKind, BlobState, MediaType, PeerAnswer},
    common::v1::{Hazard, LinkState, Role},
    directive::v1::{self as directive, Priority},
    federation::v1::NodeRole,
    incident::v1::{
        self as incident, AgeBand, AssessmentForm, AssessmentKind, CancelReason, CodeSystem,
        CountedAge, EmergencyLevel, EmergencyState, EmergencyStatus, EscalationLevel, FigureSource,
        Measure, NeedProgress, Office, Post, RejectReason, Relation, ReopenReason, ReportChannel,
        Scale, Sector, Settlement, Sex, Status, Step, TimePrecision, TimelinePresence, Unit,
    },
    site::v1 as site,
    warning::v1 as warning,
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
        of::<warning::AlertStatus>,
        of::<warning::DraftStatus>,
        of::<warning::Review>,
        of::<warning::Severity>,
        of::<Measure>,
        of::<FigureSource>,
        of::<Role>,
        of::<EscalationLevel>,
        of::<Settlement>,
        of::<site::NeedKind>,
        of::<AttachmentKind>,
        of::<Hazard>,
        of::<Sector>,
        of::<Unit>,
        of::<EmergencyStatus>,
        of::<Office>,
        of::<AssessmentKind>,
        of::<CountedAge>,
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
    ABOUT: "tentang", "about";
    ACCOUNT: "akun", "account";
    ALL_SEEN: "semua di atas ditandai sudah dilihat", "all of the above is marked as seen";
    AREA_UNKNOWN: "wilayah tidak disebut: dianggap seluruh provinsi", "names no area: taken as the whole province";
    CHANGE: "perubahan", "change";
    EXERCISES: "latihan", "exercises";
    SEEN_AT: "terakhir dilihat", "last seen";
    SUBSCRIPTION: "langganan", "subscription";
    CONFIGURED: "dari konfigurasi", "configured";
    DECIDED_AT: "diputuskan pada", "decided at";
    DECIDED_BY: "diputuskan oleh", "decided by";
    DRAFT: "draf", "draft";
    DRAFTED_AT: "dibuat pada", "drafted at";
    DRAFTED_BY: "dibuat oleh", "drafted by";
    IN_ENGLISH: "bahasa Inggris", "in English";
    REGION: "wilayah", "region";
    REVIEW: "verifikasi", "review";
    ACTOR: "pelaku", "actor";
    ADDED: "ditambahkan", "added";
    ADDRESS: "alamat", "address";
    ADDRESSED_TO: "ditujukan kepada", "addressed to";
    AGE: "umur", "age";
    AMBIGUOUS: "nama yang belum pasti", "names not certain";
    ANSWERED: "dijawab", "answered";
    ANSWER_BY: "jawab sebelum", "answer by";
    APPROVED: "disetujui", "approved";
    ARRIVAL: "perkiraan tiba", "expected arrival";
    ASKED: "diminta", "asked";
    ASKED_SINCE: "diminta sejak", "asked for since";
    ATTACHMENTS: "lampiran", "attachments";
    AT_MOST: "paling banyak", "at most";
    BACKED_UP: "salinan cadangan dibuat", "backup made";
    BACKUP_INTACT: "salinan cadangan utuh", "backup intact";
    BYTES: "bita", "bytes";
    CALLED: "dipanggil", "called";
    CAPACITY: "kapasitas", "capacity";
    CAPTION: "keterangan", "caption";
    CLOSED: "ditutup", "closed";
    CORRECTED: "(ralat)", "(corrected)";
    DISABLED_PEOPLE: "penyandang disabilitas", "with a disability";
    ESCALATION: "eskalasi", "escalation";
    DUE: "tenggat", "due";
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
    FEEDS_NONE: "simpul ini tidak punya umpan: daftar kosong bukan berarti aman", "this node has no feeds: an empty list does not mean safe";
    FEED_ALARM: "UMPAN PERLU DIPERIKSA", "A FEED NEEDS ATTENTION";
    FELT: "dirasakan (MMI)", "felt (MMI)";
    FIGURES: "angka dampak", "impact figures";
    FILE: "berkas", "file";
    FILES: "berkas lampiran", "attached files";
    FILES_HELD: "ada di sini", "are here";
    FILES_MISSING: "belum ada di sini", "are not here";
    FILES_NAMED: "lampiran disebut", "attachments named";
    FILES_WANTED: "sedang diminta", "asked for";
    FILE_TYPE: "tipe berkas", "file type";
    FINGERPRINT: "sidik", "fingerprint";
    FORKED_AT: "bercabang di", "forked at";
    FORKED_OTHER: "isinya sejak itu disengketakan; pemilik log membukanya kembali dengan kunci pemulihan",
        "disputed from there on; its owner opens it again with the recovery key";
    FORKED_OWN: "matikan mesin kembarannya, lalu jalankan `posko log reopen` dengan kunci pemulihan",
        "stop the other machine, then run `posko log reopen` with the recovery key";
    ARRIVED: "tiba", "arrived";
    AT: "di", "at";
    FIRST_ARRIVED: "pertama tiba", "first arrived";
    FORMAT: "format", "format";
    GLIDE: "GLIDE", "GLIDE";
    HASH: "hash", "hash";
    HOUSEHOLDS: "KK", "households";
    ID: "id", "id";
    INVALID: "tidak sah", "invalid";
    ITEMS: "isi", "items";
    JUDGEMENTS: "penilaian", "judgements";
    KIND: "jenis", "kind";
    KNOWN_UP_TO: "diketahui sampai", "known up to";
    LANGUAGES: "bahasa lain", "other languages";
    RESPONSE: "tindakan", "response";
    EVENT_CODES: "kode kejadian", "event codes";
    PARAMETERS: "parameter", "parameters";
    RESOURCES: "lampiran penerbit", "resources";
    EMBEDDED: "disertakan, isinya tidak disimpan", "embedded, its content is not kept";
    LEFT_OUT_SINCE: "sejak itu ditinggalkan oleh log", "left out of the log since";
    LEVEL: "tingkat", "level";
    MET: "terpenuhi", "met";
    METADATA_MAY_REMAIN: "dokumen disimpan apa adanya: mungkin memuat nama penyusunnya", "the document is kept as it is: it may carry its author's name";
    METADATA_NONE: "gambar itu tidak memuat tempat, waktu atau pemilik", "the picture told nothing of place, time or owner";
    METADATA_REMOVED: "tempat, waktu, kamera dan pemilik dihapus dari gambar", "removed from the picture what it told of place, time, camera and owner";
    NEED: "kebutuhan", "need";
    NEEDS: "kebutuhan", "needs";
    NOTHING_YET: "belum ada", "nothing yet";
    NOT_COUNTED: "belum dihitung", "not counted";
    NOT_HELD: "rujukan yang tidak ada di sini", "references not held here";
    OBJECTIVE: "sasaran", "objective";
    OBJECTIVES: "sasaran operasi", "objectives";
    OCCUPANCY: "penghuni", "occupancy";
    OUTPUT: "hasil", "output";
    OPEN_EMERGENCIES: "status darurat masih berlaku", "legal statuses still in force";
    OPEN_NEEDS: "kebutuhan masih terbuka", "needs still open";
    OPEN_SITES: "titik layanan masih buka", "sites still open";
    OVER: "BERAKHIR", "OVER";
    OVER_CAPACITY: "melebihi kapasitas", "over capacity";
    PARTLY: "sebagian", "partly";
    PEOPLE: "penduduk", "people";
    PERIOD: "periode", "period";
    PERIODS: "periode operasi", "operational periods";
    POST: "jabatan", "post";
    POSTS: "struktur komando", "command structure";
    PREGNANT: "hamil atau menyusui", "pregnant or nursing";
    REACH: "menjangkau", "reaches";
    REASON: "alasan", "reason";
    RECORDED_FROM: "dicatat sejak", "recorded from";
    REPORTS_WAIT: "laporan belum diverifikasi", "reports not verified yet";
    RELATED: "kejadian terkait", "related incidents";
    RELATION: "hubungan", "relation";
    CANCELLED_BY: "dibatalkan oleh", "cancelled by";
    CARRIED_BY: "dibawa umpan dari", "brought by the feed of";
    REPLACED_BY: "diganti oleh", "replaced by";
    SEX: "jenis kelamin", "sex";
    SITE: "titik layanan", "site";
    TAKEN_BY: "diterima simpul", "taken in by";
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
    AUTOMATIC: "otomatis (simpul)", "automatic (the node)";
    HAS_PART: "mencakup", "has as a part";
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
    MORE_ATTACHMENTS: "masih ada lagi: hanya 1.000 lampiran pertama yang ditampilkan", "there are more: only the first 1,000 attachments are shown";
    MORE: "masih ada lagi: naikkan `--limit`", "there is more: raise `--limit`";
    NAME: "nama", "name";
    NEVER: "belum sejak simpul berjalan", "not since the node started";
    NEVER_ANSWERED: "belum pernah", "never";
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
    PASSWORD_NEW: "Kata sandi baru", "New password";
    PASSWORD_OLD: "Kata sandi lama", "Old password";
    PEER: "rekan", "peer";
    PEERS: "rekan, dan apa yang mereka punya dari log ini", "peers, and what they have of this log";
    PEER_ADDED: "rekan diterima", "peer accepted";
    PEER_REMOVED: "rekan dilepas", "peer removed";
    PICTURE: "gambaran", "picture";
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
    SAID_BEFORE: "sebelumnya", "before";
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
    VALID: "sah", "valid";
    VALID_WITH_WARNINGS: "sah, dengan peringatan", "valid, with warnings";
    VERIFIED: "utuh", "intact";
    NOT_VERIFIED: "TIDAK UTUH", "NOT INTACT";
    VERSION: "versi", "version";
    VIEW: "tampilan", "view";
    WARNING: "peringatan", "warning";
    WITHDRAWN: "dicabut", "withdrawn";
    WITHHELD: "riwayat ditahan", "withheld history";
    WHO_IS_BEHIND: "siapa tertinggal, dalam entri, dari kepala log terbaru yang diketahui", "who is behind the newest head known, in entries";
    WHY: "sebab", "why";
    WOULD_BE: "akan menjadi", "would become";
    WRITING: "menerima perintah", "takes commands";
    YES: "ya", "yes";
    YOUNGEST_COPY: "cadangan termuda", "youngest backup";
    ZONE: "zona", "zone";
    ZONES_REACHED: "zona perbatasan", "border zones";
    BECOMES: "menjadi", "becomes";
    CHECKED: "diperiksa", "checked";
    CODE: "kode", "code";
    REGENCY: "kab/kota", "regency or city";
    CODE_GIVEN: "kode terbitan", "code as published";
    COLUMN: "kolom", "column";
    LINE: "baris", "line";
    COLUMNS_NEVER_READ: "kolom yang tidak pernah dibaca (orang, kontak)", "columns never read (persons, contacts)";
    COLUMNS_NOT_TAKEN: "kolom yang tidak diambil peta (baris terisi)", "columns that the map does not take (rows filled)";
    ELSEWHERE: "provinsi lain", "other province";
    EVENTS: "jumlah peristiwa", "events";
    EXERCISES_APART: "latihan, dipisahkan", "exercise, held apart";
    FROM_RECORD: "dari catatan terbitan", "from a published record";
    HISTORICAL: "data lampau", "historical incident";
    KNOWN_ALREADY: "sudah tercatat", "known already";
    LEFT_OUT_BY_MAP: "ditinggalkan oleh peta", "left out by the map";
    LICENSE: "lisensi", "license";
    NOTHING_RECORDED: "Tidak ada yang dicatat: perbaiki berkas atau petanya dulu", "Nothing is recorded: mend the file or its map first";
    OFFERED: "angka dampak yang dapat dicatat", "impact figures that may be recorded";
    NO_FIGURES: "tidak ada angka dampak yang dicatat", "no impact figure was recorded";
    NO_EVENT: "tanpa peristiwa", "no event";
    PARTS: "baris bagian", "rows that are parts";
    QUARTER: "triwulan", "quarter";
    RECORD: "catatan terbitan", "published record";
    RECORDS: "menjadi data lampau", "become historical incidents";
    REPEATED: "berulang", "repeated";
    REPLACED: "diralat", "corrected";
    ROW: "baris", "row";
    SUM_OF_SEVERAL: "gabungan", "a sum";
    TESTS_APART: "uji coba, dipisahkan", "test, held apart";
    TEXTS_LEFT_OUT: "teks ditinggalkan", "texts left out";
    TEXTS_WITHDRAWN: "teks tidak diambil karena pernah dicabut", "texts not taken, since one was withdrawn";
    WEB: "alamat", "web";
    ANSWER: "jawaban", "answer";
    ASSESSED_AT: "diases", "assessed";
    ASSESSMENT: "asesmen", "assessment";
    ASSESSMENTS: "asesmen cepat", "rapid assessments";
    AUTHORITY: "pejabat", "authority";
    AT_LEAST: "sedikitnya", "at least";
    APPROXIMATELY: "kira-kira", "about";
    DECLARATION: "pernyataan status", "declaration";
    DECREE: "surat keputusan", "decree";
    DERIVED: "angka turunan", "figures that follow";
    DOES_FIT: "sesuai formulir; belum ada yang dikirim", "fits the form; nothing was sent";
    EMERGENCIES: "status keadaan darurat", "legal emergency status";
    EMERGENCY: "status", "status";
    FORM: "formulir", "form";
    HAPPENED: "terjadi", "happened";
    LEFT_OUT_PERSONS: "tidak dicatat karena menyebut orang", "not recorded, since they name a person";
    PAYLOAD_NOT_HERE: "isinya belum ada di sini", "its content is not here so far";
    QUANTITY: "jumlah", "quantity";
    QUESTION: "pertanyaan", "question";
    SECTOR: "bidang", "sector";
    SUBMITTED: "diserahkan", "handed in";
    SUPERSEDED: "(diganti versi baru)", "(superseded)";
    TIMELINE_WHAT: "apa", "what";
    WORDS_ANSWERED: "jawaban kata-kata", "answers in words";
}

impl Labelled for Sector {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Wash => label("air dan sanitasi", "WASH"),
            Self::Shelter => label("hunian", "shelter"),
            Self::Health => label("kesehatan", "health"),
            Self::Food => label("pangan", "food"),
            Self::Nfi => label("barang non-pangan", "NFI"),
            Self::Pss => label("dukungan psikososial", "PSS"),
            Self::Rfl => label("pemulihan hubungan keluarga", "RFL"),
            Self::Logistics => label("logistik", "logistics"),
            Self::Personnel => label("personil", "personnel"),
            Self::Evacuation => label("evakuasi", "evacuation"),
            Self::Other => label("lainnya", "other"),
        }
    }
}

impl Labelled for Unit {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Pieces => label("buah", "pieces"),
            Self::Kits => label("paket", "kits"),
            Self::Portions => label("porsi", "portions"),
            Self::Kilograms => label("kg", "kg"),
            Self::Liters => label("liter", "liters"),
            Self::Persons => label("orang", "persons"),
            Self::Households => label("KK", "households"),
            Self::Teams => label("tim", "teams"),
            Self::Vehicles => label("kendaraan", "vehicles"),
            Self::Units => label("unit", "units"),
        }
    }
}

impl Labelled for NeedProgress {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Open => label("terbuka", "open"),
            Self::PartlyMet => label("terpenuhi sebagian", "partly met"),
            Self::Met => MET,
        }
    }
}

impl Labelled for EmergencyStatus {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Alert => label("siaga darurat", "emergency alert"),
            Self::Response => label("tanggap darurat", "emergency response"),
            Self::Transition => label("transisi darurat ke pemulihan", "transition to recovery"),
            Self::CertainCondition => label("keadaan tertentu", "certain condition"),
        }
    }
}

impl Labelled for EmergencyLevel {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Regency => label("kabupaten/kota", "regency or city"),
            Self::Province => label("provinsi", "province"),
            Self::National => label("nasional", "national"),
        }
    }
}

impl Labelled for EmergencyState {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Coming => label("belum berlaku", "not yet in force"),
            Self::InForce => IN_FORCE,
            Self::Expired => label("berakhir", "expired"),
            Self::Ended => label("dicabut lebih awal", "ended early"),
        }
    }
}

impl Labelled for Office {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Regent => label("bupati", "regent"),
            Self::Mayor => label("wali kota", "mayor"),
            Self::Governor => label("gubernur", "governor"),
            Self::President => label("presiden", "president"),
            Self::Bnpb => label("kepala BNPB", "head of BNPB"),
        }
    }
}

impl Labelled for AssessmentForm {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Pmi => label("asesmen darurat PMI", "PMI emergency assessment"),
            Self::Ifrc24h => label("IFRC 24 jam", "IFRC 24 hours"),
            Self::Ifrc72h => label("IFRC 72 jam", "IFRC 72 hours"),
        }
    }
}

impl Labelled for AssessmentKind {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Initial => label("awal", "initial"),
            Self::Continued => label("lanjutan", "continued"),
        }
    }
}

impl Labelled for CountedAge {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::CountedAge01 => label("0–1", "0–1"),
            Self::CountedAge25 => label("2–5", "2–5"),
            Self::CountedAge612 => label("6–12", "6–12"),
            Self::CountedAge1317 => label("13–17", "13–17"),
            Self::CountedAge1820 => label("18–20", "18–20"),
            Self::CountedAge2159 => label("21–59", "21–59"),
            Self::CountedAge60Up => label("60+", "60+"),
            Self::Unknown => label("tidak diketahui", "unknown"),
            Self::CountedAge05 => label("0–5", "0–5"),
            Self::CountedAge1320 => label("13–20", "13–20"),
            Self::CountedAge2160 => label("21–60", "21–60"),
            Self::Over60 => label(">60", ">60"),
        }
    }
}

impl Labelled for TimelinePresence {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Present => label("ada", "present"),
            Self::Withdrawn => WITHDRAWN,
            Self::Erased => LOST,
            Self::Missing => label("belum ada di sini", "not here so far"),
            Self::Unreadable => label("tidak terbaca di sini", "not readable here"),
        }
    }
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
            Self::Responding => label("respons", "responding"),
            Self::Transition => label("transisi", "transition"),
            Self::Cancelled => label("dibatalkan", "cancelled"),
            Self::Historical => label("data lampau", "historical"),
        }
    }
}

impl Labelled for TimePrecision {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Moment => label("jam", "moment"),
            Self::Day => label("hari", "day"),
            Self::Month => label("bulan", "month"),
            Self::Quarter => label("triwulan", "quarter"),
            Self::Year => label("tahun", "year"),
            Self::Span => label("rentang", "span"),
        }
    }
}

impl Labelled for CodeSystem {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Kemendagri => label("Kemendagri", "Kemendagri"),
            Self::Bps => label("BPS", "BPS"),
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
            Self::HousesSwept => label("rumah hanyut", "houses swept away"),
            Self::HousesDamaged => label("rumah rusak", "houses damaged"),
            Self::Injured => label("luka", "injured"),
            Self::Schools => label("sekolah rusak", "schools damaged"),
            Self::HealthFacilities => {
                label("fasilitas kesehatan rusak", "health facilities damaged")
            }
            Self::Worship => label("rumah ibadah rusak", "places of worship damaged"),
            Self::Offices => label("kantor rusak", "offices damaged"),
            Self::Shops => label("kios/pasar rusak", "shops damaged"),
            Self::Bridges => label("jembatan rusak", "bridges damaged"),
            Self::RoadsM => label("jalan rusak (m)", "roads damaged (m)"),
            Self::FarmlandM2 => label("lahan tani rusak (m²)", "farmland damaged (m²)"),
            Self::PublicFacilities => label("fasilitas umum rusak", "public facilities damaged"),
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

impl Labelled for RejectReason {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::NotConfirmed => label("tidak terkonfirmasi", "not confirmed"),
            Self::Hoax => label("berita bohong", "hoax"),
            Self::BelowThreshold => label("tidak perlu respons", "needs no response"),
            Self::Elsewhere => label("wilayah cabang lain", "another branch's area"),
        }
    }
}

impl Labelled for CancelReason {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::EnteredInError => label("salah catat", "entered in error"),
            Self::StoodDown => label("bahaya lewat", "stood down"),
            Self::HandedOver => label("diserahkan", "handed over"),
        }
    }
}

impl Labelled for ReopenReason {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Recurred => label("terjadi lagi", "recurred"),
            Self::NewInformation => label("informasi baru", "new information"),
            Self::EndedInError => label("salah diakhiri", "ended in error"),
        }
    }
}

impl Labelled for Step {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Occurred => label("terjadi", "occurred"),
            Self::TeamDeparted => label("tim berangkat", "team departed"),
            Self::OnScene => label("tim di lokasi", "team on scene"),
            Self::AssessmentSubmitted => label("asesmen diserahkan", "assessment submitted"),
        }
    }
}

impl Labelled for Relation {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Parent => label("bagian dari", "part of"),
            Self::Related => label("terkait dengan", "related to"),
        }
    }
}

impl Labelled for Post {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Commander => label("komandan", "commander"),
            Self::Deputy => label("wakil komandan", "deputy"),
            Self::Operations => label("operasi", "operations"),
            Self::Planning => label("perencanaan", "planning"),
            Self::Logistics => label("logistik", "logistics"),
            Self::Administration => label("administrasi", "administration"),
            Self::PublicRelations => label("humas", "public relations"),
            Self::Liaison => label("perwakilan instansi", "liaison"),
            Self::Safety => label("keselamatan", "safety"),
            Self::Health => label("kesehatan", "health"),
            Self::Assessment => label("asesmen", "assessment"),
        }
    }
}

impl Labelled for incident::Priority {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Normal => label("biasa", "normal"),
            Self::High => label("penting", "high"),
            Self::Lifesaving => label("menyelamatkan jiwa", "lifesaving"),
        }
    }
}

impl Labelled for Settlement {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Met => label("tercapai", "met"),
            Self::Dropped => label("dihentikan", "dropped"),
            Self::Duplicate => label("rangkap", "duplicate"),
        }
    }
}

impl Labelled for EscalationLevel {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Branch => label("cabang", "branch"),
            Self::Province => label("provinsi", "province"),
            Self::Region => label("tiga provinsi", "three provinces"),
            Self::National => label("nasional", "national"),
        }
    }
}

impl Labelled for Sex {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Male => label("laki-laki", "male"),
            Self::Female => label("perempuan", "female"),
            Self::Other => label("lainnya", "other"),
        }
    }
}

impl Labelled for AgeBand {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::AgeBand01 => label("0–1", "0–1"),
            Self::AgeBand25 => label("2–5", "2–5"),
            Self::AgeBand612 => label("6–12", "6–12"),
            Self::AgeBand1317 => label("13–17", "13–17"),
            Self::AgeBand1820 => label("18–20", "18–20"),
            Self::AgeBand2159 => label("21–59", "21–59"),
            Self::AgeBand60Up => label("60+", "60+"),
            Self::Unknown => label("tidak diketahui", "unknown"),
        }
    }
}

impl Labelled for site::Kind {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Evacuation => label("tempat pengungsian", "evacuation site"),
            Self::Kitchen => label("dapur umum", "public kitchen"),
            Self::Water => label("titik air bersih", "water point"),
            Self::Health => label("pos kesehatan", "health post"),
            Self::Command => label("pos komando", "command post"),
        }
    }
}

impl Labelled for site::NeedKind {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Meals => label("makanan siap saji (porsi)", "meals (portions)"),
            Self::RiceKg => label("beras (kg)", "rice (kg)"),
            Self::WaterL => label("air bersih (liter)", "water (litres)"),
            Self::Blankets => label("selimut", "blankets"),
            Self::Mats => label("alas tidur", "sleeping mats"),
            Self::Tarpaulins => label("terpal", "tarpaulins"),
            Self::Tents => label("tenda", "tents"),
            Self::HygieneKits => label("hygiene kit", "hygiene kits"),
            Self::BabyKits => label("baby kit", "baby kits"),
            Self::FamilyKits => label("family kit", "family kits"),
            Self::Clothes => label("pakaian", "clothes"),
            Self::Toilets => label("jamban", "toilets"),
            Self::Medicines => label("obat-obatan (pasien)", "medicines (patients)"),
            Self::HealthStaff => label("tenaga kesehatan", "health staff"),
            Self::Volunteers => label("relawan", "volunteers"),
            Self::Ambulances => label("ambulans", "ambulances"),
            Self::FuelL => label("bahan bakar (liter)", "fuel (litres)"),
            Self::Generators => label("genset", "generators"),
            Self::Psychosocial => label(
                "dukungan psikososial (orang)",
                "psychosocial support (persons)",
            ),
        }
    }
}

impl Labelled for AttachmentKind {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Photo => label("foto", "photo"),
            Self::Decree => label("surat keputusan", "decree"),
            Self::Form => label("formulir", "form"),
            Self::Map => label("peta", "map"),
            Self::Report => label("laporan", "report"),
            Self::Other => label("lainnya", "other"),
        }
    }
}

impl Labelled for MediaType {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Jpeg => label("JPEG", "JPEG"),
            Self::Png => label("PNG", "PNG"),
            Self::Webp => label("WebP", "WebP"),
            Self::Pdf => label("PDF", "PDF"),
            Self::OfficeOpenXml => label("Office (OOXML)", "Office (OOXML)"),
            Self::OpenDocument => label("OpenDocument", "OpenDocument"),
        }
    }
}

impl Labelled for BlobState {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Held => label("ada di sini", "here"),
            Self::Fetching => label("sedang diambil", "being fetched"),
            Self::Nobody => label(
                "tidak ada di simpul yang terhubung",
                "nobody who is connected has it",
            ),
            Self::NotAsked => label("belum diambil", "not fetched yet"),
            Self::Refused => label("tidak diterima di sini", "not taken here"),
        }
    }
}

impl Labelled for PeerAnswer {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Gives => label("mengirimnya", "gives it"),
            Self::HasNot => label("tidak memilikinya", "does not have it"),
            Self::Silent => label("tidak menjawab", "does not answer"),
            Self::Wrong => label("mengirim isi yang salah", "gave wrong bytes"),
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
    use crate::word;

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
            for value in T::all() {
                let typed = word::parse::<T>(value.label().text(lang));
                assert_eq!(typed.map(T::name), Ok(value.name()));
            }
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
        check_distinct::<RejectReason>();
        check_distinct::<CancelReason>();
        check_distinct::<ReopenReason>();
        check_distinct::<Step>();
        check_distinct::<Relation>();
        check_distinct::<Post>();
        check_distinct::<incident::Priority>();
        check_distinct::<Settlement>();
        check_distinct::<EscalationLevel>();
        check_distinct::<Sex>();
        check_distinct::<AgeBand>();
        check_distinct::<FigureSource>();
        check_distinct::<TimePrecision>();
        check_distinct::<CodeSystem>();
        check_distinct::<warning::AlertStatus>();
        check_distinct::<warning::Certainty>();
        check_distinct::<warning::ResponseType>();
        check_distinct::<warning::Urgency>();
        check_distinct::<warning::Source>();
        check_distinct::<warning::State>();
        check_distinct::<warning::FeedHealth>();
        check_distinct::<warning::Channel>();
        check_distinct::<warning::DismissReason>();
        check_distinct::<warning::DraftKind>();
        check_distinct::<warning::DraftStatus>();
        check_distinct::<warning::InboxChange>();
        check_distinct::<warning::Review>();
        check_distinct::<Priority>();
        check_distinct::<directive::State>();
        check_distinct::<site::Kind>();
        check_distinct::<site::NeedKind>();
        check_distinct::<AttachmentKind>();
        check_distinct::<MediaType>();
        check_distinct::<BlobState>();
        check_distinct::<PeerAnswer>();
        check_distinct::<Sector>();
        check_distinct::<Unit>();
        check_distinct::<NeedProgress>();
        check_distinct::<EmergencyStatus>();
        check_distinct::<EmergencyLevel>();
        check_distinct::<EmergencyState>();
        check_distinct::<Office>();
        check_distinct::<AssessmentForm>();
        check_distinct::<AssessmentKind>();
        check_distinct::<CountedAge>();
        check_distinct::<TimelinePresence>();
        check_distinct::<incident::FigureBar>();
    }

    #[test]
    fn a_value_of_a_newer_node_is_shown_by_its_number() {
        assert_eq!(of::<Hazard>(99, Lang::Id), "99");
        assert_eq!(of::<Hazard>(0, Lang::Id), "-");
        assert_eq!(of::<Hazard>(1, Lang::Id), "banjir");
        assert_eq!(of::<Hazard>(1, Lang::En), "flood");
    }
}
