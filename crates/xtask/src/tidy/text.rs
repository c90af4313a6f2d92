//! What no file may say: loose ends without an issue, hosts of registries, paths of one machine, a clock in a pure room.

use std::path::Path;

use crate::tidy::Finding;

/// The longest a file of Rust may grow before it surely holds a second idea.
const MOST_LINES: usize = 1_200;

/// The rooms without input, output, clock and chance.
const PURE: [&str; 3] = [
    "crates/domain/src",
    "crates/ledger/src",
    "crates/formats/src",
];

/// What a pure room has no need to name outside its tests.
const IMPURE: [&str; 12] = [
    "SystemTime::now",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::io::std",
];

/// What marks a loose end; written in two parts so that this file passes its own rule.
const LOOSE_ENDS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// Where a language's packages come from; clients know it, and a mirror must be able to stand in.
const REGISTRY_HOSTS: [&str; 8] = [
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("files.", "pythonhosted.org"),
    concat!("pypi", ".org"),
    concat!("deb.", "debian.org"),
    concat!("proxy.", "golang.org"),
];

/// Folders that exist on the machine of whoever built, and nowhere else.
const MACHINE_PATHS: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("/tmp", "/t-"),
];

/// Holds one file's text against the rules.
pub(super) fn check(path: &Path, text: &str) -> Vec<Finding> {
    let kept_as_it_came = is_under(path, &["fixtures", "vectors", "golden", "data"]);
    let mut findings = Vec::new();
    let mut find = |line: usize, what: String| findings.push(Finding::new(path, line, what));
    for (line, text) in (1..).zip(text.lines()) {
        if !kept_as_it_came && text.ends_with(|c: char| c.is_whitespace()) {
            find(line, "ends in white space".to_owned());
        }
        if let Some(word) = loose_end(text).filter(|_| is_code(path)) {
            find(line, format!("`{word}` without an issue number"));
        }
        if let Some(host) = REGISTRY_HOSTS.iter().find(|host| text.contains(*host)) {
            find(line, format!("names the registry host `{host}`"));
        }
        if let Some(folder) = MACHINE_PATHS.iter().find(|folder| names_path(text, folder)) {
            find(line, format!("names a path of one machine, `{folder}`"));
        }
        if is_npm_lock(path) && text.contains(r#""resolved": "http"#) {
            find(line, "says where the package was fetched from".to_owned());
        }
    }
    let length = text.lines().count();
    if is_rust(path) && length > MOST_LINES {
        let what = format!("has {length} lines, more than {MOST_LINES}: look for the second idea");
        find(MOST_LINES + 1, what);
    }
    if is_rust(path) && PURE.iter().any(|room| path.starts_with(room)) {
        for (line, word) in impurities(path, text) {
            find(line, format!("`{word}` in a pure room"));
        }
    }
    findings
}

/// Returns the mark of a loose end that names no issue.
fn loose_end(line: &str) -> Option<&str> {
    let unfinished = concat!("to", "do!");
    if let Some(found) = words(line, unfinished).next() {
        return line.get(found..found + unfinished.len());
    }
    let with_issue = |rest: &str| {
        let number = rest
            .strip_prefix("(#")
            .and_then(|rest| rest.split_once(')'));
        number.is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    LOOSE_ENDS.iter().find_map(|mark| {
        let open = |start: &usize| !line.get(start + mark.len()..).is_some_and(with_issue);
        words(line, mark)
            .find(open)
            .and_then(|start| line.get(start..start + mark.len()))
    })
}

/// Returns where `word` starts in `line`, not inside a longer word.
fn words<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .map(|(start, _)| start)
        .filter(move |start| {
            let before = line.get(..*start).and_then(|text| text.chars().next_back());
            let after = line
                .get(start + word.len()..)
                .and_then(|text| text.chars().next());
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
}

/// Tells whether `line` has `folder` as the start of an absolute path, not as the middle of one.
fn names_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "._-~*}{)>$/".contains(c))
    })
}

