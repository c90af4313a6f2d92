-- One file: logs, cursors, state, views, credentials. An origin is a node's name, permanent and short.

CREATE TABLE node(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  federation BLOB NOT NULL CHECK (length(federation) = 16),
  origin TEXT NOT NULL
) STRICT;

-- Whose logs may be held: this node's, and those of every accepted card.
CREATE TABLE origin(
  name TEXT PRIMARY KEY,
  recovery BLOB NOT NULL CHECK (length(recovery) = 32)
) WITHOUT ROWID, STRICT;

CREATE TABLE peer(
  origin TEXT PRIMARY KEY REFERENCES origin(name),
  card BLOB NOT NULL,
  added_ms INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE epoch(
  id INTEGER PRIMARY KEY,
  origin TEXT NOT NULL REFERENCES origin(name),
  no INTEGER NOT NULL,
  nonce BLOB NOT NULL CHECK (length(nonce) = 16),
  open BLOB NOT NULL,
  UNIQUE (origin, no, nonce)
) STRICT;

-- pos = epoch.id << 40 | seq: one clustered, append-only tree, with a range per epoch.
CREATE TABLE entry(
  pos INTEGER PRIMARY KEY,
  header BLOB NOT NULL CHECK (length(header) = 100),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER entry_is_never_updated BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER epoch_is_never_updated BEFORE UPDATE ON epoch BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER epoch_is_never_deleted BEFORE DELETE ON epoch BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TABLE payload(
  pos INTEGER PRIMARY KEY,
  salt BLOB NOT NULL CHECK (length(salt) = 16),
  body BLOB NOT NULL
) STRICT;

CREATE TABLE payload_missing(
  pos INTEGER PRIMARY KEY,
  presence INTEGER NOT NULL CHECK (presence IN (2, 3, 4))
) STRICT;

-- Where each version of a stream stands: the owner's optimistic concurrency, and every node's time line of a thing.
CREATE TABLE stream_entry(
  origin TEXT NOT NULL,
  stream BLOB NOT NULL CHECK (length(stream) = 16),
  version INTEGER NOT NULL,
  pos INTEGER NOT NULL,
  PRIMARY KEY (origin, stream, version)
) WITHOUT ROWID, STRICT;

-- How far each log is stored and folded; moved by compare, in the transaction that stores and folds. A replica's head
-- at its end stands here, where it is written anyway; the own one is signed after the commit and lives in memory.
CREATE TABLE cursor(
  origin TEXT PRIMARY KEY REFERENCES origin(name),
  epoch INTEGER NOT NULL REFERENCES epoch(id),
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  tree BLOB NOT NULL,
  payload_bytes INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  head BLOB
) WITHOUT ROWID, STRICT;

-- Checkpoints: signed heads at most 1,024 entries apart, and one at each epoch's end, for good.
CREATE TABLE head(
  pos INTEGER PRIMARY KEY,
  origin TEXT NOT NULL REFERENCES origin(name),
  entries INTEGER NOT NULL,
  signed BLOB NOT NULL
) STRICT;
CREATE INDEX head_by_origin ON head(origin, entries);

-- When a log came how far: what did this node know when.
CREATE TABLE arrival(
  origin TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  upto_seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (origin, epoch, upto_seq)
) WITHOUT ROWID, STRICT;

-- Every command answered, refusals too: a repeated id is answered as the first time.
CREATE TABLE command_seen(
  command BLOB PRIMARY KEY CHECK (length(command) = 16),
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  outcome BLOB NOT NULL,
  at_ms INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

-- Logins and password hashes: beside the log, never in it, and in no view.
CREATE TABLE credential(
  account BLOB PRIMARY KEY CHECK (length(account) = 16),
  login TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE session(
  token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  account BLOB NOT NULL,
  opened_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX session_by_account ON session(account);

CREATE TABLE view_version(
  view TEXT PRIMARY KEY,
  version INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
