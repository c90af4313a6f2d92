//! `posko region`: the codes of places, looked up by name. It needs no running node.

use clap::{Args, Subcommand};
use posko_domain::{
    region::{self, Region},
    zone,
};
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    input, label,
    output::{Answer, Context, Table, grouped},
};

/// Looks up the codes of provinces, kab/kota and kecamatan
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko region find bekasi
  posko region find \"tambun selatan\"")]
pub(crate) struct RegionArgs {
    #[command(subcommand)]
    command: RegionCommand,
}

#[derive(Debug, Subcommand)]
enum RegionCommand {
    /// Finds places by their name or a part of it, or what a code is of; it needs no running node
    #[command(after_help = "Examples:
  posko region find bekasi
  posko region find \"tambun selatan\"
  posko region find 32.75 --json

People are counted for provinces and kab/kota alone.")]
    Find {
        /// The name, a part of it, or a code
        name: String,
    },
}

impl RegionArgs {
    /// Looks the places up.
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let RegionCommand::Find { name } = self.command;
        let found = found(&name);
        if found.is_empty() {
            return Err(Failure::not_found(input::no_place(&name)));
        }
        let text = table(context, &found);
        let found: Vec<Value> = found.into_iter().map(view).collect();
        Answer::new(json!({ "regions": found }), text)
    }
}

/// Returns the places of a code, or whose name has every word of what was typed.
fn found(name: &str) -> Vec<&'static Region> {
    let name = name.trim();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        let inside = region::all().iter();
        return inside
            .filter(|region| region::within(region.code, name))
            .collect();
    }
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split_whitespace().collect();
    let has_all = |region: &&Region| {
        let known = region.name.to_lowercase();
        !words.is_empty() && words.iter().all(|word| known.contains(word))
    };
    let mut found: Vec<&'static Region> = region::all().iter().filter(has_all).collect();
    found.extend(input::places(&name));
    found.sort_by_key(|region| region.code);
    found.dedup();
    // Provinces and kab/kota stand before the kecamatan.
    found.sort_by_key(|region| region.code.len());
    found
}

fn table(context: &Context, found: &[&Region]) -> String {
    let columns = [
        label::CODE,
        label::NAME,
        label::REGENCY,
        label::ZONE,
        label::PEOPLE,
    ];
    let mut table = Table::new(context, &columns);
    for region in found {
        let within = region::regency_of(region.code).filter(|regency| regency != region);
        let people = region::population(region.code);
        table.row([
            region.code.to_owned(),
            region.name.to_owned(),
            within.map_or("-", |regency| regency.name).to_owned(),
            zones(region).join(", "),
            people.map_or("-".into(), |people| grouped(people.total(), context.lang)),
        ]);
    }
    table.render(context)
}

/// Returns the border zones in which a place lies.
fn zones(region: &Region) -> Vec<&'static str> {
    zone::of(region.code).iter().map(|zone| zone.id).collect()
}

fn view(region: &Region) -> Value {
    let regency = region::regency_of(region.code);
    json!({
        "code": region.code,
        "name": region.name,
        "regency": regency.map(|regency| json!({ "code": regency.code, "name": regency.name })),
        "zones": zones(region),
        "people": region::population(region.code).map(region::Population::total),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, output::tests::context};

    fn codes(name: &str) -> Vec<&'static str> {
        found(name).iter().map(|region| region.code).collect()
    }

    #[test]
    fn a_place_is_found_by_a_part_of_its_name_and_the_wider_ones_come_first() {
        let bekasi = codes("bekasi");
        assert_eq!(bekasi.get(..2), Some(&["32.16", "32.75"][..]));
        assert!(bekasi.contains(&"32.75.01"), "{bekasi:?}");
        assert_eq!(codes("Tambun Selatan"), ["32.16.06"]);
        assert_eq!(codes("jabar"), ["32"]);
        assert_eq!(codes("32.75.01"), ["32.75.01"]);
        assert!(codes("").is_empty());
        assert!(codes("atlantis").is_empty());
    }

    #[test]
    fn a_place_is_shown_with_its_kab_kota_its_zones_and_its_people() {
        let text = table(&context(Lang::Id), &found("tambun selatan"));
        assert!(text.contains("Kabupaten Bekasi"), "{text}");
        let text = table(&context(Lang::Id), &found("kota bekasi"));
        assert!(text.contains("32.75") && text.contains("Z1"), "{text}");
    }
}
