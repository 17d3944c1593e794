-- Up Migration
-- Priorities and optional constraints of policies.

-- With what right a policy takes and holds bandwidth (RFC 3209 section 4.7.3): 0 is the highest. Policies of a mesh have
-- theirs from the template and the override.

alter table sr_policy
  -- null: 7
  add column setup_priority smallint check (setup_priority between 0 and 7),
  -- null: that of setup
  add column hold_priority smallint check (hold_priority between 0 and 7);
alter table sr_policy add check (hold_priority <= coalesce(setup_priority, 7));

-- Candidate paths say what becomes of their optional constraints; until now none had any.
update policy_state set candidates = coalesce(
  (
    select jsonb_agg(candidate || '{"optional": []}' order by position)
    from jsonb_array_elements(candidates) with ordinality as c (candidate, position)
  ),
  '[]'
);
