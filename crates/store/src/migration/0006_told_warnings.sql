-- Until which end of warnings somebody was told, by the wall clock; none before the node has first looked.

ALTER TABLE node ADD COLUMN ends_told_ms INTEGER;
