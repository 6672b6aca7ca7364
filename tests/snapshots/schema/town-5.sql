-- mayor_messages_delivered_at
ALTER TABLE mayor_messages ADD COLUMN delivered_at INTEGER;
-- mayor_messages_read_at
ALTER TABLE mayor_messages ADD COLUMN read_at INTEGER;
-- mayor_messages_answered_at
ALTER TABLE mayor_messages ADD COLUMN answered_at INTEGER;
-- mayor_messages_touched: number of the last thing that became of it; its sequence until it is read or answered
ALTER TABLE mayor_messages ADD COLUMN touched INTEGER NOT NULL DEFAULT 0;
-- mayor_messages_touch
UPDATE mayor_messages SET touched = sequence;
-- mayor_messages_touched_index
CREATE INDEX mayor_messages_touched ON mayor_messages (touched);
-- mayor_messages_status_dropped
DROP INDEX mayor_messages_status;
-- mayor_messages_status
CREATE INDEX mayor_messages_status ON mayor_messages (status, touched);
-- mayor_replies
CREATE TABLE mayor_replies (
  id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL,
  author TEXT NOT NULL,                     -- agent id of the Mayor that wrote it
  text TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  sequence INTEGER NOT NULL                 -- in one order with the messages
) STRICT, WITHOUT ROWID;
-- mayor_replies_message
CREATE INDEX mayor_replies_message ON mayor_replies (message_id, sequence);
