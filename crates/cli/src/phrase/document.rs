//! What is said of documents of others: how they were read, what is not kept, and what is wrong with them.

phrases! { pub(super) DOCUMENT:
    // What was left out, or has no place.
    "is left out: {}": "tidak dicatat: {}";
    "is left out: it may name a person": "tidak dicatat: dapat menyebut orang";
    "is left out: it looks like a telephone number, a NIK or an address of mail":
        "tidak dicatat: tampak seperti nomor telepon, NIK atau alamat surel";
    "is left out: by its name the value may be a person":
        "tidak dicatat: menurut namanya nilai ini dapat menyebut orang";
    "`{}` recipients may be persons": "`{}` penerima dapat berupa orang";
    "a contact may be a person": "kontak dapat berupa orang";
    "a password is not kept": "kata sandi tidak disimpan";
    "has no field of its own here, and is not kept": "tidak punya kolom di sini, dan tidak disimpan";
    "has no place here, and is not kept": "tidak punya tempat di sini, dan tidak disimpan";
    "goes beyond `{}`, and is not kept": "melebihi `{}`, dan tidak disimpan";
    "is longer than `{}` characters, and the rest is not kept":
        "lebih panjang dari `{}` huruf, dan sisanya tidak disimpan";
    "only its size and hash are kept": "hanya ukuran dan hash-nya yang disimpan";
    "is of namespace `{}`, and not kept": "dari ruang nama `{}`, dan tidak disimpan";
    "is of namespace `{}`, and not read": "dari ruang nama `{}`, dan tidak dibaca";
    "is no element of CAP, and not kept": "bukan elemen CAP, dan tidak disimpan";
    "is no attribute of CAP": "bukan atribut CAP";
    "is no element of Atom, and not kept": "bukan elemen Atom, dan tidak disimpan";
    "is no XML, and not read": "bukan XML, dan tidak dibaca";
    "is not kept": "tidak disimpan";
    "is not kept: it repeats others, or names what is read elsewhere":
        "tidak disimpan: mengulang yang lain, atau dibaca di tempat lain";
    "holds text outside any element, which is not kept": "berisi teks di luar elemen, yang tidak disimpan";
    "stands beside the alert of its entry, and is not read": "berada di samping peringatan entrinya, dan tidak dibaca";
    "stands outside any entry, and is not read": "berada di luar entri, dan tidak dibaca";
    "more than `{}` different notes, the others are only counted":
        "lebih dari `{}` catatan yang berbeda, yang lain hanya dihitung";
    // Signatures.
    "signed with `{}`, not verified": "bertanda tangan dengan `{}`, belum diverifikasi";
    // What breaks a rule, and is read all the same.
    "encloses no area": "tidak melingkupi luas apa pun";
    "is a point, of radius `0`": "berupa titik, dengan jari-jari `0`";
    "is empty": "kosong";
    "is not there": "tidak ada";
    "is not there, and read as `Public`": "tidak ada, dan dibaca sebagai `Public`";
    "is not there, so `{}` names no earlier alert": "tidak ada, jadi `{}` tidak menyebut peringatan sebelumnya";
    "is not `NAME=value`": "bukan `NAME=value`";
    "is not base64, and hashed as it is written": "bukan base64, dan di-hash seperti tertulis";
    "is not a number of bytes, and left out": "bukan jumlah bita, dan tidak dicatat";
    "is not a height in feet, and left out": "bukan ketinggian dalam kaki, dan tidak dicatat";
    "is not written `YYYY-MM-DDThh:mm:ss±hh:mm`": "tidak ditulis `YYYY-MM-DDThh:mm:ss±hh:mm`";
    "lies before `effective`": "lebih awal dari `effective`";
    "stands after `{}`, before which it belongs": "berada sesudah `{}`, padahal tempatnya sebelum itu";
    "says `Very Likely`, and is read as `Likely`": "berisi `Very Likely`, dan dibaca sebagai `Likely`";
    "was read from `{}`": "dibaca dari `{}`";
    "namespace `{}` is not the one of CAP {}": "ruang nama `{}` bukan milik CAP {}";
    "says the same once more, and is taken once": "mengatakan hal yang sama sekali lagi, dan diambil sekali";
    "is missing, and taken from `Tanggal` and `Jam`": "tidak ada, dan diambil dari `Tanggal` dan `Jam`";
    "says another time than `DateTime`, which is taken: `{}` and `{}`":
        "menyebut waktu lain dari `DateTime`, yang dipakai: `{}` dan `{}`";
    "`{}` is no intensity with a place, and kept as it is":
        "`{}` bukan intensitas dengan tempat, dan disimpan apa adanya";
    "parts in one language are one warning here: of all areas, and as grave as the gravest":
        "bagian dalam satu bahasa menjadi satu peringatan: untuk semua wilayah, separah yang terparah";
    "the table names another level than the height reaches by the configuration":
        "tabel menyebut tingkat lain daripada yang dicapai tinggi air menurut konfigurasi";
    "the bulletin is `{}`": "buletinnya `{}`";
    // What is wrong with it, and where.
    "element `{}` is missing in `{}` at {}": "elemen `{}` tidak ada dalam `{}` di {}";
    "element `{}` at {} is a second one in its `{}`": "elemen `{}` di {} adalah yang kedua dalam `{}`";
    "element `{}` at {} says `{}`, which is not {}": "elemen `{}` di {} berisi `{}`, bukan {}";
    "field `{}` says `{}`, which is not {}": "kolom `{}` berisi `{}`, bukan {}";
    "fields `{}` and `{}` disagree: `{}` and `{}`": "kolom `{}` dan `{}` tidak cocok: `{}` dan `{}`";
    "line `{}` column `{}`": "baris `{}` kolom `{}`";
    "document of `{}` bytes is larger than the limit of `{}` bytes":
        "dokumen sebesar `{}` bita melebihi batas `{}` bita";
    "document is {}, not a format that warnings are read from":
        "dokumen ini {}, bukan format yang dapat dibaca sebagai peringatan";
    "document is not UTF-8 at {}": "dokumen bukan UTF-8 di {}";
    "document is not JSON at {}: {}": "dokumen bukan JSON di {}: {}";
    "document type (DOCTYPE) at {} is refused": "jenis dokumen (DOCTYPE) di {} ditolak";
    "encoding `{}` is not read, only UTF-8 and ISO-8859-1 are":
        "pengodean `{}` tidak dibaca, hanya UTF-8 dan ISO-8859-1";
    "entity `{}` at {} is refused": "entitas `{}` di {} ditolak";
    "element `{}` at {} is nested deeper than `{}` levels": "elemen `{}` di {} bersarang lebih dalam dari `{}` tingkat";
    "element `{}` at {} is one more than the limit of `{}` elements":
        "elemen `{}` di {} melebihi batas `{}` elemen";
    "text of element `{}` is longer than `{}` bytes at {}": "teks elemen `{}` lebih panjang dari `{}` bita di {}";
    "element `{}` opened at {} is not closed before the end at {}":
        "elemen `{}` yang dibuka di {} tidak ditutup sampai akhir dokumen di {}";
    "a closed ring, whose last pair is its first": "cincin tertutup, yang titik akhirnya sama dengan titik awalnya";
    "a ring that does not cross itself, as its sides {} and {} do":
        "cincin yang tidak memotong dirinya, padahal sisi {} dan {} berpotongan";
    "a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180":
        "pasangan `lat,lon` dengan lat dari -90 sampai 90 dan lon dari -180 sampai 180";
    "{}: the two are swapped": "{}: keduanya tertukar";
    "a real time with its zone, written `YYYY-MM-DDThh:mm:ss±hh:mm` (without fractions or `Z`)":
        "waktu yang benar beserta zonanya, ditulis `YYYY-MM-DDThh:mm:ss±hh:mm` (tanpa pecahan atau `Z`)";
}
