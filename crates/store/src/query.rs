//! Paging: a list goes on after the last row's key, so that it neither repeats nor skips while rows are added.

use posko_proto::Id;

use crate::StoreError;

/// A page of a list.
#[derive(Debug, Clone)]
pub struct PageOf<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
    limit: usize,
    last: Option<String>,
}

impl<T> PageOf<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            rows: Vec::new(),
            next: None,
            limit,
            last: None,
        }
    }

    /// Adds a row with its key; the one past the limit only says that there is more.
    pub(crate) fn push(&mut self, row: T, token: String) {
        if self.rows.len() < self.limit {
            self.rows.push(row);
            self.last = Some(token);
        } else {
            self.next = self.last.take();
        }
    }
}

/// Returns the token of a row's key.
pub(crate) fn token(at_ms: i64, id: Id) -> String {
    format!("{at_ms}/{id}")
}

/// Returns the key before which a newest-first list goes on.
pub(crate) fn cursor(token: Option<&str>) -> Result<(i64, Vec<u8>), StoreError> {
    let Some(token) = token else {
        return Ok((i64::MAX, vec![0xff; 17]));
    };
    let parsed = token
        .split_once('/')
        .and_then(|(at, id)| Some((at.parse().ok()?, id.parse::<Id>().ok()?)));
    let (at, id) = parsed.ok_or_else(|| StoreError::NotFound(format!("page token `{token}`")))?;
    Ok((at, id.to_vec()))
}
