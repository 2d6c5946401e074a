//! Published feeds and SBOMs, when `STELLA_DATA` names a folder with `feeds/`, `kev/` and `sbom/`.

use crate::support::{World, report};
use std::path::PathBuf;
use stella_contract::page::PageQuery;
use stella_contract::source::SourceType;
use stella_contract::target::TargetFilter;

#[tokio::test]
async fn published_feeds_and_sboms_come_in_whole() {
    let Some(data) = std::env::var_os("STELLA_DATA").map(PathBuf::from) else {
        return eprintln!("skipped: STELLA_DATA names no folder");
    };
    for world in World::all().await {
        for (folder, source_type) in
            [("feeds", SourceType::Advisory), ("kev", SourceType::Kev), ("sbom", SourceType::Sbom)]
        {
            let source = world.add(folder, source_type, &data.join(folder)).await;
            let first = report(&world.run(&source).await);
            assert_eq!((first.refused, first.added), (0, first.records), "{folder}: {:?}", first.errors);
            assert!(first.records > 0, "{folder}");
            let again = report(&world.run(&source).await);
            assert!(again.unchanged, "{folder}");
            assert_eq!(again.records, first.records, "{folder}");
        }
        let sboms = std::fs::read_dir(data.join("sbom")).unwrap().count();
        let targets = world
            .engine
            .targets()
            .list(&world.caller, &TargetFilter::default(), &PageQuery::default())
            .await
            .unwrap();
        assert_eq!(targets.items.len(), sboms);
        let index = world.engine.feed_index(&world.caller.tenant).await.unwrap();
        assert!(index.records() > 0 && index.kev_released().is_some());
    }
}
