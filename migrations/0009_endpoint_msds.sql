-- Up Migration
-- What a node can process as an endpoint, not only push as a headend: MSD types 41, 42 and 45 (RFC 9352 section 4).

alter table node_layer
  add column msd_segments_left smallint check (msd_segments_left between 0 and 255),
  add column msd_end_pop smallint check (msd_end_pop between 0 and 255),
  add column msd_end_d smallint check (msd_end_d between 0 and 255);
