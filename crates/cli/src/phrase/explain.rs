//! What the help explains beneath its examples, in Bahasa Indonesia. What it never does: translate an example.

phrases! { pub(super) EXPLAINED:
    "The file holds the database, the configuration, the card and the node's keys.
The keys are sealed: only who has the recovery key from the safe can read them.
The rest is not: keep the file where only those come who may read the database.
A file that is there is not overwritten.
Try the restore of one from time to time:
  posko restore 32.backup --check --recovery-key recovery.key":
        "Berkas itu memuat basis data, konfigurasi, kartu dan kunci simpul.
Kuncinya tersegel: hanya yang memegang kunci pemulihan dari brankas dapat membacanya.
Sisanya tidak: simpan di tempat yang hanya didatangi orang yang boleh membaca basis data.
Berkas yang sudah ada tidak ditimpa.
Cobalah pemulihannya dari waktu ke waktu:
  posko restore 32.backup --check --recovery-key recovery.key";
    "Exit code 0 says that it is valid, 1 that it is not.":
        "Kode keluar 0 berarti sah, 1 berarti tidak.";
    "Without --yes it only lists what would be disowned. It cannot be taken back.
A log leaves entries out when its node came back from a backup and wrote before it met
its peers. They are recorded again by themselves; disown them before that, or what is
only decided again by a person. Every peer shows them as withheld until then.":
        "Tanpa --yes hanya didaftar apa yang akan dilepas. Ini tidak dapat dibatalkan.
Log meninggalkan entri bila simpulnya kembali dari salinan cadangan dan menulis sebelum
bertemu rekannya. Entri itu dicatat ulang dengan sendirinya; lepaskan sebelum itu, atau
yang hanya diputuskan ulang oleh orang. Sampai saat itu semua rekan melihatnya ditahan.";
    "It reads the node's configuration and asks the feed itself, whether the node runs or not.
It ends with 1 when the feed cannot be read or an item would be refused.":
        "Perintah ini membaca konfigurasi simpul dan menanya umpannya sendiri, simpul berjalan atau tidak.
Kode keluarnya 1 bila umpan tidak terbaca atau ada isi yang akan ditolak.";
    "An incident is named by its id or its number.":
        "Kejadian disebut dengan id atau nomornya.";
    "With a warning the hazard may be left out, and the place too when the warning names a single one of this province.":
        "Dengan peringatan, bahaya boleh tidak disebut, juga tempatnya bila peringatan menyebut tepat satu di provinsi ini.";
    "A count of people may be of a sex (male, female, other), an age (0_1, 2_5, 6_12,
13_17, 18_20, 21_59, 60_up, unknown) or both.":
        "Jumlah orang dapat menurut jenis kelamin (laki-laki, perempuan, lainnya), golongan umur
(0_1, 2_5, 6_12, 13_17, 18_20, 21_59, 60_up, unknown) atau keduanya.";
    "Measures: dead, missing, injured_severe, injured_moderate, injured_slight, sick, affected, displaced,
displaced_households, isolated, injured, houses_severe, houses_moderate, houses_slight, houses_damaged,
houses_flooded, houses_swept, schools, health_facilities, worship, offices, shops, bridges, roads_m, farmland_m2,
public_facilities.":
        "Ukuran: meninggal, hilang, luka-berat, luka-sedang, luka-ringan, sakit, terdampak, mengungsi-jiwa, mengungsi-kk,
terisolir, luka, rumah-rusak-berat, rumah-rusak-sedang, rumah-rusak-ringan, rumah-rusak, rumah-terendam,
rumah-hanyut, sekolah-rusak, fasilitas-kesehatan-rusak, rumah-ibadah-rusak, kantor-rusak, kios-rusak,
jembatan-rusak, jalan-rusak, lahan-tani-rusak, fasilitas-umum-rusak.";
    "Write no names, telephone numbers or medical facts of persons: every province reads it.":
        "Jangan menulis nama, nomor telepon atau keadaan medis orang: semua provinsi membacanya.";
    "`posko incident show` lists the notes with their event ids. The reason stays, and
every province reads it: it names nobody. It cannot be taken back. Who has not
deleted it yet is listed by `posko log withdrawals`.":
        "`posko incident show` mendaftar catatan dengan id peristiwanya. Alasannya tetap ada, dan
