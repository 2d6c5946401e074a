//! What VEX and policy make of findings, and the runs that follow what comes in.

use super::*;
use crate::Delivery;
use futures::TryStreamExt;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use stella_contract::finding::FindingStatus;
use stella_contract::ids::PolicySnapshotId;
use stella_contract::page::Page;
use stella_contract::policy::*;
use stella_contract::trigger::*;

on_both! {
    a_vex_document_of_each_format_quiets_and_its_withdrawal_unquiets => said_in_each_format;
    a_policy_alone_quiets_and_unquiets_and_is_explained => promoted;
    what_a_policy_would_say_is_told_before_it_is_added => tried;
    a_run_without_its_policy_fails_by_name => missing;
    a_run_can_be_judged_by_another_snapshot_and_its_retry_keeps_it => pinned;
    rules_that_ask_for_target_age_and_likelihood_get_them => asked;
    a_policy_of_another_name_is_compared_with_itself_alone => other_line;
    a_burst_of_readings_makes_one_run_over_what_they_changed => burst;
    a_webhook_makes_one_run_per_export_and_only_for_who_signs => delivered;
    findings_leave_as_csv_that_no_sheet_takes_for_formulas => exported;
}

const QUIET_LOW: &str = "
rules:
  - {name: exploited, when: kev, verdict: block, reason: exploited in the wild}
  - {name: noise, when: severity == 'low', verdict: quiet, reason: not worth a page}
";

impl World {
    async fn add(&self, source: &str) -> PolicySnapshot {
        let wish = AddPolicy { source: source.to_owned(), note: None };
        self.engine.policies().add(&self.caller, wish).await.unwrap().0
    }

    async fn promote(&self, id: &PolicySnapshotId, follow_up: bool) -> PolicyPromotion {
        self.clock.advance_ms(1_000);
        let wish = PromotePolicy { follow_up, mode: None };
        self.engine.policies().promote(&self.caller, id, wish).await.unwrap()
    }

    async fn steps(&self, finding: &Finding) -> Vec<String> {
        let why = self.engine.findings();
        let why = why
            .explain(&self.caller, &finding.target_id, &finding.purl, &finding.vulnerability_id)
            .await
            .unwrap();
        why.steps.into_iter().map(|step| format!("{}: {}", step.source, step.matched)).collect()
    }

    async fn runs_of(&self, trigger: RunTrigger) -> Vec<Run> {
        let filter = RunFilter { trigger: Some(trigger), ..RunFilter::default() };
        let page: Page<Run> =
            self.engine.runs().list(&self.caller, &filter, &PageQuery::default()).await.unwrap();
        page.items
    }

    /// The clock goes on and the tasks look, until nothing is left to do.
    async fn wait_ms(&self, ms: i64) {
        self.clock.advance_ms(ms);
        self.engine.run_until_idle().await.unwrap();
    }
}

fn openvex(status: &str) -> String {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:acme:1", "timestamp": "2026-11-20T00:00:00Z",
        "statements": [{
            "vulnerability": { "name": "CVE-2026-0001" }, "status": status,
            "justification": "vulnerable_code_not_in_execute_path",
            "products": [{ "@id": "pkg:pypi/alpha@1.0" }]
        }]
    })
    .to_string()
}

fn cyclonedx(state: &str) -> String {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:1",
        "metadata": { "timestamp": "2026-11-20T00:00:00Z" },
        "components": [{ "bom-ref": "beta", "purl": "pkg:pypi/beta", "name": "beta", "type": "library" }],
        "vulnerabilities": [{ "id": "GHSA-bbbb-bbbb-bbbb", "analysis": { "state": state }, "affects": [{ "ref": "beta" }] }]
    })
    .to_string()
}

fn csaf(list: &str) -> String {
    json!({
        "document": { "csaf_version": "2.0", "category": "csaf_vex",
            "tracking": { "id": "ACME-1", "current_release_date": "2026-11-20T00:00:00Z" } },
        "product_tree": { "full_product_names": [
            { "product_id": "B", "name": "beta", "product_identification_helper": { "purl": "pkg:pypi/beta@2.5" } }
        ] },
        "vulnerabilities": [{ "cve": "CVE-2026-0003", "product_status": { list: ["B"] } }]
    })
    .to_string()
}

