//! Targets come in, are replaced, listed and previewed.

use crate::support::{World, record, report, sbom};
use stella_contract::error::Code;
use stella_contract::page::PageQuery;
use stella_contract::preview::{Preview, PreviewRequest};
use stella_contract::run::RunScope;
use stella_contract::source::SourceType;
use stella_contract::target::{SbomPlace, Target, TargetFilter};
use stella_engine::Caller;

fn place(namespace: &str) -> SbomPlace {
    SbomPlace { namespace: Some(namespace.to_owned()), ..SbomPlace::default() }
}

async fn list(world: &World, filter: TargetFilter) -> Vec<Target> {
    let page = world.engine.targets().list(&world.caller, &filter, &PageQuery::default()).await.unwrap();
    assert_eq!(page.total_estimate, Some(page.items.len() as u64));
    page.items
}

async fn preview(world: &World, request: PreviewRequest) -> Preview {
    world.engine.previews().make(&world.caller, request).await.unwrap()
}

fn keys(purls: &[&str], vuln_ids: &[&str]) -> PreviewRequest {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    PreviewRequest { purls: owned(purls), vuln_ids: owned(vuln_ids), ..PreviewRequest::default() }
}

/// Three services in two namespaces; quill is in two of them.
async fn three(world: &World) {
    world.import(place("prod"), &sbom("shop", "1.0", &[("quill", "1.0"), ("ink", "1.0")])).await.unwrap();
    world.import(place("prod"), &sbom("mail", "1.0", &[("quill", "2.0")])).await.unwrap();
    world.import(place("test"), &sbom("shop", "1.0", &[("paper", "1.0")])).await.unwrap();
}

async fn feeds(world: &World) {
    let lines = [
        record("R-1", "CVE-2026-0001", "quill", "2.0"),
        record("R-2", "CVE-2026-0002", "ink", "2.0"),
        // Only through its alias does this record belong to the first one.
        record("R-3", "R-1", "paper", "2.0"),
    ];
    let source = world.add("feed", SourceType::Advisory, &world.file("f.ndjson", lines.join("\n"))).await;
    report(&world.run(&source).await);
    let kev = r#"{"catalogVersion":"1","dateReleased":"2026-01-02T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2026-0002","dateAdded":"2026-01-01"}]}"#;
    let source = world.add("kev", SourceType::Kev, &world.file("kev.json", kev)).await;
    report(&world.run(&source).await);
}

#[tokio::test]
async fn the_same_bytes_are_recognised_and_a_newer_sbom_takes_the_place_of_the_older() {
    for world in World::all().await {
        let one = world.import(place("prod"), &sbom("shop", "1.0", &[("quill", "1.0")])).await.unwrap();
        assert!(one.created && !one.unchanged);
        assert_eq!((one.target.component_count, one.target.is_image), (1, false));

        let same = world.import(place("prod"), &sbom("shop", "1.0", &[("quill", "1.0")])).await.unwrap();
        assert!(!same.created && same.unchanged);
        assert_eq!(same.target, one.target);

        world.clock.advance_ms(1_000);
        let newer = world
            .import(place("prod"), &sbom("shop", "1.1", &[("quill", "2.0"), ("ink", "1.0")]))
            .await
            .unwrap();
        assert!(!newer.created && !newer.unchanged);
        assert_eq!(newer.target.target_id, one.target.target_id);
        assert_eq!((newer.target.version.as_str(), newer.target.component_count), ("1.1", 2));
        assert_eq!(newer.target.created_at, one.target.created_at);
        assert!(newer.target.updated_at > one.target.updated_at);
        // The index follows: the old component no longer leads here.
        assert_eq!(preview(&world, keys(&["pkg:pypi/quill@1.0"], &[])).await.impacted_images, 0);
        assert_eq!(preview(&world, keys(&["pkg:pypi/quill@2.0"], &[])).await.impacted_images, 1);
    }
}

#[tokio::test]
async fn an_image_is_one_target_wherever_it_runs() {
    for world in World::all().await {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let at = |namespace: &str| SbomPlace { digest: Some(digest.clone()), ..place(namespace) };
        let one = world.import(at("test"), &sbom("shop", "1.0", &[("quill", "1.0")])).await.unwrap();
        let two = world.import(at("prod"), &sbom("shop", "1.0", &[("quill", "1.0")])).await.unwrap();
        assert_eq!(one.target.target_id, two.target.target_id);
        assert!(two.target.is_image && !two.created && !two.unchanged);
        assert_eq!(two.target.namespace, "prod");
        // It moved; its components did not.
        assert_eq!(preview(&world, keys(&["pkg:pypi/quill"], &[])).await.by_namespace[0].name, "prod");
    }
}

#[tokio::test]
async fn targets_are_listed_found_and_kept_from_other_tenants() {
    for world in World::all().await {
        three(&world).await;
        let names: Vec<(String, String)> = list(&world, TargetFilter::default())
            .await
            .into_iter()
            .map(|one| (one.name, one.namespace))
            .collect();
        let pair = |name: &str, namespace: &str| (name.to_owned(), namespace.to_owned());
        assert_eq!(names, [pair("mail", "prod"), pair("shop", "prod"), pair("shop", "test")]);
        let prod = TargetFilter { namespace: Some("prod".to_owned()), q: Some("SHO".to_owned()) };
        let found = list(&world, prod).await;
        assert_eq!(found.len(), 1);
        assert_eq!(world.engine.targets().get(&world.caller, &found[0].target_id).await.unwrap(), found[0]);
        assert!(
            list(&world, TargetFilter { q: Some("%".to_owned()), ..TargetFilter::default() })
                .await
                .is_empty()
        );

        let other = Caller::local("other".parse().unwrap(), "eve");
        let error = world.engine.targets().get(&other, &found[0].target_id).await.unwrap_err();
        assert_eq!(error.code, Code::NotFound);
        let page = world
            .engine
            .targets()
            .list(&other, &TargetFilter::default(), &PageQuery::default())
            .await
            .unwrap();
        assert!(page.items.is_empty());
        let empty = world.engine.previews().make(&other, keys(&["pkg:pypi/quill"], &[])).await.unwrap();
        assert_eq!((empty.impacted_images, empty.index_generation), (0, 0));
    }
}

