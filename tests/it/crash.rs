//! A power cut in the middle of the work: the ledger is whole, and the work goes on.

use crate::client::{add_source, import, next_message, read_source_well, run_ended, signed_in, start_run};
use std::collections::BTreeSet;
use stella_contract::finding::FindingFilter;
use stella_contract::run::RunState;
use stella_contract::source::SourceType;
use stella_sdk::collect_all;
use stella_tests::fixtures;
use stella_tests::served::{Home, Served};

const TARGETS: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_thousand_targets_outlives_a_power_cut_with_nothing_lost_or_doubled() {
    let home = Home::default();
    let feed = home.write("feed/records.ndjson", &fixtures::feed());
    let served = Served::start(&home, false);
    let client = signed_in(&served).await;
    let source = add_source(&client, "feed", SourceType::Advisory, &feed.display().to_string()).await;
    read_source_well(&client, &source).await;
    for at in 0..TARGETS {
        let name = format!("service-{at:04}");
        import(&client, &name, fixtures::sbom(&name, "1.0", &[("quill", "1.0"), ("candle", "3.2")])).await;
    }

    let run = start_run(&client, 10).await;
    let mut after = None;
    loop {
        let now = client.runs().get(&run.run_id).await.unwrap();
        assert!(!now.state.is_final(), "the run was over before the power was cut: {:?}", now.state);
        if now.processed > 0 {
            break;
        }
        after = next_message(&client, &run, after).await;
    }
    served.kill();

    let served = Served::start(&home, false);
    let client = signed_in(&served).await;
    let run = run_ended(&client, &run).await;

    assert_eq!(run.state, RunState::Completed, "{:?}", run.error_message);
    assert_eq!((run.candidates, run.processed, run.failed), (TARGETS as i64, TARGETS as i64, 0));
    assert_eq!(run.segments.succeeded, run.segments.total());
    assert_eq!((run.deltas.new_critical, run.deltas.new_total()), (TARGETS as u64, TARGETS as u64));
    let filter = FindingFilter { run: Some(run.run_id.clone()), ..FindingFilter::default() };
    let findings = collect_all(client.findings().all(filter)).await.unwrap();
    let places: BTreeSet<String> = findings.iter().map(|one| one.target_id.to_string()).collect();
    assert_eq!((findings.len(), places.len()), (TARGETS, TARGETS));
    let check = client.core().verify_history().await.unwrap();
    assert_eq!(check.broken, None);
}
