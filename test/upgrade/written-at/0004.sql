update policy_state set event_kind = 'policy-create', event_by = 'operator alice', event_summary = 'the policy was created' where policy_id = 'h1:1:h2';
update policy_state set blocked = true where policy_id = 'h1:2:h2';