async fn said_in_each_format(place: LedgerPlace) {
    let world = World::small(place).await;
    world.run().await;
    for (file, quiet, loud, status) in [
        ("open.json", openvex("not_affected"), openvex("under_investigation"), FindingStatus::NotAffected),
        ("cyclonedx.json", cyclonedx("resolved"), cyclonedx("exploitable"), FindingStatus::Fixed),
        ("csaf.json", csaf("known_not_affected"), csaf("known_affected"), FindingStatus::NotAffected),
    ] {
        world.read(file, SourceType::Vex, &quiet).await;
        let quieted = world.run().await;
        assert_eq!(quieted.deltas.to_string(), "−1 quieted", "{file}");
        let of = FindingFilter { status: Some(status), quieted: Some(true), ..FindingFilter::default() };
        let found = world.findings(of).await.into_iter().next_back().unwrap();
        let steps = world.steps(&found).await;
        assert!(steps.last().unwrap().starts_with("VEX "), "{steps:?}");
        assert!(steps.last().unwrap().contains(status.as_str()), "{steps:?}");

        world.read(file, SourceType::Vex, &loud).await;
        let unquieted = world.run().await;
        assert_eq!(unquieted.deltas.to_string(), "+1 unquieted", "{file}");
    }
}

async fn promoted(place: LedgerPlace) {
    let world = World::small(place).await;
    let bare = world.run().await;
    assert_eq!((bare.policy_snapshot_id, bare.policy_revision), (None, None));
    let first = world.add(QUIET_LOW).await;
    let (again, known) = {
        let wish = AddPolicy { source: format!("# the same\n{QUIET_LOW}"), note: None };
        world.engine.policies().add(&world.caller, wish).await.unwrap()
    };
    assert!(known && again == first && !first.active && first.policy_revision == 1);

    let promotion = world.promote(&first.policy_snapshot_id, true).await;
    world.engine.run_until_idle().await.unwrap();
    let run = world.get(promotion.run_id.as_ref().unwrap()).await;
    assert_eq!((run.state, run.trigger), (RunState::Completed, RunTrigger::Policy));
    assert_eq!(run.badges, [RunBadge::PolicyFollowUp]);
    assert_eq!(
        (&run.policy_snapshot_id, run.policy_revision),
        (&Some(first.policy_snapshot_id.clone()), Some(1))
    );
    assert_eq!(run.deltas.to_string(), "−2 quieted", "a policy alone makes nothing new");

    let blocked = FindingFilter { verdict: Some(Verdict::Block), ..FindingFilter::default() };
    let blocked = world.findings(blocked).await;
    assert_eq!(blocked.len(), 1);
    assert_eq!((blocked[0].rule.as_deref(), blocked[0].quieted), (Some("exploited"), false));
    assert_eq!(
        world.steps(&blocked[0]).await.last().unwrap(),
        "Policy default: exploited: `kev` holds with kev = true: block (exploited in the wild)"
    );
    let of_bare =
        FindingFilter { run: Some(bare.run_id), verdict: Some(Verdict::Quiet), ..FindingFilter::default() };
    assert!(world.findings(of_bare).await.is_empty(), "what a run left stays as it was");

    let second =
        world.add("- {name: exploited, when: kev, verdict: block, reason: exploited in the wild}").await;
    world.promote(&second.policy_snapshot_id, false).await;
    let run = world.run().await;
    assert_eq!((run.deltas.to_string().as_str(), run.policy_revision), ("+2 unquieted", Some(2)));
    let by_revision = RunFilter { policy_revision: Some(2), ..RunFilter::default() };
    let found = world.engine.runs().list(&world.caller, &by_revision, &PageQuery::default()).await.unwrap();
    assert_eq!(found.items.iter().map(|one| &one.run_id).collect::<Vec<_>>(), [&run.run_id]);

    let which =
        PolicyDiffQuery { from: first.policy_snapshot_id.clone(), to: second.policy_snapshot_id.clone() };
    let diff = world.engine.policies().diff(&world.caller, &which).await.unwrap();
    let changes: Vec<_> = diff.changes.iter().map(|one| (one.kind, one.rule.as_str())).collect();
    assert_eq!(changes, [(RuleChangeKind::Removed, "noise")]);
    let promotions = world.engine.policies().promotions(&world.caller, &PageQuery::default()).await.unwrap();
    let told: Vec<_> =
        promotions.items.iter().map(|one| (one.policy_revision, one.previous_snapshot_id.clone())).collect();
    assert_eq!(told, [(2, Some(first.policy_snapshot_id.clone())), (1, None)]);
    let refused = world
        .engine
        .policies()
        .promote(&world.caller, &second.policy_snapshot_id, PromotePolicy::default())
        .await;
    assert_eq!(refused.unwrap_err().code, Code::InvalidTransition);
    assert_eq!(world.engine.history().verify(&world.caller).await.unwrap().broken, None);
}

