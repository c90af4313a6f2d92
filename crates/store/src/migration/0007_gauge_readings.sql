-- The newest reading that was believed of each river gauge, so that a start does not believe a jump.

CREATE TABLE gauge_reading(
  -- The gauge's name in lower case.
  station TEXT PRIMARY KEY,
  read_at_ms INTEGER NOT NULL,
  level_mm INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
