//! What the help says of commands and options, in Bahasa Indonesia. What it never does: translate an example.

use super::explain::EXPLAINED;

/// Returns the command with its help in Bahasa Indonesia; examples stay.
pub(crate) fn helped(command: clap::Command) -> clap::Command {
    let said = |text: &clap::builder::StyledStr| {
        let text = text.to_string();
        let known = HELP.iter().find(|(english, _)| *english == text);
        known.map(|(_, indonesian)| *indonesian)
    };
    let about = command.get_about().and_then(said);
    let command = match about {
        Some(about) => command.about(about),
        None => command,
    };
    let command = match command.get_after_help().map(ToString::to_string) {
        Some(after) => command.after_help(explained(&after)),
        None => command,
    };
    command
        .mut_args(|arg| {
            let arg = valued(arg);
            match arg.get_help().and_then(said) {
                Some(help) => arg.help(help),
                None => arg,
            }
        })
        .mut_subcommands(helped)
}

/// Returns what stands beneath a help, with what is explained there in Bahasa Indonesia.
fn explained(after: &str) -> String {
    let parts = after.split("\n\n").map(|part| {
        let known = EXPLAINED.iter();
        let said = known.filter(|(english, _)| *english == part);
        said.map(|(_, indonesian)| *indonesian)
            .next()
            .unwrap_or(part)
    });
    parts.collect::<Vec<&str>>().join("\n\n")
}

/// Returns an argument whose value is called by its Indonesian name.
fn valued(arg: clap::Arg) -> clap::Arg {
    if !arg.get_action().takes_values() || !arg.get_possible_values().is_empty() {
        return arg;
    }
    let english = value_name(&arg);
    let known = VALUES.iter().find(|(known, _)| *known == english);
    match known {
        Some((_, indonesian)) => arg.value_name(*indonesian),
        None => arg,
    }
}

/// Returns what a help calls an argument's value.
fn value_name(arg: &clap::Arg) -> String {
    let named = arg.get_value_names().and_then(|names| names.first());
    named.map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string)
}

/// Returns a usage with the places of what may stand there in Bahasa Indonesia.
pub(super) fn placed(usage: &str) -> String {
    usage
        .replace("[OPTIONS]", "[OPSI]")
        .replace("<COMMAND>", "<PERINTAH>")
        .replace("[COMMAND]", "[PERINTAH]")
}

/// Returns a help whose headings are in Bahasa Indonesia.
pub(crate) fn headed(help: &str) -> String {
    let lines = help.lines().map(|line| {
        let heading = (HEADINGS.iter())
            .filter_map(|(english, indonesian)| Some((line.strip_suffix(english)?, *indonesian)))
            .min_by_key(|(before, _)| before.len());
        let line = match heading {
            Some((before, words)) => format!("{before}{words}"),
            None => line.replacen("Usage: ", "Pemakaian: ", 1),
        };
        placed(&line)
            .replace("[default: ", "[bawaan: ")
            .replace("[possible values: ", "[pilihan: ")
            .replace("[env: ", "[lingkungan: ")
    });
    lines.collect::<Vec<String>>().join("\n")
}

