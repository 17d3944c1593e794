insert into class_member (headend, address, color, cluster, namespace, pod) values ('h1', '10.1.0.9', 1, 'paris', 'default', 'phone-0');
insert into class_change (headend, revision) values ('h1', 9);
