//! `posko user`: accounts of this node, their roles, passwords and sessions.

use clap::{Args, Subcommand};
use posko_proto::{
    Id,
    account::v1::{
        Account, AddAccountRequest, ChangePasswordRequest, DisableAccountRequest, Grant,
        GrantRoleRequest, ListAccountsRequest, ListSessionsRequest, RevokeRoleRequest,
        RevokeSessionRequest,
    },
    common::v1::Role,
};
use prost_types::Timestamp;
use serde_json::json;

use super::{Password, lost, pages, read_password, recorded};
use crate::{
    client::{Client, Who},
    failure::Failure,
    input::{self, Frame},
    json::{self, account as view},
    label,
    output::{Answer, Context, Table, Tint, fields, when},
    word,
};

/// Manages accounts, roles, passwords and sessions
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko user add sari --role duty_officer --scope 32
  posko user grant sari --role viewer
  posko user list
  posko user sessions sari")]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Makes an account, with a first role if one is given
    #[command(after_help = "Examples:
  posko user add sari --role duty_officer --scope 32
  posko user add budi --password-stdin < password.txt")]
    Add {
        /// Login name
        login: String,
        /// First role
        #[arg(long, value_parser = word::parse::<Role>)]
        role: Option<Role>,
        #[command(flatten)]
        reach: Reach,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        frame: Frame,
    },
    /// Gives an account a role
    #[command(after_help = "Examples:
  posko user grant sari --role duty_officer --scope 32.75 \\
    --until 2026-12-31T23:59:59+07:00
  posko user grant budi --role viewer \\
    --delegated-by 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Grant {
        /// Login name or id of the account
        account: String,
        /// The role
        #[arg(long, value_parser = word::parse::<Role>)]
        role: Role,
        #[command(flatten)]
        reach: Reach,
        #[command(flatten)]
        frame: Frame,
    },
    /// Takes a role from an account
    #[command(after_help = "Examples:
  posko user list --json | jq '.accounts[] | .login, .grants[]'
  posko user revoke sari 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Revoke {
        /// Login name or id of the account
        account: String,
        /// Id of the grant, from `posko user list`
        #[arg(value_parser = input::id)]
        grant: Id,
        #[command(flatten)]
        frame: Frame,
    },
    /// Lets an account log in no more and ends its sessions
    #[command(after_help = "Examples:
  posko user disable budi")]
    Disable {
        /// Login name or id of the account
        account: String,
        #[command(flatten)]
        frame: Frame,
    },
    /// Lists the accounts with their roles
    #[command(after_help = "Examples:
  posko user list
  posko user list --json")]
    List,
    /// Sets a new password, your own after the old one
    #[command(after_help = "Examples:
  posko user password
  posko user password sari
  posko user password sari --password-stdin < password.txt
  printf '%s\\n' \"$OLD\" \"$NEW\" | posko user password --password-stdin")]
    Password {
        /// Login name or id of the account [default: your own]
        account: Option<String>,
        /// Read the password from standard input, of your own account the old one from the line before
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        frame: Frame,
    },
    /// Lists open sessions, or ends one
    #[command(after_help = "Examples:
  posko user sessions
  posko user sessions sari
  posko user sessions --end 0192f3c4-5a6b-7c8d-9e0f-112233445566")]
    Sessions {
        /// Login name or id of the account [default: your own]
        account: Option<String>,
        /// End this session instead of listing
        #[arg(long, value_name = "SESSION", value_parser = input::id, conflicts_with = "account")]
        end: Option<Id>,
    },
}

/// Where and when a role holds.
#[derive(Debug, Args)]
struct Reach {
    /// Where the role holds: a region code or a zone [default: the whole node]
    #[arg(long, value_name = "CODE", value_parser = input::region)]
    scope: Option<String>,
    /// Since when, such as 14:00 or "2026-11-29 14:00" (WIB) [default: at once]
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    from: Option<Timestamp>,
    /// Until when, such as 14:00 or "2026-11-29 14:00" (WIB) [default: without end]
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    until: Option<Timestamp>,
    /// Id of the account on whose behalf it is held
    #[arg(long, value_name = "ACCOUNT", value_parser = input::id)]
    delegated_by: Option<Id>,
}

