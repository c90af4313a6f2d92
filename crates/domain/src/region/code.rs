//! Region codes as published records give them: Kemendagri's or BPS's, which name other places in DKI Jakarta.
//!
//! What it never does: guess the system. `3171` is Jakarta Selatan by BPS and Jakarta Pusat by Kemendagri.

use super::{Region, UnknownRegion, parse};

/// Who gave a code its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeSystem {
    /// Kemendagri, by the decree that [`super::CODE_SET`] names.
    Kemendagri,
    /// Badan Pusat Statistik; used by BNPB's DIBI, Open Data Jabar and PetaBencana.
    Bps,
}

/// Why a published code names no region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// The systems disagree about the code, and nobody said which one it is of.
    #[error(
        "`{code}` is {kemendagri} by Kemendagri and {bps} by BPS: \
         say of which system the codes are"
    )]
    Ambiguous {
        /// The code.
        code: String,
        /// The region by Kemendagri.
        kemendagri: &'static str,
        /// The region by BPS.
        bps: &'static str,
    },
    /// It is no code of a province or a kab/kota.
    #[error(
        "`{code}` is no code of a province or a kab/kota: expected two or four digits, with a dot between or none"
    )]
    Malformed {
        /// What stands there, shortened.
        code: String,
    },
    /// The system has no such code.
    #[error(transparent)]
    Unknown(#[from] UnknownRegion),
}

/// BPS's kab/kota of DKI Jakarta and Kemendagri's: in Jawa Barat and Banten the four digits are the same.
const DKI: [(&str, &str); 6] = [
    ("3101", "31.01"),
    ("3171", "31.74"),
    ("3172", "31.75"),
    ("3173", "31.71"),
    ("3174", "31.73"),
    ("3175", "31.72"),
];

/// Reads a published code of a province or a kab/kota.
/// Without a system it is read only where the systems agree; Kemendagri's dots say that it is Kemendagri's.
pub fn of_record(code: &str, system: Option<CodeSystem>) -> Result<&'static Region, CodeError> {
    let code = code.trim();
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let dotted = match digits.split_at_checked(2) {
        Some((province, "")) => province.to_owned(),
        Some((province, regency)) => format!("{province}.{regency}"),
        None => String::new(),
    };
    let plain = code == digits || code == dotted;
    if !plain || !matches!(digits.len(), 2 | 4) {
        return Err(CodeError::Malformed {
            code: code.chars().take(64).collect(),
        });
    }
    let bps = DKI
        .iter()
        .find(|(bps, _)| *bps == digits)
        .map(|(_, region)| *region);
    let says_kemendagri = code.contains('.');
    match (system, bps) {
        (Some(CodeSystem::Bps), Some(region)) => Ok(parse(region)?),
        (None, Some(region)) if !says_kemendagri && region != dotted => Err(CodeError::Ambiguous {
            kemendagri: parse(&dotted)?.name,
            bps: parse(region)?.name,
            code: digits,
        }),
        _ => Ok(parse(&dotted)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(code: &str, system: Option<CodeSystem>) -> Result<&'static str, CodeError> {
        of_record(code, system).map(|region| region.code)
    }

    #[test]
    fn the_same_digits_name_other_kota_of_jakarta_and_whoever_does_not_say_is_asked() {
        assert_eq!(
            code("3171", Some(CodeSystem::Bps)),
            Ok("31.74"),
            "Jakarta Selatan"
        );
        assert_eq!(
            code("3171", Some(CodeSystem::Kemendagri)),
            Ok("31.71"),
            "Jakarta Pusat"
        );
        let asked = code("3171", None).unwrap_err().to_string();
        assert_eq!(
            asked,
            "`3171` is Kota Administrasi Jakarta Pusat by Kemendagri and Kota Administrasi Jakarta Selatan by BPS: \
             say of which system the codes are"
        );
        assert_eq!(code("31.71", None), Ok("31.71"), "the dot is Kemendagri's");
    }

    #[test]
    fn where_the_systems_agree_nobody_is_asked() {
        for (given, expected) in [
            ("3203", "32.03"),
            ("3674", "36.74"),
            ("32", "32"),
            ("3101", "31.01"),
        ] {
            for system in [None, Some(CodeSystem::Bps), Some(CodeSystem::Kemendagri)] {
                assert_eq!(code(given, system), Ok(expected));
            }
        }
    }

    #[test]
    fn what_is_no_code_is_told_with_what_is_expected() {
        for wrong in ["", "3", "320", "32-03", "3203010", "32.3", "３２"] {
            assert!(
                matches!(code(wrong, None), Err(CodeError::Malformed { .. })),
                "{wrong}"
            );
        }
        assert!(matches!(code("3299", None), Err(CodeError::Unknown(_))));
        assert!(matches!(
            code("1101", Some(CodeSystem::Bps)),
            Err(CodeError::Unknown(_))
        ));
    }
}
