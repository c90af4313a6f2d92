//! What feeds and foreign documents are refused for, and what is noted of how they were read, in Bahasa Indonesia.
//! What it never does: translate what a document says.

phrases! { pub(super) FEED:
    // Asking.
    "`{}` answered with status `{}`": "`{}` menjawab dengan status `{}`";
    "the answer of `{}` is larger than the limit of `{}` bytes": "jawaban `{}` melebihi batas `{}` bita";
    "`{}` did not answer whole within `{}` ms": "`{}` tidak menjawab seluruhnya dalam `{}` milidetik";
    "`{}` redirects more than `{}` times": "`{}` mengalihkan lebih dari `{}` kali";
    "the answer of `{}` ends early": "jawaban `{}` terputus sebelum selesai";
    "`{}` cannot be reached: {}": "`{}` tidak dapat dihubungi: {}";
    "the fetch of `{}` was broken off": "pengambilan `{}` terhenti";
    "feed `{}` is not configured: {}": "umpan `{}` tidak ada di konfigurasi: {}";
    "there are none": "tidak ada satu pun";
    "there are {}": "yang ada {}";
    // Lists and their links.
    "the answer is {}, which a feed of kind `{}` does not take":
        "jawabannya {}, yang tidak diterima umpan jenis `{}`";
    "a link leads to another list with `{}`, which is not followed":
        "tautan menuju daftar lain yang memuat `{}`, dan tidak diikuti";
    "the link `{}` is not `http` or `https`": "tautan `{}` bukan `http` atau `https`";
    "`{}` redirects to host `{}`, from which this feed may fetch nothing":
        "`{}` mengalihkan ke host `{}`, yang tidak boleh diambil umpan ini";
    "`{}` redirects to `{}`, which is not `{}`": "`{}` mengalihkan ke `{}`, yang bukan `{}`";
    "the answer of `{}` is packed as `{}`, though it was asked for as it is":
        "jawaban `{}` dimampatkan dengan `{}`, padahal diminta apa adanya";
    "`{}` alerts that the list links to wait for the next rounds: at most `{}` a minute are asked for":
        "`{}` peringatan yang ditautkan daftar menunggu putaran berikutnya: paling banyak `{}` semenit yang diminta";
    "reading the document was broken off": "pembacaan dokumen terputus";
    "the list links to host `{}`, from which this feed may fetch nothing: name it in `hosts`":
        "daftar menautkan ke host `{}`, yang tidak boleh diambil umpan ini: sebutkan di `hosts`";
    "the list has `{}` items, more than the limit of `{}`": "daftar berisi `{}` butir, melebihi batas `{}`";
    "item `{}` has no link": "butir `{}` tanpa tautan";
    "entry `{}` has no link": "entri `{}` tanpa tautan";
    "link `{}` of item `{}` is not `http(s)://HOST/…/CODE_alert.xml`":
        "tautan `{}` pada butir `{}` bukan `http(s)://HOST/…/KODE_alert.xml`";
    "entry `{}` at {} neither links to a CAP alert nor carries one":
        "entri `{}` di {} tidak menautkan ke peringatan CAP dan tidak memuatnya";
    // What a document is.
    "a CAP alert": "peringatan CAP";
    "an RSS list": "daftar RSS";
    "an Atom feed": "umpan Atom";
    "an EDXL-DE envelope": "amplop EDXL-DE";
    "an earthquake list of BMKG (JSON)": "daftar gempa BMKG (JSON)";
    "an earthquake list of BMKG (XML)": "daftar gempa BMKG (XML)";
    "a bulletin of InaTEWS": "buletin InaTEWS";
    "BMKG's realtime earthquakes (GeoJSON)": "gempa waktu nyata BMKG (GeoJSON)";
    "readings of river gauges": "bacaan pos duga air";
    "levels of volcanoes": "tingkat gunung api";
    "an HTML page, as a login or an error page is": "halaman HTML, seperti halaman masuk atau halaman galat";
    "XML with the root element `{}`, in no namespace": "XML berelemen akar `{}`, tanpa ruang nama";
    "XML with the root element `{}` in namespace `{}`": "XML berelemen akar `{}` di ruang nama `{}`";
    "a village forecast of BMKG, which warns of nothing": "prakiraan cuaca desa dari BMKG, yang bukan peringatan";
    "JSON with the fields `{}`": "JSON dengan isian `{}`";
    "a PDF": "PDF";
    "a ZIP archive, as XLSX and DOCX are": "arsip ZIP, seperti XLSX dan DOCX";
    "compressed with gzip": "termampat gzip";
    "a PNG picture": "gambar PNG";
    "a JPEG picture": "gambar JPEG";
    "a GIF picture": "gambar GIF";
    "a certificate or a key": "sertifikat atau kunci";
    "plain text": "teks biasa";
    "binary data": "data biner";
    "document is {}, not a format that warnings are read from":
        "dokumen ini {}, bukan format yang memuat peringatan";
    "document of `{}` bytes is larger than the limit of `{}` bytes":
        "dokumen `{}` bita, melebihi batas `{}` bita";
    "document is not JSON at {}: {}": "dokumen bukan JSON di {}: {}";
    "document is not UTF-8 at {}": "dokumen bukan UTF-8 di {}";
    "document holds no element": "dokumen tanpa elemen";
    "document type (DOCTYPE) at {} is refused": "jenis dokumen (DOCTYPE) di {} ditolak";
    "document: {}": "dokumen: {}";
    "line `{}` column `{}`": "baris `{}` kolom `{}`";
    "{} at line `{}` column `{}`": "{} di baris `{}` kolom `{}`";
    // XML.
    "encoding `{}` is not read, only UTF-8 and ISO-8859-1 are":
        "pengodean `{}` tidak dibaca, hanya UTF-8 dan ISO-8859-1";
    "encoding is declared as `{}`, but the bytes are {}": "pengodean dinyatakan `{}`, padahal bitanya {}";
    "one byte a character": "satu bita per huruf";
    "UTF-8, by their byte order mark": "UTF-8, menurut tanda urutan bitanya";
    "not, they hold control characters of it": "bukan, karena memuat karakter kendalinya";
    "character `{}` at {} is not allowed in XML": "karakter `{}` di {} tidak boleh ada di XML";
    "entity `{}` at {} is refused": "entitas `{}` di {} ditolak";
    "element `{}` at {} is nested deeper than `{}` levels": "elemen `{}` di {} bersarang lebih dari `{}` tingkat";
    "element `{}` at {} is one more than the limit of `{}` elements":
        "elemen `{}` di {} melebihi batas `{}` elemen";
    "element `{}` at {} has more than `{}` attributes": "elemen `{}` di {} beratribut lebih dari `{}`";
    "attribute `{}` of element `{}` at {} is longer than `{}` bytes":
        "atribut `{}` dari elemen `{}` di {} lebih panjang dari `{}` bita";
    "text of element `{}` is longer than `{}` bytes at {}":
        "teks elemen `{}` lebih panjang dari `{}` bita di {}";
    "element `{}` opened at {} is not closed before the end at {}":
        "elemen `{}` yang dibuka di {} tidak ditutup sebelum akhir di {}";
    "`{}` at {} stands outside the root element": "`{}` di {} berada di luar elemen akar";
    "prefix `{}` of the element at {} is not declared": "awalan `{}` dari elemen di {} tidak dinyatakan";
    "XML declaration is not at the beginning": "deklarasi XML tidak di awal dokumen";
    "`{}` is not the name of an element": "`{}` bukan nama elemen";
    "attribute `{}` of `{}` is not well formed": "atribut `{}` dari `{}` salah bentuk";
    "root element `{}` in namespace `{}` at {} is not a CAP alert":
        "elemen akar `{}` di ruang nama `{}` di {} bukan peringatan CAP";
    "root element `{}` in namespace `{}` at {} is not an Atom feed":
        "elemen akar `{}` di ruang nama `{}` di {} bukan umpan Atom";
    "root element `{}` in namespace `{}` at {} is not an envelope of EDXL-DE 1.0":
        "elemen akar `{}` di ruang nama `{}` di {} bukan amplop EDXL-DE 1.0";
    "root element `{}` of version `{}` at {} is not an RSS 2.0 list":
        "elemen akar `{}` versi `{}` di {} bukan daftar RSS 2.0";
    "element `{}` is missing in `{}` at {}": "elemen `{}` tidak ada di `{}` di {}";
    "element `{}` at {} is a second one in its `{}`": "elemen `{}` di {} muncul dua kali di dalam `{}`";
    "element `{}` at {} says `{}`, which is not {}": "elemen `{}` di {} berisi `{}`, yang bukan {}";
    "polygon `{}` at {} takes the alert past the limit of `{}` points":
        "poligon `{}` di {} membuat peringatan melebihi batas `{}` titik";
    "element `{}` at {} takes the alert past the limit of `{}` areas, polygons and circles":
        "elemen `{}` di {} membuat peringatan melebihi batas `{}` wilayah, poligon, dan lingkaran";
    // Fields and tables.
    "`{}` is `{}`, not an object": "`{}` berisi `{}`, bukan objek";
    "field `{}` is missing": "isian `{}` tidak ada";
    "field `{}` says `{}`, which is not {}": "isian `{}` berisi `{}`, yang bukan {}";
    "fields `{}` and `{}` disagree: `{}` and `{}`": "isian `{}` dan `{}` bertentangan: `{}` dan `{}`";
    "bulletin is not readable at {}: {}": "buletin tidak terbaca di {}: {}";
    "earthquake list is not readable at {}: {}": "daftar gempa tidak terbaca di {}: {}";
    "root element `{}` is not `Infogempa` with `gempa` in it":
        "elemen akar `{}` bukan `Infogempa` yang memuat `gempa`";
    "table is not readable as JSON at {}: {}": "tabel tidak terbaca sebagai JSON di {}: {}";
    "table is not UTF-8 at line `{}`": "tabel bukan UTF-8 di baris `{}`";
    "column `{}` is missing in the header": "kolom `{}` tidak ada di kepala tabel";
    "field `{}` stands twice": "bidang `{}` ada dua kali";
    "column `{}` stands twice in the header": "kolom `{}` ada dua kali di kepala tabel";
    "table has no row": "tabel tanpa satu baris pun";
    "earthquake list holds no earthquake in `Infogempa.gempa`":
        "daftar gempa tanpa satu gempa pun di `Infogempa.gempa`";
    "table has more than `{}` rows": "tabel lebih dari `{}` baris";
    // What was expected.
    "a list": "daftar";
    "a text or a number": "teks atau bilangan";
    "a text of at most 16384 bytes": "teks paling panjang 16384 bita";
    "a text without control characters": "teks tanpa karakter kendali";
    "a name of 1 to 1024 bytes without blanks, commas, `<` and `&`":
        "nama 1 sampai 1024 bita tanpa spasi, koma, `<` dan `&`";
    "a name of 1 to 1024 bytes without spaces, commas, `<` and `&`":
        "nama 1 sampai 1024 bita tanpa spasi, koma, `<` dan `&`";
    "a real date": "tanggal yang benar ada";
    "a real time with a zone": "waktu yang benar ada, dengan zonanya";
    "a real time with its zone, of RFC 3339": "waktu RFC 3339 yang benar ada, dengan zonanya";
    "a real time of RFC 3339, with its zone": "waktu RFC 3339 yang benar ada, dengan zonanya";
    "a real time of RFC 3339 with its zone": "waktu RFC 3339 yang benar ada, dengan zonanya";
    "a real time of RFC 2822": "waktu RFC 2822 yang benar ada";
    "a real date and time with a zone": "tanggal dan jam yang benar ada, dengan zonanya";
    "a real time with a zone, such as `WIB`": "waktu yang benar ada dengan zonanya, seperti `WIB`";
    "a real time with its zone, written `YYYY-MM-DDThh:mm:ss±hh:mm` (without fractions or `Z`)":
        "waktu yang benar ada dengan zonanya, ditulis `YYYY-MM-DDThh:mm:ss±hh:mm` (tanpa pecahan atau `Z`)";
    "a time with a zone, such as `WIB` or `+07:00`": "waktu dengan zona, seperti `WIB` atau `+07:00`";
    "a time with a zone, such as `+07:00` or `WIB`": "waktu dengan zona, seperti `+07:00` atau `WIB`";
    "a time without a zone": "waktu tanpa zona";
    "not a real date and time": "bukan tanggal dan jam yang benar ada";
    "a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180":
        "pasangan `lintang,bujur` dengan lintang -90 sampai 90 dan bujur -180 sampai 180";
    "a point `lon,lat` with lon from -180 to 180 and lat from -90 to 90":
        "titik `bujur,lintang` dengan bujur -180 sampai 180 dan lintang -90 sampai 90";
    "a circle `lat,lon radius` with lat from -90 to 90, lon from -180 to 180 and a radius from 0 to 20038 km":
        "lingkaran `lintang,bujur jari-jari` dengan lintang -90 sampai 90, bujur -180 sampai 180 dan jari-jari 0 sampai 20038 km";
    "{}: the two are swapped": "{}: keduanya tertukar";
    "a magnitude from -2 to 10": "magnitudo -2 sampai 10";
    "a depth from 0 to 1000 km": "kedalaman 0 sampai 1000 km";
    "a latitude such as `6.85 LS` or `1.47 LU`": "lintang seperti `6.85 LS` atau `1.47 LU`";
    "a longitude such as `107.03 BT` or `176.44 BB`": "bujur seperti `107.03 BT` atau `176.44 BB`";
    "an earthquake or an array of earthquakes": "gempa atau larik gempa";
    "more than `{}` earthquakes": "lebih dari `{}` gempa";
    "a ring of at least 4 pairs": "lingkar sedikitnya 4 pasangan";
    "a ring of at most {} pairs": "lingkar paling banyak {} pasangan";
    "a closed ring, whose last pair is its first": "lingkar tertutup, yang pasangan terakhirnya sama dengan yang pertama";
    "a ring of which at most {} pairs of sides lie beside each other":
        "lingkar dengan paling banyak {} pasang sisi yang berdampingan";
    "a ring that does not cross itself, as its sides {} and {} do":
        "lingkar yang tidak memotong dirinya, seperti sisi {} dan {}";
    "a height in feet": "ketinggian dalam kaki";
    "a height from -1000 to 10000 cm, such as `210` or `210.5`":
        "ketinggian -1000 sampai 10000 cm, seperti `210` atau `210.5`";
    "an alert level from `I` to `IV`": "tingkat siaga `I` sampai `IV`";
    "one of Normal, Waspada, Siaga, Awas, or I to IV": "salah satu dari Normal, Waspada, Siaga, Awas, atau I sampai IV";
    "a new time: `{}` is of the same station and time": "waktu baru: `{}` sama pos dan waktunya";
    "a row of {} cells, as many as the header has": "baris dengan {} sel, sebanyak kepala tabelnya";
    "an open quotation mark": "tanda kutip yang tidak ditutup";
    "{} cells": "{} sel";
    "a reference `sender,identifier,sent`": "rujukan `sender,identifier,sent`";
    "a reference `sender,identifier,sent` to what this `{}` is about":
        "rujukan `sender,identifier,sent` ke yang dimaksud `{}` ini";
    // What becomes of it.
    "alert `{}` of `{}` lies more than `5` minutes after now, `{}`":
        "peringatan `{}` bertanggal `{}`, lebih dari `5` menit sesudah saat ini, `{}`";
    "bulletin `{}` of `{}` lies more than `5` minutes after now, `{}`":
        "buletin `{}` bertanggal `{}`, lebih dari `5` menit sesudah saat ini, `{}`";
    "earthquake of `{}` lies more than `5` minutes after now, `{}`":
        "gempa bertanggal `{}`, lebih dari `5` menit sesudah saat ini, `{}`";
    "alert `{}` is of type `{}`, which warns of nothing": "peringatan `{}` berjenis `{}`, yang tidak memperingatkan apa pun";
    "alert `{}` says nothing": "peringatan `{}` tidak berisi apa pun";
    "alert `{}` is of an event that has no kind here, `{}`":
        "peringatan `{}` tentang kejadian yang tidak dikenal di sini, `{}`";
    "alert `{}` cancels without naming what": "peringatan `{}` membatalkan tanpa menyebut apa yang dibatalkan";
    "alert `{}` names no area": "peringatan `{}` tidak menyebut wilayah";
    "alert `{}` names more than one province, `{}` and `{}`":
        "peringatan `{}` menyebut lebih dari satu provinsi, `{}` dan `{}`";
    "a test or an exercise takes back nothing real": "tes atau latihan tidak mencabut apa pun yang nyata";
    "the bulletin is `{}`": "buletinnya `{}`";
    "there is no reading": "tidak ada bacaan";
    "gauge `{}` is not configured: nothing says whom it warns":
        "pos duga air `{}` tidak ada di konfigurasi: tidak diketahui siapa yang diperingatkan";
    "`{}` is no reading of a river gauge": "`{}` bukan bacaan pos duga air";
    "gauge `{}` was read at `{}`, which lies more than `5` minutes after now":
        "pos duga air `{}` dibaca pada `{}`, lebih dari `5` menit sesudah saat ini";
    "gauge `{}` has no reading newer than `{}`, which is older than `{}` minutes":
        "pos duga air `{}` tanpa bacaan yang lebih baru dari `{}`, yang lebih dari `{}` menit lalu";
    "a newer reading of `{}` is known": "bacaan `{}` yang lebih baru sudah ada";
    "gauge `{}` {} to `{}` at `{}`: it is believed once the next reading agrees":
        "pos duga air `{}` {} ke `{}` pada `{}`: dipercaya bila bacaan berikutnya cocok";
    "is higher than can be": "naik melebihi yang mungkin,";
    "jumps from `{}`": "melonjak dari `{}`";
    "gauge `{}` is missing in the table": "pos duga air `{}` tidak ada di tabel";
    "{}: it lacks the gauges {}": "{}: tidak memuat pos duga air {}";
    "`{}` is no volcano": "`{}` bukan gunung api";
    "`{}` is no volcano that is known": "`{}` bukan gunung api yang dikenal";
    "`{}` is no volcano that is known; did you mean {}?":
        "`{}` bukan gunung api yang dikenal; maksudnya {}?";
    "`{}` may be any of the volcanoes {}": "`{}` dapat berarti salah satu gunung api {}";
    "the level of `{}` is of `{}`, which lies more than `5` minutes after now":
        "tingkat `{}` bertanggal `{}`, lebih dari `5` menit sesudah saat ini";
    "the level of `{}` is of `{}`, which is more than `7` days ago: its warning is over":
        "tingkat `{}` bertanggal `{}`, lebih dari `7` hari lalu: peringatannya sudah berakhir";
    "`{}`, which came before, has ended it": "`{}`, yang datang lebih dahulu, sudah mengakhirinya";
    "it ends a warning that is not held in force here": "itu mengakhiri peringatan yang tidak berlaku di sini";
    "it is a step of settling": "itu satu langkah penyelesaian";
    "refers to `{}` of another sender, which that sender alone ends":
        "merujuk ke `{}` dari pengirim lain, yang hanya diakhiri pengirim itu";
    "refers to `{}` as sent after itself, and does not end it":
        "merujuk ke `{}` seolah dikirim sesudahnya, dan tidak mengakhirinya";
    "reads `{}`, Siaga `{}`": "terbaca `{}`, Siaga `{}`";
    "reads `{}`, below every level": "terbaca `{}`, di bawah semua tingkat";
    "what was announced is under way until `{}`":
        "air yang diumumkan masih di perjalanan sampai `{}`";
    "refers to `{}`, which is not held here": "merujuk ke `{}`, yang tidak ada di sini";
    // Notes.
    "`{}` at {}: {}": "`{}` di {}: {}";
    "`{}` at {}, {} times: {}": "`{}` di {}, {} kali: {}";
    "`{}`, {} times: {}": "`{}`, {} kali: {}";
    "was read from `{}`": "dibaca dari pengodean `{}`";
    "more than `{}` different notes, the others are only counted":
        "lebih dari `{}` catatan berbeda, sisanya hanya dihitung";
    "has no field of its own here, and is not kept": "tidak punya tempat di sini, dan tidak disimpan";
    "lies more than a year after the alert was sent, and is not kept":
        "lebih dari setahun sesudah peringatan dikirim, dan tidak disimpan";
    "lies more than a year after the alert was sent: it is taken to hold for a year":
        "lebih dari setahun sesudah peringatan dikirim: dianggap berlaku setahun";
    "has no place here, and is not kept": "tidak punya tempat di sini, dan tidak disimpan";
    "is not kept": "tidak disimpan";
    "is not kept: it repeats others, or names what is read elsewhere":
        "tidak disimpan: mengulang yang lain, atau menyebut yang dibaca di tempat lain";
    "is no element of CAP, and not kept": "bukan elemen CAP, dan tidak disimpan";
    "is no element of Atom, and not kept": "bukan elemen Atom, dan tidak disimpan";
    "is no attribute of CAP": "bukan atribut CAP";
    "is of namespace `{}`, and not kept": "dari ruang nama `{}`, dan tidak disimpan";
    "is of namespace `{}`, and not read": "dari ruang nama `{}`, dan tidak dibaca";
    "is no XML, and not read": "bukan XML, dan tidak dibaca";
    "stands outside any entry, and is not read": "berada di luar entri, dan tidak dibaca";
    "stands beside the alert of its entry, and is not read": "berada di samping peringatan entrinya, dan tidak dibaca";
    "holds text outside any element, which is not kept": "memuat teks di luar elemen, yang tidak disimpan";
    "stands after `{}`, before which it belongs": "berada sesudah `{}`, padahal seharusnya sebelumnya";
    "is left out: it looks like a telephone number, a NIK or an address of mail":
        "tidak dicatat: tampak seperti nomor telepon, NIK atau alamat surel";
    "is left out: by its name the value may be a person":
        "tidak dicatat: menurut namanya nilai ini dapat menyebut orang";
    "goes beyond `{}`, and is not kept": "melebihi `{}`, dan tidak disimpan";
    "is longer than `{}` characters, and the rest is not kept":
        "lebih panjang dari `{}` huruf, dan sisanya tidak disimpan";
    "is left out: it may name a person": "ditinggalkan: mungkin menyebut nama orang";
    "is left out: {}": "ditinggalkan: {}";
    "`{}` recipients may be persons": "`{}` penerima mungkin orang";
    "a password is not kept": "kata sandi tidak disimpan";
    "a contact may be a person": "kontak mungkin orang";
    "signed with `{}`, not verified": "bertanda tangan dengan `{}`, belum diverifikasi";
    "namespace `{}` is not the one of CAP {}": "ruang nama `{}` bukan milik CAP {}";
    "is not there": "tidak ada";
    "is empty": "kosong";
    "is not there, and read as `Public`": "tidak ada, dan dibaca sebagai `Public`";
    "is not there, so `{}` names no earlier alert": "tidak ada, jadi `{}` tidak menyebut peringatan sebelumnya";
    "says `Very Likely`, and is read as `Likely`": "berisi `Very Likely`, dan dibaca sebagai `Likely`";
    "says `Actual`, and the envelope is of `{}`": "berisi `Actual`, sedangkan amplopnya `{}`";
    "says that this is a test or an exercise, and `status` says `Actual`":
        "menyatakan tes atau latihan, sedangkan `status` berisi `Actual`";
    "says the same once more, and is taken once": "mengulang hal yang sama, dan diambil satu kali";
    "is no real time; `sent` is taken": "bukan waktu yang benar ada; `sent` yang dipakai";
    "lies before `effective`": "lebih awal dari `effective`";
    "is not a number of bytes, and left out": "bukan jumlah bita, dan ditinggalkan";
    "is not base64, and hashed as it is written": "bukan base64, dan disidik seperti tertulis";
    "only its size and hash are kept": "hanya ukuran dan sidiknya yang disimpan";
    "stands without an `altitude`": "ada tanpa `altitude`";
    "is lower than the `altitude`": "lebih rendah dari `altitude`";
    "is not a height in feet, and left out": "bukan ketinggian dalam kaki, dan ditinggalkan";
    "is not `NAME=value`": "bukan `NAMA=nilai`";
    "encloses no area": "tidak melingkupi wilayah";
    "is a point, of radius `0`": "sebuah titik, berjari-jari `0`";
    "is not written `YYYY-MM-DDThh:mm:ss±hh:mm`": "tidak ditulis `YYYY-MM-DDThh:mm:ss±hh:mm`";
    "`{}` is no intensity with a place, and kept as it is":
        "`{}` bukan intensitas dengan tempatnya, dan disimpan apa adanya";
    "is missing, and taken from `Tanggal` and `Jam`": "tidak ada, dan diambil dari `Tanggal` dan `Jam`";
    "says another time than `DateTime`, which is taken: `{}` and `{}`":
        "menyatakan waktu lain dari `DateTime`, yang dipakai: `{}` dan `{}`";
    "parts in one language are one warning here: of all areas, as grave as the gravest, and until the last end":
        "bagian-bagian dalam satu bahasa menjadi satu peringatan di sini: bagi semua wilayahnya, separah yang terparah, dan sampai akhir yang terakhir";
    "says `{}`, and the status of the alert is `Actual`":
        "menyebut `{}`, padahal status peringatannya `Actual`";
    "names more places than the `1000` that are looked up":
        "menyebut lebih banyak tempat dari `1000` yang dicari";
    "the table names another level than the height reaches by the configuration":
        "tabel menyebut tingkat lain dari yang dicapai ketinggian itu menurut konfigurasi";
    // Writing CAP.
    "element `{}` cannot be `{}`: expected {}": "elemen `{}` tidak dapat berisi `{}`: diharapkan {}";
    "version 1.2": "versi 1.2";
    "a scope that names no persons": "lingkup yang tidak menyebut orang";
    "a text, since the scope is restricted": "teks, karena lingkupnya terbatas";
    "no signature, since none can be given on": "tanpa tanda tangan, karena tidak dapat diteruskan";
    "the messages that this one refers to": "pesan yang dirujuk pesan ini";
    "references with their times": "rujukan beserta waktunya";
    "a language such as `id` or `en-US`": "bahasa seperti `id` atau `en-US`";
    "at least one category": "sedikitnya satu kategori";
    "a time that is not before `effective`": "waktu yang tidak mendahului `effective`";
    "a media type": "jenis media";
    "nothing, since only its hash was kept": "kosong, karena hanya sidiknya yang disimpan";
    "{} points": "{} titik";
    "a closed ring that encloses an area and does not cross itself":
        "lingkar tertutup yang melingkupi wilayah dan tidak memotong dirinya";
    "a radius from 0 to 20038 km": "jari-jari 0 sampai 20038 km";
    "a height above an `altitude`": "ketinggian di atas `altitude`";
    "a latitude from -90 to 90 and a longitude from -180 to 180":
        "lintang -90 sampai 90 dan bujur -180 sampai 180";
    "a decimal of at most 32 characters": "desimal paling panjang 32 karakter";
    "an address without blanks": "alamat tanpa spasi";
    "a time of whole seconds and an offset of whole minutes":
        "waktu dalam detik bulat dengan selisih zona dalam menit bulat";
    "a text without blanks at its ends": "teks tanpa spasi di ujungnya";
    "characters of XML 1.0": "karakter XML 1.0";
    // The certificate of the report form.
    "`report.{}` names `{}`, which cannot be read": "`report.{}` menunjuk `{}`, yang tidak dapat dibaca";
    "`report.tls_key` names `{}`, which everybody on this machine may read: take that away with `chmod o= {}`":
        "`report.tls_key` menunjuk `{}`, yang dapat dibaca semua orang di mesin ini: cabut dengan `chmod o= {}`";
    "`report.tls_cert` names `{}`, which holds no certificate in PEM":
        "`report.tls_cert` menunjuk `{}`, yang tidak memuat sertifikat PEM";
    "`report.tls_key` names `{}`, which holds no private key in PEM":
        "`report.tls_key` menunjuk `{}`, yang tidak memuat kunci rahasia PEM";
    "`report.tls_key` names `{}`, which is not the key of the first certificate in `{}`":
        "`report.tls_key` menunjuk `{}`, yang bukan kunci sertifikat pertama di `{}`";
    "`report.tls_cert` names `{}`, whose certificate holds from `{}` until `{}`: browsers refuse it now":
        "`report.tls_cert` menunjuk `{}`, yang sertifikatnya berlaku dari `{}` sampai `{}`: peramban menolaknya sekarang";
    "a PEM file: `tls_cert` and `tls_key` are given together":
        "berkas PEM: `tls_cert` dan `tls_key` diberikan bersama";
}

