-- Up Migration
-- The blocks of binding SIDs are in bsid_block (0002); this column was never written.

alter table headend drop column bsid_block;
