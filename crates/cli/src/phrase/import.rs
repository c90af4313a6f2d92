//! What is refused of published records of the past, of the files that hold them and of their maps, and what is noted of
//! them, in Bahasa Indonesia. What it never does: translate what a file says.

phrases! { pub(super) IMPORT:
    // The import as a whole.
    "the connection to the node broke off": "sambungan ke simpul terputus";
    "the file changed while it was read": "berkas berubah saat dibaca";
    "{}; what was recorded stays, and the same import goes on when it is run again":
        "{}; yang sudah tercatat tetap ada, dan impor yang sama berlanjut bila dijalankan lagi";
    "another import is under way: try again when it has ended":
        "impor lain sedang berjalan: coba lagi setelah selesai";
    "row `{}`: {}": "baris `{}`: {}";
    "there is no column `{}`, which the map takes; the nearest is `{}`":
        "tidak ada kolom `{}` yang diambil peta; yang terdekat `{}`";
    "there is no column `{}`, which the map takes; the file has the columns of map `{}`, which comes with the program":
        "tidak ada kolom `{}` yang diambil peta; berkas ini berkolom seperti peta bawaan `{}`";
    "its point lies in no region that is known": "titiknya tidak di wilayah yang dikenal";
    "not stated": "tidak dinyatakan";
    "no row has `{}`, which the map takes": "tidak ada baris yang mempunyai `{}`, yang diambil peta";
    "blank rows passed over: `{}`": "baris kosong yang dilewati: `{}`";
    "`{}` is no file: it is read twice, so a pipe is none": "`{}` bukan berkas: ia dibaca dua kali, jadi bukan pipa";
    "read map `{}`: {}; the maps that come with the program are {}":
        "membaca peta `{}`: {}; peta bawaan program adalah {}";
    "map, line `{}`: key `{}` is not known; the nearest known key is `{}`":
        "peta, baris `{}`: kunci `{}` tidak dikenal; yang terdekat `{}`";
    "map, line `{}`: {}": "peta, baris `{}`: {}";
    "map: key `{}` {}": "peta: kunci `{}` {}";
    "map: column `{}` names a person or how to reach one by its heading, and is never read":
        "peta: judul kolom `{}` menyebut orang atau cara menghubunginya, dan tidak pernah dibaca";
    "it has `{}` cells, the header `{}`": "berisi `{}` sel, kepala tabel `{}`";
    "column `{}` is not UTF-8: byte `{}`; if the file is windows-1252, say `--encoding windows-1252`, or write `encoding = \"windows-1252\"` under [file] of the map":
        "kolom `{}` bukan UTF-8: bita `{}`; bila berkasnya windows-1252, pakai `--encoding windows-1252`, atau tulis `encoding = \"windows-1252\"` di bawah [file] pada peta";
    "its record stands in row `{}` already, and says something else there":
        "catatannya sudah ada di baris `{}`, dengan isi yang lain";
    "the text is left out: column `{}` has what looks like {} at character {}":
        "teks ditinggalkan: kolom `{}` berisi yang mirip {} di karakter {}";
    "a telephone number": "nomor telepon";
    "a NIK": "NIK";
    "an address of mail": "alamat surel";
    "`{}` lies in the future: it is `{}` here": "`{}` belum terjadi: di sini `{}`";
    "`{}` is no number": "`{}` bukan bilangan";
    "`{}` is below 0, and counts begin there": "`{}` di bawah 0, padahal jumlah mulai dari 0";
    "`{}` is no whole number, as a count is": "`{}` bukan bilangan bulat, padahal itu jumlah";
    "`{}` may be `{}` or a fraction: say `--thousands {}`, or write `thousands = \"{}\"` under [number] of the map, or `decimal = \"{}\"`":
        "`{}` bisa berarti `{}` atau pecahan: pakai `--thousands {}`, atau tulis `thousands = \"{}\"` di bawah [number] pada peta, atau `decimal = \"{}\"`";
    "`{}` may be day/month or month/day: write `order = \"dmy\"` or `order = \"mdy\"` under [time] of the map":
        "`{}` bisa hari/bulan atau bulan/hari: tulis `order = \"dmy\"` atau `order = \"mdy\"` di bawah [time] pada peta";
    "`{}` is no date: expected one such as `{}`, `{}`, `{}` or `{}`":
        "`{}` bukan tanggal: diharapkan seperti `{}`, `{}`, `{}` atau `{}`";
    "`{}` is no day of the calendar": "`{}` tidak ada di kalender";
    "`{}` has a year of two digits: the century is not known": "`{}` bertahun dua angka: abadnya tidak diketahui";
    "`{}` is no hazard that the map knows; the nearest is `{}`: write it under [hazard.values], or in `left_out`":
        "`{}` bukan bahaya yang dikenal peta; yang terdekat `{}`: tulis di bawah [hazard.values], atau di `left_out`";
    "`{}` is the name of {} places: {}": "`{}` adalah nama {} tempat: {}";
    "`{}` is no place in {}; the nearest name is `{}`": "`{}` bukan tempat di {}; nama terdekat `{}`";
    "`{}` is {} by the map's `system`, and column `{}` says `{}`: is the system right?":
        "`{}` adalah {} menurut `system` pada peta, sedangkan kolom `{}` menyebut `{}`: benarkah sistemnya?";
    "`{}` is {} by Kemendagri and {} by BPS": "`{}` adalah {} menurut Kemendagri dan {} menurut BPS";
    "say of which system the codes are": "sebutkan sistem kodenya";
    "write `system = \"bps\"` or `system = \"kemendagri\"` under [region] of the map":
        "tulis `system = \"bps\"` atau `system = \"kemendagri\"` di bawah [region] pada peta";
    "no column names the year: say it with `--year`, or `year_is` under [time] of the map":
        "tidak ada kolom yang menyebut tahun: sebutkan dengan `--year`, atau `year_is` di bawah [time] pada peta";
    "month `{}` is not in quarter `{}` of column `{}`": "bulan `{}` tidak termasuk triwulan `{}` pada kolom `{}`";
    "`{}` is none of the values under [status] of the map: say whether it is `real`, `test` or `exercise`":
        "`{}` tidak ada di bawah [status] pada peta: nyatakan apakah `real`, `test` atau `exercise`";
    "incident `{}` is no historical one, which a published record could replace":
        "kejadian `{}` bukan data lampau yang dapat diganti catatan terbitan";
    "the count of `{}` is left out, as the map says": "jumlah `{}` ditinggalkan, sesuai peta";
    "`{}` is the sum of several rows": "`{}` adalah jumlah beberapa baris";
    // The map.
    "is `{}`: it must be {}": "berisi `{}`: harus {}";
    "must have 1 to 200 characters": "harus 1 sampai 200 karakter";
    "must be from 1 to 1000": "harus dari 1 sampai 1000";
    "names the year already: `--year` is for a file that names none":
        "sudah menyebut tahun: `--year` untuk berkas yang tidak menyebutnya";
    "cannot stand with `row.events`: a record counts its events, or sums up without":
        "tidak dapat bersama `row.events`: catatan menghitung peristiwanya, atau merangkum tanpa menghitung";
    "is `any`, which needs `sums = true` under [row]: an event has a kind":
        "berisi `any`, yang memerlukan `sums = true` di bawah [row]: sebuah peristiwa ada jenisnya";
    "cannot stand with `row.group`: rows of a group are one record":
        "tidak dapat bersama `row.group`: baris sekelompok adalah satu catatan";
    "needs `group` under [row]: which columns have the same values in all rows of one record":
        "memerlukan `group` di bawah [row]: kolom mana yang sama nilainya di semua baris satu catatan";
    "has `point`, which needs the columns of one under [point]":
        "memuat `point`, yang memerlukan kolomnya di bawah [point]";
    "is missing: the values of `status.column` that mean a real event":
        "tidak ada: nilai `status.column` yang berarti peristiwa nyata";
    "cannot be the mark of thousands too": "tidak dapat juga menjadi pemisah ribuan";
    "needs either `is`, a kind of hazard, or `column`, which says it":
        "memerlukan `is`, jenis bahaya, atau `column`, kolom yang menyebutnya";
    "needs either `date`, or `year` with `month` or `quarter` where there are such columns":
        "memerlukan `date`, atau `year` dengan `month` atau `quarter` bila ada kolomnya";
    "cannot stand with `time.year`, a column that says it":
        "tidak dapat bersama `time.year`, kolom yang menyebutnya";
    "needs `code`, or names: `province`, `regency`, `district`":
        "memerlukan `code`, atau nama: `province`, `regency`, `district`";
    "pmi, government or other": "pmi, government atau other";
    "csv, xlsx or geojson": "csv, xlsx atau geojson";
    "`,`, `;`, `|` or `tab`": "`,`, `;`, `|` atau `tab`";
    "utf-8 or windows-1252": "utf-8 atau windows-1252";
    "`.` or `,`; of thousands also a blank": "`.` atau `,`; untuk ribuan juga spasi";
    "dmy or mdy": "dmy atau mdy";
    "an offset such as `+07:00`": "selisih waktu seperti `+07:00`";
    "bps or kemendagri": "bps atau kemendagri";
    "a Kemendagri code such as `31` or `32.03`, or `point`": "kode Kemendagri seperti `31` atau `32.03`, atau `point`";
    "a measure such as `dead` or `houses_severe`; the nearest is `{}`":
        "ukuran seperti `dead` atau `houses_severe`; yang terdekat `{}`";
    "it is larger than `{}` bytes": "lebih besar dari `{}` bita";
    // The file.
    "the file could not be read": "berkas itu tidak dapat dibaca";
    "the file is {}: {}": "berkas itu {}: {}";
    "UTF-8, by its byte order mark": "UTF-8, menurut tanda urutan bitanya";
    "write `encoding = \"utf-8\"` under [file] of the map": "tulis `encoding = \"utf-8\"` di bawah [file] pada peta";
    "text, as a CSV file is": "teks, seperti berkas CSV";
    "a workbook": "buku kerja";
    "the map says another `format` under [file]": "peta menyebut `format` lain di bawah [file]";
    "an old or a locked Excel workbook": "buku kerja Excel lama atau terkunci";
    "save it as XLSX without a password, or as CSV": "simpan sebagai XLSX tanpa kata sandi, atau sebagai CSV";
    "text in UTF-16": "teks UTF-16";
    "save it as CSV in UTF-8": "simpan sebagai CSV dalam UTF-8";
    "tables are read from CSV, XLSX and GeoJSON": "tabel dibaca dari CSV, XLSX dan GeoJSON";
    "packed with gzip": "termampat gzip";
    "unpack it first": "buka dulu mampatannya";
    "an HTML page or XML": "halaman HTML atau XML";
    "empty": "kosong";
    "there is nothing to read": "tidak ada yang dapat dibaca";
    "the header is empty: a row of column names is needed; say which with `header_row` under [file] of the map":
        "kepala tabel kosong: diperlukan baris nama kolom; sebutkan dengan `header_row` di bawah [file] pada peta";
    "column `{}` has no name in the header": "kolom `{}` tanpa nama di kepala tabel";
    "two columns are named `{}`": "dua kolom bernama `{}`";
    "there are more than `{}` columns": "ada lebih dari `{}` kolom";
    "there are more than `{}` rows: import the file in parts": "ada lebih dari `{}` baris: impor berkasnya sebagian-sebagian";
    "the header has as many `{}` as `{}`: say which stands between cells with `delimiter` under [file] of the map":
        "kepala tabel berisi `{}` sebanyak `{}`: sebutkan pemisah selnya dengan `delimiter` di bawah [file] pada peta";
    "the header: {}": "kepala tabel: {}";
    "the quotation mark that opens a cell in the row of line `{}` is not closed within `{}` bytes":
        "tanda kutip pembuka sel di baris `{}` tidak ditutup dalam `{}` bita";
    "the row of line `{}` is longer than `{}` bytes": "baris `{}` lebih panjang dari `{}` bita";
    "the file has more than `{}` bytes: write it as CSV, which may be of any size":
        "berkas itu lebih dari `{}` bita: tulis sebagai CSV, yang boleh sebesar apa pun";
    "the workbook unpacks to more than `{}` bytes: write the sheet as CSV":
        "isi buku kerja itu lebih dari `{}` bita: tulis lembarnya sebagai CSV";
    "the workbook cannot be read: {}": "buku kerja itu tidak terbaca: {}";
    "there is no sheet `{}`: the workbook has {}": "tidak ada lembar `{}`: buku kerja itu berisi {}";
    "the document is no list of GeoJSON features at line `{}`: {}":
        "dokumen itu bukan daftar fitur GeoJSON di baris `{}`: {}";
    "the publisher's answer has status `{}`: it is an error and no data":
        "jawaban penerbit berstatus `{}`: itu galat, bukan data";
    "the document has no `features`: ask for GeoJSON, such as with `geoformat=geojson`":
        "dokumen itu tanpa `features`: mintalah GeoJSON, misalnya dengan `geoformat=geojson`";
    "the features have more than `{}` fields": "fiturnya lebih dari `{}` isian";
    "the feature is no object": "fiturnya bukan objek";
    "the geometry is no point on earth: a point is `[longitude, latitude]` in degrees":
        "geometrinya bukan titik di bumi: titik adalah `[bujur, lintang]` dalam derajat";
    // A cell.
    "column `{}` is UTF-8, and the map says windows-1252: write `encoding = \"utf-8\"` under [file] of the map":
        "kolom `{}` UTF-8, padahal peta menyebut windows-1252: tulis `encoding = \"utf-8\"` di bawah [file] pada peta";
    "column `{}` has byte `{}`, which is no letter of windows-1252":
        "kolom `{}` berisi bita `{}`, yang bukan huruf windows-1252";
    "column `{}` holds a byte of value 0: the file is no text": "kolom `{}` berisi bita 0: berkas itu bukan teks";
    "column `{}` goes on after its closing quotation mark": "kolom `{}` berlanjut sesudah tanda kutip penutupnya";
    "column `{}` holds the workbook's error `{}`": "kolom `{}` berisi galat buku kerja `{}`";
    "`{}` is no month: expected a name such as `Januari` or a number from 1 to 12":
        "`{}` bukan bulan: diharapkan nama seperti `Januari` atau angka 1 sampai 12";
    "`{}` is no quarter: expected `1` to `4` or `I` to `IV`": "`{}` bukan triwulan: diharapkan `1` sampai `4` atau `I` sampai `IV`";
    "`{}` is no year: expected four digits": "`{}` bukan tahun: diharapkan empat angka";
    "`{}` is larger than 1,000,000,000": "`{}` lebih dari 1.000.000.000";
    // A row.
    "`{}` is none of the values under [region.values] of the map, which are {}":
        "`{}` tidak ada di bawah [region.values] pada peta, yaitu {}";
    "is empty, and the latitude is not": "kosong, padahal lintangnya tidak";
    "is empty, and the longitude is not": "kosong, padahal bujurnya tidak";
    "`{}, {}` is in Indonesia only with latitude and longitude the other way round":
        "`{}, {}` ada di Indonesia hanya bila lintang dan bujurnya ditukar";
    "`{}, {}` is not in Indonesia: expected degrees, the latitude from -11 to 6":
        "`{}, {}` tidak di Indonesia: diharapkan derajat, lintang dari -11 sampai 6";
    "it ends before it begins in column `{}`": "berakhir sebelum mulainya di kolom `{}`";
    "it is empty: when did it happen?": "kosong: kapan terjadinya?";
    "it is empty: in which year did it happen?": "kosong: tahun berapa terjadinya?";
    "`{}` is no measure that the map knows; the nearest is `{}`: write it under [figures.long.values], or in `left_out`":
        "`{}` bukan ukuran yang dikenal peta; yang terdekat `{}`: tulis di bawah [figures.long.values], atau di `left_out`";
    "the text is left out: it has `{}` characters, a note at most 4,000":
        "teks ditinggalkan: `{}` karakter, padahal catatan paling banyak 4.000";
    "`{}` is a code of a kecamatan, a kelurahan or a desa, which BPS and Kemendagri number each in their own way: {}":
        "`{}` adalah kode kecamatan, kelurahan atau desa, yang dinomori BPS dan Kemendagri dengan cara masing-masing: {}";
    "BPS's code of a kecamatan, a kelurahan or a desa is read up to its kab/kota":
        "kode kecamatan, kelurahan atau desa dari BPS dibaca sampai kab/kotanya";
    "the code of a kelurahan or a desa is read up to its kecamatan":
        "kode kelurahan atau desa dibaca sampai kecamatannya";
    "`{}` is no code of BPS, which has 2 digits for a province, 4 for a kab/kota, 7 for a kecamatan and 10 for a desa, and no dots":
        "`{}` bukan kode BPS, yang berisi 2 angka untuk provinsi, 4 untuk kab/kota, 7 untuk kecamatan dan 10 untuk desa, tanpa titik";
    "`{}` is no code of a province or a kab/kota: expected two or four digits, with a dot between or none":
        "`{}` bukan kode provinsi atau kab/kota: diharapkan dua atau empat angka, dengan titik atau tanpa titik";
    "`{}` is no province; the nearest is `{}`": "`{}` bukan provinsi; yang terdekat `{}`";
    "the row names no region": "baris itu tidak menyebut wilayah";
    "the other rows of its record end in row `{}`: they must stand together, so sort the file first":
        "baris lain dari catatannya berakhir di baris `{}`: semuanya harus berdampingan, jadi urutkan dulu berkasnya";
    "it belongs to the record of row `{}`, and says another place, time or hazard":
        "termasuk catatan di baris `{}`, tetapi tempat, waktu atau bahayanya lain";
}