async fn tried(place: LedgerPlace) {
    let world = World::small(place).await;
    world.run().await;
    let check = |source: &str| {
        let (policies, caller, source) = (world.engine.policies(), world.caller.clone(), source.to_owned());
        async move { policies.check(&caller, CheckPolicy { source }).await.unwrap() }
    };
    let sound = check(QUIET_LOW).await;
    let trial = sound.trial.clone().unwrap();
    assert!(sound.is_sound() && sound.problems.is_empty());
    assert_eq!((trial.findings, trial.changed, trial.quieted, trial.unquieted), (4, 3, 2, 0));
    let rules: Vec<_> = trial.rules.iter().map(|one| (one.rule.as_str(), one.findings)).collect();
    assert_eq!(rules, [("exploited", 1), ("noise", 2)]);
    let none = trial.verdicts.iter().find(|one| one.verdict.is_none()).unwrap();
    assert_eq!((none.before, none.after), (4, 1));

    let wrong = check("- {name: a, when: kve, verdict: warn, reason: b}").await;
    assert_eq!(
        (wrong.is_sound(), wrong.problems[0].code, wrong.problems[0].line),
        (false, PolicyProblemCode::UnknownName, 1)
    );
    let endless = CheckPolicy { source: "#".repeat(LONGEST_POLICY + 1) };
    let refused = world.engine.policies().check(&world.caller, endless).await.unwrap_err();
    assert_eq!((refused.code, refused.fields[0].field.as_str()), (Code::Invalid, "source"));
    let refused = world
        .engine
        .policies()
        .add(&world.caller, AddPolicy { source: "- {}".to_owned(), note: None })
        .await
        .unwrap_err();
    assert_eq!(refused.code, Code::PolicyInvalid);
    assert!(refused.fields[0].field.starts_with("source:1"), "{refused:?}");

    let added = world.add(QUIET_LOW).await;
    assert_eq!(
        Some(added.policy_snapshot_id.clone()),
        sound.policy_snapshot_id,
        "a dry run names the very snapshot"
    );
    world.promote(&added.policy_snapshot_id, true).await;
    world.engine.run_until_idle().await.unwrap();
    let trial = check("rules: []").await.trial.unwrap();
    assert_eq!((trial.changed, trial.quieted, trial.unquieted), (3, 0, 2), "against what stands now");
}

async fn missing(place: LedgerPlace) {
    let world = World::small(place).await;
    let nobody: PolicySnapshotId = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    let run = world.start(StartRun { policy_snapshot_id: Some(nobody.clone()), ..wish() }).await;
    world.engine.run_until_idle().await.unwrap();
    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.error_code), (RunState::Error, Some(RunErrorCode::PolicyMissing)));
    assert!(run.error_message.unwrap().contains(nobody.as_str()));
    let refused = world.engine.policies().promote(&world.caller, &nobody, PromotePolicy::default()).await;
    assert_eq!(refused.unwrap_err().code, Code::NotFound);
    let other = Caller { tenant: "globex".parse().unwrap(), ..world.caller.clone() };
    let known = world.add(QUIET_LOW).await;
    let foreign = world.engine.policies().get(&other, &known.policy_snapshot_id).await;
    assert_eq!(foreign.unwrap_err().code, Code::NotFound);
}

