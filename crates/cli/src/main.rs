//! The program `posko`: runs a node, and talks to a running one.
//!
//! What it never does: know a rule. It asks the node, and shows the answer.

mod client;
mod command;
mod failure;
mod input;
mod json;
mod label;
mod name;
mod offline;
mod output;
mod phrase;
mod word;

use std::{
    ffi::OsString,
    io::{self, IsTerminal},
    path::PathBuf,
    process::ExitCode,
    sync::OnceLock,
};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};

use crate::{
    failure::{Exit, Failure},
    label::Lang,
    output::{Answer, Context},
};

const AFTER_HELP: &str = "Examples:
  posko --dir ./32 init --origin 32
  posko --dir ./32 serve
  posko --dir ./32 status
  posko --dir ./32 incident report --hazard flood --region 32.75.01 \\
    --severity severe --channel branch
  posko --dir ./32 --json incident list --open

Exit codes:
  0  done
  1  the answer is no: a log does not verify, a configuration is invalid,
     a backup is damaged
  2  the command line was not understood
  3  refused by a rule: invalid, in conflict, or not found
  4  not allowed: log in, or ask for the role
  5  the node cannot be reached, or asks to try later
  6  something else went wrong

Data goes to stdout, everything else to stderr. With --json a failure is {\"error\": {\"code\", \"message\"}} on stderr.
A command repeated with the same --command-id is recorded once.";

/// The same in Bahasa Indonesia.
const AFTER_HELP_ID: &str = "Contoh:
  posko --dir ./32 init --origin 32
  posko --dir ./32 serve
  posko --dir ./32 status
  posko --dir ./32 incident report --hazard flood --region 32.75.01 \\
    --severity severe --channel branch
  posko --dir ./32 --json incident list --open

Kode keluar:
  0  selesai
  1  jawabannya tidak: log tidak utuh, konfigurasi tidak sah,
     salinan cadangan rusak
  2  baris perintah tidak dimengerti
  3  ditolak oleh aturan: tidak sah, bertentangan, atau tidak ditemukan
  4  tidak diizinkan: masuklah, atau mintalah perannya
  5  simpul tidak dapat dicapai, atau minta dicoba lagi nanti
  6  ada gangguan lain

Data ke stdout, yang lain ke stderr. Dengan --json kegagalan adalah {\"error\": {\"code\", \"message\"}} di stderr.
Perintah yang diulang dengan --command-id yang sama tercatat satu kali.
Bahasa Inggris: --lang en, atau POSKO_LANG=en.";

/// Posko: the federated operations room of the provinces
#[derive(Debug, Parser)]
#[command(name = "posko", version, after_help = AFTER_HELP, propagate_version = true, max_term_width = 110)]
struct Posko {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// Directory of the node
    #[arg(
        long,
        global = true,
        env = "POSKO_DIR",
        default_value = ".",
        value_name = "DIR",
        help_heading = "Global options"
    )]
    dir: PathBuf,
    /// Print stable JSON instead of text
    #[arg(long, global = true, help_heading = "Global options")]
    json: bool,
    /// Language of the text
    #[arg(
        long,
        global = true,
        env = "POSKO_LANG",
        value_enum,
        default_value_t,
        help_heading = "Global options"
    )]
    lang: Lang,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(command::init::InitArgs),
    Serve(command::serve::ServeArgs),
    Status(command::status::StatusArgs),
    Peer(command::peer::PeerArgs),
    User(command::user::UserArgs),
    Login(command::login::LoginArgs),
    Logout(command::login::LogoutArgs),
    Warning(command::warning::WarningArgs),
    Incident(command::incident::IncidentArgs),
    Directive(command::directive::DirectiveArgs),
    Site(command::site::SiteArgs),
    Federation(command::federation::FederationArgs),
    Standing(command::standing::StandingArgs),
    Feed(command::feed::FeedArgs),
    Zone(command::zone::ZoneArgs),
    Region(command::region::RegionArgs),
    Log(command::log::LogArgs),
    Views(command::views::ViewsArgs),
    Backup(command::backup::BackupArgs),
    Restore(command::restore::RestoreArgs),
    Config(command::config::ConfigArgs),
}

