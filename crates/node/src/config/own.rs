//! The node's own warnings: how it names itself, and the texts that they are written from.

use std::fmt::Write as _;

use posko_domain::{
    hazard,
    warning::template::{self, Template},
};
use posko_proto::{
    common::v1::Hazard,
    warning::v1::{Severity, Text},
};

use super::{ConfigError, quoted, section::Section};

pub(super) const WARNING_KEYS: &[&str] = &["sender", "publisher"];
pub(super) const TEMPLATE_KEYS: &[&str] = &[
    "name",
    "hazard",
    "severity",
    "headline_id",
    "description_id",
    "instruction_id",
    "headline_en",
    "description_en",
    "instruction_en",
];

const SEVERITIES: [(&str, Severity); 4] = [
    ("minor", Severity::Minor),
    ("moderate", Severity::Moderate),
    ("severe", Severity::Severe),
    ("extreme", Severity::Extreme),
];

/// How a node's own warnings are named and written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnWarningConfig {
    /// How CAP names the node, unique in the world; none for the default.
    pub sender: Option<String>,
    /// The office that warns; none for the default.
    pub publisher: Option<String>,
    /// The province's own templates, in the file's order.
    pub templates: Vec<Template>,
}

impl OwnWarningConfig {
    pub(super) fn parse(root: &Section<'_>) -> Result<Self, ConfigError> {
        let mut own = Self::default();
        if let Some(section) = root.table("warning")? {
            section.check_keys()?;
            if let Some(sender) = section.string("sender")? {
                let is_key = |text: &str| {
                    let bad = |c: char| c.is_whitespace() || c.is_control() || ",<&".contains(c);
                    (1..=200).contains(&text.len()) && !text.contains(bad)
                };
                if !is_key(&sender.value) {
                    return Err(sender.refuse("1 to 200 bytes without blanks, commas, `<` and `&`"));
                }
                own.sender = Some(sender.value);
            }
            if let Some(publisher) = section.string("publisher")? {
                if publisher.value.trim().is_empty() || publisher.value.chars().count() > 200 {
                    return Err(publisher.refuse("an office's name of 1 to 200 characters"));
                }
                own.publisher = Some(publisher.value);
            }
        }
        for section in root.tables("warning_template")? {
            section.check_keys()?;
            let template = parse_template(&section, &own.templates)?;
            own.templates.push(template);
        }
        Ok(own)
    }

    pub(super) fn write(&self, to: &mut String) -> std::fmt::Result {
        writeln!(to, "[warning]")?;
        writeln!(
            to,
            "# How CAP names this node in its own warnings, unique in the world: 1 to 200 bytes without blanks, commas, < and &."
        )?;
        writeln!(to, "# Default \"posko-ORIGIN@FEDERATION_ID\".")?;
        match &self.sender {
            Some(sender) => writeln!(to, "sender = {}", quoted(sender))?,
            None => writeln!(to, "# sender = \"posko-jabar.example.org\"")?,
        }
        writeln!(
            to,
            "# The office that warns, never a person. Default \"PMI \" and the province's name."
        )?;
        match &self.publisher {
            Some(publisher) => writeln!(to, "publisher = {}", quoted(publisher))?,
            None => writeln!(to, "# publisher = \"PMI Provinsi Jawa Barat\"")?,
        }
        writeln!(to)?;
        for line in TEMPLATE_HELP {
            writeln!(to, "{line}")?;
        }
        if self.templates.is_empty() {
            for line in EXAMPLE_TEMPLATE.lines() {
                writeln!(to, "# {line}")?;
            }
        }
        for (at, template) in self.templates.iter().enumerate() {
            if at > 0 {
                writeln!(to)?;
            }
            write_template(template, to)?;
        }
        Ok(())
    }
}