async fn pinned(place: LedgerPlace) {
    let world = World::small(place).await;
    let first = world.add(QUIET_LOW).await;
    let second = world.add("- {name: all, when: 'true', verdict: warn, reason: look}").await;
    world.promote(&first.policy_snapshot_id, false).await;
    let wish = StartRun { policy_snapshot_id: Some(second.policy_snapshot_id.clone()), ..wish() };
    let run = world.start(wish).await;
    world.engine.run_until_idle().await.unwrap();
    let run = world.get(&run.run_id).await;
    assert_eq!((run.state, run.policy_revision), (RunState::Completed, Some(2)));
    let warned = FindingFilter { verdict: Some(Verdict::Warn), ..FindingFilter::default() };
    assert_eq!(world.findings(warned).await.len(), 4);
    world.clock.advance_ms(1_000);
    let again = world.engine.runs().retry(&world.caller, &run.run_id, RetryRun::default()).await.unwrap();
    assert_eq!(again.policy_snapshot_id, Some(second.policy_snapshot_id));
}

async fn asked(place: LedgerPlace) {
    let world = World::small(place).await;
    world.read("epss.csv", SourceType::Epss, "#model_version:v1,score_date:2026-11-20T00:00:00+0000\ncve,epss,percentile\nCVE-2026-0001,0.9,0.99\n").await;
    world.run().await;
    let policy = world
        .add(
            "
- {name: likely, when: epss > 0.5, verdict: block, reason: likely}
- {name: till, when: target.name == 'till', verdict: ignore, reason: behind the counter}
- {name: old, when: ageDays >= 10, verdict: warn, reason: it has waited}
",
        )
        .await;
    world.promote(&policy.policy_snapshot_id, false).await;
    let rules = async || -> Vec<String> {
        let findings = world.findings(FindingFilter::default()).await;
        findings.iter().map(|one| one.rule.clone().unwrap_or_default()).collect()
    };
    world.run().await;
    assert_eq!(rules().await, ["likely", "", "", "till"]);
    world.clock.advance_ms(11 * 24 * 60 * 60 * 1_000);
    world.feed(&feed()).await;
    world.run().await;
    assert_eq!(rules().await, ["likely", "old", "old", "till"]);
}

async fn other_line(place: LedgerPlace) {
    let world = World::small(place).await;
    world.run().await;
    let trial = world
        .add("policy: trial\nrules:\n  - {name: all, when: 'true', verdict: ignore, reason: a trial}")
        .await;
    let wish = || StartRun { policy_snapshot_id: Some(trial.policy_snapshot_id.clone()), ..wish() };
    let first = world.start(wish()).await;
    world.engine.run_until_idle().await.unwrap();
    assert_eq!(world.get(&first.run_id).await.deltas.new_total(), 4, "its own line begins empty");
    let second = world.start(wish()).await;
    world.engine.run_until_idle().await.unwrap();
    assert!(world.get(&second.run_id).await.deltas.is_zero());
    assert!(world.run().await.deltas.is_zero(), "the usual line never saw the trial");
}

