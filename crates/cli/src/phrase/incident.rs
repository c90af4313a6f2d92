//! What is refused of incidents, their assessments and their sites, beyond the most frequent, in Bahasa Indonesia.

phrases! { pub(super) INCIDENT:
    // What has to come first.
    "an incident in `{}` cannot be {}: it has to be verified first":
        "kejadian dalam keadaan `{}` tidak dapat {}: verifikasi dulu dengan `posko incident verify`";
    "an incident in `{}` cannot be {}: it has to be activated first":
        "kejadian dalam keadaan `{}` tidak dapat {}: aktifkan dulu dengan `posko incident activate`";
    "an incident in `{}` cannot be {}: a team has to depart first":
        "kejadian dalam keadaan `{}` tidak dapat {}: catat dulu keberangkatan tim dengan `posko incident step`";
    "an incident in `{}` cannot be {}: its operation has to end first":
        "kejadian dalam keadaan `{}` tidak dapat {}: akhiri dulu operasinya dengan `posko incident end`";
    "an incident in `{}` cannot be {}: it was activated, so cancel it or end its operation":
        "kejadian dalam keadaan `{}` tidak dapat {}: timnya sudah diaktifkan, jadi batalkan atau akhiri operasinya";
    "an incident in `{}` cannot be {}: teams have departed, so end its operation":
        "kejadian dalam keadaan `{}` tidak dapat {}: tim sudah berangkat, jadi akhiri operasinya";
    "an incident in `{}` cannot be {}: it has to be opened again first":
        "kejadian dalam keadaan `{}` tidak dapat {}: buka lagi dulu dengan `posko incident reopen`";
    // Commands and their fields.
    "an incident is no duplicate of itself": "kejadian bukan ganda dari dirinya sendiri";
    "incident `{}` is an exercise, and the command is not": "kejadian `{}` itu latihan, sedangkan perintahnya bukan";
    "incident `{}` is real, and the command belongs to an exercise":
        "kejadian `{}` itu nyata, sedangkan perintahnya latihan";
    "account `{}` is not known here": "akun `{}` tidak dikenal di sini";
    "one change is needed, known to this version": "diperlukan satu perubahan yang dikenal versi ini";
    "an incident is not related to itself": "kejadian tidak berhubungan dengan dirinya sendiri";
    "a warning is named by its owner such as `32` and its id of 16 bytes":
        "peringatan disebut dengan pemiliknya seperti `32` dan id-nya";
    "an incident's id of 16 bytes": "id kejadian";
    "an id of 16 bytes": "id";
    "a duplicate is not false: `duplicate_of` or `reason`, not both":
        "laporan ganda bukan laporan tidak benar: `--duplicate-of` atau `--reason`, jangan keduanya";
    "each measure may stand once for a sex and an age": "tiap ukuran hanya sekali untuk satu jenis kelamin dan umur";
    "only a count of people has a sex or an age": "hanya jumlah orang yang punya jenis kelamin atau umur";
    "the whole is at least the sum of its parts by sex or age":
        "jumlah seluruhnya tidak kurang dari jumlah bagiannya menurut jenis kelamin atau umur";
    "no part is more than the whole": "tidak ada bagian yang melebihi seluruhnya";
    "{} characters": "{} huruf";
    "a time is needed": "waktu wajib diisi";
    "periods count from 1": "periode dihitung mulai 1";
    "a node such as `32`": "simpul seperti `32`";
    "there is no incident number left in year `{}`": "nomor kejadian tahun `{}` sudah habis";
    "a GLIDE number such as `FL-2026-000199-IDN`, with a province's code after it at most":
        "nomor GLIDE seperti `FL-2026-000199-IDN`, paling banyak diikuti kode provinsi";
    "a file that was put here before, with its hash of 32 bytes and its length":
        "berkas yang sudah disimpan di sini, dengan hash dan panjangnya";
    "a file of a type known to this version": "berkas dengan jenis yang dikenal versi ini";
    // What is not there, or would lie before something else.
    "post held by account": "jabatan yang dipegang akun";
    "call of level": "panggilan tingkat";
    "relation to incident": "hubungan dengan kejadian";
    "figure to correct for": "angka yang dapat diralat untuk";
    "leaving the post": "melepas jabatan";
    "taking it": "mengisinya";
    "the call": "panggilannya";
    "the begin of the next period": "awal periode berikutnya";
    "this one's end": "akhir periode ini";
    // Sites.
    "an end after the begin, and both given": "akhir sesudah awal, keduanya diisi";
    "each sex and age may stand once": "tiap jenis kelamin dan umur hanya sekali";
    "the count of everybody is needed": "jumlah seluruhnya wajib diisi";
    "1 to 120 characters": "1 sampai 120 huruf";
    "a place's name without a telephone number, a NIK or an address of mail":
        "nama tempat tanpa nomor telepon, NIK atau alamat surel";
    "at most 100,000,000": "paling banyak 100.000.000";
    "`{}` does not lie in province `{}`: a site is recorded by the province where it is":
        "`{}` tidak di provinsi `{}`: titik layanan dicatat provinsi tempatnya";
    "the site has already been opened": "titik layanan itu sudah dibuka";
    "`{}` lies before the site opened at `{}`": "`{}` mendahului pembukaan titik layanan pada `{}`";
    "the site belongs to an exercise, and the command does not: add `--exercise`":
        "titik layanan itu latihan, sedangkan perintahnya bukan: tambahkan `--exercise`";
    "the site is real, and the command belongs to an exercise: leave out `--exercise`":
        "titik layanan itu nyata, sedangkan perintahnya latihan: hapus `--exercise`";
    "incident `{}` is an exercise, and the site is not: add `--exercise`":
        "kejadian `{}` itu latihan, sedangkan titik layanannya bukan: tambahkan `--exercise`";
    "incident `{}` is real, and the site belongs to an exercise: leave out `--exercise`":
        "kejadian `{}` itu nyata, sedangkan titik layanannya latihan: hapus `--exercise`";
    "why it is false is needed, as a reason or in words": "alasan laporan itu tidak benar wajib diisi: `--reason` atau `--note`";
    "period `{}` leaves out what comes before it: the next one is `{}`":
        "periode `{}` melompati yang sebelumnya: periode berikutnya `{}`";
    // What something else is in the way of.
    "still open are `{}` sites ({}), `{}` needs and `{}` legal statuses ({}): end them first, or say with `--confirmed` that it is closed all the same":
        "masih terbuka `{}` titik layanan ({}), `{}` kebutuhan dan `{}` status darurat ({}): akhiri dulu, atau tambahkan `--confirmed` bila tetap ditutup";
    "incident `{}` was opened from it already: add `--confirmed` if this is another one":
        "kejadian `{}` sudah dibuka dari peringatan itu: tambahkan `--confirmed` bila ini kejadian lain";
    "incident `{}` is itself a part of this one": "kejadian `{}` sendiri bagian dari kejadian ini";
    "incidents above it": "kejadian di atasnya";
    // What nobody can have meant.
    "field `{}` is `{}`, which lies in {} (`{}`), not in {}":
        "`{}` dan `--lon` berisi `{}`, yang terletak di {} (`{}`), bukan di {}";
    "field `{}` is `{}`, which lies `{}` km from {}, not in {}":
        "`{}` dan `--lon` berisi `{}`, yang terletak `{}` km dari {}, bukan di {}";
    "field `{}` is `{}`, which is over already: it was said at `{}`":
        "`{}` berisi `{}`, yang sudah lewat: dinyatakan pada `{}`";
    "`{}` is more than the `{}` that are missing of `{}`: set the need anew if more is needed":
        "`{}` melebihi `{}` yang masih kurang dari `{}`: tetapkan lagi kebutuhannya bila perlu lebih";
    "`{}` by sex or age is `{}`, more than the `{}` in all that the same source gave as of `{}`: give the new whole as well":
        "`{}` menurut jenis kelamin atau umur `{}`, melebihi jumlah seluruhnya `{}` dari sumber yang sama per `{}`: sebut juga jumlah seluruhnya yang baru";
    "`{}` is `{}`, and {} has `{}` people": "`{}` berisi `{}`, sedangkan penduduk {} `{}` jiwa";
    "site `{}` is not known here": "titik layanan `{}` tidak dikenal di sini";
    "`{}` is no sex and no age: expected one of {}":
        "`{}` bukan jenis kelamin dan bukan golongan umur: pilih salah satu dari {}";
}
