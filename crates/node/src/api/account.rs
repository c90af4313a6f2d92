//! Accounts, roles and sessions of this node.

use std::net::IpAddr;

use posko_domain::{
    account::{AccountCommand, AccountRejection, Action, HeldGrant},
    code::Refusal,
    context::stream_of,
};
use posko_proto::{
    Id,
    account::v1::{
        self as wire, AddAccountRequest, AddAccountResponse, ChangePasswordRequest,
        ChangePasswordResponse, DisableAccountRequest, DisableAccountResponse, GrantRoleRequest,
        GrantRoleResponse, ListAccountsRequest, ListAccountsResponse, ListSessionsRequest,
        ListSessionsResponse, LoginRequest, LoginResponse, LogoutRequest, LogoutResponse,
        RevokeRoleRequest, RevokeRoleResponse, RevokeSessionRequest, RevokeSessionResponse,
        account_service_server::AccountService,
    },
    time::Millis,
};
use posko_store::{Actor, Command, account::Account, command::Credential};
use tonic::{Request, Response, Status, metadata::MetadataMap};

use super::{
    Api, Asked, Framed,
    auth::{Caller, MAX_PASSWORD_BYTES, client_of},
    digest, id, outcome, page_size, refused,
};
use crate::time::now;

/// How long a session lasts, in seconds: a shift and its handover.
const SESSION_SECONDS: i64 = 14 * 3600;
/// The shortest password, in bytes (NIST SP 800-63B-4 asks for 15 where it is the only factor, 8 with a second one).
const MIN_PASSWORD_BYTES: usize = 12;

impl Api {
    async fn account_command(
        &self,
        framed: Framed,
        digest: [u8; 32],
        account: Id,
        actor: Actor,
        command: AccountCommand,
        credential: Option<Credential>,
    ) -> Result<posko_proto::common::v1::Outcome, Status> {
        let command = Command::Account(command);
        let asked = Asked {
            framed,
            digest,
            stream: account,
            authority: actor.into(),
            command,
            credential,
        };
        let accepted = self.execute(asked).await;
        self.0.callers.forget();
        let accepted = accepted?;
        Ok(outcome(self.0.store.identity().origin, &accepted))
    }

    async fn manager(&self, metadata: &MetadataMap) -> Result<Actor, Status> {
        self.authorized(metadata, Action::ManageAccounts, None)
            .await
    }

    /// Lets who manages accounts change the roles of another account, and of none other.
    async fn manager_of(
        &self,
        metadata: &MetadataMap,
        account: &[u8],
    ) -> Result<(Actor, Id), Status> {
        let actor = self.manager(metadata).await?;
        let account = id("account_id", account)?;
        if actor.account == account {
            return Err(rejected(&AccountRejection::OwnRoles));
        }
        Ok((actor, account))
    }

    /// Asks who changes the own password for the old one: a token that lies open somewhere is not enough for it.
    async fn check_old_password(
        &self,
        from: IpAddr,
        caller: &Caller,
        old: &str,
    ) -> Result<(), Status> {
        let account = caller.account;
        let hash = self.ask(move |store| store.password_hash(account)).await?;
        let hash = hash.ok_or_else(|| rejected(&AccountRejection::NotFound))?;
        let who = account.to_string();
        if self.check_password(from, &who, old, &hash).await? {
            Ok(())
        } else {
            Err(Status::permission_denied("the old password is wrong"))
        }
    }
}

#[tonic::async_trait]
impl AccountService for Api {
    async fn add_account(
        &self,
        request: Request<AddAccountRequest>,
    ) -> Result<Response<AddAccountResponse>, Status> {
        let actor = self.manager(request.metadata()).await?;
        let from = client_of(&request);
        let mut request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        check_login(&request.login)?;
        check_password(&request.password)?;
        let command = AccountCommand::parse_add(&request, framed.command_id)
            .map_err(|error| rejected(&error))?;
        let password_hash = self.hash_password(from, &request.password).await?;
        // What binds the command id to the request is stored: a password must not be guessable from it.
        request.password.clear();
        let credential = Credential {
            login: Some(request.login.clone()),
            password_hash,
        };
        let (digest, account) = (digest("AddAccount", &request), stream_of(framed.command_id));
        let outcome = self
            .account_command(framed, digest, account, actor, command, Some(credential))
            .await?;
        Ok(Response::new(AddAccountResponse {
            outcome: Some(outcome),
        }))
    }