impl Command {
    async fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Init(args) => args.run(context).await,
            Self::Serve(args) => args.run(context).await,
            Self::Status(args) => args.run(context).await,
            Self::Peer(args) => args.run(context).await,
            Self::User(args) => args.run(context).await,
            Self::Login(args) => args.run(context).await,
            Self::Logout(args) => args.run(context).await,
            Self::Warning(args) => args.run(context).await,
            Self::Incident(args) => args.run(context).await,
            Self::Directive(args) => args.run(context).await,
            Self::Site(args) => args.run(context).await,
            Self::Federation(args) => args.run(context).await,
            Self::Standing(args) => args.run(context).await,
            Self::Feed(args) => args.run(context).await,
            Self::Zone(args) => args.run(context).await,
            Self::Region(args) => args.run(context),
            Self::Log(args) => args.run(context).await,
            Self::Views(args) => args.run(context).await,
            Self::Backup(args) => args.run(context),
            Self::Restore(args) => args.run(context).await,
            Self::Config(args) => args.run(context),
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let posko = match Posko::try_parse_from(&arguments) {
        Ok(posko) => posko,
        Err(error) => return not_understood(&error, &arguments),
    };
    let context = context(posko.global);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Failure::internal(error), &context),
    };
    let answer = runtime.block_on(posko.command.run(&context));
    match answer.and_then(|answer| output::print(&answer, &context).map(|()| answer.yes)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => code(Exit::No),
        Err(failure) => failed(&failure, &context),
    }
}

fn context(global: Global) -> Context {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let config_home = set("XDG_CONFIG_HOME").map(PathBuf::from);
    let token_dir =
        config_home.or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".config")));
    Context {
        logins: OnceLock::new(),
        dir: global.dir,
        lang: global.lang,
        json: global.json,
        tint: io::stdout().is_terminal() && set("NO_COLOR").is_none(),
        token: std::env::var("POSKO_TOKEN")
            .ok()
            .filter(|token| !token.trim().is_empty()),
        token_dir: token_dir.map(|dir| dir.join("posko")),
    }
}

fn failed(failure: &Failure, context: &Context) -> ExitCode {
    output::fail(failure, context.json, context.lang);
    code(failure.exit)
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}

/// Answers a command line that asks for help or cannot be understood.
fn not_understood(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let wanted = Wanted::read(arguments, std::env::var("POSKO_LANG").ok().as_deref());
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        // A reader that closes the pipe after the first lines is no failure.
        let _ = match wanted.lang {
            Lang::En => error.print().map_err(Failure::internal),
            Lang::Id => output::write_out(&indonesian_help(arguments)),
        };
        return ExitCode::SUCCESS;
    }
    if wanted.json {
        output::fail(&usage(error), true, wanted.lang);
    } else {
        let no_command = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        output::note(&match wanted.lang {
            Lang::Id if error.kind() == no_command => indonesian_help(arguments),
            Lang::Id => indonesian_error(error, arguments),
            Lang::En => error.render().to_string(),
        });
    }
    code(Exit::Usage)
}

/// Returns the help or the version that arguments ask for, in Bahasa Indonesia.
fn indonesian_help(arguments: &[OsString]) -> String {
    let command = phrase::helped(command_line()).after_help(AFTER_HELP_ID);
    let asked = command.try_get_matches_from(arguments);
    asked.map_or_else(
        |error| phrase::headed(&error.render().to_string()),
        |_| String::new(),
    )
}

