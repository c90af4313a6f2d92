//! What the rights of accounts are called where one is denied, in Bahasa Indonesia. What it never does: say who has one.

phrases! { pub(super) RIGHT:
    "ReportIncident": "melaporkan kejadian";
    "VerifyIncident": "memverifikasi kejadian";
    "RejectIncident": "menolak kejadian";
    "ActivateIncident": "mengaktifkan tim";
    "RecordImpact": "menetapkan angka dampak";
    "AddNote": "menambah catatan";
    "AttachFile": "melampirkan berkas";
    "EndOperation": "mengakhiri operasi";
    "CloseIncident": "menutup kejadian";
    "RunIncident": "menjalankan kejadian";
    "ImportIncidents": "mengimpor data lampau";
    "SubmitAssessment": "menyerahkan asesmen";
    "RunSite": "mengurus titik layanan";
    "RecordWarning": "mencatat peringatan";
    "CancelWarning": "membatalkan peringatan";
    "DraftWarning": "menyusun draf peringatan";
    "ApproveWarning": "menyetujui draf peringatan";
    "JudgeReport": "menilai laporan";
    "ReadRegion": "membaca gambaran wilayah";
    "ListAccounts": "membaca daftar akun";
    "ReadAccounts": "membaca sesi akun lain";
    "ManageAccounts": "mengurus akun";
    "ManageNode": "mengurus simpul";
    "ReadNode": "membaca keadaan simpul";
    "FollowChanges": "mengikuti perubahan";
    "IssueDirective": "mengeluarkan arahan";
    "WithdrawDirective": "mencabut arahan";
    "WithdrawPayload": "mencabut isi";
    "AcceptRisk": "menerima risiko";
    "AmendLog": "mengubah log";
}

#[cfg(test)]
mod tests {
    use crate::{
        label::Lang,
        phrase::{tests::said_below, told},
    };

    #[test]
    fn every_right_is_called_by_its_name_where_it_is_denied() {
        let source = said_below("domain/src/account");
        let (_, body) = source.split_once("pub enum Action {").unwrap();
        let (body, _) = body.split_once('}').unwrap();
        let lines = body.lines().map(str::trim);
        let rights: Vec<&str> = lines.filter_map(|line| line.strip_suffix(',')).collect();
        let known: Vec<&str> = super::RIGHT.iter().map(|(english, _)| *english).collect();
        assert_eq!(known, rights);
        assert_eq!(
            told(
                "`ReadAccounts` is not allowed: none of the account's roles has this right",
                Lang::Id
            ),
            "`membaca sesi akun lain` tidak diizinkan: tidak satu pun peran akun ini memberi hak itu"
        );
    }
}
