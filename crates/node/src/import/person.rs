//! Columns that name persons or how to reach them, by their headings: they are never read.

/// Words of a heading that stand for a person, a number of one, or a way to reach one.
const PERSONAL: [&str; 30] = [
    "telp",
    "telepon",
    "telephone",
    "telpon",
    "phone",
    "hp",
    "handphone",
    "whatsapp",
    "wa",
    "nik",
    "ktp",
    "nokk",
    "email",
    "surel",
    "mail",
    "kontak",
    "contact",
    "pelapor",
    "reporter",
    "petugas",
    "pic",
    "penanggungjawab",
    "username",
    "user",
    "akun",
    "fullname",
    "operator",
    "saksi",
    "author",
    "penulis",
];

/// Words that stand for a person beside `nama`.
const WITH_NAME: [&str; 9] = [
    "korban",
    "relawan",
    "kepala",
    "orang",
    "lengkap",
    "pasien",
    "ketua",
    "pemilik",
    "pengungsi",
];

/// Words of a heading that counts.
const COUNTING: [&str; 5] = ["jumlah", "jml", "total", "count", "banyaknya"];

/// Says whether a heading names a person, or how to reach one; a count of persons does not.
pub(super) fn names_a_person(heading: &str) -> bool {
    let lower = heading.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let has = |word: &&str| words.contains(word);
    if COUNTING.iter().any(&has) {
        return false;
    }
    let pair = |a: &str, b: &str| words.windows(2).any(|two| two == [a, b]);
    PERSONAL.iter().any(&has)
        || pair("penanggung", "jawab")
        || pair("no", "kk")
        || pair("nomor", "kk")
        || (has(&"nama") && WITH_NAME.iter().any(has))
}

#[cfg(test)]
mod tests {
    use super::names_a_person;

    #[test]
    fn a_heading_that_names_a_person_is_told_from_one_that_counts_or_names_a_place() {
        for heading in [
            "Nama Pelapor",
            "no_hp",
            "Telp.",
            "NIK",
            "email",
            "nama_korban",
            "Penanggung Jawab",
            "user",
        ] {
            assert!(names_a_person(heading), "{heading}");
        }
        for heading in [
            "nama_kabupaten_kota",
            "jumlah_petugas",
            "jumlah_kk_terdampak",
            "Korban",
            "kelurahan",
            "tags.district_id",
        ] {
            assert!(!names_a_person(heading), "{heading}");
        }
    }
}