// What the libraries say that fetch and read: of XML, of JSON, of the network.
phrases! { pub(super) LIBRARIES:
    "io: {}": "{}";
    "protocol: {}": "kesalahan protokol: {}";
    "timeout: {}": "waktu habis: {}";
    "bad uri: {}": "alamat salah: {}";
    "http: {}": "kesalahan HTTP: {}";
    "rustls: {}": "kesalahan TLS: {}";
    "host not found": "host tidak ditemukan";
    "connection failed": "gagal menyambung";
    "redirect failed": "pengalihan gagal";
    "body data reading stalled": "pembacaan isinya berhenti";
    "response header is too big: {} > {}": "kepala jawaban terlalu besar: {} > {}";
    "failed to lookup address information: {}": "alamat host tidak ditemukan: {}";
    "Name or service not known": "nama host tidak dikenal";
    "Temporary failure in name resolution": "layanan nama sedang tidak menjawab";
    "No address associated with hostname": "host tanpa alamat";
    "Network is unreachable": "jaringan tidak terjangkau";
    "No route to host": "host tidak terjangkau";
    "Connection timed out": "sambungan tidak dijawab";
    "Broken pipe": "sambungan terputus";
    "peer closed connection without sending TLS close_notify: {}": "sambungan TLS terputus: {}";
    "invalid peer certificate: {}": "sertifikat lawan tidak sah: {}";
    "UnknownIssuer": "penerbitnya tidak dikenal";
    "Expired": "sudah kedaluwarsa";
    "I/O error: {}": "galat baca: {}";
    "syntax error: {}": "galat sintaks: {}";
    "ill-formed document: {}": "dokumen salah bentuk: {}";
    "error while parsing attribute: {}": "galat pada atribut: {}";
    "unknown or missed symbol in markup": "tanda yang tidak dikenal di markah";
    "comment not closed: `-->` not found before end of input": "komentar tidak ditutup dengan `-->`";
    "CDATA not closed: `]]>` not found before end of input": "CDATA tidak ditutup dengan `]]>`";
    "tag not closed: `>` not found before end of input": "tag tidak ditutup dengan `>`";
    "start tag not closed: `{}` not found before end of input": "tag pembuka tidak ditutup dengan `{}`";
    "close tag `{}` does not match any open tag": "tag penutup `{}` tanpa tag pembuka";
    "expected `{}`, but `{}` was found": "diharapkan `{}`, ditemukan `{}`";
    "forbidden string `--` was found in a comment": "`--` tidak boleh ada di komentar";
    "entity or character reference not closed: `;` not found before end of input":
        "rujukan entitas tidak ditutup dengan `;`";
    "EOF while parsing a list": "terputus di dalam larik";
    "EOF while parsing an object": "terputus di dalam objek";
    "EOF while parsing a string": "terputus di dalam teks";
    "EOF while parsing a value": "terputus sebelum nilainya";
    "expected `{}`": "diharapkan `{}`";
    "expected `{}` or `{}`": "diharapkan `{}` atau `{}`";
    "expected ident": "diharapkan true, false atau null";
    "expected value": "diharapkan nilai";
    "invalid escape": "urutan lolos tidak sah";
    "invalid number": "bilangan tidak sah";
    "number out of range": "bilangan terlalu besar";
    "invalid unicode code point": "kode Unicode tidak sah";
    "key must be a string": "kunci harus teks";
    "trailing comma": "koma berlebih";
    "trailing characters": "ada karakter berlebih di belakang";
    "recursion limit exceeded": "bersarang terlalu dalam";
    "keys may not be consistent: {}": "keduanya tidak cocok";
    "invalid type: {}, expected {}": "jenis salah: {}, seharusnya {}";
}