phrases! { pub(super) HELP:
    // Every command.
    "Posko: the federated operations room of the provinces": "Posko: ruang operasi bersama provinsi-provinsi";
    "Directory of the node": "Direktori simpul";
    "Print stable JSON instead of text": "Cetak JSON yang tetap bentuknya, bukan teks";
    "Language of the text": "Bahasa teks";
    "Id of this command, for a retry: a repeated id is answered as the first time [default: a random one]":
        "Id perintah ini, untuk diulang: id yang sama dijawab seperti pertama kali [bawaan: acak]";
    "Refuse unless the thing is still at this version": "Tolak bila versinya sudah bukan ini";
    "Record it as a drill, which can touch nothing real": "Catat sebagai latihan, yang tidak menyentuh apa pun yang nyata";
    "When it happened, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: now]": "Kapan terjadi, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: sekarang]";
    "At most this many; 0 lists all": "Paling banyak sekian; 0 berarti semua";
    "Why": "Sebabnya";
    "Why; it names nobody, since every province reads it": "Sebabnya; tanpa nama orang, karena dibaca semua provinsi";
    "File of the recovery key, from the safe": "Berkas kunci pemulihan, dari brankas";
    "Events of the entries": "Peristiwa dari entri itu";
    "The file to write": "Berkas yang akan ditulis";
    "Read the password from the first line of standard input": "Baca kata sandi dari baris pertama masukan baku";
    // What happens to incidents, and sites.
    "Judges anew how grave an incident is": "Menilai ulang beratnya kejadian";
    "minor, moderate, severe or extreme": "ringan, sedang, berat atau ekstrem";
    "Changes PMI's scale of an operation that runs": "Mengubah skala PMI dari operasi yang berjalan";
    "small, medium or large": "kecil, sedang atau besar";
    "Says when a step was taken: the first team departed, arrived, an assessment was handed in":
        "Mencatat kapan sebuah langkah terjadi: tim pertama berangkat, tiba, asesmen diserahkan";
    "occurred, team_departed, on_scene or assessment_submitted":
        "terjadi, tim-berangkat, tim-di-lokasi atau asesmen-diserahkan";
    "Says that the threat is over and recovery begins": "Menyatakan ancaman sudah lewat dan pemulihan dimulai";
    "Calls an incident off before any team left": "Membatalkan kejadian sebelum ada tim yang berangkat";
    "entered_in_error, stood_down or handed_over": "salah-catat, bahaya-lewat atau diserahkan";
    "Opens an incident again that was false, merged, cancelled, ended or closed":
        "Membuka lagi kejadian yang tidak benar, digabung, dibatalkan, selesai atau ditutup";
    "recurred, new_information or ended_in_error": "terjadi-lagi, informasi-baru atau salah-diakhiri";
    "Notes the GLIDE number that was given to it": "Mencatat nomor GLIDE yang diberikan kepadanya";
    "The number": "Nomornya";
    "Says how it stands to another incident, also of another province":
        "Menyatakan hubungannya dengan kejadian lain, juga dari provinsi lain";
    "Puts an account into a post, or takes it out; a commander hands over to the next":
        "Menempatkan akun pada jabatan, atau melepasnya; komandan menyerahkan kepada penggantinya";
    "commander, deputy, operations, planning, logistics, administration, public_relations, liaison, safety, health or assessment":
        "komandan, wakil-komandan, operasi, perencanaan, logistik, administrasi, humas, perwakilan-instansi, keselamatan, kesehatan atau asesmen";
    "Login name or id of the account [default: the one that is logged in]":
        "Nama masuk atau id akunnya [bawaan: yang sedang masuk]";
    "Take it out": "Lepaskan";
    "Calls the posts of a level, or says that they are there":
        "Memanggil jabatan pada satu tingkat, atau menyatakan mereka sudah hadir";
    "branch, province, region or national": "cabang, provinsi, tiga-provinsi atau nasional";
    "Until when somebody must answer, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: the level's]":
        "Kapan paling lambat harus dijawab, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: menurut tingkatnya]";
    "The called are there": "Yang dipanggil sudah hadir";
    "Sets an operational period of the operations plan (rencana operasi), or approves its plan":
        "Menetapkan periode operasi dalam rencana operasi, atau menyetujui rencananya";
    "Its number, from 1": "Nomornya, mulai dari 1";
    "Its begin, such as 14:00 or \"2026-11-29 14:00\" (WIB)": "Awalnya, seperti 14:00 atau \"2026-11-29 14:00\" (WIB)";
    "Its end, such as 14:00 or \"2026-11-29 14:00\" (WIB)": "Akhirnya, seperti 14:00 atau \"2026-11-29 14:00\" (WIB)";
    "Approve its plan, with the objectives that it has now":
        "Setujui rencananya, dengan sasaran yang ada sekarang";
    "Sets an objective, or says what became of it": "Menetapkan sasaran, atau menyatakan hasilnya";
    "The objective that is set anew [default: a new one]": "Sasaran yang ditetapkan ulang [bawaan: yang baru]";
    "The objective that was reached": "Sasaran yang tercapai";
    "The objective that is not pursued any more": "Sasaran yang dihentikan";
    "normal, high or lifesaving": "biasa, penting atau menyelamatkan-jiwa";
    "Until when, such as 14:00 or \"2026-11-29 14:00\" (WIB)": "Sampai kapan, seperti 14:00 atau \"2026-11-29 14:00\" (WIB)";
    "The number of its operational period": "Nomor periode operasinya";
    "Who is to reach it": "Siapa yang mencapainya";
    "Says what is needed, that a part of it came, or what became of it":
        "Mencatat kebutuhan, bagian yang sudah terpenuhi, atau hasilnya";
    "Its field of work": "Bidangnya";
    "How much is needed, or came [default: not quantified]": "Berapa yang dibutuhkan, atau yang datang [bawaan: tanpa jumlah]";
    "What is counted": "Yang dihitung";
    "Kemendagri code or name of the place where it is needed": "Kode Kemendagri atau nama tempat yang membutuhkan";
    "The need that is said anew [default: a new one]": "Kebutuhan yang dicatat ulang [bawaan: yang baru]";
    "The need of which a part came": "Kebutuhan yang terpenuhi sebagian";
    "Who brought it: pmi, government or other": "Siapa yang memenuhinya: pmi, pemerintah atau lainnya";
    "The quantity is all that they brought so far, in place of what was said before":
        "Jumlah itu seluruh yang mereka penuhi sejauh ini, menggantikan yang tercatat";
    "The need that is met": "Kebutuhan yang terpenuhi";
    "The need that is not pursued any more": "Kebutuhan yang dihentikan";
    "The need that stands under another id": "Kebutuhan yang sudah tercatat dengan id lain";
    "Notes the legal status of the emergency as an authority declared it, or that it was ended early":
        "Mencatat status keadaan darurat yang ditetapkan pejabat, atau pencabutannya lebih awal";
    "alert, response, transition or certain_condition": "siaga-darurat, tanggap-darurat, transisi atau keadaan-tertentu";
    "regency, province or national": "kabupaten/kota, provinsi atau nasional";
    "The office that declares it: regent, mayor, governor, president or bnpb":
        "Pejabat yang menetapkan: bupati, wali-kota, gubernur, presiden atau kepala-bnpb";
    "The decree's number": "Nomor surat keputusan";
    "The day of the decree": "Tanggal surat keputusan";
    "Its first day, or its begin, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: with --extends, where the other ends]":
        "Hari pertamanya, atau awalnya, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: dengan --extends, akhir status itu]";
    "Its last day, or its end, such as 14:00 or \"2026-11-29 14:00\" (WIB)": "Hari terakhirnya, atau akhirnya, seperti 14:00 atau \"2026-11-29 14:00\" (WIB)";
    "A hazard that it names; may be repeated": "Bahaya yang disebutnya; dapat diulang";
    "Kemendagri code or name of an area in which it holds; may be repeated": "Kode Kemendagri atau nama wilayah berlakunya; dapat diulang";
    "The declaration that it extends": "Status yang diperpanjangnya";
    "The declaration that is noted anew [default: a new one]": "Status yang dicatat ulang [bawaan: yang baru]";
    "File of the decree: its SHA-256 is noted, and it is not sent":
        "Berkas surat keputusan: SHA-256-nya dicatat, berkasnya tidak dikirim";
    "The declaration that was ended early, at --occurred-at": "Status yang dicabut lebih awal, pada --occurred-at";
    "Hands a rapid assessment in, on PMI's form or IFRC's of 24 and 72 hours":
        "Menyerahkan asesmen cepat, dengan formulir PMI atau IFRC 24 dan 72 jam";
    "File of answers, TOML or JSON": "Berkas jawaban, TOML atau JSON";
    "Print an empty file of this form with all its questions: pmi, ifrc_24h or ifrc_72h":
        "Cetak berkas kosong formulir ini dengan semua pertanyaannya: pmi, ifrc_24h atau ifrc_72h";
    "Only check the file against its form; nothing is sent": "Periksa saja berkas itu terhadap formulirnya; tidak ada yang dikirim";
    "Lists and shows the rapid assessments of an incident": "Mendaftar dan menampilkan asesmen cepat sebuah kejadian";
    "Lists the rapid assessments of an incident, older versions too":
        "Mendaftar asesmen cepat sebuah kejadian, juga versi lamanya";
    "Shows one rapid assessment with its answers and what follows from them":
        "Menampilkan satu asesmen cepat dengan jawaban dan angka turunannya";
    "The assessment": "Asesmennya";
    "Records the impact figures that follow from a rapid assessment, as PMI's, of its time":
        "Mencatat angka dampak yang mengikuti dari asesmen cepat, sebagai angka PMI, pada waktu asesmen";
    "Also record the impact figures that follow from the answers, as PMI's":
        "Catat juga angka dampak yang mengikuti dari jawabannya, sebagai angka PMI";
    "Lists every event of an incident and of its sites, in the order of its log":
        "Mendaftar setiap peristiwa kejadian dan titik layanannya, menurut urutan log";
    "The larger incident that it is a part of": "Kejadian lebih besar yang mencakupnya";
    "An incident that it belongs with": "Kejadian yang terkait dengannya";
    "An incident that it does not belong with any more": "Kejadian yang tidak lagi terkait dengannya";
    "Why, in words that name nobody": "Sebabnya, dengan kata yang tidak menyebut nama orang";
    "Why, as a log note": "Sebabnya, sebagai catatan";
    "Why it is false: not_confirmed, hoax, below_threshold or elsewhere":
        "Mengapa tidak benar: tidak-terkonfirmasi, berita-bohong, tidak-perlu-respons atau wilayah-cabang-lain";
    "What the same source said for that time, or a later one, was wrong; the log keeps it":
        "Yang dikatakan sumber itu untuk waktu itu, atau sesudahnya, keliru; log tetap menyimpannya";
    "A figure; may be repeated, at most once a measure, sex and age":
        "Satu angka; boleh diulang, paling banyak sekali tiap ukuran, jenis kelamin dan umur";
    "Send a text as it is, though a part of it looks like a telephone number, a NIK or an address of mail":
        "Kirim teks apa adanya, walau ada bagian yang mirip nomor telepon, NIK atau alamat surel";
    "Opens, counts, closes, lists and shows the sites of incidents":
        "Membuka, menghitung, menutup dan menampilkan titik layanan kejadian";
    "Opens a site of an incident of this province": "Membuka titik layanan untuk kejadian provinsi ini";
    "Id or number of the incident": "Id atau nomor kejadiannya";
    "evacuation, kitchen, water, health or command": "pengungsian, dapur-umum, air-bersih, pos-kesehatan atau pos-komando";
    "What the place is called": "Nama tempatnya";
    "Kemendagri code or name of the place": "Kode Kemendagri atau nama tempatnya";
    "How much it can do: persons, meals, litres or patients a day":
        "Kapasitasnya: orang, porsi, liter atau pasien sehari";
    "Says how much a site can do": "Menetapkan kapasitas titik layanan";
    "Id": "Id-nya";
    "How much, in the unit of its kind; 0 when it is not known":
        "Berapa, dalam satuan jenisnya; 0 bila tidak diketahui";
    "Says who is at a site": "Mencatat siapa yang ada di titik layanan";
    "Everybody, or a part of them; may be repeated": "Semua orang, atau sebagiannya; boleh diulang";
    "How many households": "Berapa KK";
    "How many live with a disability": "Berapa penyandang disabilitas";
    "How many are pregnant or nurse a child": "Berapa yang hamil atau menyusui";
    "Time of the count, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: now]": "Waktu penghitungan, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: sekarang]";
    "Says what a site did in a time: meals, litres, patients":
        "Mencatat hasil titik layanan dalam suatu waktu: porsi, liter, pasien";
    "How much, in the unit of its kind": "Berapa, dalam satuan jenisnya";
    "Begin of the time, such as 14:00 or \"2026-11-29 14:00\" (WIB)": "Awal waktunya, seperti 14:00 atau \"2026-11-29 14:00\" (WIB)";
    "End of the time, such as 14:00 or \"2026-11-29 14:00\" (WIB)": "Akhir waktunya, seperti 14:00 atau \"2026-11-29 14:00\" (WIB)";
    "Says what a site lacks, or that a part of it came":
        "Mencatat kekurangan titik layanan, atau yang sudah datang";
    "What, such as meals, water_l, blankets, tents, medicines or volunteers":
        "Apa, seperti makanan, air-bersih, selimut, tenda, obat-obatan atau relawan";
    "How much, in the unit of the kind": "Berapa, dalam satuan jenis itu";
    "Time that it describes, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: now]":
        "Waktu yang digambarkannya, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: sekarang]";
    "It came": "Sudah datang";
    "Closes a site": "Menutup titik layanan";
    "Lists sites of the whole region, newest first, with the age of each count":
        "Mendaftar titik layanan seluruh wilayah, yang terbaru dulu, dengan umur tiap hitungan";
    "Only those of this incident, by its id or number":
        "Hanya yang dari kejadian ini, menurut id atau nomornya";
    "Leave out closed ones": "Tanpa yang ditutup";
    "Shows one site": "Menampilkan satu titik layanan";
    "Says what files would become as warnings, or what is wrong and where; stores nothing":
        "Menyatakan berkas akan menjadi peringatan apa, atau apa yang salah dan di mana; tidak menyimpan apa pun";
    "The files; `-` is the standard input": "Berkasnya; `-` berarti masukan baku";
    // Published records of the past.
    "Takes published disaster records of the past as historical incidents, which raise no alarm":
        "Mengambil catatan bencana terbitan sebagai data lampau, yang tidak membunyikan tanda apa pun";
    "The file: CSV, XLSX or GeoJSON": "Berkasnya: CSV, XLSX atau GeoJSON";
    "The map that says which column means what: a file, or the name of one that comes with the program":
        "Peta yang menyatakan arti tiap kolom: sebuah berkas, atau nama peta bawaan program";
    "Say what each row would become, or what is wrong and where; it stores nothing and needs no running node":
        "Nyatakan tiap baris akan menjadi apa, atau apa yang salah dan di mana; tidak menyimpan apa pun dan simpul tidak perlu berjalan";
    "Year of a file that names none": "Tahun untuk berkas yang tidak menyebutnya";
    "Under which terms it is published, kept with every record [default: the map's]":
        "Dengan ketentuan apa diterbitkan, disimpan bersama tiap catatan [bawaan: menurut peta]";
    "In what a CSV file is written: utf-8 or windows-1252 [default: the map's]":
        "Pengodean berkas CSV: utf-8 atau windows-1252 [bawaan: menurut peta]";
    "What parts thousands: a point, a comma or a blank [default: the map's]":
        "Pemisah ribuan: titik, koma atau spasi [bawaan: menurut peta]";
    "Province whose records are kept, with --dry-run [default: the node's of the directory]":
        "Provinsi yang catatannya diambil, dengan --dry-run [bawaan: milik simpul di direktori]";
    "At most this many rows are shown; 0 shows all [default: 20, with --json all]":
        "Paling banyak sekian baris ditampilkan; 0 berarti semua [bawaan: 20, dengan --json semua]";
    "Those taken from published records of the past, by when they happened, and no others":
        "Hanya data lampau dari catatan terbitan, menurut waktu terjadinya";
    // What was known of a log.
    "Tells what this node knew of another's log at a time":
        "Menyatakan apa yang diketahui simpul ini tentang log lain pada suatu waktu";
    "The time": "Waktunya";
    // Incidents.
    "Reports, runs, lists and shows incidents": "Melaporkan, menjalankan, dan menampilkan kejadian";
    "Opens an incident, also from a warning": "Membuka kejadian, juga dari peringatan";
    "Confirms a reported incident": "Memverifikasi kejadian yang dilaporkan";
    "Who confirmed it: pmi, government or other": "Siapa yang memastikan: pmi, pemerintah atau lainnya";
    "Says that a report is false, or a duplicate": "Menyatakan laporan tidak benar, atau ganda";
    "Id or number of the incident that it is the same as": "Id atau nomor kejadian yang sama dengannya";
    "Id or number": "Id atau nomor";
    "Activates response teams for a verified incident": "Mengaktifkan tim respons untuk kejadian yang terverifikasi";
    "PMI's scale: small, medium or large": "Skala PMI: kecil, sedang atau besar";
    "Sets impact figures with their source and time": "Menetapkan angka dampak dengan sumber dan waktunya";
    "Who gave them: pmi, government or other": "Siapa yang memberikannya: pmi, pemerintah atau lainnya";
    "Time that they describe, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: now]": "Waktu yang digambarkannya, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: sekarang]";
    "Adds a log note": "Menambah catatan";
    "The note, at most 4,000 characters": "Catatannya, paling banyak 4.000 karakter";
    "Has the text of a log note of this province deleted at every node":
        "Menghapus isi catatan provinsi ini di semua simpul";
    "The note's event": "Peristiwa catatan itu";
    "The law or the decision by which it is withdrawn": "Undang-undang atau keputusan dasar pencabutannya";
    "Attaches a photo, a decree, a form, a map or a report": "Melampirkan foto, surat keputusan, formulir, peta atau laporan";
    "The file": "Berkasnya";
    "What it is: photo, decree, form, map, report or other": "Apa itu: foto, surat-keputusan, formulir, peta, laporan atau lainnya";
    "The need, declaration or assessment that it belongs to [default: the incident itself]":
        "Kebutuhan, pernyataan atau asesmen yang memilikinya [bawaan: kejadian itu sendiri]";
    "What it shows, as a log note": "Apa yang ditunjukkannya, sebagai catatan";
    "Lists an incident's attachments, and whether each file is here":
        "Mendaftar lampiran kejadian, dan apakah berkasnya ada di sini";
    "Saves an attachment; one that is not here is fetched from a node that has it":
        "Menyimpan lampiran; yang belum ada di sini diambil dari simpul yang memilikinya";
    "The file's SHA-256, or how it begins": "SHA-256 berkas itu, atau awalnya";
    "The new file to save it to": "Berkas baru tempat menyimpannya";
    "How long to wait for it, in seconds": "Berapa lama menunggunya, dalam detik";
    "Has an attachment of this province deleted at every node, with its file":
        "Menghapus lampiran provinsi ini beserta berkasnya di semua simpul";
    "The attachment's event": "Peristiwa lampiran itu";
    "Ends the operation of an activated incident": "Mengakhiri operasi kejadian yang sudah diaktivasi";
    "Closes an incident whose operation has ended": "Menutup kejadian yang operasinya sudah selesai";
    "Lists incidents of the whole region, newest first, with the age of each province's picture":
        "Mendaftar kejadian seluruh wilayah, yang terbaru dulu, dengan umur gambaran tiap provinsi";
    "Only those of this province": "Hanya yang dari provinsi ini";
    "Only those within this Kemendagri code or name": "Hanya yang di dalam kode Kemendagri atau nama ini";
    "Only those of this border zone": "Hanya yang di zona perbatasan ini";
    "Leave out false, merged and closed ones": "Tanpa yang tidak benar, digabung, dan ditutup";
    "Shows one incident with its times, figures and notes": "Menampilkan satu kejadian dengan waktu, angka dan catatannya";
    "Lists what this node is told of other provinces' incidents in shared zones":
        "Mendaftar kejadian provinsi lain di zona bersama yang diberitahukan kepada simpul ini";
    "Kind of incident, such as flood, landslide or earthquake": "Jenis kejadian, seperti banjir, longsor atau gempa";
    "Kemendagri code or name of the place, such as 32.75.01": "Kode Kemendagri atau nama tempatnya, seperti 32.75.01";
    "Latitude in degrees, south negative": "Lintang dalam derajat, selatan negatif";
    "Longitude in degrees": "Bujur dalam derajat";
    "First judgement: minor, moderate, severe or extreme": "Penilaian pertama: ringan, sedang, berat atau ekstrem";
    "How the report came: warning, branch, government, citizen, volunteer or media [default: with a warning, warning]":
        "Asal laporan: peringatan, cabang, pemerintah, warga, relawan atau media [bawaan: dengan peringatan, peringatan]";
    "Warning that it is opened from": "Peringatan yang menjadi dasarnya";
    "First log note": "Catatan pertama";
    // Warnings and feeds.
    "Records, lists and shows early warnings": "Mencatat dan menampilkan peringatan dini";
    "Records a warning that came by telephone, letter or radio":
        "Mencatat peringatan yang datang lewat telepon, surat atau radio";
    "Lists warnings of the whole region, newest first, with the health of the feeds":
        "Mendaftar peringatan seluruh wilayah, yang terbaru dulu, dengan kesehatan umpan";
    "Only those that this node took in": "Hanya yang diterima simpul ini";
    "Leave out expired and cancelled ones": "Tanpa yang berakhir dan dibatalkan";
    "Shows one warning in full": "Menampilkan satu peringatan selengkapnya";
    "The warning: `ID`, or `ORIGIN/ID`": "Peringatannya: `ID`, atau `ASAL/ID`";
    "Takes back a warning of this node": "Membatalkan peringatan simpul ini";
    "Dismisses a citizen's or a branch's report": "Mengabaikan laporan warga atau cabang";
    "The report": "Laporannya";
    "not_confirmed, hoax, duplicate, below_threshold or elsewhere":
        "tidak-terkonfirmasi, berita-bohong, sudah-dilaporkan, tidak-perlu-respons atau provinsi-lain";
    "Has the account that is logged in be told of warnings: by area, hazard and severity":
        "Membuat akun yang sedang masuk diberi tahu tentang peringatan: menurut wilayah, bahaya dan tingkat";
    "Kemendagri code or name of a region, or a zone [default: everywhere]":
        "Kode Kemendagri atau nama wilayah, atau zona [bawaan: di mana saja]";
    "Kind of danger [default: every kind]": "Jenis bahaya [bawaan: semua jenis]";
    "Least severity: minor, moderate, severe or extreme [default: any]":
        "Tingkat paling rendah: ringan, sedang, berat atau ekstrem [bawaan: semua]";
    "Close it although sites, needs or a legal status of it are still open":
        "Tutup walaupun masih ada titik layanan, kebutuhan atau status darurat yang terbuka";
    "Open it although an incident at that place was opened from the same warning and is not over":
        "Buka walaupun di tempat itu sudah ada kejadian dari peringatan yang sama yang belum berakhir";
    "Be told of exercises too": "Beri tahu juga tentang latihan";
    "Lists the subscriptions of the account that is logged in": "Mendaftar langganan akun yang sedang masuk";
    "Ends a subscription": "Mengakhiri langganan";
    "The subscription": "Langganannya";
    "Shows the warnings that the subscriptions match and that changed since they were last seen":
        "Menampilkan peringatan yang sesuai langganan dan berubah sejak terakhir dilihat";
    "Go on, and show it again whenever it changes": "Teruskan, dan tampilkan lagi setiap kali berubah";
    "Shows the inbox once more and acknowledges what it shows, or what a mark stands for":
        "Menampilkan kotak masuk sekali lagi dan menandai isinya sudah dilihat, atau sampai suatu tanda";
    "The mark of an inbox, from its JSON": "Tanda kotak masuk, dari JSON-nya";
    "How a report of a citizen or a branch came: telephone; it then waits to be verified":
        "Cara laporan warga atau cabang datang: telepon; laporan lalu menunggu verifikasi";
    "What was told, in words that name nobody; for a report": "Yang diceritakan, tanpa nama orang; untuk laporan";
    "Only those that reach this region, by its Kemendagri code or name, or this zone":
        "Hanya yang menjangkau wilayah ini, menurut kode Kemendagri atau namanya, atau zona ini";
    "Only reports that wait for the duty officer": "Hanya laporan yang menunggu petugas piket";
    "Drafts a warning of the province's own, which a second person approves":
        "Menyusun draf peringatan provinsi sendiri, yang disetujui orang kedua";
    "Lists this node's drafts, newest first, or shows one in full":
        "Mendaftar draf simpul ini, yang terbaru dulu, atau menampilkan satu selengkapnya";
    "The draft [default: all]": "Drafnya [bawaan: semua]";
    "Leave out those that are approved, withdrawn or expired": "Tanpa yang disetujui, ditarik atau kedaluwarsa";
    "Approves another person's draft, which issues it": "Menyetujui draf orang lain, sehingga diterbitkan";
    "The draft": "Drafnya";
    "Gives a draft up": "Menarik draf";
    "Shows the texts that own warnings are written from": "Menampilkan teks baku untuk peringatan sendiri";
    "Lists the templates": "Mendaftar teks baku";
    "Shows the texts of a template, one for each severity": "Menampilkan teks baku untuk tiap tingkat";
    "Its name": "Namanya";
    "Writes a warning as a document of CAP 1.2": "Menulis peringatan sebagai dokumen CAP 1.2";
    "Template that the texts are written from": "Teks baku yang dipakai";
    "Own warning that it replaces, once approved": "Peringatan sendiri yang digantikannya bila disetujui";
    "Own warning that it takes back, once approved": "Peringatan sendiri yang dibatalkannya bila disetujui";
    "Kemendagri code or name of a region where it holds, or a zone; may be repeated":
        "Kode Kemendagri atau nama wilayah berlakunya, atau zona; boleh diulang";
    "What stands for {level}, such as `Siaga I` [default: the word of the severity]":
        "Isi {level}, seperti `Siaga I` [bawaan: kata untuk tingkatnya]";
    "What stands for {source}: what it is known from [default: the publisher]":
        "Isi {source}: dari mana diketahui [bawaan: penerbit]";
    "What is coming, in Bahasa Indonesia": "Apa yang datang, dalam Bahasa Indonesia";
    "Headline in English": "Judul dalam bahasa Inggris";
    "What is coming, in English": "Apa yang datang, dalam bahasa Inggris";
    "What people are asked to do, in English": "Yang diimbau kepada masyarakat, dalam bahasa Inggris";
    "How many hours from now it holds": "Berlaku berapa jam dari sekarang";
    "The warning's id": "Id peringatan";
    "Who said it: an office, never a person": "Siapa yang menyatakan: lembaga, bukan orang";
    "The publisher's own id [default: one made by the node]": "Id dari penerbitnya [bawaan: dibuat simpul]";
    "Kind of danger": "Jenis bahaya";
    "actual, exercise, system, test or draft [default: actual, with --exercise exercise]":
        "nyata, latihan, sistem, uji-teknis atau rancangan [bawaan: nyata, dengan --exercise latihan]";
    "immediate, expected, future or past": "segera, dalam-satu-jam, nanti atau lewat";
    "observed, likely, possible or unlikely": "teramati, sangat-mungkin, mungkin atau kecil-kemungkinan";
    "The publisher's word for the kind": "Kata penerbit untuk jenisnya";
    "Headline": "Judul";
    "The publisher's text": "Uraian penerbit";
    "What people are asked to do": "Yang diimbau kepada masyarakat";
    "Language of the texts, `id` or `en`": "Bahasa teksnya, `id` atau `en`";
    "The publisher's page": "Halaman penerbit";
    "When the publisher sent it, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: --occurred-at, or now]":
        "Kapan dikirim penerbit, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: --occurred-at, atau sekarang]";
    "From when it holds, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: when it was sent]": "Sejak kapan berlaku, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: saat dikirim]";
    "Until when it holds, such as 14:00 or \"2026-11-29 14:00\" (WIB)": "Sampai kapan berlaku, seperti 14:00 atau \"2026-11-29 14:00\" (WIB)";
    "Kemendagri code or name of a region where it holds; may be repeated": "Kode Kemendagri atau nama wilayah berlakunya; boleh diulang";
    "Where it holds, in the publisher's words": "Wilayah berlakunya, dengan kata penerbit";
    "Circle where it holds; may be repeated": "Lingkaran wilayah berlakunya; boleh diulang";
    "Closed ring where it holds, points separated by spaces; may be repeated":
        "Garis tertutup wilayah berlakunya, titik dipisah spasi; boleh diulang";
    "Shows the sources of warnings and their health": "Menampilkan sumber peringatan dan kesehatannya";
    "Lists the feeds of all nodes and their health, this node's first":
        "Mendaftar umpan semua simpul dan kesehatannya, milik simpul ini dulu";
    "Takes in what files say: CAP alerts, envelopes, earthquakes, bulletins, tables of readings":
        "Menerima isi berkas: peringatan CAP, amplop, gempa, buletin, tabel bacaan";
    "Takes in a reading of a river gauge that came by telephone or radio":
        "Menerima bacaan duga air yang datang lewat telepon atau radio";
    "The gauge, by its name in the configuration": "Pos duga airnya, menurut nama di konfigurasi";
    "Height of the water in centimeters": "Tinggi muka air dalam sentimeter";
    "When it was read, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: now]": "Kapan dibaca, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: sekarang]";
    "Take it although it jumps from the reading before: somebody has looked twice":
        "Terima walau melonjak dari bacaan sebelumnya: sudah dilihat dua kali";
    "Asks a feed of the configuration once, now, and says what each item would become; stores nothing":
        "Menanya satu umpan di konfigurasi sekali, sekarang, dan menyebut tiap isinya akan menjadi apa; tidak menyimpan apa pun";
    "The feed's name in the configuration": "Nama umpan di konfigurasi";
    "Shows the border zones that provinces share": "Menampilkan zona perbatasan bersama";
    "Lists the zones with their kab/kota": "Mendaftar zona dengan kab/kotanya";
    "Looks up the codes of provinces, kab/kota and kecamatan": "Mencari kode provinsi, kab/kota dan kecamatan";
    "Finds places by their name or a part of it, or what a code is of; it needs no running node":
        "Mencari tempat menurut nama atau sebagian namanya, atau tempat sebuah kode; simpul tidak perlu berjalan";
    "The name, a part of it, or a code": "Namanya, sebagian namanya, atau kodenya";
    // Directives.
    "Issues, withdraws and shows headquarters' directives": "Mengeluarkan, mencabut, dan menampilkan arahan pusat";
    "Issues a directive; only at headquarters' gateway": "Mengeluarkan arahan; hanya di gerbang pusat";
    "What is asked, in one line": "Yang diminta, dalam satu baris";
    "The whole text; it names an office, never a person": "Seluruh isinya; menyebut lembaga, bukan orang";
    "routine, urgent or immediate": "biasa, segera atau sangat-segera";
    "Code of a province that it is addressed to; may be repeated [default: all]":
        "Kode provinsi tujuannya; boleh diulang [bawaan: semua]";
    "Border zone that it is addressed to; may be repeated": "Zona perbatasan tujuannya; boleh diulang";
    "Until when it holds, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: until it is withdrawn]":
        "Sampai kapan berlaku, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: sampai dicabut]";
    "Withdraws a directive; only at the gateway that issued it": "Mencabut arahan; hanya di gerbang yang mengeluarkannya";
    "The directive's id": "Id arahan";
    "Lists directives, newest first": "Mendaftar arahan, yang terbaru dulu";
    "Leave out expired and withdrawn ones": "Tanpa yang berakhir dan dicabut";
    "Shows one directive in full": "Menampilkan satu arahan selengkapnya";
    // Accounts.
    "Manages accounts, roles, passwords and sessions": "Mengurus akun, peran, kata sandi dan sesi";
    "Makes an account, with a first role if one is given": "Membuat akun, dengan peran pertama bila diberikan";
    "Login name": "Nama masuk";
    "Login name or id of the account": "Nama masuk atau id akun";
    "Login name or id of the account [default: your own]": "Nama masuk atau id akun [bawaan: akun sendiri]";
    "First role": "Peran pertama";
    "Gives an account a role": "Memberi akun sebuah peran";
    "The role": "Perannya";
    "Takes a role from an account": "Mencabut peran dari akun";
    "Id of the grant, from `posko user list`": "Id penugasan, dari `posko user list`";
    "Lets an account log in no more and ends its sessions": "Menonaktifkan akun dan mengakhiri sesinya";
    "Lists the accounts with their roles": "Mendaftar akun dengan perannya";
    "Sets a new password, your own after the old one":
        "Menetapkan kata sandi baru; untuk akun sendiri kata sandi lama ditanyakan dahulu";
    "Read the password from standard input, of your own account the old one from the line before":
        "Baca kata sandi dari masukan baku; untuk akun sendiri kata sandi lama di baris sebelumnya";
    "Lists open sessions, or ends one": "Mendaftar sesi yang terbuka, atau mengakhiri satu";
    "End this session instead of listing": "Akhiri sesi ini, bukan mendaftar";
    "Where the role holds: a region code or a zone [default: the whole node]":
        "Wilayah peran: kode wilayah atau zona [bawaan: seluruh simpul]";
    "Since when, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: at once]": "Sejak kapan, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: sekarang]";
    "Until when, such as 14:00 or \"2026-11-29 14:00\" (WIB) [default: without end]": "Sampai kapan, seperti 14:00 atau \"2026-11-29 14:00\" (WIB) [bawaan: tanpa batas]";
    "Id of the account on whose behalf it is held": "Id akun yang diwakili";
    "Opens a session and keeps its token for the following commands":
        "Membuka sesi dan menyimpan tokennya untuk perintah berikutnya";
    "Print the token instead of keeping it": "Cetak token, bukan menyimpannya";
    "Ends the session of `posko login`, or of $POSKO_TOKEN, and forgets its token":
        "Mengakhiri sesi `posko login`, atau $POSKO_TOKEN, dan melupakan tokennya";
    // The node and its peers.
    "Makes a node in the directory: configuration, certificate authority, keys and an empty log":
        "Membuat simpul di direktori: konfigurasi, otoritas sertifikat, kunci dan log kosong";
    "What it is: node for a province's, gateway for headquarters'": "Macamnya: node untuk provinsi, gateway untuk pusat";
    "Code of the province, which names the node and its log [default for a gateway: ims]":
        "Kode provinsi, nama simpul dan lognya [bawaan untuk gerbang: ims]";
    "Card of a node of the federation to join: the text, `@FILE`, or `-` for standard input":
        "Kartu sebuah simpul dari federasi yang diikuti: teksnya, `@BERKAS`, atau `-` untuk masukan baku";
    "Where operators reach it": "Alamat untuk operator";
    "Where it listens for peers": "Alamat mendengarkan rekan";
    "Where peers dial it; left out, it only dials": "Alamat yang dihubungi rekan; tanpa ini ia hanya menghubungi";
    "Further host name or address for its certificate; may be repeated":
        "Nama host atau alamat lain untuk sertifikatnya; boleh diulang";
    "Runs the node of the directory until it is told to stop": "Menjalankan simpul di direktori sampai disuruh berhenti";
    "What to log: error, warn, info, debug, or a filter such as `info,posko_node=debug` [default: as configured]":
        "Yang dicatat: error, warn, info, debug, atau saringan seperti `info,posko_node=debug` [bawaan: menurut konfigurasi]";
    "Log in JSON, one object a line, whatever the configuration says":
        "Catat dalam JSON, satu objek sebaris, apa pun konfigurasinya";
    "Shows who is behind whom, since when and why": "Menampilkan siapa tertinggal dari siapa, sejak kapan dan mengapa";
    "Shows this node's card, and accepts or drops those of others":
        "Menampilkan kartu simpul ini, dan menerima atau melepas kartu simpul lain";
    "Shows this node's own card and its fingerprint; it needs no running node":
        "Menampilkan kartu simpul ini dan sidiknya; simpul tidak perlu berjalan";
    "Accepts the card of another node, after comparing its fingerprint by telephone":
        "Menerima kartu simpul lain, setelah sidiknya dibandingkan lewat telepon";
    "The card: its text, `@FILE`, or `-` for standard input": "Kartunya: teksnya, `@BERKAS`, atau `-` untuk masukan baku";
    "The fingerprint that was read over the telephone, instead of asking":
        "Sidik yang dibacakan lewat telepon, tanpa bertanya lagi";
    "Lists the accepted cards": "Mendaftar kartu yang diterima";
    "Stops accepting a node; what was replicated stays": "Melepas sebuah simpul; yang sudah direplikasi tetap ada";
    "The node": "Simpulnya";
    "Checks and shows the configuration; it needs no running node":
        "Memeriksa dan menampilkan konfigurasi; simpul tidak perlu berjalan";
    "Says whether DIR/config.toml is valid; an unknown key is named with the nearest known one":
        "Menyatakan apakah DIR/config.toml sah; kunci yang tidak dikenal disebut bersama yang terdekat";
    "Shows what the node will run with, defaults included": "Menampilkan konfigurasi yang akan dipakai, dengan nilai bawaan";
    "Lets the node promise again after a start that may have lost something":
        "Mengizinkan simpul berjanji lagi setelah awal yang mungkin kehilangan sesuatu";
    "Accepts, in your name and on record, that a promise may have been given before":
        "Menerima, atas nama Anda dan tercatat, bahwa suatu janji mungkin sudah pernah diberikan";
    "Why it cannot wait until every peer was asked": "Mengapa tidak dapat menunggu sampai semua rekan ditanya";
    // Logs, views and backups.
    "Shows what logs leave out, and leaves entries out of this node's log for good":
        "Menampilkan yang ditinggalkan log, dan melepas entri dari log simpul ini untuk selamanya";
    "Lists entries that a log leaves out, and those whose payload is missing here":
        "Mendaftar entri yang ditinggalkan sebuah log, dan yang isinya tidak ada di sini";
    "Whose log [default: this node's]": "Log siapa [bawaan: simpul ini]";
    "Says that entries which this node's log leaves out are never to be recorded again":
        "Menyatakan bahwa entri yang ditinggalkan log simpul ini tidak akan dicatat ulang";
    "All that the log leaves out": "Semua yang ditinggalkan log";
    "Disown what is listed": "Lepas yang terdaftar";
    "Checks and exports logs, opens a forked one again, and shows what was withdrawn or lost":
        "Memeriksa dan mengekspor log, membuka kembali yang bercabang, dan menampilkan yang dicabut atau hilang";
    "Checks every hash and signature of all logs of the directory, or of one exported log":
        "Memeriksa setiap hash dan tanda tangan semua log di direktori, atau satu log yang diekspor";
    "An exported log [default: all logs of the directory]": "Log yang diekspor [bawaan: semua log di direktori]";
    "Writes a log to a file that anybody can check": "Menulis log ke berkas yang dapat diperiksa siapa pun";
    "Whose log": "Log siapa";
    "Lists payloads that were withdrawn, why, and which peers have not applied it yet":
        "Mendaftar isi yang dicabut, sebabnya, dan rekan yang belum menerapkannya";
    "Lists all that owners said about their logs: disowned, lost, withdrawn":
        "Mendaftar pernyataan pemilik tentang lognya: tidak diakui, hilang, dicabut";
    "Declares payloads of this node's log lost, once no peer has them":
        "Menyatakan isi log simpul ini hilang, setelah tidak ada rekan yang memilikinya";
    "What is known of the loss; it names nobody, since every province reads it":
        "Yang diketahui tentang kehilangan itu; tanpa nama orang, karena dibaca semua provinsi";
    "Lets this node's own log go on after two machines wrote it at once":
        "Melanjutkan log simpul ini setelah ditulis dua mesin sekaligus";
    "Rebuilds the views from the logs, and shows their digests": "Membangun ulang tampilan dari log, dan menampilkan intisarinya";
    "Builds all views anew beside the old ones, then swaps them":
        "Membangun semua tampilan di samping yang lama, lalu menukarnya";
    "Work on the directory of a node that is not running": "Kerjakan di direktori simpul yang tidak berjalan";
    "Shows a digest of every view for every origin: equal digests at equal positions are equal pictures":
        "Menampilkan intisari tiap tampilan tiap asal: intisari sama pada posisi sama berarti gambaran sama";
    "Copies the node to one file, while it runs or not": "Menyalin simpul ke satu berkas, sambil berjalan atau tidak";
    "Makes a node's directory of a backup, or checks a backup":
        "Membuat direktori simpul dari salinan cadangan, atau memeriksanya";
    "The backup": "Salinan cadangan";
    "Check the backup and list what it holds; write nothing": "Periksa dan daftar isinya; tidak menulis apa pun";
    "Restore though a peer has heard of the node a moment ago":
        "Pulihkan walau rekan baru saja mendengar simpul itu";
}

