//! The rooms of the house: one table of who may use whom, held against what cargo knows.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::DependencyKind;

use crate::{repo::Repo, tidy::Finding};

/// The house, top floor first; arrows run downward only, and rooms on one floor never use each other.
///
/// ```text
/// cli → gateway → node → {store, documents, dashboard} → {domain, ledger, formats} → proto
/// ```
///
/// `testkit` serves tests alone, and `xtask` stands apart: it meets the house as programs, not as code.
const HOUSE: [Room; 12] = [
    Room {
        name: "cli",
        uses: &["gateway", "node", "domain", "proto"],
        pure: Pure::No,
    },
    Room {
        name: "gateway",
        uses: &[
            "node",
            "store",
            "documents",
            "dashboard",
            "domain",
            "ledger",
            "formats",
            "proto",
        ],
        pure: Pure::No,
    },
    Room {
        name: "node",
        uses: &[
            "store",
            "documents",
            "dashboard",
            "domain",
            "ledger",
            "formats",
            "proto",
        ],
        pure: Pure::No,
    },
    Room {
        name: "store",
        uses: &["domain", "ledger", "formats", "proto"],
        pure: Pure::No,
    },
    Room {
        name: "documents",
        uses: &["domain", "ledger", "formats", "proto"],
        pure: Pure::No,
    },
    Room {
        name: "dashboard",
        uses: &["domain", "ledger", "formats", "proto"],
        pure: Pure::No,
    },
    Room {
        name: "domain",
        uses: &["proto"],
        pure: Pure::Yes,
    },
    Room {
        name: "ledger",
        uses: &["proto"],
        pure: Pure::Yes,
    },
    Room {
        name: "formats",
        uses: &["proto"],
        pure: Pure::Yes,
    },
    Room {
        name: "proto",
        uses: &[],
        pure: Pure::No,
    },
    Room {
        name: "testkit",
        uses: &[
            "gateway", "node", "store", "domain", "ledger", "formats", "proto",
        ],
        pure: Pure::No,
    },
    Room {
        name: "xtask",
        uses: &[],
        pure: Pure::No,
    },
];

/// The room that only tests may use.
const TESTS_ONLY: &str = "testkit";

/// What a pure room must not depend on, nor on a crate of that family (`tokio-stream`).
const IMPURE: [&str; 7] = [
    "tokio",
    "tonic",
    "rusqlite",
    "tracing",
    "rustls",
    "getrandom",
    "rand",
];

/// The features that bring a clock or a socket with a crate that is otherwise pure.
const IMPURE_FEATURES: [(&str, &[&str]); 2] = [
    ("chrono", &["clock", "now", "default"]),
    ("posko-proto", &["rpc"]),
];

struct Room {
    name: &'static str,
    uses: &'static [&'static str],
    pure: Pure,
}

/// Whether a room stays without input, output, clock and chance.
#[derive(PartialEq, Eq)]
enum Pure {
    Yes,
    No,
}

/// What a manifest says, as far as the rules ask.
pub(super) struct Manifest {
    path: PathBuf,
    text: String,
    package: String,
    dependencies: Vec<Dependency>,
}

/// A direct dependency; `features` has `default` unless it was switched off.
struct Dependency {
    name: String,
    key: String,
    features: Vec<String>,
    kind: DependencyKind,
}

/// Reads every manifest of the workspace.
pub(super) fn read(repo: &Repo) -> Result<Vec<Manifest>> {
    let read_one = |package: &cargo_metadata::Package| {
        let path = package.manifest_path.as_std_path();
        let text =
            fs::read_to_string(path).with_context(|| format!("read `{}`", path.display()))?;
        let dependencies = package.dependencies.iter().map(|dependency| {
            let default = dependency
                .uses_default_features
                .then(|| "default".to_owned());
            Dependency {
                name: dependency.name.clone(),
                key: dependency
                    .rename
                    .clone()
                    .unwrap_or_else(|| dependency.name.clone()),
                features: dependency.features.iter().cloned().chain(default).collect(),
                kind: dependency.kind,
            }
        });
        Ok(Manifest {
            path: repo.relative(path).to_owned(),
            text,
            package: package.name.to_string(),
            dependencies: dependencies.collect(),
        })
    };
    repo.metadata.packages.iter().map(read_one).collect()
}