dibaca semua provinsi: tanpa nama orang. Ini tidak dapat dibatalkan. Siapa yang belum
menghapusnya didaftar `posko log withdrawals`.";
    "Names of assessors, signatories and contacts are left out and said so. What is
answered in words is a log note: every province reads it, and it can be withdrawn.
A file with `supersedes` is a newer version of an assessment; the older stays.":
        "Nama asesor, penanda tangan dan kontak ditinggalkan, dan itu diberitahukan. Jawaban berupa
kata-kata menjadi catatan: semua provinsi membacanya, dan catatan itu dapat dicabut.
Berkas dengan `supersedes` adalah versi baru suatu asesmen; yang lama tetap ada.";
    "The whole file is checked first; one row that is refused, and nothing is recorded.
Run again, it records what is new or has changed, and nothing twice.
Maps that come with the program: bnpb-dibi, petabencana, jabar-banjir, jabar-longsor,
jabar-gempa, jabar-cuaca-ekstrem, jabar-kerusakan-rumah, jakarta-banjir.
They lie in config/import, with every key explained in config/import/README.md.
A text with what looks like personal data is left out and told, unless with --text-as-is.":
        "Seluruh berkas diperiksa dulu; satu baris ditolak, maka tidak ada yang dicatat.
Dijalankan lagi, yang baru atau berubah dicatat, dan tidak ada yang dicatat dua kali.
Peta bawaan program: bnpb-dibi, petabencana, jabar-banjir, jabar-longsor,
jabar-gempa, jabar-cuaca-ekstrem, jabar-kerusakan-rumah, jakarta-banjir.
Letaknya di config/import, dan setiap kuncinya dijelaskan di config/import/README.md.
Teks yang mirip data pribadi ditinggalkan dan diberitahukan, kecuali dengan --text-as-is.";
    "`show` lists beforehand which figures follow from which answers, and why others
give none. Figures are of the whole incident: an assessment of a part of it gives none.":
        "`show` mendaftar lebih dulu angka apa yang mengikuti dari jawaban mana, dan mengapa yang lain
tidak memberi angka. Angka berlaku untuk seluruh kejadian: asesmen sebagiannya tidak memberi angka.";
    "Taken are JPEG, PNG, WebP, PDF, Office Open XML (.docx, .xlsx) and OpenDocument (.odt, .ods), by their bytes, up to the
node's `[blob] max_mib`. A picture loses what it tells of its place, its time, its camera and its owner; of a document
nothing is removed, and it may carry its author's name. The file's name is not sent. Every province may fetch the file.":
        "Yang diterima: JPEG, PNG, WebP, PDF, Office Open XML (.docx, .xlsx) dan OpenDocument (.odt, .ods), menurut isinya,
sampai `[blob] max_mib` simpul. Dari gambar dihapus keterangan tempat, waktu, kamera dan pemiliknya; dari dokumen tidak
ada yang dihapus, dan mungkin memuat nama penyusunnya. Nama berkas tidak dikirim. Semua provinsi dapat mengambilnya.";
    "The hash is listed by `posko incident attachments`; its first eight digits are enough where they fit one file. When
nobody who is connected has the file, the node goes on asking after this command has ended.":
        "Hash didaftar `posko incident attachments`; delapan digit pertamanya cukup bila hanya cocok dengan satu berkas. Bila tidak
ada simpul terhubung yang memilikinya, simpul terus memintanya setelah perintah ini selesai.";
    "`posko incident attachments` lists them with their event ids. The file stays where another attachment names it too. Its
caption is a note, and is withdrawn by `posko incident withdraw-note`. The reason stays, and every province reads it: it
names nobody. It cannot be taken back. Who has not deleted it yet is listed by `posko log withdrawals`.":
        "`posko incident attachments` mendaftarnya dengan id peristiwanya. Berkas tetap ada bila lampiran lain juga menyebutnya.