// What a help calls the values of arguments.

phrases! { pub(super) VALUES:
    "TIME": "WAKTU";
    "CODE": "KODE";
    "TEXT": "TEKS";
    "FILE": "BERKAS";
    "INCIDENT": "KEJADIAN";
    "EVENT_ID": "ID_PERISTIWA";
    "DAY": "HARI";
    "ZONE": "ZONA";
    "NAME": "NAMA";
    "LAT,LON,METRES": "LINTANG,BUJUR,METER";
    "LAT,LON …": "LINTANG,BUJUR …";
    "KEYFILE": "BERKAS_KUNCI";
    "[SEX][.AGE=]N": "[KELAMIN][.UMUR=]N";
    "YEAR": "TAHUN";
    "WORDS": "KATA-KATA";
    "SESSION": "SESI";
    "SECONDS": "DETIK";
    "ORIGIN/ID": "ASAL/ID";
    "NUMBER": "NOMOR";
    "MEASURE[.SEX][.AGE]=COUNT": "UKURAN[.KELAMIN][.UMUR]=JUMLAH";
    "MARK": "TANDA";
    "MAP": "PETA";
    "HAZARD": "BAHAYA";
    "FORM": "FORMULIR";
    "FILTER": "SARINGAN";
    "CARD": "KARTU";
    "ACCOUNT": "AKUN";
    "AUTHORITY": "PEJABAT";
    "BODY": "ISI";
    "BY": "OLEH";
    "CAPACITY": "KAPASITAS";
    "CERTAINTY": "KEPASTIAN";
    "CHANNEL": "SALURAN";
    "DESCRIPTION": "URAIAN";
    "DESCRIPTION_EN": "URAIAN_EN";
    "DIRECTIVE": "ARAHAN";
    "DRAFT": "DRAF";
    "EVENT": "PERISTIWA";
    "GRANT": "PENUGASAN";
    "HEADLINE": "JUDUL";
    "HEADLINE_EN": "JUDUL_EN";
    "IDENTIFIER": "PENGENAL";
    "INSTRUCTION": "IMBAUAN";
    "INSTRUCTION_EN": "IMBAUAN_EN";
    "KIND": "JENIS";
    "LANGUAGE": "BAHASA";
    "LAT": "LINTANG";
    "LEGAL_BASIS": "DASAR_HUKUM";
    "LEVEL": "TINGKAT";
    "LEVEL_CM": "TINGGI_CM";
    "LOGIN": "NAMA_MASUK";
    "LON": "BUJUR";
    "NOTE": "CATATAN";
    "ORIGIN": "ASAL";
    "POST": "JABATAN";
    "PRIORITY": "PRIORITAS";
    "PUBLISHER": "PENERBIT";
    "QUANTITY": "JUMLAH";
    "REASON": "ALASAN";
    "REPORT": "LAPORAN";
    "ROLE": "PERAN";
    "SCALE": "SKALA";
    "SECTOR": "BIDANG";
    "SEVERITY": "KEPARAHAN";
    "SITE": "TITIK_LAYANAN";
    "SOURCE": "SUMBER";
    "STATION": "POS";
    "STEP": "LANGKAH";
    "SUBSCRIPTION": "LANGGANAN";
    "TITLE": "JUDUL";
    "UNIT": "SATUAN";
    "URGENCY": "KEDESAKAN";
    "WARNING": "PERINGATAN";
}

