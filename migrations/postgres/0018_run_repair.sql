-- Repairing a run and trusting it: retries of what failed alone, what each segment left and from which feeds, and how
-- much of it came out the same when it was done once more.

-- A run over those targets of the run before that were not evaluated.
alter table runs add column only_failed bigint not null default 0 check (only_failed in (0, 1));
-- The limits in force when it was planned: a JSON list of sentences.
alter table runs add column limits text collate "C";
-- Segments that were evaluated once more when the run had ended, and the share that left the same bytes.
alter table runs add column determinism_sample bigint;
alter table runs add column determinism_score double precision check (determinism_score between 0 and 1);
create index runs_unsampled on runs (finished_at)
    where state = 'completed' and determinism_sample is null and candidates > 0;

-- SHA-256 of what the segment left, and the feeds it was matched against.
alter table segments add column output_digest text collate "C";
alter table segments add column feed_generation bigint;
