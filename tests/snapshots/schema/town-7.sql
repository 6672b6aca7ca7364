-- escalations_source_bead: what it is about
ALTER TABLE escalations ADD COLUMN source_bead_id TEXT;