/// Returns what is wrong with arguments, in Bahasa Indonesia, with the names of values that its help has.
fn indonesian_error(error: &clap::Error, arguments: &[OsString]) -> String {
    let said = phrase::helped(command_line()).try_get_matches_from(arguments);
    let said = said.err().map(|error| error.render().to_string());
    let said = said.unwrap_or_else(|| error.render().to_string());
    phrase::lines(&said, Lang::Id)
}

/// Returns the whole command line, with its help in English.
fn command_line() -> clap::Command {
    Posko::command()
}

/// In which form and language a command line that was not understood is answered.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    json: bool,
    lang: Lang,
}

impl Wanted {
    /// Reads what can be read of arguments that are not understood.
    fn read(arguments: &[OsString], environment: Option<&str>) -> Self {
        let known = |name: &str| Lang::from_str(name, true).ok();
        let mut wanted = Self {
            json: false,
            lang: environment.and_then(known).unwrap_or_default(),
        };
        let mut arguments = arguments
            .iter()
            .map(|argument| argument.to_string_lossy())
            .take_while(|argument| argument != "--");
        while let Some(argument) = arguments.next() {
            let lang = match argument.strip_prefix("--lang") {
                Some("") => arguments.next().as_deref().and_then(known),
                Some(value) => value.strip_prefix('=').and_then(known),
                None => None,
            };
            wanted.lang = lang.unwrap_or(wanted.lang);
            wanted.json |= argument == "--json";
        }
        wanted
    }
}

fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<&str>>().join(" ");
    Failure::usage(line.strip_prefix("error: ").unwrap_or(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Posko, clap::Error> {
        Posko::try_parse_from(line.split('|'))
    }

    #[test]
    fn the_arguments_are_consistent() {
        Posko::command().debug_assert();
    }

    fn check_help(command: &clap::Command, path: &str) {
        let text = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(text.contains("Examples:"), "{path}");
        assert!(
            !command
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default()
                .ends_with('.'),
            "{path}"
        );
        for inner in command.get_subcommands() {
            check_help(inner, &format!("{path} {}", inner.get_name()));
        }
    }

    #[test]
    fn every_command_has_a_help_with_examples() {
        check_help(&Posko::command(), "posko");
    }

    fn check_frame(command: &clap::Command) {
        let of_frame = |arg: &&clap::Arg| arg.get_help_heading() == Some("Command frame");
        let framed = command.get_arguments().filter(of_frame);
        let framed: Vec<&str> = framed.map(|arg| arg.get_id().as_str()).collect();
        let frame = ["command_id", "expect_version", "exercise", "occurred_at"];
        assert!(
            framed.is_empty() || framed == frame,
            "{}: {framed:?}",
            command.get_name()
        );
        command.get_subcommands().for_each(check_frame);
    }

    #[test]
    fn the_frame_of_a_command_stands_apart_from_its_own_options() {
        check_frame(&Posko::command());
    }

    #[test]
    fn what_is_wrong_with_a_command_line_is_said_with_the_words_of_its_help() {
        let arguments = ["posko", "site", "open", "x"].map(OsString::from);
        let error = Posko::try_parse_from(&arguments).unwrap_err();
        let said = indonesian_error(&error, &arguments);
        for words in [
            "argumen berikut wajib diisi:",
            "--kind <JENIS>",
            "Pemakaian: posko site open --kind <JENIS> --name <NAMA> --region <KODE> <KEJADIAN>",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        let help = ["posko", "site", "open", "--help"].map(OsString::from);
        let help = indonesian_help(&help);
        for words in ["[OPSI]", "semua provinsi membacanya", "[lingkungan: "] {
            assert!(help.contains(words), "{words}: {help}");
        }
    }

    #[test]
    fn the_examples_of_the_help_are_understood_and_can_be_pasted() {
        let mut seen = 0;
        check_examples(&Posko::command(), &mut seen);
        assert!(seen > 60, "{seen}");
    }

    fn check_examples(command: &clap::Command, seen: &mut u32) {
        let text = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let long = text
            .lines()
            .find(|line| line.starts_with(' ') && line.chars().count() > 80);
        assert_eq!(
            long, None,
            "a terminal breaks it, and it can no longer be pasted"
        );
        let text = text.replace("\\\n", " ");
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("posko "))
        {
            let line = line
                .split([';', '|', '<', '>', '&'])
                .next()
                .unwrap_or_default();
            let words = words(line);
            if let Err(error) = Posko::try_parse_from(&words) {
                panic!("{line}\n{error}");
            }
            *seen += 1;
        }
        for inner in command.get_subcommands() {
            check_examples(inner, seen);
        }
    }

    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (place, part) in line.split('"').enumerate() {
            if place % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        words
    }

    #[test]
    fn values_are_typed_by_the_words_of_the_screen() {
        for line in [
            "posko|incident|report|--hazard|banjir|--region|32.75.01|--severity|berat|--channel|warga",
            "posko|incident|impact|x|--figure|mengungsi-jiwa.perempuan.6_12=3|--source|pemerintah",
            "posko|incident|activate|x|--scale|besar",
            "posko|incident|post|x|komandan",
            "posko|incident|escalate|x|tiga-provinsi",
            "posko|incident|reject|x|--reason|berita-bohong",
            "posko|incident|need|x|--sector|pangan|--quantity|3|--unit|porsi|--priority|penting|--note|y",
            "posko|incident|emergency|x|--status|tanggap|--level|kabupaten/kota|--authority|wali kota|--from|2026-01-05|--until|2026-01-18|--decree|360/1|--date|2026-01-05|--hazard|banjir|--region|Kota Bekasi",
            "posko|site|open|x|--kind|dapur-umum|--name|y|--region|32.75",
            "posko|site|need|07070707-0707-0707-0707-070707070707|obat-obatan|3",
            "posko|warning|record|--channel|telepon|--hazard|longsor|--text|y|--region|32.75",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn bad_input_names_the_value_and_what_was_expected() {
        let bad = [
            (
                "posko|incident|report|--hazard|rain|--region|32",
                "`rain` is no hazard: expected one of flood",
            ),
            (
                "posko|incident|report|--hazard|flood|--region|32|--lat|-96|--lon|107",
                "`-96` is no latitude",
            ),
            (
                "posko|incident|report|--hazard|flood|--region|32|--lat|-6",
                "--lon",
            ),
            ("posko|incident|report|--hazard|flood", "--region"),
            (
                "posko|incident|report|--from-warning|32",
                "`32` is no warning: expected `ORIGIN/ID`",
            ),
            (
                "posko|incident|impact|x|--figure|dead|--source|pmi",
                "`dead` is no figure",
            ),
            ("posko|incident|impact|x|--source|pmi", "--figure"),
            (
                "posko|incident|impact|x|--figure|dead=1|--source|bnpb",
                "`bnpb` is no figure source: expected one of pmi",
            ),
            (
                "posko|incident|impact|x|--figure|dead=1|--source|pmi|--as-of|noon",
                "`noon` is no time",
            ),
            (
                "posko|incident|end|x|--command-id|1",
                "`1` is no id: expected a UUID",
            ),
            (
                "posko|incident|end|x|--expect-version|0",
                "--expect-version",
            ),
            (
                "posko|incident|end|x|--occurred-at|2026-01-05",
                "`2026-01-05` is no time",
            ),
            ("posko|peer|remove|DKI", "`DKI` is no node"),
            (
                "posko|backup|32.backup",
                "name the file to write with `--out 32.backup`",
            ),
            ("posko|--lang|nl|status", "nl"),
            ("posko|statuz", "status"),
        ];
        for (line, expected) in bad {
            let error = parse(line).unwrap_err();
            let failure = usage(&error);
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(error.to_string().contains(expected), "{line}: {error}");
            assert!(
                !failure.message.is_empty() && !failure.message.contains('\n'),
                "{line}: {failure}"
            );
        }
    }

    #[test]
    fn a_command_line_that_is_not_understood_is_answered_in_the_language_that_it_names() {
        let wanted = |line: &str, environment| {
            let arguments: Vec<OsString> = line.split('|').map(Into::into).collect();
            let Wanted { json, lang } = Wanted::read(&arguments, environment);
            (json, lang)
        };
        assert_eq!(wanted("posko|statuz", None), (false, Lang::Id));
        assert_eq!(wanted("posko|statuz", Some("en")), (false, Lang::En));
        assert_eq!(wanted("posko|x|--lang|en|--json", None), (true, Lang::En));
        assert_eq!(wanted("posko|--lang=id|x", Some("en")), (false, Lang::Id));
        assert_eq!(wanted("posko|--lang|nl", Some("en")), (false, Lang::En));
        assert_eq!(wanted("posko|--lang", None), (false, Lang::Id));
        assert_eq!(
            wanted("posko|x|--|--json|--lang|en", None),
            (false, Lang::Id)
        );
    }

    #[test]
    fn the_help_is_in_bahasa_indonesia_unless_english_is_asked_for() {
        let help = |line: &str| {
            let arguments: Vec<OsString> = line.split('|').map(Into::into).collect();
            indonesian_help(&arguments)
        };
        for (line, words) in [
            ("posko|--help", "\nPerintah:\n"),
            ("posko|--help", "Kode keluar:"),
            ("posko|--help", "Opsi umum:\n"),
            (
                "posko|incident|report|--help",
                "Lintang dalam derajat, selatan negatif",
            ),
            (
                "posko|incident|report|--help",
                "Pemakaian: posko incident report",
            ),
            ("posko|incident|list|--help", "[bawaan: 50]"),
            ("posko|help|backup", "Tampilkan bantuan"),
            ("posko|--version", "posko 0"),
            ("posko|incident", "Membuka kejadian, juga dari peringatan"),
        ] {
            assert!(help(line).contains(words), "{}", help(line));
        }
        assert!(!help("posko|incident|report|--help").contains("Options:"));
    }

    #[test]
    fn what_was_wrong_with_a_command_line_is_told_in_bahasa_indonesia() {
        let told = |line: &str| {
            let error = parse(line).unwrap_err();
            phrase::lines(&error.render().to_string(), Lang::Id)
        };
        for (line, words) in [
            ("posko|statuz", "galat: perintah 'statuz' tidak dikenal"),
            ("posko|statuz", "saran: ada perintah yang mirip: 'status'"),
            ("posko|status|--jsom", "ada argumen yang mirip: '--json'"),
            (
                "posko|backup",
                "galat: argumen berikut wajib diisi:\n  --out <FILE>",
            ),
            ("posko|backup", "\n\nPemakaian: posko backup"),
            ("posko|backup", "Keterangan lebih lanjut: '--help'"),
            (
                "posko|--lang|nl|status",
                "galat: nilai 'nl' tidak sah untuk '--lang <LANG>'",
            ),
            ("posko|--lang|nl|status", "[pilihan: id, en]"),
            (
                "posko|incident|report|--hazard|rain|--region|32",
                "`rain` bukan bahaya: pilih salah satu dari flood",
            ),
            (
                "posko|incident|end|x|--expect-version|0",
                "nilai '0' tidak sah untuk '--expect-version <N>': 0 di luar 1..=4294967295",
            ),
        ] {
            assert!(told(line).contains(words), "{}", told(line));
        }
    }

    #[test]
    fn global_options_may_stand_before_or_after_the_command() {
        for line in [
            "posko|--json|--dir|/d|--lang|en|zone|list",
            "posko|zone|list|--json|--dir|/d|--lang|en",
        ] {
            let global = parse(line).unwrap().global;
            assert!(global.json);
            assert_eq!((global.dir, global.lang), (PathBuf::from("/d"), Lang::En));
        }
    }
}
