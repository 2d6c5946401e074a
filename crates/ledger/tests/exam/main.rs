//! The exam that both databases have to pass: each question is asked of SQLite in a file of its own and of Postgres in
//! a database of its own.

#![expect(clippy::disallowed_methods, reason = "plans are asked for in SQL")]

mod support;

mod books;
mod claims;
mod counts;
mod doors;
mod event_time;
mod fences;
mod files;
mod lists;
mod multiply;
mod plans;
mod rules;
mod schedules;
mod writes;

/// Asks each question of both databases.
macro_rules! exam {
    ($($file:ident :: $question:ident => $name:ident),+ $(,)?) => {
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { crate::$file::$question(crate::support::sqlite().await).await }
        )+ }
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { crate::$file::$question(crate::support::postgres().await).await }
        )+ }
    };
}

exam! {
    books::long_pages => pages_of_every_length_are_written_in_order,
    books::neighbours => a_call_that_fails_leaves_nothing_in_the_book,
    books::two_nodes => who_writes_next_goes_on_with_the_same_chain,
    books::refused_page => a_refused_page_is_no_part_of_the_next_chain,
    books::history_is_kept => the_history_cannot_be_changed_or_deleted,
    books::feed_is_trimmed => the_feed_forgets_all_but_the_newest,
    books::history_pages => the_history_is_paged_both_ways,
    claims::the_order => jobs_are_claimed_by_priority_with_age_then_time_then_id,
    claims::only_these_types => a_worker_gets_only_the_job_types_it_takes,
    claims::no_job_twice => two_claimers_never_get_the_same_job,
    claims::payloads => payloads_of_every_size_come_back_with_the_claim,
    counts::folded => what_is_counted_adds_up_is_folded_into_hours_and_forgotten,
    counts::objectives => an_objective_is_kept_changed_by_version_and_deleted,
    counts::names => a_ledger_keeps_its_first_name_and_every_statement_of_figures_can_be_read,
    doors::tokens_live_and_end => tokens_live_until_they_end_or_are_taken_back,
    doors::once => a_one_time_token_is_used_once,
    doors::first_answers => the_first_answer_to_a_key_is_the_only_one,
    doors::depth => the_depth_of_the_queue_is_told_in_points,
    doors::backlog => the_backlog_of_runs_is_told_in_points_of_the_tenant_and_of_schedules,
    doors::switches => a_switch_is_on_until_it_is_turned,
    doors::figures => the_figures_count_what_is_there,
    event_time::one_version => a_watermark_moves_only_from_the_version_that_was_read,
    event_time::windows => a_window_is_fed_once_and_ends_once,
    event_time::backfills_lists => backfills_are_listed_newest_first_and_saved_by_version,
    event_time::statements => what_is_said_is_kept_once_per_source,
    event_time::likelihoods => the_newest_list_of_likelihoods_comes_last,
    fences::every_pair => a_verb_changes_a_row_exactly_when_the_contract_has_the_arrow,
    fences::late_report => a_late_report_after_lease_loss_changes_nothing,
    fences::mixed_batch => in_a_batch_done_lost_and_unknown_are_told_apart,
    fences::overdue => what_is_overdue_is_found_and_when_to_look_next,
    fences::heartbeat => a_heartbeat_renews_and_carries_progress,
    fences::packed => a_job_reads_the_same_wherever_it_is_read,
    fences::success_after_failure => a_success_after_a_failure_leaves_nothing_of_the_failure,
    lists::every_job_once => a_list_read_page_by_page_shows_every_job_once,
    lists::filters => every_filter_shows_what_matches_and_counts_it,
    schedules::kept => a_schedule_is_kept_changed_by_version_and_deleted,
    schedules::in_order => schedules_are_listed_and_acted_on_in_the_order_of_their_times,
    schedules::once => a_fire_is_decided_once_and_forgotten_with_its_schedule,
    rules::snapshots => policy_snapshots_are_kept_once_and_one_is_active,
    rules::gathered => keys_are_gathered_once_until_a_run_takes_them,
    rules::deliveries => an_export_is_remembered_counted_and_forgotten,
    writes::neighbours => the_error_of_one_call_leaves_its_neighbours_alone,
    writes::one_key => one_idempotency_key_is_one_row,
    writes::snapshot => a_read_sees_one_snapshot,
    writes::news => news_is_told_after_the_commit_and_not_when_it_failed,
    writes::ended_by_the_database => a_transaction_that_the_database_ended_does_not_end_the_ledger,
    writes::given_up => a_read_that_is_given_up_as_it_begins_leaves_no_transaction_behind,
    writes::panics => a_write_that_panics_leaves_the_ledger_usable,
    writes::mutes_last => a_mute_lasts_until_its_time_and_the_last_word_counts,
    writes::workers_and_artifacts => workers_and_artifacts_come_back_as_written,
}