#[tokio::test]
async fn an_sbom_that_cannot_be_read_leaves_nothing_behind() {
    for world in World::all().await {
        for (text, code) in [
            ("{", Code::SbomInvalid),
            (r#"{"bomFormat":"CycloneDX","specVersion":"0.9"}"#, Code::SbomUnsupported),
        ] {
            assert_eq!(world.import(place("prod"), text).await.unwrap_err().code, code);
        }
        assert!(list(&world, TargetFilter::default()).await.is_empty());
    }
}

#[tokio::test]
async fn a_preview_counts_what_a_run_would_touch() {
    for world in World::all().await {
        three(&world).await;
        feeds(&world).await;

        let by_package =
            preview(&world, keys(&["pkg:pypi/Quill", "pkg:pypi/quill@2.0", "pkg:pypi/none"], &[])).await;
        assert_eq!(
            (by_package.impacted_images, by_package.unknown_keys),
            (2, vec!["pkg:pypi/none".to_owned()])
        );
        assert_eq!(by_package.by_namespace.len(), 1);
        assert_eq!((by_package.by_shard.len(), by_package.by_shard.iter().sum::<i64>()), (8, 2));
        let shards = by_package.by_shard.iter().filter(|count| **count > 0).count() as i64;
        assert_eq!(by_package.estimated_segments, shards);
        let sample: Vec<&str> = by_package.sample.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(sample, ["mail", "shop"]);
        assert_eq!(by_package.estimated_duration_s, None);
        assert_eq!(by_package.valid_until, world.engine.now().plus_ms(15 * 60_000));

        let by_version = preview(&world, keys(&["pkg:pypi/quill@1.0"], &[])).await;
        assert_eq!(by_version.impacted_images, 1);

        let by_vulnerability = preview(&world, keys(&[], &["cve-2026-0001"])).await;
        assert_eq!(by_vulnerability.impacted_images, 3, "paper too, over the alias");
        assert_eq!(by_vulnerability.kev_hits, 0);
        let exploited = preview(&world, keys(&[], &["CVE-2026-0002", "R-2", "CVE-2020-0001"])).await;
        assert_eq!((exploited.impacted_images, exploited.kev_hits), (1, 2));
        assert_eq!(exploited.unknown_keys, ["CVE-2020-0001"]);
    }
}

#[tokio::test]
async fn a_preview_is_narrowed_by_its_scope() {
    for world in World::all().await {
        three(&world).await;
        let all =
            preview(&world, PreviewRequest { scope: Some(RunScope::All), ..PreviewRequest::default() }).await;
        assert_eq!(all.impacted_images, 3);
        let test = RunScope::Selector {
            namespaces: vec!["test".to_owned()],
            repositories: Vec::new(),
            labels: Default::default(),
        };
        let scoped =
            PreviewRequest { scope: Some(test.clone()), ..keys(&["pkg:pypi/quill", "pkg:pypi/paper"], &[]) };
        assert_eq!(preview(&world, scoped).await.impacted_images, 1);
        let digest = list(&world, TargetFilter::default()).await[0].digest.clone();
        let digests = RunScope::Digests { digests: vec![digest] };
        let scoped = PreviewRequest { scope: Some(digests), ..PreviewRequest::default() };
        assert_eq!(preview(&world, scoped).await.impacted_images, 1);
        // A label is a name, and never a path into the labels.
        for label in ["team", "", "$", "$.a", "a\"b", "0"] {
            let labelled = RunScope::Selector {
                namespaces: Vec::new(),
                repositories: Vec::new(),
                labels: [(label.to_owned(), "a".to_owned())].into(),
            };
            let scoped = PreviewRequest { scope: Some(labelled), ..PreviewRequest::default() };
            assert_eq!(preview(&world, scoped).await.impacted_images, 0, "{label}");
        }
    }
}

#[tokio::test]
async fn a_preview_says_how_old_its_answer_is() {
    for world in World::all().await {
        let empty = preview(&world, keys(&["pkg:pypi/quill"], &[])).await;
        assert_eq!((empty.index_generation, empty.index_built_at, empty.index_age_s), (0, None, None));
        assert!(empty.warnings[0].contains("No advisories"), "{:?}", empty.warnings);
        three(&world).await;
        feeds(&world).await;
        let fresh = preview(&world, keys(&["pkg:pypi/quill"], &[])).await;
        assert_eq!((fresh.index_generation, fresh.index_age_s, fresh.warnings.len()), (5, Some(0), 0));
        world.clock.advance_ms(7 * 3_600_000);
        let aged = preview(&world, keys(&["pkg:pypi/quill"], &[])).await;
        assert_eq!(aged.index_age_s, Some(7 * 3_600));
        assert!(aged.warnings[0].contains("7 h old"), "{:?}", aged.warnings);
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_refused_with_its_place() {
    for world in World::all().await {
        let request = keys(&["pkg:pypi/quill", "quill"], &[]);
        let error = world.engine.previews().make(&world.caller, request).await.unwrap_err();
        assert_eq!((error.code, error.fields[0].field.as_str()), (Code::KeyInvalid, "purls[1]"));
        let error = world.engine.previews().make(&world.caller, PreviewRequest::default()).await.unwrap_err();
        assert_eq!(error.code, Code::Invalid);
    }
}
