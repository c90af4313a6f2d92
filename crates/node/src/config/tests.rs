use super::*;

const MINIMAL: &str = r#"origin = "32"
federation_id = "0192f3c4-5a6b-7c8d-9e0f-112233445566"
"#;

/// Returns the refusal of the minimal configuration with these lines after it.
fn refusal(lines: &str) -> String {
    match Config::parse(&format!("{MINIMAL}{lines}")) {
        Ok(_) => "accepted".into(),
        Err(error) => error.to_string(),
    }
}

/// Returns the template that is shown to a node without its own.
fn own_template() -> Vec<posko_domain::warning::template::Template> {
    let text = format!("{MINIMAL}{}", own::EXAMPLE_TEMPLATE);
    Config::parse(&text).unwrap().warning.templates
}

fn example() -> Config {
    let feed = |name: &str, kind, url: &str| FeedConfig {
        name: name.into(),
        kind,
        url: url.into(),
        period: Duration::from_mins(1),
    };
    Config {
        origin: "32".parse().unwrap(),
        role: NodeRole::Node,
        federation_id: "0192f3c4-5a6b-7c8d-9e0f-112233445566".parse().unwrap(),
        federation: FederationConfig {
            listen: FEDERATION_LISTEN,
            public_address: Some("posko-jabar.example.org:7431".into()),
        },
        api: ApiConfig {
            listen: API_LISTEN,
            names: vec!["posko-jabar.example.org".into(), "192.0.2.32".into()],
        },
        disk: DiskConfig { floor_mib: 1024 },
        blob: BlobConfig { max_mib: 64 },
        feeds: vec![
            feed(
                "bmkg-cuaca",
                FeedKind::BmkgNowcast {
                    provinces: Province::ALL.to_vec(),
                },
                "https://www.bmkg.go.id/alerts/nowcast/id",
            ),
            feed(
                "bmkg-gempa",
                FeedKind::BmkgEarthquake { radius_km: 300 },
                "https://data.bmkg.go.id/DataMKG/TEWS/gempadirasakan.json",
            ),
            FeedConfig {
                period: Duration::from_mins(5),
                ..feed(
                    "cap-umum",
                    FeedKind::Cap {
                        provinces: Province::ALL.to_vec(),
                        hosts: vec!["files.example.org".into()],
                    },
                    "https://alerts.example.org/atom.xml",
                )
            },
            FeedConfig {
                period: Duration::from_mins(5),
                ..feed(
                    "tinggi-muka-air",
                    FeedKind::Gauges {
                        expected: vec!["Katulampa".into(), "Depok".into()],
                    },
                    "https://posko-jabar.example.org/tma.csv",
                )
            },
            FeedConfig {
                period: Duration::from_hours(1),
                ..feed(
                    "gunung-api",
                    FeedKind::Volcanoes,
                    "https://posko-jabar.example.org/gunungapi.csv",
                )
            },
        ],
        gauges: {
            let mut gauges = Gauge::shipped();
            gauges[1].siaga_cm[3] = Some(150);
            gauges
        },
        warning: OwnWarningConfig {
            sender: Some("posko-jabar.example.org".into()),
            publisher: Some("PMI Provinsi Jawa Barat".into()),
            templates: own_template(),
        },
        report: ReportConfig {
            listen: Some("0.0.0.0:7432".parse().unwrap()),
            tls: Some(ReportTls {
                cert: "lapor/fullchain.pem".into(),
                key: "lapor/privkey.pem".into(),
            }),
            phone: "(022) 000-0000".into(),
            proxies: vec!["127.0.0.1".parse().unwrap()],
            sources: Config::parse(&format!("{MINIMAL}{}", report::EXAMPLE_SOURCE))
                .unwrap()
                .report
                .sources,
            ..ReportConfig::default()
        },
        log: LogConfig {
            format: LogFormat::Text,
            filter: "info".into(),
        },
    }
}

#[test]
fn the_documented_example_is_what_is_written_for_it_and_reads_back() {
    let written = example().to_toml();
    assert_eq!(
        EXAMPLE, written,
        "config/posko.toml is stale; it should be:\n{written}"
    );
    assert_eq!(Config::parse(EXAMPLE).unwrap(), example());
}

