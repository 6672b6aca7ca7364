-- rig_gates: JSON: commands that must succeed before work is submitted, as the town has them
ALTER TABLE rig ADD COLUMN gates TEXT NOT NULL DEFAULT '[]';
