//! What holds jobs back, on both databases: quotas, buckets, breakers, blackouts, pressure, and the one answer to why a
//! job is not running.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

#[path = "../jobs/support.rs"]
#[expect(dead_code, reason = "the tests of jobs use more of it")]
mod support;

mod agreement;
mod blackouts;
mod breakers;
mod hosts;
mod pressure;
mod property;
mod quotas;
mod races;
mod scene;

/// Asks each question of an engine on SQLite and of one on Postgres.
macro_rules! on_both {
    ($($file:ident :: $question:ident),+ $(,)?) => {
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $question() { crate::$file::$question(crate::support::sqlite().await).await }
        )+ }
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $question() { crate::$file::$question(crate::support::postgres().await).await }
        )+ }
    };
}

on_both! {
    quotas::no_more_jobs_than_a_quota_allows_are_handed_out_and_the_others_wait_for_it,
    quotas::the_quota_of_the_tenant_bounds_what_the_quota_of_the_type_allows,
    quotas::an_hour_is_sixty_minutes_that_slide,
    quotas::a_burst_is_used_up_and_refilled,
    quotas::a_backlog_behind_a_rate_is_not_looked_at_whole_for_every_token,
    quotas::a_paused_quota_starts_nothing_and_what_runs_goes_on,
    quotas::a_pause_ends_at_its_time,
    quotas::a_change_goes_back_at_its_time,
    quotas::a_wish_for_a_quota_that_cannot_be_is_refused,
    quotas::an_older_version_is_refused_and_so_is_a_change_without_a_reason,
    quotas::urgent_jobs_may_take_the_places_that_are_reserved_for_them,
    quotas::proportional_quotas_share_the_places_of_the_workers_by_weight,
    quotas::reserved_places_are_kept_free_for_their_quota,
    quotas::an_unlimited_quota_bounds_nothing,
    quotas::a_snapshot_names_every_quota_and_its_own_digest,
    quotas::an_imagined_limit_tells_when_the_backlog_is_gone,
    quotas::every_change_is_written_down_with_what_was_before,
    hosts::a_host_that_asks_for_peace_is_left_alone,
    hosts::a_host_that_fails_is_called_more_slowly_and_an_operator_may_set_the_rate,
    hosts::the_burst_of_a_host_is_its_bucket,
    hosts::the_rate_of_a_host_is_told_as_it_was_over_two_hours,
    hosts::what_a_source_says_of_its_bucket_is_what_the_bucket_of_its_host_is_made_of,
    breakers::failures_open_the_breaker_of_the_type_and_probes_close_it,
    breakers::a_probe_that_fails_opens_it_for_twice_as_long,
    breakers::failures_that_would_not_mend_open_nothing,
    breakers::an_operator_opens_closes_and_resets_a_breaker,
    blackouts::nothing_starts_during_a_blackout_and_what_runs_goes_on,
    blackouts::overlapping_blackouts_hold_until_the_latest_end,
    blackouts::a_blackout_leaves_out_or_holds_the_fires_of_its_schedules,
    blackouts::a_wish_for_a_blackout_that_cannot_be_is_refused,
    pressure::a_queue_that_waits_too_long_raises_the_level_and_low_priorities_are_refused,
    pressure::under_critical_pressure_only_urgent_jobs_are_taken_in_and_handed_out,
    pressure::under_pressure_the_fires_of_schedules_are_spread_over_half_a_minute,
    pressure::a_bounded_pool_holds_no_more_jobs_than_its_bound,
    pressure::a_pool_that_follows_the_rule_is_bounded_by_what_the_rule_recommends,
    races::two_claimers_against_a_quota_of_one_get_one_job,
    races::two_dispatchers_against_a_quota_of_one_make_one_job_ready,
    agreement::lists_counts_and_the_answer_of_each_job_say_the_same_reason,
    agreement::a_queued_job_of_a_quota_that_was_paused_is_in_the_list_of_what_is_paused,
    property::a_job_can_be_claimed_exactly_when_nothing_is_said_to_hold_it,
}