#[test]
fn the_documented_example_names_every_key() {
    let document = section::read(EXAMPLE).unwrap();
    for (section, keys) in SECTIONS {
        for key in *keys {
            let names = |table: &toml::de::DeTable<'_>| table.contains_key(*key);
            let root = document.get_ref();
            let is_named = match root.get(*section).map(toml::Spanned::get_ref) {
                None => names(root),
                Some(toml::de::DeValue::Table(table)) => names(table),
                Some(toml::de::DeValue::Array(tables)) => {
                    tables.iter().any(|table| matches!(table.get_ref(), toml::de::DeValue::Table(table) if names(table)))
                }
                Some(_) => false,
            };
            assert!(
                is_named,
                "config/posko.toml does not name `{section}.{key}`"
            );
        }
    }
}

#[test]
fn a_minimal_file_has_the_documented_defaults_and_survives_being_written() {
    let config = Config::parse(MINIMAL).unwrap();
    assert_eq!(config.role, NodeRole::Node);
    assert_eq!(
        config.federation,
        FederationConfig {
            listen: "127.0.0.1:7431".parse().unwrap(),
            public_address: None
        }
    );
    assert_eq!(
        config.api,
        ApiConfig {
            listen: "127.0.0.1:7430".parse().unwrap(),
            names: Vec::new()
        }
    );
    assert_eq!(config.disk, DiskConfig { floor_mib: 1024 });
    assert_eq!(config.blob, BlobConfig { max_mib: 64 });
    assert_eq!(
        config.log,
        LogConfig {
            format: LogFormat::Text,
            filter: "info".into()
        }
    );
    assert!(config.feeds.is_empty());
    assert_eq!(Config::parse(&config.to_toml()).unwrap(), config);

    let with_feed = "[[feed]]\nname = \"gempa\"\nkind = \"bmkg-earthquake\"\nurl = \"http://127.0.0.1:1/a.json\"\n";
    let config = Config::parse(&format!("{MINIMAL}{with_feed}")).unwrap();
    assert_eq!(config.feeds[0].period, Duration::from_mins(1));
    assert_eq!(
        config.feeds[0].kind,
        FeedKind::BmkgEarthquake { radius_km: 300 }
    );
    assert_eq!(Config::parse(&config.to_toml()).unwrap(), config);
}