#[cfg(test)]
pub(super) mod tests {
    use crate::{
        label::Lang,
        phrase::{
            in_indonesian,
            tests::{errors_below, said_below},
            told,
        },
    };

    /// Returns an error as it is written in the sources, with something in the place of its values.
    pub(in crate::phrase) fn filled(error: &str) -> String {
        let mut parts = error.split('{');
        let mut said = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (value, rest) = part.split_once('}').unwrap();
            said += if value == "at" {
                "line `1` column `2`"
            } else {
                "x"
            };
            said += rest;
        }
        said
    }

    #[test]
    fn every_error_of_a_feed_and_of_a_foreign_document_is_said_in_bahasa_indonesia() {
        let others = ["formats/src/table", "formats/src/media"].map(said_below);
        let errors = ["formats/src", "node/src/intake", "node/src/report"].map(errors_below);
        let errors = errors.concat();
        let errors = errors
            .iter()
            .filter(|error| !others.iter().any(|text| text.contains(*error)));
        let errors: Vec<String> = errors.map(|error| filled(error)).collect();
        assert!(errors.len() > 40, "{} were found", errors.len());
        let english: Vec<&String> = errors
            .iter()
            .filter(|error| in_indonesian(error) == **error)
            .collect();
        assert_eq!(english, [""; 0], "these are said in English only");
    }

    #[test]
    fn a_refusal_of_a_feed_is_told_with_its_place_and_its_cause() {
        for (english, indonesian) in [
            (
                "`http://umpan.example/` cannot be reached: io: Connection refused (os error 111)",
                "`http://umpan.example/` tidak dapat dihubungi: sambungan ditolak",
            ),
            (
                "document is an HTML page, as a login or an error page is, not a format that warnings are read from",
                "dokumen ini halaman HTML, seperti halaman masuk atau halaman galat, bukan format yang memuat peringatan",
            ),
            (
                "element `alert/info/area[2]/polygon` at line `40` column `7` says `106.8,-6.2`, which is not a pair `lat,lon` with lat from -90 to 90 and lon from -180 to 180: the two are swapped",
                "elemen `alert/info/area[2]/polygon` di baris `40` kolom `7` berisi `106.8,-6.2`, yang bukan pasangan `lintang,bujur` dengan lintang -90 sampai 90 dan bujur -180 sampai 180: keduanya tertukar",
            ),
            (
                "ill-formed document: expected `</a>`, but `</b>` was found at line `1` column `9`",
                "dokumen salah bentuk: diharapkan `</a>`, ditemukan `</b>` di baris `1` kolom `9`",
            ),
            (
                "`alert/contact` at line `3` column `5`, 2 times: is left out: a contact may be a person",
                "`alert/contact` di baris `3` kolom `5`, 2 kali: ditinggalkan: kontak mungkin orang",
            ),
            (
                "refers to `A`, which is not held here; it ends a warning that is not held in force here",
                "merujuk ke `A`, yang tidak ada di sini; itu mengakhiri peringatan yang tidak berlaku di sini",
            ),
            (
                "gauge `Depok` jumps from `120 cm` to `900 cm` at `2026-01-05T04:00:00Z`: it is believed once the next reading agrees",
                "pos duga air `Depok` melonjak dari `120 cm` ke `900 cm` pada `2026-01-05 11:00:00 WIB`: dipercaya bila bacaan berikutnya cocok",
            ),
        ] {
            assert_eq!(told(english, Lang::Id), indonesian);
        }
    }
}
