insert into owned_object (kind, id, owner) values ('policy', 'h2:1:h1', 'kubernetes:paris/SRPolicy/default/bulk'), ('link-constraints', 'a:b', 'kubernetes:paris/LinkConstraint/gold');