#[test]
fn the_feeds_shown_to_a_node_without_feeds_can_be_uncommented() {
    let config = Config::parse(MINIMAL).unwrap();
    let written = config.to_toml();
    let is_example = |line: &str| {
        EXAMPLE_FEEDS
            .lines()
            .any(|example| !example.is_empty() && line == format!("# {example}"))
    };
    let uncommented: Vec<_> = written
        .lines()
        .map(|line| {
            if is_example(line) {
                line.trim_start_matches("# ")
            } else {
                line
            }
        })
        .collect();
    assert_eq!(
        Config::parse(&uncommented.join("\n")).unwrap().feeds,
        example().feeds
    );
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one() {
    let cases = [
        (
            "fed_id = 1\n",
            "key `fed_id` on line `3` is not known; the nearest known key is ",
        ),
        (
            "[federation]\nlissten = \"\"\n",
            "key `federation.lissten` on line `4` is not known; the nearest known key is `federation.listen`",
        ),
        (
            "[api]\npublic_adress = \"\"\n",
            "key `api.public_adress` on line `4` is not known; the nearest known key is `federation.public_address`",
        ),
        (
            "\n[[feed]]\nperiod_secs = 3\n",
            "key `feed.period_secs` on line `5` is not known; the nearest known key is `feed.period_seconds`",
        ),
        (
            "[feeds]\n",
            "key `feeds` on line `3` is not known; the nearest known key is `feed`",
        ),
        (
            "[log]\nlevel = \"info\"\n",
            "key `log.level` on line `4` is not known",
        ),
    ];
    for (lines, expected) in cases {
        let refused = refusal(lines);
        assert!(refused.starts_with(expected), "{lines:?}: {refused}");
    }
    let key = "k".repeat(10_000);
    assert!(refusal(&format!("{key} = 1\n")).len() < 300);
}

#[test]
fn a_value_out_of_bounds_is_refused_with_key_value_line_and_what_is_allowed() {
    let feed = |lines: &str| {
        format!("[[feed]]\nname = \"a\"\nkind = \"bmkg-nowcast\"\nurl = \"http://h/\"\n{lines}\n")
    };
    let quake = |lines: &str| {
        format!(
            "[[feed]]\nname = \"a\"\nkind = \"bmkg-earthquake\"\nurl = \"http://h/\"\n{lines}\n"
        )
    };
    let cases = [
        (
            "role = \"relay\"\n".into(),
            "key `role` on line `3` is `relay`: it must be `node` or `gateway`",
        ),
        (
            "role = \"gateway\"\n".into(),
            "key `role` on line `3` is `gateway`: it must be `node`, unless the origin is `ims`",
        ),
        (
            "[federation]\nlisten = \"localhost\"\n".into(),
            "key `federation.listen` on line `4` is `localhost`: it must be an address IP:PORT",
        ),
        (
            "[federation]\nlisten = 7431\n".into(),
            "key `federation.listen` on line `4` is `7431`: it must be a text in quotes",
        ),
        (
            "[federation]\npublic_address = \"posko\"\n".into(),
            "key `federation.public_address` on line `4` is `posko`: it must be HOST:PORT",
        ),
        (
            "[api]\nlisten = \"127.0.0.1:7431\"\n".into(),
            "key `api.listen` on line `4` is `127.0.0.1:7431`: it must be another address than `federation.listen`",
        ),
        (
            "[report]\nlisten = \"127.0.0.1:7431\"\n".into(),
            "key `report.listen` on line `4` is `127.0.0.1:7431`: it must be another address than `federation.listen`",
        ),
        (
            "[report]\nlisten = \"127.0.0.1:7440\"\n[api]\nlisten = \"[::]:7440\"\n".into(),
            "key `report.listen` on line `4` is `127.0.0.1:7440`: it must be another address than `api.listen`",
        ),
        (
            "[api]\nnames = [\"ok\", \"not a name\"]\n".into(),
            "key `api.names` on line `4` is `not a name`: it must be a list of host names",
        ),
        (
            "api = 3\n".into(),
            "key `api` on line `3` is `3`: it must be a section `[api]`",
        ),
        (
            "[feed]\nname = \"a\"\n".into(),
            "key `feed` on line `3` is ",
        ),
        (
            "[[feed]]\nname = \"a\"\n".into(),
            "key `feed.kind` is missing in the section that begins on line `3`: it must be `bmkg-nowcast`, `bmkg-earthquake`, `cap`",
        ),
        (
            "[[feed]]\nname = \"a\"\nkind = \"rss\"\n".into(),
            "key `feed.kind` on line `5` is `rss`: it must be `bmkg-nowcast`, `bmkg-earthquake`, `cap`",
        ),
        (
            "[[feed]]\nname = \"A b\"\n".into(),
            "key `feed.name` on line `4` is `A b`: it must be 1 to 40 characters",
        ),
        (
            feed("period_seconds = 9"),
            "key `feed.period_seconds` on line `7` is `9`: it must be a whole number from 10 to 86400",
        ),
        (
            feed("period_seconds = 1.5"),
            "key `feed.period_seconds` on line `7` is `1.5`: it must be a whole number from 10 to 86400",
        ),
        (
            feed("period_seconds = -99999999999999999999"),
            "key `feed.period_seconds` on line `7` is `-99999999999999999999`",
        ),
        (
            feed("radius_km = 3"),
            "key `feed.radius_km` on line `7` is `3`: it must be left out",
        ),
        (
            feed("gauges = [\"Katulampa\"]"),
            "key `feed.gauges` on line `7` is `[\"Katulampa\"]`: it must be left out",
        ),
        (
            feed("gauges = [\"Entah\"]").replace("bmkg-nowcast", "gauges"),
            "key `feed.gauges` on line `7` is `Entah`: it must be a list of names of gauges that are known",
        ),
        (
            feed("provinces = [\"Jawa Tengah\"]"),
            "key `feed.provinces` on line `7` is `Jawa Tengah`: it must be a list of `DKI Jakarta`",
        ),
        (
            feed("provinces = []"),
            "key `feed.provinces` on line `7` is `[]`: it must be a list of at least one province",
        ),
        (
            quake("provinces = []"),
            "key `feed.provinces` on line `7` is `[]`: it must be left out",
        ),
        (
            quake("radius_km = 0"),
            "key `feed.radius_km` on line `7` is `0`: it must be a whole number from 1 to 5000",
        ),
        (
            feed("") + &feed(""),
            "key `feed.name` on line `9` is `a`: it must be a name that no other feed has",
        ),
        (
            "[log]\nformat = \"xml\"\n".into(),
            "key `log.format` on line `4` is `xml`: it must be `text` or `json`",
        ),
        (
            "[log]\nfilter = \"loud\"\n".into(),
            "key `log.filter` on line `4` is `loud`: it must be `error`",
        ),
    ];
    for (lines, expected) in cases {
        let refused = refusal(&lines);
        assert!(refused.starts_with(expected), "{lines:?}: {refused}");
    }
}

#[test]
fn a_gauge_without_a_level_or_a_place_downstream_is_refused_and_without_any_the_shipped_ones_are_known()
 {
    assert_eq!(Config::parse(MINIMAL).unwrap().gauges, Gauge::shipped());
    let gauge = |lines: &str| format!("[[gauge]]\nname = \"Manggarai\"\n{lines}\n");
    for (section, expected) in [
        (
            gauge("downstream = [\"31.72:60\"]"),
            "key `gauge.siaga_i_cm` is missing",
        ),
        (
            gauge("siaga_i_cm = 950"),
            "key `gauge.downstream` is missing",
        ),
        (
            gauge("siaga_i_cm = 950\ndownstream = [\"31.79:60\"]"),
            "key `gauge.downstream` on line `6` is `31.79:60`",
        ),
        (
            gauge("siaga_i_cm = 750\nsiaga_ii_cm = 950\ndownstream = [\"31.72:60\"]"),
            "key `gauge.siaga_ii_cm` on line `6` is `950`: it must be lower",
        ),
        (gauge("") + &gauge(""), "key `gauge.siaga_i_cm` is missing"),
    ] {
        let refusal = refusal(&section);
        assert!(refusal.starts_with(expected), "{refusal}");
    }
    let good = gauge("siaga_i_cm = 950\ndownstream = [\"31.72:60\"]");
    let config = Config::parse(&format!("{MINIMAL}{good}")).unwrap();
    assert_eq!(config.gauges[0].downstream, [("31.72".to_owned(), 60)]);
    assert_eq!(Config::parse(&config.to_toml()).unwrap(), config);
}

#[test]
fn a_feed_is_asked_over_http_only_and_without_a_password_in_its_address() {
    for url in [
        "ftp://h/a",
        "file:///etc/hostname",
        "//h/a",
        "",
        "http://",
        "https://user:secret@h/",
        "http://h/#x",
    ] {
        let feed = format!("[[feed]]\nname = \"a\"\nkind = \"bmkg-nowcast\"\nurl = \"{url}\"\n");
        assert!(
            refusal(&feed).starts_with("key `feed.url` on line `6` is "),
            "{url}: {}",
            refusal(&feed)
        );
    }
}

#[test]
fn an_address_that_is_refused_is_repeated_without_its_login() {
    for (url, shown) in [
        ("https://pengguna:rahasia@h/a", "https://…@h/a"),
        ("https://rahasia@h/", "https://…@h/"),
        ("https://pengguna:ra/ha#sia@h/", "https://…@h/"),
        ("pengguna:rahasia@h", "…@h"),
    ] {
        let feed = format!("[[feed]]\nname = \"a\"\nkind = \"bmkg-nowcast\"\nurl = \"{url}\"\n");
        let refused = refusal(&feed);
        let expected = format!("key `feed.url` on line `6` is `{shown}`: ");
        assert!(refused.starts_with(&expected), "{refused}");
    }
}

#[test]
fn what_is_no_toml_or_has_a_key_twice_is_refused_with_its_line() {
    assert!(
        refusal("origin = \"31\"\n").starts_with("line `3` is not TOML: "),
        "{}",
        refusal("origin = \"31\"\n")
    );
    assert!(
        refusal("= 3").starts_with("line `3` is not TOML: "),
        "{}",
        refusal("= 3")
    );
    assert_eq!(
        Config::parse("").unwrap_err().to_string(),
        "key `origin` is missing in the section that begins on line `1`: \
         it must be 1 to 16 characters of a-z and 0-9, such as `32`"
    );
    assert!(Config::parse("origin = \"32\"\nfederation_id = \"x\"").is_err());
}

#[test]
fn a_file_is_read_from_the_nodes_directory_and_its_refusals_name_it() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Config::load(dir.path()).unwrap_err();
    assert!(matches!(missing, ConfigError::Read { .. }), "{missing}");

    std::fs::write(dir.path().join(FILE_NAME), EXAMPLE).unwrap();
    assert_eq!(Config::load(dir.path()).unwrap(), example());

    std::fs::write(dir.path().join(FILE_NAME), "orign = \"32\"\n").unwrap();
    let refused = Config::load(dir.path()).unwrap_err().to_string();
    assert!(
        refused.contains(FILE_NAME) && refused.ends_with("the nearest known key is `origin`"),
        "{refused}"
    );

    std::fs::write(dir.path().join(FILE_NAME), "#".repeat(1024 * 1024 + 1)).unwrap();
    assert!(matches!(
        Config::load(dir.path()),
        Err(ConfigError::TooLarge { .. })
    ));
}

