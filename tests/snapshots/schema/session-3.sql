-- routes_receipt: 1: the source is told when such a notification has gone out
ALTER TABLE routes ADD COLUMN receipt INTEGER NOT NULL DEFAULT 0;
-- receipts
CREATE TABLE receipts (
  stream TEXT NOT NULL,
  number INTEGER NOT NULL,                  -- of the event
  source TEXT NOT NULL,                     -- who wants to know, as 'town:<id>'
  topic TEXT NOT NULL,
  receipt INTEGER NOT NULL,                 -- what it is told then
  generation INTEGER,                       -- connection that the event was handed to; null: none yet
  handed_at INTEGER,
  is_proving INTEGER NOT NULL DEFAULT 0,    -- 1: that connection was handed something else since
  PRIMARY KEY (stream, number)
) STRICT, WITHOUT ROWID;