impl Reach {
    fn grant(self, role: Role) -> Grant {
        Grant {
            role: role.into(),
            scope: self.scope.unwrap_or_default(),
            from: self.from,
            until: self.until,
            delegated_by: self.delegated_by.map(Id::to_vec).unwrap_or_default(),
        }
    }

    fn is_given(&self) -> bool {
        self.scope.is_some()
            || self.from.is_some()
            || self.until.is_some()
            || self.delegated_by.is_some()
    }
}

impl UserArgs {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self.command {
            UserCommand::Add {
                login,
                role,
                reach,
                password_stdin,
                frame,
            } => {
                if role.is_none() && reach.is_given() {
                    return Err(Failure::usage(
                        "`--scope`, `--from`, `--until` and `--delegated-by` need `--role`",
                    ));
                }
                let client = Client::connect(context, Who::Anyone).await?;
                let password = read_password(context, password_stdin, Password::New)?;
                let (id, meta) = frame.meta();
                let grants = role.map(|role| reach.grant(role)).into_iter().collect();
                let request = AddAccountRequest {
                    meta: Some(meta),
                    login,
                    password,
                    grants,
                };
                let answer = client
                    .accounts()
                    .add_account(request)
                    .await
                    .map_err(lost(id))?
                    .into_inner();
                recorded(context, label::ACCOUNT, id, answer.outcome)
            }
            UserCommand::Grant {
                account,
                role,
                reach,
                frame,
            } => {
                let client = Client::connect(context, Who::Anyone).await?;
                let account_id = account_id(&client, &account).await?;
                let (id, meta) = frame.meta();
                let request = GrantRoleRequest {
                    meta: Some(meta),
                    account_id,
                    grant: Some(reach.grant(role)),
                };
                let answer = client
                    .accounts()
                    .grant_role(request)
                    .await
                    .map_err(lost(id))?
                    .into_inner();
                recorded(context, label::ACCOUNT, id, answer.outcome)
            }
            UserCommand::Revoke {
                account,
                grant,
                frame,
            } => {
                let client = Client::connect(context, Who::Anyone).await?;
                let account_id = account_id(&client, &account).await?;
                let (id, meta) = frame.meta();
                let request = RevokeRoleRequest {
                    meta: Some(meta),
                    account_id,
                    grant_id: grant.to_vec(),
                };
                let answer = client
                    .accounts()
                    .revoke_role(request)
                    .await
                    .map_err(lost(id))?
                    .into_inner();
                recorded(context, label::ACCOUNT, id, answer.outcome)
            }
            UserCommand::Disable { account, frame } => {
                let client = Client::connect(context, Who::Anyone).await?;
                let account_id = account_id(&client, &account).await?;
                let (id, meta) = frame.meta();
                let request = DisableAccountRequest {
                    meta: Some(meta),
                    account_id,
                };
                let answer = client
                    .accounts()
                    .disable_account(request)
                    .await
                    .map_err(lost(id))?
                    .into_inner();
                recorded(context, label::ACCOUNT, id, answer.outcome)
            }
            UserCommand::List => list(context).await,
            UserCommand::Password {
                account,
                password_stdin,
                frame,
            } => {
                let client = Client::connect(context, Who::Anyone).await?;
                let (account_id, old_password) = if let Some(account) = account {
                    (account_id(&client, &account).await?, String::new())
                } else {
                    let old = read_password(context, password_stdin, Password::Old)?;
                    (Vec::new(), old)
                };
                let password = read_password(context, password_stdin, Password::New)?;
                let (id, meta) = frame.meta();
                let request = ChangePasswordRequest {
                    meta: Some(meta),
                    account_id,
                    password,
                    old_password,
                };
                let answer = client
                    .accounts()
                    .change_password(request)
                    .await
                    .map_err(lost(id))?
                    .into_inner();
                recorded(context, label::ACCOUNT, id, answer.outcome)
            }
            UserCommand::Sessions {
                end: Some(session), ..
            } => end_session(context, session).await,
            UserCommand::Sessions { account, end: None } => sessions(context, account).await,
        }
    }
}

async fn accounts(client: &Client) -> Result<Vec<Account>, Failure> {
    let mut service = client.accounts();
    let ask = async |page_size, page_token| {
        let request = ListAccountsRequest {
            page_size,
            page_token,
        };
        service.list_accounts(request).await
    };
    let (accounts, ..) = pages(0, ask).await?;
    Ok(accounts)
}

