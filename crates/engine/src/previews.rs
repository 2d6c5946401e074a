//! Previews: what a run would touch, before it starts (spec 05 §5.6).

use crate::caller::Caller;
use crate::engine::Engine;
use crate::error::Error;
use crate::impact::{self as rules, IndexState};
use std::collections::BTreeMap;
use stella_contract::ids::{PreviewId, Tenant};
use stella_contract::preview::{NamedCount, Preview, PreviewRequest, PreviewTarget};
use stella_contract::run::RunScope;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_ledger::impact::{
    self, ImpactCount, ImpactKeys, ImpactSample, ImpactScope, KnownKeys, PowerOfTwo,
};
use stella_ledger::previews::{self, PreviewRow};
use stella_ledger::{LedgerError, Tx};

/// Planner shards when a run asks for no other number.
const SHARDS: PowerOfTwo = PowerOfTwo::of(3);
/// Targets per segment when a run asks for no other number.
const SEGMENT: i64 = 50;
/// Targets that are shown.
const SAMPLE: i64 = 20;
/// How long an answer may be handed to a run.
const VALID_MS: i64 = 15 * 60 * 1_000;

/// Answers what runs would touch.
#[derive(Clone)]
pub struct Previews {
    engine: Engine,
}

impl Engine {
    /// Previews.
    pub fn previews(&self) -> Previews {
        Previews { engine: self.clone() }
    }
}

/// All that the ledger says about a request, read from one snapshot.
struct Seen {
    index: IndexState,
    counts: Vec<ImpactCount>,
    sample: Vec<ImpactSample>,
    known: KnownKeys,
    /// Targets evaluated by the last runs, and in how many microseconds.
    pace: (i64, i64),
}

impl Previews {
    /// Answers and keeps the answer for a quarter of an hour; nothing else is written. A request names 1 to 10,000
    /// keys, or only a scope, since a run over a scope is previewed as well.
    pub async fn make(&self, caller: &Caller, request: PreviewRequest) -> Result<Preview, Error> {
        caller.demand(Scope::RunsRead)?;
        let keys = match (&request.scope, request.purls.len() + request.vuln_ids.len()) {
            (Some(_), 0) => ImpactKeys::default(),
            _ => rules::keys(&request.purls, &request.vuln_ids)?,
        };
        let scopes = scopes(&keys, request.scope.as_ref())?;
        let now = self.engine.now();
        let (tenant, asked) = (caller.tenant.clone(), keys);
        let seen = self
            .engine
            .ledger()
            .read(|tx| Box::pin(async move { look(tx, &tenant, &scopes, &asked, now).await }))
            .await?;
        let preview_id = PreviewId::from_uuid(&self.engine.uuid(now));
        let preview = answer(preview_id, &request, seen, now);
        self.keep(&caller.tenant, &request, &preview, now).await?;
        Ok(preview)
    }

    async fn keep(
        &self,
        tenant: &Tenant,
        request: &PreviewRequest,
        preview: &Preview,
        now: Micros,
    ) -> Result<(), Error> {
        let row = PreviewRow {
            preview_id: preview.preview_id.as_str().to_owned(),
            tenant: tenant.as_str().to_owned(),
            request: serde_json::to_string(request).map_err(Error::internal)?,
            answer: serde_json::to_string(preview).map_err(Error::internal)?,
            generation: preview.index_generation,
            created_at: now.0,
            valid_until: preview.valid_until.0,
        };
        let write = self.engine.ledger().write(move |tx| {
            Box::pin(async move {
                previews::remove_expired(tx, now.0).await?;
                previews::insert(tx, &row).await
            })
        });
        write.await.map_err(|error: LedgerError| error.into())
    }
}

fn scopes(keys: &ImpactKeys, scope: Option<&RunScope>) -> Result<Vec<ImpactScope>, Error> {
    let mut scopes = Vec::new();
    if *keys != ImpactKeys::default() {
        scopes.push(ImpactScope::Keys(keys.clone()));
    }
    if let Some(scope) = scope {
        scopes.push(rules::restriction(scope)?);
    }
    Ok(scopes)
}

async fn look(
    tx: &mut Tx,
    tenant: &Tenant,
    scopes: &[ImpactScope],
    keys: &ImpactKeys,
    now: Micros,
) -> Result<Seen, LedgerError> {
    let name = tenant.as_str();
    Ok(Seen {
        index: rules::state(tx, tenant, now).await?,
        counts: impact::count(tx, name, scopes, SHARDS).await?,
        sample: impact::sample(tx, name, scopes, SAMPLE).await?,
        known: impact::known(tx, name, keys).await?,
        pace: impact::pace(tx, name).await?,
    })
}

/// Puts the answer together. Pure.
fn answer(preview_id: PreviewId, request: &PreviewRequest, seen: Seen, now: Micros) -> Preview {
    let by_shard = by_shard(&seen.counts);
    let impacted: i64 = by_shard.iter().sum();
    let unknown_keys = unknown(request, &seen.known);
    Preview {
        preview_id,
        impacted_images: impacted,
        by_namespace: by_namespace(&seen.counts),
        estimated_segments: by_shard.iter().map(|targets| (targets + SEGMENT - 1) / SEGMENT).sum(),
        by_shard,
        kev_hits: seen.known.exploited.len() as i64,
        sample: seen.sample.into_iter().map(shown).collect(),
        estimated_duration_s: estimate(impacted, seen.pace),
        index_generation: seen.index.generation,
        index_built_at: seen.index.built_at,
        index_age_s: seen.index.age_s,
        warnings: warnings(&seen.index, &unknown_keys, impacted),
        unknown_keys,
        valid_until: now.plus_ms(VALID_MS),
    }
}