Keterangannya sebuah catatan, yang dicabut dengan `posko incident withdraw-note`. Alasannya tetap ada, dan dibaca semua
provinsi: tanpa nama orang. Ini tidak dapat dibatalkan. Siapa yang belum menghapusnya didaftar `posko log withdrawals`.";
    "With `entered_in_error` it also takes a published record back, which then stands for no event.":
        "Dengan `entered_in_error` catatan terbitan juga ditarik kembali: sesudah itu tidak mewakili peristiwa apa pun.";
    "With the departure of the first team the incident is responded to. A step that is told again replaces the time.":
        "Dengan keberangkatan tim pertama kejadian menjadi respons. Langkah yang dicatat lagi mengganti waktunya.";
    "The empty one takes a wrong number back. GLIDE numbers are given by ADRC and its partners, never here.":
        "Yang kosong menarik nomor yang salah. Nomor GLIDE diberikan oleh ADRC dan mitranya, tidak pernah di sini.";
    "When nobody answers in time, the node calls the next level by itself.":
        "Bila tidak ada yang menjawab tepat waktu, simpul memanggil tingkat berikutnya dengan sendirinya.";
    "`posko incident show` lists the objectives with their ids.":
        "`posko incident show` mendaftar sasaran dengan id-nya.";
    "The note words a new need: every province reads it. Sectors: wash, shelter, health,
food, nfi, pss, rfl, logistics, personnel, evacuation, other. Units: pieces, kits,
portions, kilograms, liters, persons, households, teams, vehicles, units.
`posko incident show` lists the needs with their ids.":
        "Catatan berisi kata-kata kebutuhan baru: semua provinsi membacanya. Bidang: sanitasi, hunian, kesehatan,
pangan, barang-non-pangan, psikososial, pemulihan-hubungan-keluarga, logistik, personil, evakuasi, lainnya.
Satuan: buah, paket, porsi, kg, liter, orang, kk, tim, kendaraan, unit.
`posko incident show` mendaftar kebutuhan dengan id-nya.";
    "Statuses: alert (siaga darurat, of slow-onset hazards), response (tanggap darurat),
transition, certain_condition (keadaan tertentu). An extension begins where the other
ends, and is of the same status, level and authority.":
        "Status: siaga-darurat (untuk bahaya yang datang perlahan), tanggap-darurat, transisi,
keadaan-tertentu. Perpanjangan mulai saat yang lama
berakhir, dengan status, tingkat dan pejabat yang sama.";
    "The first node makes the federation; every other joins it with the card of any node of it.
What it prints is the new node's own card, to be given to its peers.":
        "Simpul pertama membuat federasi; yang lain mengikutinya dengan kartu salah satu simpulnya.
Yang dicetak adalah kartu simpul baru itu sendiri, untuk diberikan kepada rekannya.";
    "Exit code 0 says that all hold, 1 that something does not. Entries of a forked log that
another machine wrote, and that its owner went on without, are told and do not count.":
        "Kode keluar 0 berarti semuanya utuh, 1 berarti ada yang tidak. Entri log bercabang yang ditulis
mesin lain, dan yang ditinggalkan pemiliknya, diberitahukan dan tidak dihitung.";
    "People are counted for provinces and kab/kota alone.":
        "Penduduk hanya dihitung untuk provinsi dan kab/kota.";
    "A file that is there is not overwritten.":
        "Berkas yang sudah ada tidak ditimpa.";
    "Only the node that withdrew knows how far its peers are. A file that was restored from
a backup holds a withdrawn text until its node has met a peer; it is erased then.":
        "Hanya simpul yang mencabut tahu sejauh mana rekannya. Berkas yang dipulihkan dari salinan
cadangan masih memuat teks yang dicabut sampai simpulnya bertemu rekan; saat itu teksnya dihapus.";
    "It tells up to which entry the log had come, when that was recorded and when it came, and
how many entries had been recorded by then that had not. Times are by the clock of the node
that noted them. Nothing was noted between a backup and the start of the node on it.":
        "Perintah ini menyebut sampai entri mana log itu tiba, kapan entri itu dicatat dan kapan tiba, dan
berapa entri yang saat itu sudah dicatat tetapi belum tiba. Waktu menurut jam simpul yang
mencatatnya. Tidak ada yang dicatat antara salinan cadangan dan awal simpul dari salinan itu.";
    "`posko federation gaps` lists what is missing, and which peers were not asked for it yet.
Nobody waits for a lost payload any more. It cannot be taken back.":
        "`posko federation gaps` mendaftar yang tidak ada, dan rekan mana yang belum ditanya tentangnya.
Isi yang hilang tidak ditunggu lagi. Ini tidak dapat dibatalkan.";
    "First stop the other machine, and be sure that it never comes back; then stop