#[cfg(test)]
mod tests {
    use crate::{
        label::Lang,
        phrase::{
            feed::tests::filled,
            in_indonesian,
            tests::{errors_below, said_below},
            told,
        },
    };

    #[test]
    fn every_error_of_a_table_and_of_a_map_is_said_in_bahasa_indonesia() {
        let errors = ["formats/src/table", "node/src/import"].map(errors_below);
        let errors: Vec<String> = errors.concat().iter().map(|error| filled(error)).collect();
        assert!(errors.len() > 35, "{} were found", errors.len());
        let english: Vec<&String> = errors
            .iter()
            .filter(|error| in_indonesian(error) == **error)
            .collect();
        assert_eq!(english, [""; 0], "these are said in English only");
    }

    #[test]
    fn everything_that_is_wrong_with_a_map_is_said_in_bahasa_indonesia() {
        let source = said_below("node/src/import");
        let reasons = source.split("Err(invalid(").skip(1).filter_map(|call| {
            let call = call.split(");").next()?;
            call.split('"').nth(3)
        });
        let reasons: Vec<&str> = reasons.collect();
        assert!(reasons.len() > 8, "{reasons:?}");
        for reason in reasons {
            let refusal = format!("map: key `x` {reason}");
            let said = told(&refusal, Lang::Id);
            assert!(!said.contains(reason), "{said}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_row_is_told_with_its_values() {
        for (english, indonesian) in [
            (
                "map: key `file.encoding` is `latin`: it must be utf-8 or windows-1252",
                "peta: kunci `file.encoding` berisi `latin`: harus utf-8 atau windows-1252",
            ),
            (
                "`1.234` may be `1234` or a fraction: say `--thousands .`, or write `thousands = \".\"` under [number] of the map, or `decimal = \".\"`",
                "`1.234` bisa berarti `1234` atau pecahan: pakai `--thousands .`, atau tulis `thousands = \".\"` di bawah [number] pada peta, atau `decimal = \".\"`",
            ),
            (
                "`b.csv`: there is no column `a`, which the map takes; the file has the columns of map `jabar-banjir`, which comes with the program",
                "`b.csv`: tidak ada kolom `a` yang diambil peta; berkas ini berkolom seperti peta bawaan `jabar-banjir`",
            ),
        ] {
            assert_eq!(told(english, Lang::Id), indonesian);
        }
    }
}
