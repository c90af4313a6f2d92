//! The contracts in `proto/`: every file is compiled, every element says what it is.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::tidy::Finding;

/// The file that lists the contracts to compile.
pub(super) const LIST: &str = "crates/proto/build.rs";

/// Holds that the list names exactly the contracts there are, each once.
pub(super) fn check_list(list_path: &Path, list: &str, contracts: &[PathBuf]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut listed = BTreeSet::new();
    for (line, text) in (1..).zip(list.lines()) {
        for name in text.split('"').filter(|part| is_contract(Path::new(part))) {
            let contract = Path::new("proto").join(name);
            if !contracts.contains(&contract) {
                findings.push(Finding::new(
                    list_path,
                    line,
                    format!("lists `{name}`, which is not in proto/"),
                ));
            }
            if !listed.insert(contract) {
                findings.push(Finding::new(
                    list_path,
                    line,
                    format!("lists `{name}` twice"),
                ));
            }
        }
    }
    let missing = contracts
        .iter()
        .filter(|contract| !listed.contains(*contract));
    findings.extend(missing.map(|contract| {
        Finding::new(
            contract,
            1,
            format!("is not listed in `{}`", list_path.display()),
        )
    }));
    findings
}

/// Holds that the comment over every element starts with its name and ends with a full stop.
pub(super) fn check_comments(path: &Path, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut comment = String::new();
    for (line, text) in (1..).zip(text.lines().map(str::trim)) {
        if let Some(said) = text.strip_prefix("//") {
            comment.push_str(said);
            continue;
        }
        if let Some(name) = element(text) {
            let said = comment.trim();
            let starts_with_its_name = said
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with([' ', ',', '\'']));
            if !starts_with_its_name || !said.ends_with('.') {
                findings.push(Finding::new(
                    path,
                    line,
                    format!("the comment of `{name}` does not start with its name and end with a full stop"),
                ));
            }
        }
        comment.clear();
    }
    findings
}

/// Tells whether the file is a contract.
pub(super) fn is_contract(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "proto")
}

/// Returns the name of the message, enum, value, field, service or call that a line declares.
fn element(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    match words.next()? {
        "message" | "enum" | "service" | "rpc" | "oneof" => words.next()?.split(['(', '{']).next(),
        "syntax" | "package" | "import" | "option" | "reserved" => None,
        _ => {
            let (declared, number) = line.split_once('=')?;
            number
                .trim_start()
                .starts_with(|c: char| c.is_ascii_digit())
                .then_some(())?;
            declared.split_whitespace().last()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_contract_is_listed_exactly_once() {
        let list = "const FILES: [&str; 3] = [\n    \"a.proto\",\n    \"a.proto\",\n    \"gone.proto\",\n];\n";
        let contracts = [
            PathBuf::from("proto/a.proto"),
            PathBuf::from("proto/new.proto"),
        ];
        assert_eq!(
            shown(&check_list(Path::new(LIST), list, &contracts)),
            [
                "crates/proto/build.rs:3: lists `a.proto` twice",
                "crates/proto/build.rs:4: lists `gone.proto`, which is not in proto/",
                "proto/new.proto:1: is not listed in `crates/proto/build.rs`",
            ]
        );
    }

    #[test]
    fn an_element_says_what_it_is_in_a_sentence_that_starts_with_its_name() {
        let text = "// A is good,\n// on two lines.\nmessage A {\n  // b is good.\n  repeated x.B b = 1;\n\n  // The wrong start.\n  string c = 2;\n  // d has no full stop\n  bool d = 3 [deprecated = true];\n  uint32 e = 4;\n  reserved 5;\n}\n";
        let rule = |name: &str| {
            format!("the comment of `{name}` does not start with its name and end with a full stop")
        };
        assert_eq!(
            shown(&check_comments(Path::new("p"), text)),
            [
                format!("p:8: {}", rule("c")),
                format!("p:10: {}", rule("d")),
                format!("p:11: {}", rule("e")),
            ]
        );
    }

    #[test]
    fn calls_and_values_are_elements_and_options_are_not() {
        assert_eq!(
            element("rpc GetNode(GetNodeRequest) returns (GetNodeResponse) {"),
            Some("GetNode")
        );
        assert_eq!(element("SCALE_SMALL = 1;"), Some("SCALE_SMALL"));
        assert_eq!(element("oneof frame {"), Some("frame"));
        assert_eq!(element("option deprecated = true;"), None);
        assert_eq!(element("}"), None);
    }
}
