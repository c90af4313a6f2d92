-- How far this node can trust what is here, and what became of entries that a restored node's log left out.

-- When the file was copied as a backup; null for the one that a node runs on.
ALTER TABLE node ADD COLUMN copied_ms INTEGER;
-- Since when something may have been lost, and why that is thought; null once it was proven that nothing was.
ALTER TABLE node ADD COLUMN unproven_ms INTEGER;
ALTER TABLE node ADD COLUMN unproven_why TEXT;
-- Why the last run stopped writing; the next start is unproven for it.
ALTER TABLE node ADD COLUMN fence TEXT;

-- Entries outside the canonical logs that their origin has not recorded again: kept and served, and not folded.
CREATE TABLE orphan(
  origin TEXT NOT NULL REFERENCES origin(name),
  event_id BLOB NOT NULL CHECK (length(event_id) = 16),
  pos INTEGER NOT NULL,
  PRIMARY KEY (origin, event_id)
) WITHOUT ROWID, STRICT;

-- Events of the canonical logs that were recorded again, and those of the own log that came back from a peer: the
-- commands that led to them are recognized by these.
CREATE TABLE recovered(
  origin TEXT NOT NULL REFERENCES origin(name),
  event_id BLOB NOT NULL CHECK (length(event_id) = 16),
  pos INTEGER NOT NULL,
  PRIMARY KEY (origin, event_id)
) WITHOUT ROWID, STRICT;

-- The proof that an epoch is forked, of its lowest entry that was written twice; kept for good.
CREATE TABLE fork_proof(
  origin TEXT NOT NULL REFERENCES origin(name),
  no INTEGER NOT NULL,
  nonce BLOB NOT NULL CHECK (length(nonce) = 16),
  at_seq INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 32),
  proof BLOB NOT NULL,
  found_ms INTEGER NOT NULL,
  PRIMARY KEY (origin, no, nonce)
) STRICT;