    async fn grant_role(
        &self,
        request: Request<GrantRoleRequest>,
    ) -> Result<Response<GrantRoleResponse>, Status> {
        let account = &request.get_ref().account_id;
        let (actor, account) = self.manager_of(request.metadata(), account).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        let command = AccountCommand::parse_grant(&request, framed.command_id)
            .map_err(|error| rejected(&error))?;
        let digest = digest("GrantRole", &request);
        let outcome = self
            .account_command(framed, digest, account, actor, command, None)
            .await?;
        Ok(Response::new(GrantRoleResponse {
            outcome: Some(outcome),
        }))
    }

    async fn revoke_role(
        &self,
        request: Request<RevokeRoleRequest>,
    ) -> Result<Response<RevokeRoleResponse>, Status> {
        let account = &request.get_ref().account_id;
        let (actor, account) = self.manager_of(request.metadata(), account).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        let command = AccountCommand::try_from(&request).map_err(|error| rejected(&error))?;
        let digest = digest("RevokeRole", &request);
        let outcome = self
            .account_command(framed, digest, account, actor, command, None)
            .await?;
        Ok(Response::new(RevokeRoleResponse {
            outcome: Some(outcome),
        }))
    }

    async fn disable_account(
        &self,
        request: Request<DisableAccountRequest>,
    ) -> Result<Response<DisableAccountResponse>, Status> {
        let actor = self.manager(request.metadata()).await?;
        let request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        let (digest, account) = (
            digest("DisableAccount", &request),
            id("account_id", &request.account_id)?,
        );
        let outcome = self
            .account_command(
                framed,
                digest,
                account,
                actor,
                AccountCommand::Disable,
                None,
            )
            .await?;
        let closed = self.ask(move |store| store.close_sessions(account)).await;
        self.0.callers.forget();
        closed?;
        Ok(Response::new(DisableAccountResponse {
            outcome: Some(outcome),
        }))
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let from = client_of(&request);
        let mut request = request.into_inner();
        let framed = Framed::parse(request.meta.as_ref())?;
        let account = match request.account_id.as_slice() {
            [] => caller.account,
            bytes => id("account_id", bytes)?,
        };
        check_password(&request.password)?;
        let actor = if caller.account == account {
            let old = &request.old_password;
            self.check_old_password(from, &caller, old).await?;
            Actor {
                account,
                ..Actor::default()
            }
        } else {
            caller.may(Action::ManageAccounts, None)?
        };
        let password_hash = self.hash_password(from, &request.password).await?;
        request.password.clear();
        request.old_password.clear();
        let credential = Credential {
            login: None,
            password_hash,
        };
        let digest = digest("ChangePassword", &request);
        let command = AccountCommand::PasswordChanged;
        let outcome = self
            .account_command(framed, digest, account, actor, command, Some(credential))
            .await?;
        let closed = self.ask(move |store| store.close_sessions(account)).await;
        self.0.callers.forget();
        closed?;
        Ok(Response::new(ChangePasswordResponse {
            outcome: Some(outcome),
        }))
    }

