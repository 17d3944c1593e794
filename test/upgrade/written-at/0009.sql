update node_layer set msd_segments_left = 8, msd_end_pop = 7, msd_end_d = 6 where node_id = 'c' and layer = 'operator' and to_revision is null;
