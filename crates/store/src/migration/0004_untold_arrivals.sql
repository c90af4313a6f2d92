-- From when until when the file does not tell what came: it is a copy since, or older than its node was.
CREATE TABLE arrival_untold(
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  PRIMARY KEY (from_ms, until_ms)
) WITHOUT ROWID, STRICT;
