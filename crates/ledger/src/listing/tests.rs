use super::*;
use crate::plans::plan_on_sqlite;
use stella_contract::filter::Filter;
use stella_contract::time::Micros;

fn wanted(filter: &str) -> Wanted {
    filter.parse::<Filter>().unwrap().at(Micros(1_795_271_295_204_999)).into()
}

async fn plan(make: impl FnOnce(&mut Query, &Tx, &Tenant) + Send + 'static) -> String {
    plan_on_sqlite(move |tx| {
        let mut query = Query::new("");
        make(&mut query, tx, &"acme".parse().unwrap());
        Ok(query)
    })
    .await
}

async fn assert_reads_no_whole_table(filter: &str, plan: &str, index: &str) {
    assert!(plan.contains(index), "{filter}: {plan}");
    // A scan of a partial index reads the jobs of its state only.
    assert!(plan.lines().all(|step| step != "SCAN jobs"), "{filter}: {plan}");
}

/// What is gathered is gathered through the index along which it was found to be little.
#[tokio::test]
async fn filters_by_state_run_source_failure_or_id_read_no_more_rows_than_they_must() {
    for (filter, index) in [
        ("state:pending", "jobs_waiting"),
        ("wait:quota_max_active,backoff", "jobs_waiting"),
        ("state:queued type:ingest.*", "jobs_ready"),
        ("state:failed", "jobs_failed"),
        ("state:succeeded worker:wrk_01890000-0000-7000-8000-000000000000", "jobs_ended"),
        ("error:HTTP_503", "jobs_erred (tenant=? AND error_code=?)"),
        ("error:HTTP_*", "jobs_erred (tenant=?)"),
        ("category:integrity", "jobs_erred (tenant=?)"),
        ("error:HTTP_503 priority:>=75", "jobs_erred (tenant=? AND error_code=?)"),
        ("state:pending,queued,leased,running", "jobs_ready"),
        ("state:pending,queued,leased,running", "jobs_waiting"),
        ("state:pending,queued,leased,running", "jobs_held"),
        ("priority:90", "jobs_ended"),
        ("run:run:acme:20261121T140815Z:9c1f04ab", "jobs_of_run"),
        ("source:src_01890000-0000-7000-8000-000000000000", "jobs_of_source"),
        ("job:job_01890000-0000-7000-8000-000000000000", "INTEGER PRIMARY KEY (rowid=?)"),
    ] {
        let plan = plan(move |query, _, tenant| {
            let wanted = wanted(filter);
            Route::all(&wanted)[0].push(query, "select key", tenant, &wanted);
        });
        assert_reads_no_whole_table(filter, &plan.await, index).await;
    }
}

/// A scan of a million jobs takes seconds; of what no index makes short, a window is looked at.
#[tokio::test]
async fn of_many_jobs_only_a_window_of_row_keys_is_looked_at_whatever_the_filter() {
    let window = "SEARCH jobs USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)";
    for (filter, index) in [
        ("", window),
        ("worker:wrk_01890000-0000-7000-8000-000000000000", window),
        ("priority:90", window),
        ("type:ingest.*", window),
        ("wait:backoff", window),
        ("state:succeeded", window),
        ("state:pending priority:90", window),
        ("state:failed,timed_out worker:wrk_01890000-0000-7000-8000-000000000000", window),
        ("error:HTTP_503 priority:90", window),
        ("age:<24h priority:>=75", window),
        ("state:failed priority:90", "jobs_failed (tenant=? AND state=? AND key>? AND key<?)"),
        ("run:run:acme:20261121T140815Z:9c1f04ab priority:90", "jobs_of_run (run_id=? AND key>? AND key<?)"),
        (
            "source:src_01890000-0000-7000-8000-000000000000 state:succeeded",
            "jobs_of_source (source_id=? AND key>? AND key<?)",
        ),
    ] {
        let steps = plan(move |query, tx, tenant| {
            let wanted = wanted(filter);
            query.push("select *");
            push_matching(query, Walk::of(&wanted).table(tx), tenant, &wanted);
            push_between(query, Some(9), Some(1));
            query.push(" order by key desc limit ").bind(51);
        });
        let steps = steps.await;
        assert_reads_no_whole_table(filter, &steps, index).await;
        assert!(!steps.contains("TEMP B-TREE"), "{filter}: {steps}");
    }
}

/// Where the window ends is found along the same rows.
#[tokio::test]
async fn the_end_of_a_window_is_found_in_the_order_of_the_row_keys() {
    for (filter, index) in [
        ("priority:90", "SCAN jobs"),
        ("age:<24h priority:90", "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        ("state:failed priority:90", "jobs_failed (tenant=? AND state=?"),
        ("run:run:acme:20261121T140815Z:9c1f04ab priority:90", "jobs_of_run (run_id=?"),
    ] {
        let steps = plan(move |query, _, tenant| {
            let wanted = wanted(filter);
            query.push("select key");
            Walk::of(&wanted).push(query, tenant);
            push_key_ranges(query, &wanted.of.created);
            query.push(" order by key desc limit 1 offset ").bind(9);
        });
        let steps = steps.await;
        assert!(steps.contains(index) && !steps.contains("TEMP B-TREE"), "{filter}: {steps}");
    }
}
