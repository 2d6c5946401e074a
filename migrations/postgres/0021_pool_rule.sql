-- A pool may be bounded by the rule itself: its bound then follows what the rule recommends.

alter table pools add column follows bigint not null default 0 check (follows in (0, 1));
