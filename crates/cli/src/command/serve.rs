//! `posko serve`: runs the node.

use std::io::{self, IsTerminal};

use clap::Args;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::{
    failure::Failure,
    offline,
    output::{Answer, Context},
};

/// Runs the node of the directory until it is told to stop
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko --dir /var/lib/posko serve
  posko --dir /var/lib/posko serve --log debug --log-json

The log goes to stderr. SIGTERM and Ctrl-C stop it in order; a node that is killed comes back complete.
While it runs, DIR/operator.token lets whoever may read it act as the machine's administrator.")]
pub(crate) struct ServeArgs {
    /// What to log: error, warn, info, debug, or a filter such as `info,posko_node=debug` [default: as configured]
    #[arg(long, env = "POSKO_LOG", value_name = "FILTER", value_parser = filter)]
    log: Option<String>,
    /// Log in JSON, one object a line, whatever the configuration says
    #[arg(long)]
    log_json: bool,
}

fn filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| format!("`{text}` is no log filter: {error}"))
}

impl ServeArgs {
    /// Runs the node.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let configured = offline::log_settings(&context.dir)?;
        let filter =
            EnvFilter::try_new(self.log.unwrap_or(configured.filter)).map_err(Failure::usage)?;
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr);
        if self.log_json || configured.json {
            log.json().init();
        } else {
            log.with_ansi(io::stderr().is_terminal()).init();
        }
        offline::serve(&context.dir).await?;
        Answer::new(json!({ "stopped": true }), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_filter_is_checked_before_anything_starts() {
        assert!(filter("info,posko_node=debug").is_ok());
        assert!(
            filter("posko_node=loud")
                .unwrap_err()
                .starts_with("`posko_node=loud` is no log filter")
        );
    }
}