#[test]
fn a_gateway_is_named_ims_and_takes_no_feeds() {
    let minimal = MINIMAL.replace("\"32\"", "\"ims\"");
    let config = Config::parse(&format!("{minimal}role = \"gateway\"\n")).unwrap();
    assert_eq!(config.role, NodeRole::Gateway);
    assert_eq!(Config::parse(&config.to_toml()).unwrap(), config);

    let refusal = |lines: &str| {
        let refused = Config::parse(&format!("{minimal}{lines}")).unwrap_err();
        refused.to_string()
    };
    assert_eq!(
        refusal("role = \"node\"\n"),
        "key `role` on line `3` is `node`: it must be `gateway`, since the origin is `ims`"
    );
    let without = refusal("");
    assert!(
        without.contains("`origin`") && without.contains("role = \"gateway\""),
        "{without}"
    );
    let feed = "role = \"gateway\"\n[[feed]]\nname = \"a\"\nkind = \"bmkg-earthquake\"\nurl = \"http://h/\"\n";
    let with_feed = refusal(feed);
    assert!(with_feed.contains("left out at a gateway"), "{with_feed}");
}

#[test]
fn a_template_is_refused_with_its_line_when_a_placeholder_or_a_text_is_wrong() {
    let with = |change: &dyn Fn(String) -> String| refusal(&change(own::EXAMPLE_TEMPLATE.into()));
    let unknown = with(&|text| text.replace("{area}", "{tempat}"));
    assert!(
        unknown.contains("key `warning_template.headline_id` on line `7`")
            && unknown.contains("`{tempat}` is no placeholder"),
        "{unknown}"
    );
    let hazard = with(&|text| text.replace("\"flood\"", "\"hujan es\""));
    assert!(
        hazard.contains("it must be one of flood, flash_flood"),
        "{hazard}"
    );
    let half = with(&|text| {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("description_en"));
        lines.collect::<Vec<_>>().join("\n")
    });
    assert!(
        half.contains("key `warning_template.description_en` is missing"),
        "{half}"
    );
    let twice = with(&|text| format!("{text}\n\n{text}"));
    assert!(
        twice.contains("no other template of the same severity"),
        "{twice}"
    );
    let sender = refusal("[warning]\nsender = \"a b\"\n");
    assert!(sender.contains("without blanks"), "{sender}");
}

