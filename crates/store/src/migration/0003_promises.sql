-- A promise that was left out is settled by a decision about it, not by its own event again: the same command may have
-- been decided in two runs, and both are to be told.

CREATE TABLE orphan_by_decision(
  origin TEXT NOT NULL REFERENCES origin(name),
  settled_by BLOB NOT NULL CHECK (length(settled_by) = 16),
  event_id BLOB NOT NULL CHECK (length(event_id) = 16),
  pos INTEGER NOT NULL,
  PRIMARY KEY (origin, settled_by)
) WITHOUT ROWID, STRICT;
-- Nothing was scarce before.
INSERT INTO orphan_by_decision SELECT origin, event_id, event_id, pos FROM orphan;
DROP TABLE orphan;
ALTER TABLE orphan_by_decision RENAME TO orphan;
CREATE INDEX orphan_by_event ON orphan(origin, event_id);