/// Holds the table, the purity of the pure rooms and the shared lints against the manifests.
pub(super) fn check(manifests: &[Manifest]) -> Vec<Finding> {
    manifests.iter().flat_map(check_one).collect()
}

fn check_one(manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !inherits_lints(&manifest.text) {
        let what = "has no `[lints]` with `workspace = true`";
        findings.push(Finding::new(&manifest.path, 1, what));
    }
    let name = room_name(&manifest.package).unwrap_or(&manifest.package);
    let Some(room) = HOUSE.iter().find(|room| room.name == name) else {
        let what = format!(
            "`{}` is no room of the table in xtask's `room.rs`",
            manifest.package
        );
        findings.push(Finding::new(&manifest.path, 1, what));
        return findings;
    };
    for dependency in &manifest.dependencies {
        let refusal = refuse_room(room, dependency).or_else(|| refuse_impure(room, dependency));
        if let Some(what) = refusal {
            let line = line_of(&manifest.text, &dependency.key);
            findings.push(Finding::new(&manifest.path, line, what));
        }
    }
    findings
}

/// Returns why the room may not use this one, if it is a room and the table has no such arrow.
fn refuse_room(room: &Room, dependency: &Dependency) -> Option<String> {
    let used = room_name(&dependency.name)?;
    if used == TESTS_ONLY {
        let in_tests = dependency.kind == DependencyKind::Development;
        return (!in_tests).then(|| format!("`{used}` is for tests: make it a dev-dependency"));
    }
    let allowed = room.uses.contains(&used);
    (!allowed).then(|| {
        format!(
            "`{}` may not use `{used}`: no such arrow in the house",
            room.name
        )
    })
}

/// Returns why a pure room may not depend on this crate, if it may not; what its tests use is free.
fn refuse_impure(room: &Room, dependency: &Dependency) -> Option<String> {
    if room.pure == Pure::No || dependency.kind == DependencyKind::Development {
        return None;
    }
    let is_of = |family: &&str| {
        let rest = dependency.name.strip_prefix(*family);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    if IMPURE.iter().any(is_of) {
        return Some(format!(
            "`{}` is pure and may not depend on `{}`",
            room.name, dependency.name
        ));
    }
    let (_, features) = IMPURE_FEATURES
        .iter()
        .find(|(name, _)| *name == dependency.name)?;
    let feature = features
        .iter()
        .find(|feature| dependency.features.iter().any(|on| on == *feature))?;
    Some(format!(
        "`{}` is pure and may not switch on `{feature}` of `{}`",
        room.name, dependency.name
    ))
}

fn room_name(package: &str) -> Option<&str> {
    package.strip_prefix("posko-")
}

fn inherits_lints(manifest: &str) -> bool {
    let mut section = manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1);
    section
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .any(|line| line == "workspace = true")
}

