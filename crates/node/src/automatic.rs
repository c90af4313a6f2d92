//! Commands that nobody gives: what a feed published, and what its time has come for.

use posko_domain::code::{Code, Refusal};
use posko_proto::{Id, common::v1::Role, time::Millis};
use posko_store::{Accepted, Actor, Command, Request, Store};
use tokio::sync::watch;

use crate::{api, disk::Disk};

/// A command of the node itself.
pub(crate) struct Automatic {
    /// The id by which it is recognized when it comes again; a random one never does.
    pub(crate) command_id: Option<Id>,
    /// What binds the id to this very command, where the id does not say it all.
    pub(crate) digest: [u8; 32],
    /// The thing.
    pub(crate) stream: Id,
    /// The node's time.
    pub(crate) now: Millis,
    /// A drill.
    pub(crate) exercise: bool,
    /// What is to be done.
    pub(crate) command: Command,
}

/// Executes a command of the node itself, unless the disk is too full for commands.
pub(crate) async fn execute(
    store: &Store,
    disk: &watch::Receiver<Disk>,
    automatic: Automatic,
) -> Result<Accepted, Refusal> {
    let unavailable = |message| Refusal {
        code: Code::Unavailable,
        message,
    };
    if let Some(message) = disk.borrow().no_commands() {
        return Err(unavailable(message));
    }
    let (mut seed, mut command_id) = ([0; 32], [0; 16]);
    getrandom::fill(&mut seed)
        .and_then(|()| getrandom::fill(&mut command_id))
        .map_err(|_| unavailable("the operating system gave no random bytes".into()))?;
    let actor = Actor {
        role: Role::Feed,
        ..Actor::default()
    };
    let request = Request {
        command_id: automatic.command_id.unwrap_or(Id(command_id)),
        digest: automatic.digest,
        authority: actor.into(),
        stream: automatic.stream,
        expected_version: 0,
        now: automatic.now,
        occurred_at: automatic.now,
        exercise: automatic.exercise,
        cause: None,
        seed,
        credential: None,
        command: automatic.command,
    };
    api::execute(store, request).await
}