this node and run this. The log goes on from the last entry that both have, or begins
anew where they have none.
What this machine wrote after it is recorded again when the node runs; what
only the other one wrote stays with the peers that have it, as evidence.
The recovery key is not put into the directory: it goes back to the safe.":
        "Matikan dulu mesin yang lain, dan pastikan ia tidak pernah kembali; lalu matikan simpul ini
dan jalankan perintah ini. Log berlanjut dari entri terakhir yang dimiliki keduanya, atau
mulai lagi bila tidak ada.
Yang ditulis mesin ini sesudahnya dicatat ulang ketika simpul berjalan; yang hanya ditulis
mesin lain tetap pada rekan yang memilikinya, sebagai bukti.
Kunci pemulihan tidak ditaruh di direktori: kembalikan ke brankas.";
    "The token is kept in ~/.config/posko/, for you alone, until `posko logout`.
Which token a command sends: $POSKO_TOKEN, else that of your login, else DIR/operator.token where you may read it.":
        "Token disimpan di ~/.config/posko/, untuk Anda saja, sampai `posko logout`.
Token yang dikirim perintah: $POSKO_TOKEN, kalau tidak ada token dari login, kalau tidak ada DIR/operator.token bila boleh dibaca.";
    "The console's token in DIR/operator.token is not touched.":
        "Token konsol di DIR/operator.token tidak disentuh.";
    "The card goes to stdout and the fingerprint to stderr, so that the card alone can be kept in a file.":
        "Kartu ke stdout dan sidiknya ke stderr, agar kartunya saja dapat disimpan ke berkas.";
    "The fingerprint is what proves that the card came from the province and not from somebody in between.":
        "Sidiklah yang membuktikan bahwa kartu datang dari provinsi itu dan bukan dari orang di antaranya.";
    "The directory must be new or empty: nothing is overwritten.
Be sure that the old node does not run any more, and never comes back: the
peers are asked, and where one has heard of it within 5 minutes nothing is
restored, unless with --force; then the one that was not started last stops
writing.
The restored node asks its peers what they know of its log before it promises
anything; entries that the backup lacks come back from them.
The recovery key is not put into the directory: it goes back to the safe.
With --check nothing is written; exit code 1 says that the backup is damaged.
Without the recovery key, compare the fingerprint with the province's card.":
        "Direktorinya harus baru atau kosong: tidak ada yang ditimpa.
Pastikan simpul lama tidak berjalan lagi dan tidak pernah kembali: rekan ditanya, dan bila
ada yang mendengarnya dalam 5 menit terakhir tidak ada yang dipulihkan, kecuali dengan
--force; setelah itu yang tidak dijalankan terakhir berhenti menulis.
Simpul yang dipulihkan bertanya kepada rekan apa yang mereka tahu tentang lognya sebelum
menjanjikan apa pun; entri yang tidak ada di salinan cadangan kembali dari mereka.
Kunci pemulihan tidak ditaruh di direktori: kembalikan ke brankas.
Dengan --check tidak ada yang ditulis; kode keluar 1 berarti salinan cadangan rusak.
Tanpa kunci pemulihan, bandingkan sidiknya dengan kartu provinsi.";
    "The log goes to stderr. SIGTERM and Ctrl-C stop it in order; a node that is killed comes back complete.
While it runs, DIR/operator.token lets whoever may read it act as the machine's administrator.":
        "Catatan jalannya ke stderr. SIGTERM dan Ctrl-C menghentikannya dengan tertib; simpul yang dimatikan paksa kembali utuh.
Selama berjalan, DIR/operator.token membuat siapa pun yang boleh membacanya bertindak sebagai pengelola mesin.";
    "The name is of a place, never of a person: every province reads it.":
        "Namanya nama tempat, bukan nama orang: semua provinsi membacanya.";
    "A part is named by a sex (male, female, other), an age (0_1, 2_5, 6_12, 13_17,
18_20, 21_59, 60_up, unknown) or both; the count of everybody must be among them.":
        "Sebagian disebut dengan jenis kelamin (laki-laki, perempuan, lainnya), golongan umur (0_1, 2_5,
