//! Accounts of this node: their roles from the log; logins, password hashes and sessions beside it.

use posko_domain::{
    account::AccountState,
    code::{Code, Refusal},
};
use posko_proto::{Id, time::Millis};
use rusqlite::{Connection, OptionalExtension, named_params};

use crate::{Request, Store, StoreError, fold, view::Tables};

/// An account with its login name.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: Id,
    /// Its login name.
    pub login: String,
    /// Its roles.
    pub state: AccountState,
}

/// An open session; its token is known to its holder alone, and its hash to the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Id,
    /// The account.
    pub account: Id,
    /// When it was opened.
    pub opened_at: Millis,
    /// When it ends.
    pub expires_at: Millis,
}

impl Store {
    /// Returns the roles of an account of this node.
    pub fn account(&self, id: Id) -> Result<Option<AccountState>, StoreError> {
        let own = self.identity().origin;
        self.read(|connection| {
            fold::account(fold::state(connection, Tables::LIVE, own, id)?.as_ref())
        })
    }

    /// Returns the account and the password hash behind a login name.
    pub fn credential(&self, login: &str) -> Result<Option<(Id, String)>, StoreError> {
        self.read(|connection| {
            let row: Option<(Vec<u8>, String)> = connection
                .prepare_cached(
                    "SELECT account, password_hash FROM credential WHERE login = :login",
                )?
                .query_row(named_params! { ":login": login }, |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            row.map(|(account, hash)| Ok((crate::id(&account)?, hash)))
                .transpose()
        })
    }

    /// Returns the password hash of an account.
    pub fn password_hash(&self, account: Id) -> Result<Option<String>, StoreError> {
        self.read(|connection| {
            let hash = connection
                .prepare_cached("SELECT password_hash FROM credential WHERE account = :account")?
                .query_row(named_params! { ":account": account.as_bytes() }, |row| {
                    row.get(0)
                })
                .optional()?;
            Ok(hash)
        })
    }

    /// Returns accounts by login name, after the given one.
    pub fn accounts(&self, after: &str, limit: usize) -> Result<Vec<Account>, StoreError> {
        let own = self.identity().origin;
        self.read(|connection| {
            let mut accounts = connection.prepare_cached(
                "SELECT account, login, body
                 FROM credential JOIN state ON state.origin = :own AND state.stream = credential.account
                 WHERE login > :after
                 ORDER BY login
                 LIMIT :limit",
            )?;
            let mut rows = accounts.query(named_params! {
                ":own": own.as_str(),
                ":after": after,
                ":limit": limit as i64,
            })?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Account {
                    id: crate::id(&row.get::<_, Vec<u8>>(0)?)?,
                    login: row.get(1)?,
                    state: fold::decode_body(&row.get::<_, Vec<u8>>(2)?)?,
                });
            }
            Ok(found)
        })
    }

    /// Opens a session; those that have ended go.
    pub fn open_session(&self, token_hash: [u8; 32], session: &Session) -> Result<(), StoreError> {
        let session = session.clone();
        self.change(move |connection| {
            connection.execute(
                "DELETE FROM session WHERE expires_ms <= :now",
                named_params! { ":now": session.opened_at.0 },
            )?;
            connection.execute(
                "INSERT INTO session(token_hash, id, account, opened_ms, expires_ms)
                 VALUES (:token_hash, :id, :account, :opened, :expires)",
                named_params! {
                    ":token_hash": token_hash.as_slice(),
                    ":id": session.id.as_bytes(),
                    ":account": session.account.as_bytes(),
                    ":opened": session.opened_at.0,
                    ":expires": session.expires_at.0,
                },
            )?;
            Ok(())
        })
    }

    /// Returns the session of a token that has not ended.
    pub fn session(
        &self,
        token_hash: [u8; 32],
        now: Millis,
    ) -> Result<Option<Session>, StoreError> {
        let found = self.sessions_where(
            "token_hash = :key AND expires_ms > :now",
            named_params! { ":key": token_hash.as_slice(), ":now": now.0 },
        )?;
        Ok(found.into_iter().next())
    }

    /// Returns the open sessions of an account, oldest first.
    pub fn sessions(&self, account: Id, now: Millis) -> Result<Vec<Session>, StoreError> {
        self.sessions_where(
            "account = :key AND expires_ms > :now",
            named_params! { ":key": account.as_bytes(), ":now": now.0 },
        )
    }

    /// Returns a session by its id.
    pub fn session_by_id(&self, id: Id) -> Result<Option<Session>, StoreError> {
        Ok(self
            .sessions_where("id = :key", named_params! { ":key": id.as_bytes() })?
            .into_iter()
            .next())
    }

    /// Ends a session; says whether it was open.
    pub fn close_session(&self, id: Id) -> Result<bool, StoreError> {
        self.change(move |connection| {
            Ok(connection.execute(
                "DELETE FROM session WHERE id = :id",
                named_params! { ":id": id.as_bytes() },
            )? > 0)
        })
    }

    /// Ends all sessions of an account.
    pub fn close_sessions(&self, account: Id) -> Result<(), StoreError> {
        self.change(move |connection| {
            connection.execute(
                "DELETE FROM session WHERE account = :account",
                named_params! { ":account": account.as_bytes() },
            )?;
            Ok(())
        })
    }

    fn sessions_where(
        &self,
        condition: &str,
        parameters: &[(&str, &dyn rusqlite::ToSql)],
    ) -> Result<Vec<Session>, StoreError> {
        self.read(|connection| {
            let mut sessions = connection.prepare_cached(&format!(
                "SELECT id, account, opened_ms, expires_ms FROM session WHERE {condition} ORDER BY opened_ms"
            ))?;
            let mut rows = sessions.query(parameters)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Session {
                    id: crate::id(&row.get::<_, Vec<u8>>(0)?)?,
                    account: crate::id(&row.get::<_, Vec<u8>>(1)?)?,
                    opened_at: Millis(row.get(2)?),
                    expires_at: Millis(row.get(3)?),
                });
            }
            Ok(found)
        })
    }
}

/// Returns the refusal of a login name that another account has.
pub(crate) fn credential_taken(
    connection: &Connection,
    request: &Request,
) -> Result<Option<Refusal>, StoreError> {
    let Some(login) = request
        .credential
        .as_ref()
        .and_then(|credential| credential.login.as_ref())
    else {
        return Ok(None);
    };
    let taken: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM credential WHERE login = :login AND account <> :account)",
        )?
        .query_row(
            named_params! { ":login": login, ":account": request.stream.as_bytes() },
            |row| row.get(0),
        )?;
    Ok(taken.then(|| Refusal {
        code: Code::Conflict,
        message: "that login name is taken".into(),
    }))
}

/// Stores what an account's command sets beside the log.
pub(crate) fn store_credential(
    connection: &Connection,
    request: &Request,
) -> Result<(), StoreError> {
    let Some(credential) = &request.credential else {
        return Ok(());
    };
    let account = request.stream.as_bytes();
    match &credential.login {
        Some(login) => connection
            .prepare_cached(
                "INSERT INTO credential(account, login, password_hash) VALUES (:account, :login, :hash)",
            )?
            .execute(named_params! { ":account": account, ":login": login, ":hash": credential.password_hash })?,
        None => connection
            .prepare_cached("UPDATE credential SET password_hash = :hash WHERE account = :account")?
            .execute(named_params! { ":account": account, ":hash": credential.password_hash })?,
    };
    Ok(())
}