fn parse_template(section: &Section<'_>, before: &[Template]) -> Result<Template, ConfigError> {
    let name = section.required_string("name", "a name such as `banjir`")?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.value.is_empty() || name.value.len() > 40 || !name.value.bytes().all(plain) {
        return Err(name.refuse("1 to 40 characters of a-z, 0-9 and `-`"));
    }
    let hazard = section.required_string("hazard", "a hazard such as `flood`")?;
    let known: Option<Hazard> = hazard::find(&hazard.value);
    let Some(known) = known else {
        let names: Vec<&str> = hazard::ALL.iter().map(|label| label.name).collect();
        return Err(hazard.refuse(&format!("one of {}", names.join(", "))));
    };
    let allowed = "`minor`, `moderate`, `severe` or `extreme`";
    let severity = section.required_string("severity", allowed)?;
    let found = SEVERITIES.iter().find(|(name, _)| *name == severity.value);
    let (_, found) = *found.ok_or_else(|| severity.refuse(allowed))?;
    if before
        .iter()
        .any(|known| (&known.name, known.severity) == (&name.value, found))
    {
        return Err(name.refuse("a name that no other template of the same severity has"));
    }
    let text = |key: &str, needed: bool| {
        let allowed = "a text of 1 to 4000 characters";
        let given = if needed {
            Some(section.required_string(key, allowed)?)
        } else {
            section.string(key)?
        };
        let Some(given) = given else {
            return Ok(None);
        };
        let characters = given.value.chars().count();
        if given.value.trim().is_empty() || characters > template::CHARACTERS {
            return Err(given.refuse(allowed));
        }
        template::check(&given.value).map_err(|error| {
            given.refuse(&format!("a text whose braces hold a placeholder: {error}"))
        })?;
        Ok(Some(given.value))
    };
    let mut texts = vec![Text {
        language: "id".into(),
        headline: text("headline_id", true)?.unwrap_or_default(),
        description: text("description_id", true)?.unwrap_or_default(),
        instruction: text("instruction_id", true)?.unwrap_or_default(),
        ..Text::default()
    }];
    let english = (
        text("headline_en", false)?,
        text("description_en", false)?,
        text("instruction_en", false)?,
    );
    match english {
        (None, None, None) => {}
        (Some(headline), Some(description), instruction) => texts.push(Text {
            language: "en".into(),
            headline,
            description,
            instruction: instruction.unwrap_or_default(),
            ..Text::default()
        }),
        _ => {
            // English needs both, or nobody would know what the half of it is about.
            section.required_string("headline_en", "given with `description_en`")?;
            section.required_string("description_en", "given with `headline_en`")?;
        }
    }
    Ok(Template {
        name: name.value,
        hazard: known,
        severity: found,
        texts,
        configured: true,
    })
}

fn write_template(template: &Template, to: &mut String) -> std::fmt::Result {
    let severity = SEVERITIES
        .iter()
        .find(|(_, known)| *known == template.severity)
        .map_or("minor", |(name, _)| *name);
    writeln!(to, "[[warning_template]]")?;
    writeln!(to, "name = {}", quoted(&template.name))?;
    writeln!(to, "hazard = {}", quoted(hazard::of(template.hazard).name))?;
    writeln!(to, "severity = {}", quoted(severity))?;
    for text in &template.texts {
        let parts = [
            ("headline", &text.headline),
            ("description", &text.description),
            ("instruction", &text.instruction),
        ];
        for (key, words) in parts.into_iter().filter(|(_, words)| !words.is_empty()) {
            writeln!(to, "{key}_{} = {}", text.language, quoted(words))?;
        }
    }
    Ok(())
}

const TEMPLATE_HELP: [&str; 8] = [
    "# Texts that own warnings are written from, beside the shipped ones or in their place: a [[warning_template]] section",
    "# for each name and severity. `posko warning template list` shows them all.",
    "#   name            1 to 40 characters of a-z, 0-9 and -",
    "#   hazard          flood, flash_flood, landslide, earthquake, tsunami, volcano, extreme_wind, storm_surge, …",
    "#   severity        minor, moderate, severe or extreme",
    "#   headline_id, description_id, instruction_id   the texts in Bahasa Indonesia",
    "#   headline_en, description_en, instruction_en   the same in English; may be left out",
    "#   Between braces may stand {area}, {time}, {until}, {level} and {source}.",
];

pub(super) const EXAMPLE_TEMPLATE: &str = r#"[[warning_template]]
name = "banjir-katulampa"
hazard = "flood"
severity = "severe"
headline_id = "{level}: banjir kiriman ke {area}"
description_id = "Air dari hulu diperkirakan tiba di {area}. Sumber: {source}. Berlaku {time} sampai {until}."
instruction_id = "Pindahkan barang ke tempat tinggi dan dahulukan lansia serta anak."
headline_en = "{level}: flood wave to {area}"
description_en = "Water from upstream is expected in {area}. Source: {source}. In force from {time} until {until}."
instruction_en = "Move belongings up high, and help older people and children first.""#;
