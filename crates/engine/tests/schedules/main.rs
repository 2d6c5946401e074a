//! Schedules on both databases: what operators do to them, what becomes of their fires, and that two nodes fire once.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

#[path = "../jobs/support.rs"]
#[expect(dead_code, reason = "the tests of jobs use more of it")]
mod support;

mod fires;
mod life;
mod nodes;
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
    life::a_schedule_is_made_changed_switched_and_taken_away,
    life::a_wish_that_cannot_be_is_refused_with_its_field,
    life::a_name_is_taken_once_and_an_older_version_is_refused,
    life::a_verb_that_its_state_does_not_allow_is_refused,
    life::nobody_touches_a_schedule_of_another_tenant_or_without_the_scope,
    life::a_preview_says_what_a_text_would_do_and_what_holds_it,
    life::coming_fires_of_all_schedules_come_in_one_order,
    life::a_coming_fire_says_what_will_become_of_it,
    life::the_list_begins_with_the_next_fire_and_filters,
    fires::a_fire_starts_one_run_and_says_so,
    fires::a_fire_while_the_run_before_is_open_follows_the_policy,
    fires::late_fires_are_made_up_for_once_and_older_ones_are_missed,
    fires::fires_that_are_too_late_to_be_made_up_for_are_an_incident,
    fires::fires_in_a_pause_are_dropped_and_it_ends_at_its_time,
    fires::a_blackout_holds_a_fire_or_leaves_it_out,
    fires::under_pressure_a_fire_comes_later,
    fires::a_schedule_is_run_by_hand_beside_its_times,
    fires::two_schedules_in_one_second_have_two_runs,
    fires::the_scheduler_says_how_it_is_doing,
    fires::runs_are_listed_by_their_schedule,
    nodes::two_nodes_that_look_at_once_fire_once,
    nodes::a_look_that_is_cut_off_leaves_everything_to_the_next,
    nodes::ten_thousand_schedules_fire_exactly_once_while_a_node_is_killed_each_minute,
}