#[test]
fn a_report_listener_is_off_unless_it_is_asked_for_and_its_values_are_checked() {
    let config = Config::parse(MINIMAL).unwrap();
    assert_eq!(config.report, ReportConfig::default());
    assert_eq!(config.report.listen, None);
    for (line, shown) in [
        ("listen = \"7432\"", "an address IP:PORT"),
        ("phone = \"Pak A\"", "a telephone number"),
        ("proxies = [\"proxy\"]", "a list of IP addresses"),
        ("per_hour = 0", "a whole number from 1 to 1000000"),
        (
            "tls_cert = \"a.pem\"",
            "key `report.tls_key` is missing in the section that begins on line `3`",
        ),
        (
            "tls_key = \"a.pem\"",
            "`tls_cert` and `tls_key` are given together",
        ),
        (
            "tls_cert = \" \"\ntls_key = \"a.pem\"",
            "it must be a PEM file",
        ),
    ] {
        let refused = refusal(&format!("[report]\n{line}\n"));
        assert!(refused.contains(shown), "{refused}");
    }
    let source = |hash: &str| {
        refusal(&format!(
            "[[report_source]]\nreporter = \"x\"\ntoken_sha256 = \"{hash}\"\n"
        ))
    };
    assert!(source("rahasia").contains("64 hexadecimal digits"));
    assert!(source(&"é".repeat(32)).contains("64 hexadecimal digits"));
    let twice = format!("{0}\n{0}", report::EXAMPLE_SOURCE);
    assert!(refusal(&twice).contains("a token that no other source has"));
}
