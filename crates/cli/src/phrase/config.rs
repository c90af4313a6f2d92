//! What a key of the configuration must be, in Bahasa Indonesia.

phrases! { pub(super) CONFIG:
    "left out at a gateway: provinces take reports in, headquarters reads them":
        "dikosongkan di simpul IMS: provinsi yang menerima laporan, pusat yang membacanya";
    "left out at a gateway: provinces take warnings in, headquarters reads them":
        "dikosongkan di simpul IMS: provinsi yang menerima peringatan, pusat yang membacanya";
    "left out: it belongs to feeds of kind {}": "dikosongkan: kunci itu milik umpan berjenis {}";
    "1 to 16 characters of a-z and 0-9, such as `{}`": "1 sampai 16 karakter a-z dan 0-9, seperti `{}`";
    "a province's code: a gateway has `{}`": "kode provinsi: simpul IMS memakai `{}`";
    "`{}`, since the origin is `{}`": "`{}`, karena asalnya `{}`";
    "`{}`, unless the origin is `{}`": "`{}`, kecuali bila asalnya `{}`";
    "`{}` or `{}`": "`{}` atau `{}`";
    "a UUID such as `{}`, as `{}` wrote it": "UUID seperti `{}`, sebagaimana ditulis `{}`";
    "another address than `{}`": "alamat lain dari `{}`";
    "a list of host names without ports": "daftar nama host tanpa porta";
    "a name such as `{}`": "nama seperti `{}`";
    "a hazard such as `{}`": "bahaya seperti `{}`";
    "1 to 40 characters of a-z, 0-9 and `-`": "1 sampai 40 karakter a-z, 0-9, dan `-`";
    "a name that no other feed has": "nama yang tidak dipakai umpan lain";
    "a name that no other template of the same severity has":
        "nama yang tidak dipakai templat lain dengan keparahan yang sama";
    "an `{}` or `{}` address without user, password or fragment":
        "alamat `{}` atau `{}` tanpa nama pengguna, kata sandi, atau bagian sesudah `#`";
    "`bmkg-nowcast`, `bmkg-earthquake`, `cap`, `gauges` or `volcanoes`":
        "`bmkg-nowcast`, `bmkg-earthquake`, `cap`, `gauges`, atau `volcanoes`";
    "a list of names of gauges that are known": "daftar nama pos duga air yang dikenal";
    "a list of `DKI Jakarta`, `Jawa Barat` and `Banten`, each once":
        "daftar dari `DKI Jakarta`, `Jawa Barat`, dan `Banten`, masing-masing sekali";
    "a list of at least one province, or left out for all three":
        "daftar sedikitnya satu provinsi, atau dikosongkan untuk ketiganya";
    "a gauge's name of 1 to 60 characters, which no other gauge has":
        "nama pos duga air 1 sampai 60 karakter, yang tidak dipakai pos lain";
    "lower than the graver level before it": "lebih rendah dari tingkat lebih gawat di atasnya";
    "a height in centimeters for at least one level": "tinggi dalam sentimeter untuk sedikitnya satu tingkat";
    "a list of region codes with minutes, such as `{}`": "daftar kode wilayah dengan menit, seperti `{}`";
    "region codes with minutes, such as `{}`, at most a week":
        "kode wilayah dengan menit, seperti `{}`, paling lama seminggu";
    "`error`, `warn`, `info`, `debug`, `trace` or `off`, or pairs `{}` separated by commas":
        "`error`, `warn`, `info`, `debug`, `trace` atau `off`, atau pasangan `{}` yang dipisah koma";
    "a text in quotes": "teks dalam tanda kutip";
    "a list of texts in quotes": "daftar teks dalam tanda kutip";
    "a section `{}`": "bagian `{}`";
    "sections `{}`": "bagian-bagian `{}`";
    "1 to 200 bytes without blanks, commas, `<` and `&`": "1 sampai 200 bita tanpa spasi, koma, `<`, dan `&`";
    "an office's name of 1 to 200 characters": "nama kantor 1 sampai 200 karakter";
    "an office's name": "nama kantor";
    "`minor`, `moderate`, `severe` or `extreme`": "`minor`, `moderate`, `severe`, atau `extreme`";
    "a text of 1 to 4000 characters": "teks 1 sampai 4000 karakter";
    "a text whose braces hold a placeholder: {}": "teks yang kurung kurawalnya berisi pengganti: {}";
    "a telephone number of at most 40 characters": "nomor telepon paling panjang 40 karakter";
    "a list of IP addresses": "daftar alamat IP";
    "64 hexadecimal digits, the SHA-256 of the token": "64 digit heksadesimal, SHA-256 dari tokennya";
    "a token that no other source has": "token yang tidak dipakai sumber lain";
}

#[cfg(test)]
mod tests {
    use crate::{
        label::Lang,
        phrase::{feed::tests::filled, tests::said_below, told},
    };

    #[test]
    fn everything_that_a_key_of_the_configuration_must_be_is_said_in_bahasa_indonesia() {
        let source = said_below("node/src");
        let source = source.replace("\\\"", "'");
        let calls = [
            "refuse(\"",
            "refuse_key(key, \"",
            "let allowed = \"",
            "refuse(&format!(\"",
        ];
        let reasons: Vec<String> = calls
            .iter()
            .flat_map(|call| source.split(call).skip(1))
            .filter_map(|rest| rest.split('"').next())
            .map(filled)
            .collect();
        assert!(reasons.len() > 25, "{reasons:?}");
        let english: Vec<&String> = reasons
            .iter()
            .filter(|reason| {
                let refusal = format!("key `x` on line `1` is `y`: it must be {reason}");
                let said = told(&refusal, Lang::Id);
                said.contains(reason.as_str()) && reason.contains(' ')
            })
            .collect();
        assert_eq!(english, [""; 0], "these are said in English only");
    }
}
