//! `posko login` and `posko logout`: a session of a person, kept in a file of that person alone.

use clap::Args;
use posko_proto::account::v1::{LoginRequest, LogoutRequest};
use serde_json::json;

use super::{Password, read_password};
use crate::{
    client::{Client, Who, delete_token, save_token, token_file},
    failure::Failure,
    json as view, label,
    output::{Answer, Context, fields, when},
};

/// Opens a session and keeps its token for the following commands
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko login sari
  posko login sari --password-stdin < password.txt
  export POSKO_TOKEN=$(posko login sari --print-token)

The token is kept in ~/.config/posko/, for you alone, until `posko logout`.
Which token a command sends: $POSKO_TOKEN, else that of your login, else DIR/operator.token where you may read it.")]
pub(crate) struct LoginArgs {
    /// Login name
    login: String,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
    /// Print the token instead of keeping it
    #[arg(long)]
    print_token: bool,
}

impl LoginArgs {
    /// Opens the session.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let client = Client::connect(context, Who::Nobody).await?;
        let password = read_password(context, self.password_stdin, Password::Known)?;
        let request = LoginRequest {
            login: self.login.clone(),
            password,
        };
        let opened = client.accounts().login(request).await?.into_inner();
        let account_id = view::id(&opened.account_id);
        let expires_at = view::time(opened.expires_at.as_ref());
        if self.print_token {
            let json = json!({ "account_id": account_id, "expires_at": expires_at, "token": opened.token });
            return Answer::new(json, opened.token);
        }
        let Some(file) = token_file(context, &client.key) else {
            return Err(Failure::usage(
                "there is no home directory to keep the token in: use `--print-token`",
            ));
        };
        save_token(&file, &opened.token)?;
        let text = fields(
            context,
            [
                (label::LOGGED_IN, self.login),
                (label::UNTIL, when(opened.expires_at.as_ref())),
                (label::TOKEN_FILE, file.display().to_string()),
            ],
        );
        let file = file.display().to_string();
        Answer::new(
            json!({ "account_id": account_id, "expires_at": expires_at, "token_file": file }),
            text,
        )
    }
}

/// Ends the session of `posko login`, or of $POSKO_TOKEN, and forgets its token
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posko logout

The console's token in DIR/operator.token is not touched.")]
pub(crate) struct LogoutArgs {}

impl LogoutArgs {
    /// Ends the session.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let client = Client::connect(context, Who::LoggedIn).await?;
        let ended = client.accounts().logout(LogoutRequest {}).await;
        // A session that the node no longer knows is over too, and its token is of no more use.
        let over = ended.as_ref().map_or_else(
            |status| status.code() == tonic::Code::Unauthenticated,
            |_| true,
        );
        if over
            && context.token.is_none()
            && let Some(file) = token_file(context, &client.key)
        {
            delete_token(&file).map_err(Failure::internal)?;
        }
        ended?;
        Answer::new(
            json!({ "logged_out": true }),
            fields(context, [(label::LOGGED_OUT, client.origin)]),
        )
    }
}