async fn burst(place: LedgerPlace) {
    let world = World::small(place).await;
    world.run().await;
    let change = ChangeTrigger { enabled: Some(true), min_interval_s: Some(60), ..ChangeTrigger::default() };
    for kind in [TriggerKind::Concelier, TriggerKind::Excititor] {
        let rule = world.engine.triggers().change(&world.caller, kind, change.clone(), None).await.unwrap();
        assert!(rule.enabled && rule.version == 1);
    }
    let stale =
        world.engine.triggers().change(&world.caller, TriggerKind::Concelier, change.clone(), Some(0)).await;
    assert_eq!(stale.unwrap_err().code, Code::VersionMismatch);

    world.read("open.json", SourceType::Vex, &openvex("not_affected")).await;
    world.read("csaf.json", SourceType::Vex, &csaf("known_not_affected")).await;
    let mut changed = feed();
    changed[0] = advisory("GHSA-aaaa-aaaa-aaaa", "CVE-2026-0001", "alpha", "1.6", "CRITICAL");
    world.feed(&changed).await;
    let rules = world.engine.triggers().list(&world.caller).await.unwrap();
    let waiting: Vec<_> = rules.iter().map(|one| (one.kind, one.pending_keys)).collect();
    assert_eq!(waiting, [(TriggerKind::Concelier, 2), (TriggerKind::Excititor, 2)]);
    assert!(world.runs_of(RunTrigger::Excititor).await.is_empty(), "a burst settles first");

    world.wait_ms(5_000).await;
    let [said] = &*world.runs_of(RunTrigger::Excititor).await else { panic!("one run over both documents") };
    let ids = ["CVE-2026-0001", "CVE-2026-0003"].map(str::to_owned).to_vec();
    assert_eq!(said.scope, RunScope::Keys { purls: Vec::new(), vuln_ids: ids });
    let [read] = &*world.runs_of(RunTrigger::Concelier).await else { panic!("one run over the record") };
    let purls = vec!["pkg:pypi/alpha".to_owned()];
    assert_eq!(read.scope, RunScope::Keys { purls, vuln_ids: vec!["GHSA-AAAA-AAAA-AAAA".to_owned()] });
    assert_eq!(read.candidates, 1, "only the target that holds the package");
    // Both look at the shop; whichever comes first sees what was said of it.
    assert_eq!((said.state, read.state), (RunState::Completed, RunState::Completed));
    assert_eq!(said.deltas.quieted + read.deltas.quieted, 2);
    let rules = world.engine.triggers().list(&world.caller).await.unwrap();
    assert!(rules.iter().all(|one| one.pending_keys == 0 && one.last_run_id.is_some()));

    world.read("open.json", SourceType::Vex, &openvex("affected")).await;
    world.wait_ms(10_000).await;
    assert_eq!(world.runs_of(RunTrigger::Excititor).await.len(), 1, "its interval has not passed");
    world.wait_ms(60_000).await;
    let runs = world.runs_of(RunTrigger::Excititor).await;
    assert_eq!((runs.len(), runs[0].deltas.unquieted), (2, 1));

    let off = ChangeTrigger { enabled: Some(false), ..ChangeTrigger::default() };
    world.engine.triggers().change(&world.caller, TriggerKind::Excititor, off, None).await.unwrap();
    world.read("open.json", SourceType::Vex, &openvex("fixed")).await;
    world.wait_ms(120_000).await;
    assert_eq!(world.runs_of(RunTrigger::Excititor).await.len(), 2);
}

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