/// Returns the line on which a manifest names a dependency, or the first when it is written in another way.
fn line_of(manifest: &str, key: &str) -> usize {
    let names_it = |line: &str| {
        line.strip_prefix(key)
            .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    manifest
        .lines()
        .position(names_it)
        .map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[lints]\nworkspace = true\n\n";

    type Listed<'a> = (&'a str, &'a [&'a str], DependencyKind);

    fn manifest(package: &str, dependencies: &[Listed]) -> Manifest {
        let lines: Vec<_> = dependencies
            .iter()
            .map(|(name, ..)| format!("{name}.workspace = true"))
            .collect();
        let dependency = |(name, features, kind): &Listed| Dependency {
            name: (*name).to_owned(),
            key: (*name).to_owned(),
            features: features
                .iter()
                .map(|feature| (*feature).to_owned())
                .collect(),
            kind: *kind,
        };
        Manifest {
            path: PathBuf::from("Cargo.toml"),
            text: LINTS.to_owned() + &lines.join("\n"),
            package: package.to_owned(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    fn check(package: &str, dependencies: &[Listed]) -> Vec<String> {
        check_one(&manifest(package, dependencies))
            .iter()
            .map(Finding::to_string)
            .collect()
    }

    #[test]
    fn arrows_run_downward_only() {
        use DependencyKind::Normal;
        let down: &[Listed] = &[("posko-store", &[], Normal), ("posko-domain", &[], Normal)];
        assert_eq!(check("posko-node", down), [""; 0]);
        assert_eq!(
            check(
                "posko-store",
                &[("posko-domain", &[], Normal), ("posko-node", &[], Normal)]
            ),
            ["Cargo.toml:5: `store` may not use `node`: no such arrow in the house"]
        );
        assert_eq!(
            check("posko-domain", &[("posko-ledger", &[], Normal)]),
            ["Cargo.toml:4: `domain` may not use `ledger`: no such arrow in the house"]
        );
        assert_eq!(
            check("posko-cli", &[("posko-store", &[], Normal)]),
            ["Cargo.toml:4: `cli` may not use `store`: no such arrow in the house"]
        );
        assert_eq!(
            check("xtask", &[("posko-proto", &[], Normal)]),
            ["Cargo.toml:4: `xtask` may not use `proto`: no such arrow in the house"]
        );
    }

    #[test]
    fn the_table_itself_has_no_arrow_upward_or_along_a_floor() {
        let floors: [&[&str]; 6] = [
            &["cli"],
            &["gateway"],
            &["node"],
            &["store", "documents", "dashboard"],
            &["domain", "ledger", "formats"],
            &["proto"],
        ];
        let floor = |name: &str| floors.iter().position(|rooms| rooms.contains(&name));
        for room in HOUSE.iter().filter(|room| floor(room.name).is_some()) {
            for used in room.uses {
                assert!(floor(room.name) < floor(used), "{} uses {used}", room.name);
            }
        }
    }

    #[test]
    fn the_testkit_serves_tests_alone() {
        let in_tests: &[Listed] = &[("posko-testkit", &[], DependencyKind::Development)];
        assert_eq!(check("posko-node", in_tests), [""; 0]);
        assert_eq!(
            check(
                "posko-node",
                &[("posko-testkit", &[], DependencyKind::Normal)]
            ),
            ["Cargo.toml:4: `testkit` is for tests: make it a dev-dependency"]
        );
    }

    #[test]
    fn a_pure_room_depends_on_no_runtime_and_no_clock() {
        use DependencyKind::{Development, Normal};
        assert_eq!(
            check(
                "posko-ledger",
                &[("tokio-stream", &[], Normal), ("rand", &[], Normal)]
            ),
            [
                "Cargo.toml:4: `ledger` is pure and may not depend on `tokio-stream`",
                "Cargo.toml:5: `ledger` is pure and may not depend on `rand`",
            ]
        );
        assert_eq!(
            check("posko-formats", &[("chrono", &["std", "clock"], Normal)]),
            ["Cargo.toml:4: `formats` is pure and may not switch on `clock` of `chrono`"]
        );
        assert_eq!(
            check("posko-domain", &[("posko-proto", &["rpc"], Normal)]),
            ["Cargo.toml:4: `domain` is pure and may not switch on `rpc` of `posko-proto`"]
        );
        let free: &[Listed] = &[("chrono", &["std"], Normal), ("rand", &[], Development)];
        assert_eq!(check("posko-formats", free), [""; 0]);
        assert_eq!(check("posko-node", &[("tokio", &[], Normal)]), [""; 0]);
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_refused() {
        assert_eq!(
            check("posko-attic", &[]),
            ["Cargo.toml:1: `posko-attic` is no room of the table in xtask's `room.rs`"]
        );
    }

    #[test]
    fn every_crate_takes_the_shared_lints() {
        assert!(inherits_lints(
            "[package]\n\n[lints]\n# why\nworkspace = true\n"
        ));
        assert!(!inherits_lints(
            "[lints]\n\n[dependencies]\nworkspace = true\n"
        ));
        assert!(!inherits_lints("[package]\n"));
    }
}
