-- How many of a run's evaluated targets changed by it: `/metrics` tells them from those that stayed as they were.

alter table runs add column changed_targets bigint not null default 0;
