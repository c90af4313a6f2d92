//! A fingerprint in words, to be read over the telephone.
//!
//! Ten words of a list of 256 are 80 bits of SHA-256: too many for anybody to make a second card with the same words.
//! No two words share their first four letters, and none differ in one letter only, so that a bad line does not turn one
//! into another.
//! It never decides whether a card is accepted; a person does, who has compared the words.

use sha2::{Digest, Sha256};

/// The number of words in a fingerprint.
pub const WORDS_IN_FINGERPRINT: usize = 10;

/// What a card's fingerprint and signature are made over begins with this, so that neither can stand for anything else.
pub(super) const CARD_DOMAIN: &[u8] = b"posko/card/v1\0";

/// The list: a byte's word stands at its value.
/// It is a promise: both ends of a telephone call have it, so it is never edited.
#[rustfmt::skip]
pub const WORDS: [&str; 256] = [
    "abadi", "acara", "agama", "ajaib", "akar", "aktif", "ambil", "angin",
    "anyam", "apel", "arti", "atap", "badak", "bagus", "bakau", "bangku",
    "baris", "batik", "bawang", "bebek", "bedug", "belut", "beras", "biji",
    "bintang", "biru", "bolu", "botol", "bulan", "bumi", "bunga", "burung",
    "cabai", "cahaya", "cangkir", "catur", "cepat", "ceria", "cincin", "cokelat",
    "contoh", "cuaca", "cukup", "dalang", "damai", "danau", "dapur", "daun",
    "delapan", "delima", "desa", "dewasa", "dinding", "domba", "dosen", "durian",
    "duyung", "ekor", "empat", "enam", "engsel", "esok", "fajar", "foto",
    "gajah", "gambar", "gelas", "gendang", "gerbang", "gigi", "gitar", "gunung",
    "gurita", "hadiah", "halus", "harap", "hasil", "hewan", "hijau", "hitung",
    "hujan", "ikan", "iklim", "indah", "injak", "istana", "itik", "jagung",
    "jahe", "jambu", "jarum", "jawab", "jembatan", "jendela", "jeruk", "jingga",
    "joget", "jujur", "kabut", "kaca", "kantor", "kapal", "kebun", "kecil",
    "kelapa", "kemiri", "kentang", "kerbau", "kijang", "kipas", "kolam", "kopi",
    "kotak", "kucing", "kuda", "kursi", "kutub", "lampu", "langit", "lapang",
    "lautan", "layar", "lebah", "lemari", "lengan", "lereng", "lidah", "lilin",
    "lima", "lintah", "logam", "lontar", "luas", "lubang", "lurus", "madu",
    "magnet", "malam", "mandi", "manis", "medan", "mekar", "melati", "mesin",
    "minum", "mobil", "mulia", "murid", "musik", "mutiara", "nakhoda", "nanas",
    "nasi", "nelayan", "nenek", "ngarai", "niaga", "nilai", "nyala", "nyiur",
    "obat", "obor", "ombak", "orang", "oven", "pagi", "pahat", "pandan",
    "pasar", "paus", "payung", "pelangi", "pensil", "perahu", "pesta", "petani",
    "piano", "pipa", "piring", "pisang", "pohon", "pompa", "pulau", "puncak",
    "putih", "radio", "ragam", "rakit", "rantai", "rebung", "ribu", "rimba",
    "ringan", "roda", "rotan", "ruang", "rumah", "sahabat", "sakti", "salak",
    "samping", "sapi", "sarung", "sawah", "sayur", "sekolah", "semut", "senang",
    "sepeda", "serai", "setia", "sikat", "sirih", "sisir", "siswa", "sopan",
    "sukun", "suling", "sungai", "surat", "susu", "sutra", "tahu", "tangga",
    "tasik", "teduh", "tekad", "teluk", "teman", "tepung", "timur", "tinta",
    "tirai", "tiup", "tomat", "tugu", "tulis", "tumbuh", "tunas", "ubin",
    "udara", "ujung", "ukir", "umbi", "undang", "unta", "upah", "usaha",
    "wajan", "waktu", "warna", "wortel", "wujud", "yakin", "zaitun", "zebra",
];