/// Asks who the accounts of this node are, so that a screen can name them; who may not know sees ids.
pub(super) async fn name_people(context: &Context, client: &Client) {
    if context.json {
        return;
    }
    let accounts = accounts(client).await.unwrap_or_default();
    let logins = accounts.into_iter();
    let logins = logins.map(|account| (account.account_id, account.login));
    // A second answer would say the same.
    let _ = context.logins.set(logins.collect());
}

/// Returns the id of an account that is named by its id or its login name.
pub(super) async fn account_id(client: &Client, account: &str) -> Result<Vec<u8>, Failure> {
    if let Ok(id) = account.parse::<Id>() {
        return Ok(id.to_vec());
    }
    let found = accounts(client)
        .await?
        .into_iter()
        .find(|known| known.login == account);
    found
        .map(|known| known.account_id)
        .ok_or_else(|| Failure::not_found(format!("no account has the login `{account}`")))
}

async fn list(context: &Context) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let accounts = accounts(&client).await?;
    let text = accounts_table(context, &accounts);
    let accounts: Vec<view::Account> = accounts.into_iter().map(Into::into).collect();
    Answer::new(json!({ "accounts": accounts }), text)
}

fn accounts_table(context: &Context, accounts: &[Account]) -> String {
    let head = [
        label::LOGIN,
        label::ROLE,
        label::SCOPE,
        label::FROM,
        label::UNTIL,
        label::IN_FORCE,
        label::GRANT,
        label::ACCOUNT,
    ];
    let mut table = Table::new(context, &head);
    for account in accounts {
        let login = if account.disabled {
            (
                format!("{} ({})", account.login, context.say(label::DISABLED)),
                Tint::Bad,
            )
        } else {
            (account.login.clone(), Tint::Plain)
        };
        let account_id = json::id(&account.account_id).unwrap_or_default();
        if account.grants.is_empty() {
            let empty = || (String::new(), Tint::Plain);
            table.tinted([
                login.clone(),
                empty(),
                empty(),
                empty(),
                empty(),
                empty(),
                empty(),
                (account_id.clone(), Tint::Plain),
            ]);
        }
        for held in &account.grants {
            let grant = held.grant.clone().unwrap_or_default();
            let tint = if held.in_force {
                Tint::Good
            } else {
                Tint::Warn
            };
            table.tinted([
                login.clone(),
                (label::of::<Role>(grant.role, context.lang), Tint::Plain),
                (grant.scope, Tint::Plain),
                (when(grant.from.as_ref()), Tint::Plain),
                (when(grant.until.as_ref()), Tint::Plain),
                (context.yes_no(held.in_force).into(), tint),
                (json::id(&held.grant_id).unwrap_or_default(), Tint::Plain),
                (account_id.clone(), Tint::Plain),
            ]);
        }
    }
    table.render_all(context)
}

async fn sessions(context: &Context, account: Option<String>) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    let account_id = match account {
        Some(account) => account_id(&client, &account).await?,
        None => Vec::new(),
    };
    let sessions = client
        .accounts()
        .list_sessions(ListSessionsRequest { account_id })
        .await?
        .into_inner()
        .sessions;
    let mut table = Table::new(context, &[label::SESSION, label::OPENED, label::UNTIL]);
    for session in &sessions {
        table.row([
            json::id(&session.session_id).unwrap_or_default(),
            when(session.opened_at.as_ref()),
            when(session.expires_at.as_ref()),
        ]);
    }
    let text = table.render_all(context);
    let sessions: Vec<view::Session> = sessions.into_iter().map(Into::into).collect();
    Answer::new(json!({ "sessions": sessions }), text)
}

async fn end_session(context: &Context, session: Id) -> Result<Answer, Failure> {
    let client = Client::connect(context, Who::Anyone).await?;
    client
        .accounts()
        .revoke_session(RevokeSessionRequest {
            session_id: session.to_vec(),
        })
        .await?;
    let text = fields(context, [(label::ENDED, session.to_string())]);
    Answer::new(json!({ "ended": session.to_string() }), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{label::Lang, output::tests::context};

    #[test]
    fn an_account_without_roles_is_listed_too() {
        let account = Account {
            login: "budi".into(),
            disabled: true,
            ..Default::default()
        };
        let text = accounts_table(&context(Lang::En), &[account]);
        assert!(
            text.lines().nth(1).unwrap().starts_with("budi (disabled)"),
            "{text}"
        );
    }
}