async fn delivered(place: LedgerPlace) {
    let world = World::small(place).await;
    let now = world.engine.now();
    let body =
        json!({ "exportId": "export-1", "issuedAt": now, "changedProductKeys": ["pkg:pypi/alpha@1.0"] })
            .to_string();
    let delivery = |signature: Option<String>, body: &str| Delivery {
        tenant: world.caller.tenant.clone(),
        kind: TriggerKind::Concelier,
        signature,
        body: body.as_bytes().to_vec(),
    };
    let deliver = async |delivery: Delivery| world.engine.triggers().deliver(delivery).await;
    let code = |taken: Result<WebhookTaken, crate::Error>| taken.unwrap_err().code;
    assert_eq!(code(deliver(delivery(None, &body)).await), Code::Unauthenticated, "no secret was made yet");

    let made = world.engine.triggers().rotate_secret(&world.caller, TriggerKind::Concelier).await.unwrap();
    let sign = |body: &str| Some(signature(&made.secret, body));
    assert_eq!(code(deliver(delivery(None, &body)).await), Code::Unauthenticated);
    assert_eq!(code(deliver(delivery(sign("other"), &body)).await), Code::Unauthenticated);
    let elsewhere = Delivery { tenant: "globex".parse().unwrap(), ..delivery(sign(&body), &body) };
    assert_eq!(code(deliver(elsewhere).await), Code::Unauthenticated);

    let taken = deliver(delivery(sign(&body), &body)).await.unwrap();
    let again = deliver(delivery(sign(&body), &body)).await.unwrap();
    assert!(!taken.replayed && again.replayed && taken.run_id == again.run_id);
    world.engine.run_until_idle().await.unwrap();
    let run = world.get(&taken.run_id).await;
    assert_eq!((run.trigger, run.state, run.candidates), (RunTrigger::Concelier, RunState::Completed, 1));
    assert_eq!(run.trigger_detail.as_deref(), Some("export export-1"));

    let other = json!({ "exportId": "export-1", "issuedAt": now, "kev": ["CVE-2026-0001"] }).to_string();
    assert_eq!(code(deliver(delivery(sign(&other), &other)).await), Code::IdempotencyKeyReused);
    let odd = json!({ "exportId": "export-2", "issuedAt": now, "kev": ["CVE-20"] }).to_string();
    assert_eq!(code(deliver(delivery(sign(&odd), &odd)).await), Code::KeyInvalid);
    let garbage = "{".to_owned();
    assert_eq!(code(deliver(delivery(sign(&garbage), &garbage)).await), Code::BadRequest);

    world.clock.advance_ms(16 * 60 * 1_000);
    let late = json!({ "exportId": "export-3", "issuedAt": now, "kev": ["CVE-2026-0001"] }).to_string();
    assert_eq!(
        code(deliver(delivery(sign(&late), &late)).await),
        Code::Unauthenticated,
        "a replay of old bytes"
    );

    let now = world.engine.now();
    let export = |number: i64| {
        json!({ "exportId": format!("many-{number}"), "issuedAt": now, "kev": [format!("CVE-2026-{:04}", 1_000 + number)] }).to_string()
    };
    for number in 0..120 {
        let body = export(number);
        deliver(delivery(sign(&body), &body)).await.unwrap();
    }
    let body = export(120);
    let refused = deliver(delivery(sign(&body), &body)).await.unwrap_err();
    assert_eq!(refused.code, Code::RateLimited);
    assert!(refused.retry_after_ms.is_some_and(|ms| (1_000..=60_000).contains(&ms)));
    world.clock.advance_ms(60_000);
    deliver(delivery(sign(&body), &body)).await.unwrap();
}

async fn exported(place: LedgerPlace) {
    let world = World::open(place).await;
    let mut odd = advisory("GHSA-aaaa-aaaa-aaaa", "CVE-2026-0001", "alpha", "1.5", "CRITICAL");
    odd["summary"] = json!("=cmd|' /C calc'!A0, \"quoted\"\nand more");
    world.feed(&[odd]).await;
    let names: Vec<String> = (0..520).map(|number| format!("service-{number:03}")).collect();
    for name in &names {
        world.sbom(name, &["pkg:pypi/alpha@1.0"]).await;
    }
    let run = world.run().await;
    let filter = FindingFilter { run: Some(run.run_id.clone()), ..FindingFilter::default() };
    let file = world.engine.findings().csv(&world.caller, filter).await.unwrap();
    assert!(file.file_name.starts_with("findings-run-acme-"), "{}", file.file_name);
    let pieces: Vec<Bytes> = file.pieces.try_collect().await.unwrap();
    assert!(pieces.len() > 1, "it is written page by page");
    let text = String::from_utf8(pieces.concat()).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap().get(0), Some("severity"));
    let summary = reader.headers().unwrap().len() - 1;
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 520);
    assert!(rows.iter().all(|row| row.get(summary).is_some_and(|cell| cell.starts_with("'=cmd|"))));
    assert!(text.contains("\"'=cmd|' /C calc'!A0, \"\"quoted\"\""), "{}", &text[..400]);
    let mut reader = world.caller.clone();
    reader.scopes.remove(&stella_contract::scope::Scope::DownloadsRead);
    let refused = world.engine.findings().csv(&reader, FindingFilter::default()).await;
    assert_eq!(refused.err().map(|error| error.code), Some(Code::ScopeMissing));
    let nowhere =
        FindingFilter { run: "run:acme:20261121T140815Z:9c1f04ab".parse().ok(), ..FindingFilter::default() };
    let refused = world.engine.findings().csv(&world.caller, nowhere).await;
    assert_eq!(refused.err().map(|error| error.code), Some(Code::NotFound));
}
