-- Files beside the logs, by their hash, in parts: complete ones, those that come in from a peer, and, without a hash yet,
-- those that are being put here. Which events name them is a view.

CREATE TABLE blob(
  -- Never given twice, so that nothing is added to a file that has gone.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB UNIQUE CHECK (length(hash) = 32),
  length INTEGER NOT NULL,
  held INTEGER NOT NULL,
  complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
  -- The media type's number in the contract.
  media INTEGER NOT NULL,
  -- Who gave all that is here of one that is not complete; empty when it were several, or nobody.
  giver TEXT NOT NULL,
  -- When it was last put here, or last grew.
  touched_ms INTEGER NOT NULL
) STRICT;

-- pos = blob.id << 20 | number of the part; all parts but the last have 262,144 bytes.
CREATE TABLE blob_part(
  pos INTEGER PRIMARY KEY,
  body BLOB NOT NULL CHECK (length(body) BETWEEN 1 AND 262144)
) STRICT;
