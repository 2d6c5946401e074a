//! A job's life on both databases: what workers and operators may do to it, races, the history's chain, the worker of
//! the process.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod support;

mod alerts;
mod cancel;
mod chain;
mod change_set_pace;
mod change_sets;
mod dead_letter_batches;
mod dead_letter_lists;
mod dead_letters;
mod edges;
mod figures;
mod floor;
mod life;
mod lost;
mod model;
mod property;
mod races;
mod submit;
mod together;
mod upgrade;
mod verbs;
mod views;
mod worker;

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
    submit::one_idempotency_key_is_one_job_and_another_payload_is_refused,
    submit::sixteen_callers_with_one_key_make_one_job,
    submit::a_wish_that_cannot_be_is_refused_by_field,
    submit::a_payload_of_any_size_comes_back_and_its_secrets_are_hidden,
    submit::another_tenant_sees_nothing_of_it,
    submit::a_list_is_paged_and_a_token_holds_for_its_filter_only,
    together::submissions_of_many_callers_share_a_commit_and_each_is_answered_for_itself,
    together::submissions_under_keys_share_a_commit_and_one_that_misuses_its_key_is_refused_alone,
    together::a_caller_that_goes_away_takes_no_neighbour_with_it,
    together::a_submission_to_a_closed_ledger_is_refused_and_does_not_hang,
    life::a_job_goes_from_submission_to_success,
    life::a_job_waits_for_its_time,
    life::a_failure_is_retried_after_the_waits_of_the_rule_and_then_failed,
    life::a_failure_that_will_not_mend_is_not_retried,
    life::the_far_side_may_ask_for_more_time,
    life::a_digest_that_is_not_the_bytes_leaves_the_job_running,
    life::a_job_leaves_two_hundred_artifacts_and_not_one_more,
    life::an_effect_is_kept_with_the_success_or_not_at_all,
    life::the_same_report_twice_is_one_report,
    life::a_claim_given_back_does_not_count,
    floor::of_two_who_start_one_job_at_the_same_time_only_the_holder_does,
    floor::what_workers_end_at_the_same_time_ends_in_one_commit_each_for_itself,
    floor::a_worker_that_breaks_its_leases_five_times_in_an_hour_is_quarantined,
    floor::violations_of_an_hour_ago_do_not_count,
    floor::bytes_that_are_not_what_was_said_count_too,
    floor::how_far_a_worker_of_ones_own_read_its_source_is_kept_with_its_success,
    floor::a_watermark_that_cannot_be_is_refused_and_the_job_goes_on,
    floor::a_failed_job_says_its_cause_and_whether_another_try_may_help,
    lost::a_late_report_after_lease_loss_changes_nothing,
    lost::a_vanished_worker_loses_the_job_after_the_grace_and_at_last_it_is_timed_out,
    lost::a_heartbeat_keeps_the_lease,
    lost::an_attempt_over_its_limit_is_taken_back_though_it_beats,
    lost::a_claim_nobody_acknowledged_counts_from_the_third_in_a_row,
    cancel::a_waiting_job_is_cancelled_at_once,
    cancel::a_running_job_is_asked_told_with_the_heartbeat_and_ended_by_force,
    cancel::a_complete_before_the_force_wins,
    cancel::a_failure_after_the_wish_to_cancel_is_a_cancel,
    cancel::what_has_ended_cannot_be_cancelled,
    cancel::a_cancel_needs_scope_reason_and_ticket,
    figures::job_types_are_told_with_what_waits_flows_and_fails,
    figures::figures_are_the_same_however_often_they_are_counted,
    figures::a_tenant_starts_with_four_objectives_and_those_deleted_do_not_come_back,
    figures::an_objective_that_burns_is_told_once_and_again_when_it_recovers,
    figures::an_objective_that_is_switched_off_does_not_burn,
    figures::an_objective_of_one_type_counts_no_other,
    edges::a_job_goes_when_all_it_waits_for_has_come,
    edges::each_kind_of_edge_goes_by_its_own_end,
    edges::a_cancelled_upstream_job_lets_nobody_go_that_needs_its_success,
    edges::a_replay_of_what_failed_lets_its_dependents_go,
    edges::a_released_job_still_waits_for_its_time,
    edges::an_edge_may_be_added_until_a_worker_holds_the_job,
    edges::a_cycle_is_refused_and_its_jobs_are_named,
    edges::a_graph_beyond_its_limits_is_refused,
    edges::an_edge_to_nowhere_or_to_another_tenant_is_refused,
    edges::adding_edges_needs_scope_reason_and_ticket,
    edges::the_graph_is_drawn_with_ranks_orders_and_its_longest_path,
    edges::beyond_five_hundred_jobs_the_neighbourhood_is_drawn,
    verbs::a_replay_is_a_new_job_with_the_same_payload_at_high_priority,
    verbs::a_retry_keeps_the_priority,
    verbs::a_large_payload_is_repeated_too,
    verbs::what_has_not_ended_or_is_being_repeated_is_not_repeated,
    verbs::a_priority_changes_as_long_as_the_job_is_open,
    verbs::each_of_many_has_its_own_answer_and_a_look_beforehand_tells_the_same,
    verbs::a_lineage_is_told_from_each_of_its_jobs,
    verbs::verbs_need_scope_reason_and_ticket,
    verbs::a_claim_nobody_acknowledges_is_timed_out_on_the_last_attempt,
    verbs::a_failure_told_on_the_last_attempt_is_failed_whatever_its_class,
    races::two_claimers_share_the_jobs_and_none_is_given_twice,
    races::complete_against_expiry_has_one_winner,
    races::cancel_against_complete_has_one_winner,
    races::two_reports_of_one_lease_are_one,
    dead_letters::a_job_that_failed_for_good_has_an_entry,
    dead_letters::a_job_whose_last_attempt_was_lost_has_an_entry,
    dead_letters::a_cancelled_job_has_none,
    dead_letters::a_replay_that_succeeds_closes_the_entry,
    dead_letters::a_replay_that_fails_opens_the_entry_again_with_what_failed,
    dead_letters::a_replay_that_is_cancelled_opens_the_entry_again,
    dead_letters::a_repeat_from_the_jobs_own_page_takes_the_entry_along,
    dead_letters::an_edited_replay_keeps_the_original_and_writes_the_difference_down,
    dead_letters::an_edited_replay_keeps_the_secrets_that_its_editor_did_not_see,
    dead_letters::what_is_not_open_is_refused_by_name,
    dead_letters::an_entry_is_resolved_with_code_and_note_and_reopened,
    dead_letters::every_resolution_code_is_kept,
    dead_letters::an_entry_is_looked_after,
    dead_letters::more_than_five_replays_need_force,
    dead_letter_batches::a_batch_runs_what_its_dry_run_showed_and_answers_per_entry,
    dead_letter_batches::a_batch_by_filter_is_paced_at_five_a_second,
    dead_letter_batches::a_batch_says_why_one_needs_force,
    dead_letter_batches::a_selection_is_ids_or_a_filter_and_not_too_many,
    dead_letter_batches::a_batch_resolves_with_one_code_and_note,
    dead_letter_lists::entries_are_listed_by_every_filter_and_page_by_page,
    dead_letter_lists::entries_of_one_cause_are_one_cluster,
    dead_letter_lists::the_figures_say_how_it_is_doing,
    dead_letter_lists::an_export_is_ordered_and_its_manifest_fits,
    dead_letter_lists::closed_entries_are_forgotten_after_ninety_days_and_open_ones_never,
    dead_letters::another_tenant_or_scope_changes_nothing,
    dead_letters::replay_against_resolve_has_one_winner,
    dead_letter_lists::ten_thousand_entries_are_counted_and_paged,
    alerts::ten_failures_of_one_cause_are_one_spike,
    alerts::of_a_muted_cause_nobody_is_called_though_its_incident_is_there,
    alerts::two_large_causes_are_two_incidents_and_small_ones_none,
    alerts::a_spike_goes_after_thirty_calm_minutes_and_thirty_more,
    alerts::calm_that_is_broken_starts_anew,
    alerts::a_spike_that_comes_again_is_told_again,
    alerts::an_operator_looks_after_an_incident_and_ends_it,
    alerts::an_incident_needs_scope_reason_and_ticket_and_its_tenant,
    alerts::more_than_ten_open_entries_are_a_backlog,
    alerts::a_breaker_that_opened_is_an_incident_until_it_closes,
    alerts::three_leases_that_expire_in_five_minutes_are_a_stall,
    alerts::a_job_that_gets_no_further_for_ten_minutes_is_stuck,
    chain::a_chain_of_many_writers_is_whole,
    chain::a_changed_missing_or_cut_off_entry_is_named,
    property::random_legal_events_keep_the_invariants,
    worker::the_worker_does_what_it_can_and_reports_it,
    worker::a_worker_of_the_process_that_is_to_rest_takes_nothing_until_it_is_resumed,
    worker::a_handler_that_panics_is_a_failed_attempt,
    worker::a_running_worker_takes_new_jobs_and_ends_when_it_is_stopped,
    worker::a_lost_lease_drops_the_work,
    change_sets::a_dry_run_tells_what_is_refused_and_changes_nothing,
    change_sets::a_started_set_does_every_item_and_writes_down_who_and_why,
    change_sets::one_job_is_a_set_of_one,
    change_sets::a_filter_takes_what_matches_at_the_dry_run_without_what_is_excluded,
    change_sets::ids_that_name_nothing_of_the_tenant_are_refused_items,
    change_sets::a_start_quotes_the_hash_and_is_refused_when_items_changed,
    change_sets::nothing_to_do_cannot_be_started,
    change_sets::a_change_needs_scope_reason_and_ticket_and_a_look_only_the_scope,
    change_sets::every_arrow_that_does_not_exist_is_refused_and_changes_nothing,
    change_set_pace::a_paused_or_cancelled_set_leaves_the_rest_as_it_was,
    change_set_pace::a_pace_is_kept_by_the_clock,
    change_set_pace::several_sets_are_carried_out_at_once,
    change_set_pace::after_a_restart_it_goes_on_where_it_was_and_does_nothing_twice,
    change_set_pace::the_first_items_must_succeed_before_the_rest_is_replayed,
    change_set_pace::when_the_first_items_fail_the_rest_is_left_as_it_was,
    change_set_pace::after_the_first_items_it_pauses_when_somebody_shall_look,
    change_sets::waiting_jobs_get_another_priority_and_failed_ones_another_try,
    change_sets::a_change_set_that_cannot_be_is_refused_by_field,
    change_sets::a_dry_run_that_nobody_starts_is_forgotten_after_a_day,
    change_sets::open_dead_letters_are_replayed_or_resolved_and_others_passed_by,
    change_sets::a_list_can_be_asked_in_the_grammar_of_filters,
    views::a_view_is_seen_by_its_tenant_and_by_no_other,
    views::those_of_the_product_come_first_and_stay_as_they_are,
    views::a_view_is_changed_by_its_owner_at_the_version_that_was_read,
    views::what_cannot_be_a_view_is_refused,
}