    async fn list_accounts(
        &self,
        request: Request<ListAccountsRequest>,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        self.authorized(request.metadata(), Action::ListAccounts, None)
            .await?;
        let request = request.into_inner();
        let limit = page_size(request.page_size)?;
        let after = request.page_token;
        let mut accounts = self
            .ask(move |store| store.accounts(&after, limit + 1))
            .await?;
        let more = accounts.len() > limit;
        accounts.truncate(limit);
        let next = accounts
            .last()
            .filter(|_| more)
            .map(|account| account.login.clone());
        let at = now();
        Ok(Response::new(ListAccountsResponse {
            accounts: accounts
                .into_iter()
                .map(|account| show(account, at))
                .collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn login(
        &self,
        request: Request<LoginRequest>,
    ) -> Result<Response<LoginResponse>, Status> {
        let from = client_of(&request);
        let request = request.into_inner();
        let (token, session) = self
            .open_session(from, &request.login, &request.password, SESSION_SECONDS)
            .await?;
        Ok(Response::new(LoginResponse {
            token,
            expires_at: Some(session.expires_at.into()),
            account_id: session.account.to_vec(),
        }))
    }

    async fn logout(
        &self,
        request: Request<LogoutRequest>,
    ) -> Result<Response<LogoutResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        if let Some(session) = caller.session {
            self.end_session(session.id).await?;
        }
        Ok(Response::new(LogoutResponse {}))
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let asked = request.into_inner().account_id;
        let account = if asked.is_empty() {
            caller.account
        } else {
            id("account_id", &asked)?
        };
        if account != caller.account {
            caller.may(Action::ReadAccounts, None)?;
        }
        let at = now();
        let sessions = self.ask(move |store| store.sessions(account, at)).await?;
        let sessions = sessions.into_iter().map(|session| wire::Session {
            session_id: session.id.to_vec(),
            opened_at: Some(session.opened_at.into()),
            expires_at: Some(session.expires_at.into()),
        });
        Ok(Response::new(ListSessionsResponse {
            sessions: sessions.collect(),
        }))
    }

    async fn revoke_session(
        &self,
        request: Request<RevokeSessionRequest>,
    ) -> Result<Response<RevokeSessionResponse>, Status> {
        let caller = self.caller(request.metadata()).await?;
        let session_id = id("session_id", &request.into_inner().session_id)?;
        let session = self
            .ask(move |store| store.session_by_id(session_id))
            .await?;
        if session
            .as_ref()
            .is_none_or(|session| session.account != caller.account)
        {
            caller.may(Action::ManageAccounts, None)?;
        }
        if !self.end_session(session_id).await? {
            return Err(Status::not_found(format!(
                "session `{session_id}` is not open"
            )));
        }
        Ok(Response::new(RevokeSessionResponse {}))
    }
}

fn show(account: Account, at: Millis) -> wire::Account {
    let grants = account.state.grants.iter().map(|held| wire::HeldGrant {
        grant_id: held.id.to_vec(),
        grant: Some(grant(held)),
        in_force: held.grant.in_force(at) && !account.state.disabled,
    });
    wire::Account {
        account_id: account.id.to_vec(),
        disabled: account.state.disabled,
        grants: grants.collect(),
        version: account.state.version,
        login: account.login,
    }
}

fn grant(held: &HeldGrant) -> wire::Grant {
    wire::Grant {
        role: held.grant.role.into(),
        scope: held.grant.scope.clone(),
        from: held.grant.from.map(Into::into),
        until: held.grant.until.map(Into::into),
        delegated_by: held.grant.delegated_by.map(Id::to_vec).unwrap_or_default(),
    }
}

fn check_login(login: &str) -> Result<(), Status> {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    if (3..=64).contains(&login.len()) && login.bytes().all(fits) {
        Ok(())
    } else {
        Err(Status::invalid_argument(
            "field `login`: 3 to 64 of a-z, 0-9, dot, dash and underscore are allowed",
        ))
    }
}

fn check_password(password: &str) -> Result<(), Status> {
    if (MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&password.len()) {
        Ok(())
    } else {
        Err(Status::invalid_argument(format!(
            "field `password` has {} bytes: {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} are allowed",
            password.len()
        )))
    }
}

fn rejected(rejection: &AccountRejection) -> Status {
    refused(&Refusal::from(rejection.clone()))
}

#[cfg(test)]
mod tests;
