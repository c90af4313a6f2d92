//! The words of what is said of warnings.

use posko_proto::warning::v1::{
    self as warning, AlertStatus, AreaReach, Certainty, Fate, FeedHealth, Source, State, Urgency,
};

use super::{IN_FORCE, Label, Labelled, UNKNOWN, label};

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

impl Labelled for warning::ResponseType {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Shelter => label("berlindung", "shelter"),
            Self::Evacuate => label("mengungsi", "evacuate"),
            Self::Prepare => label("bersiap", "prepare"),
            Self::Execute => label("jalankan rencana", "execute the plan"),
            Self::Avoid => label("jauhi", "avoid"),
            Self::Monitor => label("pantau", "monitor"),
            Self::Assess => label("nilai", "assess"),
            Self::AllClear => label("sudah aman", "all clear"),
            Self::None => label("tidak ada", "none"),
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
            Self::Cap => label("CAP lain", "other CAP"),
            Self::BmkgTsunami => label("BMKG tsunami", "BMKG tsunami"),
            Self::Gauge => label("duga air", "river gauge"),
            Self::Volcano => label("gunung api", "volcano"),
            Self::Own => label("sendiri", "own"),
            Self::Report => label("laporan warga/cabang", "report"),
        }
    }
}

impl Labelled for warning::Channel {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Telephone => label("telepon", "telephone"),
            Self::Web => label("formulir web", "web form"),
            Self::Webhook => label("sistem lain", "another system"),
        }
    }
}

impl Labelled for warning::DismissReason {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::NotConfirmed => label("tidak terkonfirmasi", "not confirmed"),
            Self::Hoax => label("berita bohong", "hoax"),
            Self::Duplicate => label("sudah dilaporkan", "told already"),
            Self::BelowThreshold => label("tidak perlu respons", "needs no response"),
            Self::Elsewhere => label("provinsi lain", "another province's"),
        }
    }
}

impl Labelled for warning::DraftKind {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Issue => label("baru", "new"),
            Self::Update => label("pembaruan", "update"),
            Self::Cancel => label("pembatalan", "cancellation"),
        }
    }
}

impl Labelled for warning::DraftStatus {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Open => label("menunggu persetujuan", "awaits approval"),
            Self::Approved => label("disetujui", "approved"),
            Self::Withdrawn => label("ditarik", "withdrawn"),
            Self::Expired => label("kedaluwarsa", "expired"),
        }
    }
}

impl Labelled for warning::InboxChange {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::New => label("baru", "new"),
            Self::Updated => label("diperbarui", "updated"),
            Self::Cancelled => label("dibatalkan", "cancelled"),
            Self::Expired => label("berakhir", "expired"),
            Self::Replaced => label("diganti yang baru", "replaced"),
        }
    }
}

impl Labelled for warning::Review {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Unverified => label("BELUM DIVERIFIKASI", "UNVERIFIED"),
            Self::Verified => label("terverifikasi", "verified"),
            Self::Dismissed => label("diabaikan", "dismissed"),
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
            Self::Replaced => label("diganti", "replaced"),
        }
    }
}

impl Labelled for Fate {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Taken => label("diterima", "taken"),
            Self::Known => label("sudah ada", "known already"),
            Self::Outside => label("wilayah lain", "of other areas"),
            Self::Nothing => label("bukan peringatan", "warns of nothing"),
            Self::Refused => label("ditolak", "refused"),
            Self::Link => label("tautan", "a link"),
        }
    }
}

impl Labelled for AreaReach {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => label("belum dicari", "not looked for"),
            Self::Regions => label("di tiga provinsi", "in the three provinces"),
            Self::Outside => label("di luar tiga provinsi", "outside of the three provinces"),
            Self::Unknown => label("tempatnya tidak diketahui", "its place is not known"),
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