/// Tells where the words that a person read differ from a card's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Too few or too many words.
    #[error("the fingerprint has {found} words, expected {WORDS_IN_FINGERPRINT}")]
    Count {
        /// How many were given.
        found: usize,
    },
    /// A word is not of the list, so it was misheard or mistyped.
    #[error("word {position} of the fingerprint, `{found}`, is none of ours: listen again")]
    NoWord {
        /// Which word, from 1.
        position: usize,
        /// What was given.
        found: String,
    },
    /// A word is another one than the card's, so the card is not the one that its sender read from.
    #[error(
        "word {position} of the fingerprint is `{found}`, but this card's is `{expected}`: it is another card"
    )]
    Differs {
        /// Which word, from 1.
        position: usize,
        /// What was given.
        found: String,
        /// What the card has.
        expected: String,
    },
}

/// Returns the fingerprint of a card's bytes: ten words, joined by a space.
pub fn fingerprint(card_bytes: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(CARD_DOMAIN)
        .chain_update(card_bytes)
        .finalize();
    let words: Vec<&str> = hash
        .iter()
        .take(WORDS_IN_FINGERPRINT)
        .filter_map(|byte| WORDS.get(usize::from(*byte)).copied())
        .collect();
    words.join(" ")
}

/// Compares what a person read with a card's fingerprint; case, spaces and punctuation between words do not count.
pub fn compare_fingerprint(read: &str, of_card: &str) -> Result<(), FingerprintError> {
    let (read, of_card) = (split(read), split(of_card));
    if read.len() != of_card.len() {
        return Err(FingerprintError::Count { found: read.len() });
    }
    for (position, (found, expected)) in (1..).zip(read.into_iter().zip(of_card)) {
        if found == expected {
            continue;
        }
        return Err(if WORDS.contains(&found.as_str()) {
            FingerprintError::Differs {
                position,
                found,
                expected,
            }
        } else {
            FingerprintError::NoWord { position, found }
        });
    }
    Ok(())
}

fn split(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_words_sound_alike() {
        let beginnings: HashSet<&str> = WORDS
            .iter()
            .map(|word| &word[..word.len().min(4)])
            .collect();
        assert_eq!(beginnings.len(), 256);
        for word in WORDS {
            assert!(
                (3..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase()),
                "{word}"
            );
        }
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn a_fingerprint_is_the_same_words_everywhere() {
        assert_eq!(
            fingerprint(b""),
            "magnet putih gigi botol tugu hewan dinding atap dalang angin"
        );
        assert_eq!(
            fingerprint(b"kartu"),
            "hewan ambil rotan semut nelayan cincin delapan bebek melati gigi"
        );
    }

    #[test]
    fn a_person_may_read_a_fingerprint_in_any_manner() {
        let of_card = fingerprint(b"kartu");
        let read = format!("  {}\n", of_card.to_uppercase().replace(' ', ",\t"));
        assert_eq!(compare_fingerprint(&read, &of_card), Ok(()));
    }

    #[test]
    fn a_wrong_fingerprint_names_the_first_word_that_differs() {
        let of_card = fingerprint(b"kartu");
        let mut words: Vec<&str> = of_card.split(' ').collect();
        assert_eq!(
            compare_fingerprint("abadi acara", &of_card),
            Err(FingerprintError::Count { found: 2 })
        );

        let expected = words[2].to_owned();
        words[2] = if expected == "abadi" {
            "acara"
        } else {
            "abadi"
        };
        let error = compare_fingerprint(&words.join(" "), &of_card).unwrap_err();
        assert_eq!(
            error,
            FingerprintError::Differs {
                position: 3,
                found: words[2].into(),
                expected
            }
        );

        words[2] = "semprul";
        let error = compare_fingerprint(&words.join(" "), &of_card).unwrap_err();
        assert_eq!(
            error.to_string(),
            "word 3 of the fingerprint, `semprul`, is none of ours: listen again"
        );
    }
}
