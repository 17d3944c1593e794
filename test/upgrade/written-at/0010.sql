update sr_policy set setup_priority = 3, hold_priority = 2 where id = 'h1:1:h2';
update booking set setup_priority = 3, hold_priority = 2 where policy_id = 'h1:1:h2';
