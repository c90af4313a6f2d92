//! What the kinds of values of the contract are called, in Bahasa Indonesia. What it never does: name a value.

phrases! { pub(super) KIND:
    // Everywhere.
    "hazard": "bahaya";
    "link state": "keadaan sambungan";
    "role": "peran";
    "node role": "peran simpul";
    "severity": "keparahan";
    "priority": "prioritas";
    "reason": "alasan";
    "level": "tingkat";
    "source": "sumber";
    "age": "golongan umur";
    "sex": "jenis kelamin";
    "unit": "satuan";
    // Incidents.
    "report channel": "saluran laporan";
    "scale": "skala";
    "status": "keadaan";
    "step": "langkah";
    "relation": "hubungan";
    "post": "jabatan";
    "settlement": "hasil";
    "measure": "ukuran";
    "figure source": "sumber angka";
    "time precision": "ketelitian waktu";
    "code system": "sistem kode";
    "sector": "bidang";
    "bar": "sebab tanpa angka";
    "progress": "kemajuan";
    "emergency status": "status keadaan darurat";
    "emergency level": "tingkat keadaan darurat";
    "emergency state": "masa berlaku status";
    "office": "pejabat";
    "form": "formulir";
    "kind of assessment": "jenis asesmen";
    "presence": "keberadaan";
    // Sites.
    "kind of site": "jenis titik layanan";
    "need": "kebutuhan";
    // Files.
    "kind of attachment": "jenis lampiran";
    "type of file": "tipe berkas";
    "state of a file": "keadaan berkas";
    "answer": "jawaban";
    "metadata": "metadata gambar";
    // Warnings and directives.
    "response type": "jenis tindakan";
    "alert status": "status peringatan";
    "certainty": "kepastian";
    "urgency": "kedesakan";
    "warning state": "keadaan peringatan";
    "feed health": "kesehatan umpan";
    "reach": "jangkauan";
    "fate": "hasil penerimaan";
    "way of finding": "cara menemukan";
    "kind of note": "jenis catatan";
    "alert level": "tingkat siaga";
    "channel": "saluran";
    "kind of draft": "jenis draf";
    "draft status": "status draf";
    "change": "perubahan";
    "review": "verifikasi";
    "directive state": "keadaan arahan";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::{label::Lang, name, phrase::told};

    #[test]
    fn every_kind_of_value_is_named_in_a_refusal_in_bahasa_indonesia() {
        let mut kinds = BTreeSet::new();
        name::for_each_type(|kind, _| {
            kinds.insert(kind);
        });
        for kind in &kinds {
            let refusal = format!("`x` is no {kind}: expected one of a, b");
            let said = told(&refusal, Lang::Id);
            let named = said.strip_prefix("`x` bukan ");
            let named = named.and_then(|rest| rest.strip_suffix(": pilih salah satu dari a, b"));
            assert!(
                named.is_some_and(|named| named != *kind),
                "{kind} is said in English only: {said}"
            );
        }
        let known: BTreeSet<&str> = super::KIND.iter().map(|(english, _)| *english).collect();
        assert_eq!(known, kinds, "no enum is called so any more");
    }
}