6_12, 13_17, 18_20, 21_59, 60_up, unknown) atau keduanya; jumlah semua orang harus ada.";
    "Nought says that it lacks it no more.":
        "Nol berarti tidak kekurangan lagi.";
    "It counts until the node stops. `posko status` shows whom the node waits for, and who
accepted the risk. What was promised twice is found and told at the first contact.":
        "Ini berlaku sampai simpul berhenti. `posko status` menampilkan siapa yang ditunggu simpul, dan siapa
yang menerima risikonya. Yang dijanjikan dua kali ditemukan dan diberitahukan pada kontak pertama.";
    "The first table says how far this node has the log of each origin and why it is behind.
The second says who is behind whom: for each log, how many entries this node and each peer are behind the newest that is
known of it, and ? where that is not known; what peers have is by their own word, at most some seconds old.
The third says since when each peer is connected or not, and why.
While a link is unknown the lag is unknown too, null in JSON: it is never shown as 0.
Headquarters' directives in force stand at the end, the newest 50 of them.":
        "Tabel pertama menyebut sampai mana simpul ini punya log tiap asal, dan mengapa tertinggal.
Yang kedua menyebut siapa tertinggal dari siapa: untuk tiap log, berapa entri simpul ini dan tiap rekan tertinggal dari
yang terbaru diketahui, dan ? bila tidak diketahui; yang dimiliki rekan menurut kata mereka sendiri, paling lama beberapa
detik yang lalu. Yang ketiga menyebut sejak kapan tiap rekan tersambung atau tidak, dan mengapa.
Selama sambungan tidak diketahui, ketertinggalannya juga tidak, dan null dalam JSON: tidak pernah ditampilkan sebagai 0.
Arahan pusat yang berlaku ada di akhir, 50 yang terbaru.";
    "The node goes on answering from the old views meanwhile; progress goes to stderr.":
        "Sementara itu simpul terus menjawab dari tampilan lama; kemajuannya ke stderr.";
    "What a file is, is told by its bytes, as `posko warning check` does without storing
anything. It ends with 1 when an item is refused; the others are taken.":
        "Apa berkas itu ditentukan dari isinya, seperti `posko warning check` tanpa menyimpan apa pun.
Kode keluarnya 1 bila ada isi yang ditolak; yang lain diterima.";
    "It ends here alone, on the word of whoever is logged in; a publisher's own cancellation
comes by its feed, or by `posko warning take`.":
        "Peringatan itu berakhir di sini saja, atas kata yang masuk; pembatalan penerbitnya sendiri
datang lewat umpannya, atau lewat `posko warning take`.";
    "A reading that reaches one of the gauge's levels warns the regions downstream, with when
the water is expected there. Once the water falls at the gauge, what has passed it is still
on its way: the warning goes on until the fall has come downstream too.":
        "Bacaan yang mencapai salah satu tingkat pos itu memperingatkan wilayah di hilir, dengan waktu
air diperkirakan tiba di sana. Bila air surut di pos itu, air yang sudah lewat masih di
perjalanan: peringatan berlanjut sampai surutnya tiba pula di hilir.";
    "It reads CAP 1.0 to 1.2, RSS and Atom lists, EDXL-DE envelopes, BMKG's earthquakes,
bulletins and nowcasts, and tables of river gauges and volcanoes; what a file is, is
told by its bytes. It says what each item would become: its hazard and severity, the
regions and border zones that it reaches, how many people live there, names that are
not certain, or why it would be refused. River gauges are those of the node's
configuration, or those that ship. It ends with 1 when a file is invalid, which it also
is when `posko warning take` would refuse an item of it, or one of several cannot be read.":
        "Yang dibaca: CAP 1.0 sampai 1.2, daftar RSS dan Atom, amplop EDXL-DE, gempa, buletin dan
nowcast BMKG, serta tabel duga air dan gunung api; apa berkas itu ditentukan dari isinya.
Disebut tiap isinya akan menjadi apa: bahaya dan keparahannya, wilayah dan zona perbatasan
yang dijangkau, jumlah penduduknya, nama yang belum pasti, atau mengapa akan ditolak. Pos
duga air menurut konfigurasi simpul, atau yang bawaan. Kode keluarnya 1 bila sebuah berkas
tidak sah, termasuk bila `posko warning take` akan menolak salah satu isinya, atau salah
satu dari beberapa tidak terbaca.";
}
