-- convoys_follow_up_of: the convoy whose failed beads this one does anew
ALTER TABLE convoys ADD COLUMN follow_up_of TEXT;
-- convoys_follow_up
CREATE INDEX convoys_follow_up ON convoys (follow_up_of, sequence) WHERE follow_up_of IS NOT NULL;