phrases! { pub(super) HEADINGS:
    "Arguments:": "Argumen:";
    "Command frame:": "Kerangka perintah:";
    "Commands:": "Perintah:";
    "Examples:": "Contoh:";
    "Exit codes:": "Kode keluar:";
    "Global options:": "Opsi umum:";
    "Options:": "Opsi:";
    "Print help": "Tampilkan bantuan";
    "Print help (see more with '--help')": "Tampilkan bantuan (lengkapnya dengan '--help')";
    "Print help (see a summary with '-h')": "Tampilkan bantuan (ringkasnya dengan '-h')";
    "Possible values:": "Pilihan:";
    "Print this message or the help of the given subcommand(s)": "Tampilkan bantuan ini atau bantuan sebuah perintah";
    "Print version": "Tampilkan versi";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said_in_help(command: &clap::Command, said: &mut std::collections::BTreeSet<String>) {
        said.extend(command.get_about().map(ToString::to_string));
        let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
        said.extend(shown.filter_map(|arg| arg.get_help().map(ToString::to_string)));
        for inner in command.get_subcommands() {
            said_in_help(inner, said);
        }
    }

    #[test]
    fn every_word_of_the_help_is_said_in_both_languages() {
        let mut said = std::collections::BTreeSet::new();
        said_in_help(&crate::command_line(), &mut said);
        let known: std::collections::BTreeSet<String> = (HELP.iter())
            .map(|(english, _)| (*english).to_owned())
            .collect();
        assert_eq!(known.len(), HELP.len(), "one stands twice");
        let missing: Vec<&String> = said.difference(&known).collect();
        assert_eq!(missing, [""; 0], "these are said in English only");
        let silent: Vec<&String> = known.difference(&said).collect();
        assert_eq!(silent, [""; 0], "nobody says these any more");
        let mut in_indonesian = std::collections::BTreeSet::new();
        said_in_help(&helped(crate::command_line()), &mut in_indonesian);
        assert_eq!(in_indonesian.intersection(&known).next(), None);
    }

    /// Calls for each command but the first, and for each of its arguments.
    fn each_command(command: &clap::Command, seen: &mut impl FnMut(&clap::Command)) {
        for inner in command.get_subcommands() {
            seen(inner);
            each_command(inner, seen);
        }
    }

    #[test]
    fn everything_that_is_explained_beneath_examples_is_said_in_both_languages() {
        let mut said = std::collections::BTreeSet::new();
        each_command(&crate::command_line(), &mut |command| {
            let after = command.get_after_help().map(ToString::to_string);
            let after = after.unwrap_or_default();
            let parts = after.split("\n\n").map(str::to_owned);
            said.extend(parts.filter(|part| !part.starts_with("Examples:")));
        });
        let known = EXPLAINED.iter();
        let known: std::collections::BTreeSet<String> =
            known.map(|(english, _)| (*english).to_owned()).collect();
        assert_eq!(known.len(), EXPLAINED.len(), "one stands twice");
        let missing: Vec<&String> = said.difference(&known).collect();
        assert_eq!(missing, [""; 0], "these are said in English only");
        let silent: Vec<&String> = known.difference(&said).collect();
        assert_eq!(silent, [""; 0], "nobody says these any more");
    }

    #[test]
    fn every_value_of_a_help_has_a_name_in_bahasa_indonesia() {
        const SAME: [&str; 10] = [
            "GLIDE",
            "STATUS",
            "HASH",
            "HOST",
            "HOST:PORT",
            "ID",
            "IP:PORT",
            "N",
            "URL",
            "UUID",
        ];
        let mut names = std::collections::BTreeSet::new();
        each_command(&crate::command_line(), &mut |command| {
            let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
            let shown = shown.filter(|arg| {
                arg.get_action().takes_values() && arg.get_possible_values().is_empty()
            });
            names.extend(shown.map(value_name));
        });
        let known: Vec<&str> = VALUES.iter().map(|(english, _)| *english).collect();
        let missing: Vec<&String> = names
            .iter()
            .filter(|name| !known.contains(&name.as_str()) && !SAME.contains(&name.as_str()))
            .collect();
        assert_eq!(missing, [""; 0], "these are said in English only");
        let silent = known.iter().filter(|name| !names.contains(**name));
        assert_eq!(
            silent.collect::<Vec<_>>(),
            [&""; 0],
            "nobody says these any more"
        );
    }

    #[test]
    fn a_value_that_a_help_lists_is_shown_as_it_is_typed() {
        let mut names = std::collections::BTreeSet::new();
        crate::name::for_each_type(|_, values| {
            names.extend(values.into_iter().map(|(name, _)| name));
        });
        let mut said = std::collections::BTreeSet::new();
        said_in_help(&crate::command_line(), &mut said);
        said_in_help(&helped(crate::command_line()), &mut said);
        let capitalised = said.iter().filter(|text| {
            let list = text.replace(" or ", ", ").replace(" atau ", ", ");
            let mut values = list.split(", ");
            list.contains(", ")
                && values.all(|value| names.contains(&value.to_lowercase()))
                && list.contains(char::is_uppercase)
        });
        assert_eq!(capitalised.collect::<Vec<_>>(), [""; 0]);
    }
}
