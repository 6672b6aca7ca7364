-- town_breaker_opened_at: no rig gives out work since then, because too much has failed; null: they do
ALTER TABLE town ADD COLUMN breaker_opened_at INTEGER;
-- town_breaker_counts_from: earlier failures do not count
ALTER TABLE town ADD COLUMN breaker_counts_from INTEGER NOT NULL DEFAULT 0;
-- town_breaker_escalation: what stands for it in the inbox
ALTER TABLE town ADD COLUMN breaker_escalation TEXT;
