//! The words of why an answer gives no figure.

use posko_proto::incident::v1::FigureBar;

use super::{Label, Labelled, UNKNOWN, label};

impl Labelled for FigureBar {
    fn label(self) -> Label {
        match self {
            Self::Unspecified => UNKNOWN,
            Self::Unanswered => label("tidak dijawab", "not answered"),
            Self::Partial => label(
                "belum semua jenis dijawab: isi 0 bila tidak ada",
                "not all kinds answered: write 0 where there are none",
            ),
            Self::Location => label(
                "PMI-2 tidak mengatakan bahwa mereka pengungsi atau terdampak",
                "PMI-2 does not say that they are displaced or affected",
            ),
            Self::Counted => label(
                "sudah dihitung oleh pertanyaan lain",
                "counted by another question",
            ),
            Self::Age => label(
                "sebagian umur tidak masuk golongan umur angka dampak",
                "some ages lie in no band of the figures",
            ),
            Self::Part => label(
                "asesmen ini hanya sebagian wilayah kejadian, sedangkan angka untuk seluruh kejadian",
                "the assessment is of a part of the incident, and figures are of the whole",
            ),
        }
    }
}