fn shown(target: ImpactSample) -> PreviewTarget {
    PreviewTarget { digest: target.digest, name: target.name, version: target.version }
}

fn by_shard(counts: &[ImpactCount]) -> Vec<i64> {
    (0..SHARDS.get())
        .map(|shard| counts.iter().filter(|count| count.shard == shard).map(|count| count.targets).sum())
        .collect()
}

/// Most first; those with equally many by name.
fn by_namespace(counts: &[ImpactCount]) -> Vec<NamedCount> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for count in counts {
        *sums.entry(&count.namespace).or_default() += count.targets;
    }
    let mut named: Vec<NamedCount> =
        sums.into_iter().map(|(name, count)| NamedCount { name: name.to_owned(), count }).collect();
    named.sort_by_key(|named| std::cmp::Reverse(named.count));
    named
}

/// The keys that name nothing here, as they were given.
fn unknown(request: &PreviewRequest, known: &KnownKeys) -> Vec<String> {
    let missing = |keys: &[String], known: &[i64]| -> Vec<String> {
        let is_known = |at: usize| known.binary_search(&(at as i64)).is_ok();
        keys.iter().enumerate().filter(|(at, _)| !is_known(*at)).map(|(_, key)| key.clone()).collect()
    };
    let mut unknown = missing(&request.purls, &known.packages);
    unknown.extend(missing(&request.vuln_ids, &known.vuln_ids));
    unknown
}

/// At the pace of the last runs; nothing while there is none to judge by.
fn estimate(impacted: i64, (processed, micros): (i64, i64)) -> Option<i64> {
    if processed <= 0 {
        return None;
    }
    let micros = i128::from(impacted) * i128::from(micros.max(0)) / i128::from(processed);
    i64::try_from(micros).ok().map(|micros| (micros + 999_999) / 1_000_000)
}

fn warnings(index: &IndexState, unknown_keys: &[String], impacted: i64) -> Vec<String> {
    let mut warnings = Vec::new();
    if !index.has_advisories {
        warnings.push(
            "No advisories have been read yet, so a run would find nothing; that would not mean that the targets are clean. Add and run a source first."
                .to_owned(),
        );
    }
    let hours = index.age_s.unwrap_or_default() / 3_600;
    if index.is_stale() {
        warnings.push(format!(
            "The impact index is {hours} h old; a run is refused after 24 h (ERR_RUN_009). Run the sources again, or allow a stale index with a reason."
        ));
    } else if index.is_aging() {
        warnings
            .push(format!("The impact index is {hours} h old. Run the sources again for a fresh answer."));
    }
    if !unknown_keys.is_empty() {
        let count = unknown_keys.len();
        let first = &unknown_keys[0];
        warnings.push(format!("{count} of the keys name nothing here, the first is `{first}`."));
    }
    if impacted == 0 {
        warnings.push("No target would be touched; a run would end at once without work.".to_owned());
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(namespace: &str, shard: i64, targets: i64) -> ImpactCount {
        ImpactCount { namespace: namespace.to_owned(), shard, targets }
    }

    #[test]
    fn counts_are_summed_by_shard_and_by_namespace() {
        let counts = [count("b", 0, 51), count("a", 7, 3), count("b", 7, 2), count("c", 1, 53)];
        assert_eq!(by_shard(&counts), [51, 53, 0, 0, 0, 0, 0, 5]);
        let named: Vec<(String, i64)> =
            by_namespace(&counts).into_iter().map(|named| (named.name, named.count)).collect();
        assert_eq!(named, [("b".to_owned(), 53), ("c".to_owned(), 53), ("a".to_owned(), 3)]);
    }

    #[test]
    fn a_duration_is_judged_by_the_last_runs_and_by_nothing_else() {
        assert_eq!(estimate(100, (0, 0)), None);
        assert_eq!(estimate(100, (50, 10_000_000)), Some(20));
        assert_eq!(estimate(0, (50, 10_000_000)), Some(0));
        assert_eq!(estimate(i64::MAX, (1, i64::MAX)), None);
    }

    #[test]
    fn keys_that_name_nothing_come_back_as_they_were_given() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let request = PreviewRequest {
            purls: texts(&["pkg:pypi/A", "pkg:pypi/b"]),
            vuln_ids: texts(&["cve-2021-1234", "GHSA-x"]),
            ..PreviewRequest::default()
        };
        let known = KnownKeys { packages: vec![1], vuln_ids: vec![], exploited: vec![] };
        assert_eq!(unknown(&request, &known), texts(&["pkg:pypi/A", "cve-2021-1234", "GHSA-x"]));
    }

    #[test]
    fn an_old_index_is_told_and_an_empty_one_is_not_called_clean() {
        let at_age = |hours: i64| IndexState {
            has_advisories: true,
            age_s: Some(hours * 3_600 + 1),
            ..IndexState::default()
        };
        assert_eq!(warnings(&at_age(1), &[], 1), Vec::<String>::new());
        assert!(warnings(&at_age(6), &[], 1)[0].contains("6 h old"));
        assert!(warnings(&at_age(24), &[], 1)[0].contains("ERR_RUN_009"));
        assert!(warnings(&IndexState::default(), &[], 1)[0].contains("No advisories"));
    }
}