/// Returns the line and the word of everything impure outside comments and tests.
fn impurities<'a>(path: &Path, text: &'a str) -> Vec<(usize, &'a str)> {
    if is_under(path, &["tests"]) || path.file_stem().is_some_and(|name| name == "tests") {
        return Vec::new();
    }
    let rules = text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]");
    let code = (1..)
        .zip(rules)
        .filter(|(_, line)| !line.trim_start().starts_with("//"));
    let find = |(number, line): (usize, &'a str)| {
        let found = IMPURE
            .iter()
            .find_map(|word| line.find(word).map(|at| (at, word.len())));
        found
            .and_then(|(at, length)| line.get(at..at + length))
            .map(|word| (number, word))
    };
    code.filter_map(find).collect()
}

fn is_code(path: &Path) -> bool {
    let code = [
        "rs", "proto", "py", "ts", "svelte", "sql", "toml", "sh", "css", "html", "js",
    ];
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|ext| code.contains(&ext))
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

fn is_npm_lock(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name == "package-lock.json")
}

fn is_under(path: &Path, folders: &[&str]) -> bool {
    let parents = path.parent().into_iter().flat_map(Path::components);
    parents
        .into_iter()
        .any(|part| folders.iter().any(|folder| part.as_os_str() == *folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_at(path: &str, text: &str) -> Vec<String> {
        check(Path::new(path), text)
            .iter()
            .map(Finding::to_string)
            .collect()
    }

    #[test]
    fn white_space_at_the_end_of_a_line_is_found_except_in_fixtures() {
        assert_eq!(
            check_at("a.md", "good\nbad \n"),
            ["a.md:2: ends in white space"]
        );
        assert_eq!(check_at("tests/fixtures/a.xml", "kept \r\n"), [""; 0]);
    }

    #[test]
    fn a_loose_end_names_its_issue() {
        let mark = LOOSE_ENDS[0];
        assert_eq!(
            check_at(
                "a.rs",
                &format!("// {mark}: later\n// {mark}(#12): later\n// {mark}S, MAS{mark}\n")
            ),
            [format!("a.rs:1: `{mark}` without an issue number")]
        );
        let unfinished = concat!("to", "do!");
        assert_eq!(
            check_at("a.rs", &format!("    {unfinished}()\n")),
            [format!("a.rs:1: `{unfinished}` without an issue number")]
        );
        assert_eq!(
            check_at("a.md", &format!("no {mark} without an issue number\n")),
            [""; 0]
        );
    }

    #[test]
    fn registries_and_machines_are_not_named() {
        let host = REGISTRY_HOSTS[0];
        assert_eq!(
            check_at("a.json", &format!("{{\"url\": \"https://{host}/x\"}}\n")),
            [format!("a.json:1: names the registry host `{host}`")]
        );
        let folder = MACHINE_PATHS[2];
        assert_eq!(
            check_at(
                "a.rs",
                &format!("let dir = \"{folder}main\";\n// see example.org{folder}plan\n")
            ),
            [format!("a.rs:1: names a path of one machine, `{folder}`")]
        );
        assert_eq!(
            check_at(
                "ui/package-lock.json",
                "  \"resolved\": \"https://mirror.example/x.tgz\",\n"
            ),
            ["ui/package-lock.json:1: says where the package was fetched from"]
        );
    }

    #[test]
    fn a_file_of_rust_stays_short() {
        let long = "//\n".repeat(MOST_LINES + 1);
        assert_eq!(
            check_at("a.rs", &long),
            ["a.rs:1201: has 1201 lines, more than 1200: look for the second idea"]
        );
        assert_eq!(check_at("a.txt", &long), [""; 0]);
    }

    #[test]
    fn a_pure_room_reads_no_clock_outside_its_tests() {
        let text =
            "// Utc::now is read elsewhere\nlet now = Utc::now();\n#[cfg(test)]\nuse std::fs;\n";
        assert_eq!(
            check_at("crates/domain/src/incident/mod.rs", text),
            ["crates/domain/src/incident/mod.rs:2: `Utc::now` in a pure room"]
        );
        assert_eq!(
            check_at("crates/domain/src/incident/tests.rs", text),
            [""; 0]
        );
        assert_eq!(check_at("crates/node/src/timer.rs", text), [""; 0]);
    }
}
