//! `posko zone`: the border zones.

use clap::{Args, Subcommand};
use posko_proto::federation::v1::{ListZonesRequest, Zone};
use serde_json::json;

use super::named_code;
use crate::{
    client::{Client, Who},
    failure::Failure,
    json::federation as view,
    label,
    output::{Answer, Context, Table},
};

/// Shows the border zones that provinces share
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko zone list
  posko zone list --json")]
pub(crate) struct ZoneArgs {
    #[command(subcommand)]
    command: ZoneCommand,
}

#[derive(Debug, Subcommand)]
enum ZoneCommand {
    /// Lists the zones with their kab/kota
    #[command(after_help = "Examples:
  posko zone list
  posko zone list --json | jq '.zones[] | .id, .regions[].code'")]
    List,
}

impl ZoneArgs {
    /// Asks the node.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let ZoneCommand::List = self.command;
        let client = Client::connect(context, Who::Anyone).await?;
        let zones = client
            .node()
            .list_zones(ListZonesRequest {})
            .await?
            .into_inner()
            .zones;
        let text = zones_table(context, &zones);
        let zones: Vec<view::Zone> = zones.into_iter().map(Into::into).collect();
        Answer::new(json!({ "zones": zones }), text)
    }
}

fn zones_table(context: &Context, zones: &[Zone]) -> String {
    let mut table = Table::new(context, &[label::ZONE, label::NAME, label::AREA]);
    for zone in zones {
        let regions: Vec<String> = zone
            .regions
            .iter()
            .map(|region| named_code(&region.name, &region.code))
            .collect();
        table.row([zone.id.clone(), zone.name.clone(), regions.join(", ")]);
    }
    table.render(context)
}
