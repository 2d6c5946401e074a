//! The feed index: every advisory by package, read once per generation and shared by all evaluations.

use crate::advisory::Advisory;
use crate::advisory::kev::KevCatalogue;
use crate::ecosystem;
use crate::matching::AffectedPackage;
use crate::sbom::Component;
use crate::severity::Rating;
use crate::vulnerability::{self, Vulnerability, embedded_cve};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// A package as index and impact index know it: the ecosystem without its release and the name in the one
/// spelling look-ups use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageKey {
    /// `PyPI`, `Debian`.
    pub ecosystem: String,
    /// The name.
    pub name: String,
}

impl PackageKey {
    /// The key of a package in OSV's spelling.
    pub fn new(ecosystem: &str, name: &str) -> Self {
        let (base, _) = ecosystem::split(ecosystem);
        Self { ecosystem: base.to_owned(), name: ecosystem::lookup_name(base, name).into_owned() }
    }
}

impl fmt::Display for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ecosystem, self.name)
    }
}

/// What a change of the feed touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Records that came in or changed.
    pub upserted: usize,
    /// Records that went, withdrawn ones among them.
    pub removed: usize,
    /// Packages whose findings may differ now, sorted.
    pub packages: Vec<PackageKey>,
}

/// All advisories of one generation of the feeds.
#[derive(Debug, Default)]
pub struct FeedIndex {
    generation: u64,
    records: Vec<Option<Record>>,
    places: HashMap<Box<str>, u32>,
    free: Vec<u32>,
    packages: HashMap<Box<str>, HashMap<Box<str>, Vec<Posting>>>,
    vulnerabilities: Vec<Vulnerability>,
    /// Per record, its vulnerability.
    vulnerability_of: Vec<u32>,
    by_name: HashMap<Box<str>, u32>,
    kev: HashMap<Box<str>, Box<str>>,
    kev_released: Option<Box<str>>,
}

/// A record without its text.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: Box<str>,
    pub(crate) aliases: Box<[Box<str>]>,
    pub(crate) summary: Option<Box<str>>,
    pub(crate) rating: Rating,
    /// Whether one of its own names is known to be exploited.
    pub(crate) kev: bool,
    packages: Box<[PackageKey]>,
    affected: Box<[AffectedPackage]>,
}

/// Where a package's advisory stands.
#[derive(Debug)]
pub(crate) struct Posting {
    pub(crate) record: u32,
    affected: u32,
    /// The distribution's release the entry is about; `None` is every release.
    pub(crate) release: Option<Box<str>>,
}

impl FeedIndex {
    /// An index of these advisories and this catalogue.
    pub fn build<'a>(
        generation: u64,
        advisories: impl IntoIterator<Item = &'a Advisory>,
        kev: Option<&KevCatalogue>,
    ) -> Self {
        let mut index = Self { generation, ..Self::default() };
        for advisory in advisories {
            index.put(advisory);
        }
        index.regroup();
        if let Some(kev) = kev {
            index.set_kev(generation, kev);
        }
        index
    }

    /// Takes in changed records and takes out removed ones; a withdrawn record goes.
    pub fn apply<'a>(
        &mut self,
        generation: u64,
        upserts: impl IntoIterator<Item = &'a Advisory>,
        removals: impl IntoIterator<Item = &'a str>,
    ) -> Applied {
        let mut applied = Applied::default();
        let mut packages = BTreeSet::new();
        let mut touched = Vec::new();
        for id in removals {
            packages.extend(self.packages_of(id));
            applied.removed += usize::from(self.take(id));
        }
        for advisory in upserts {
            packages.extend(self.packages_of(&advisory.id));
            if advisory.withdrawn.is_some() {
                applied.removed += usize::from(self.take(&advisory.id));
                continue;
            }
            self.put(advisory);
            applied.upserted += 1;
            touched.push(advisory.id.as_str());
        }
        self.generation = generation;
        self.regroup();
        packages.extend(touched.into_iter().flat_map(|id| self.packages_of(id)));
        applied.packages = packages.into_iter().collect();
        applied
    }

    /// Replaces the exploited list and says which packages' findings may differ now.
    pub fn set_kev(&mut self, generation: u64, catalogue: &KevCatalogue) -> Vec<PackageKey> {
        let listed = catalogue
            .entries
            .iter()
            .map(|entry| (entry.cve.as_str().into(), entry.date_added.as_str().into()));
        let before = std::mem::replace(&mut self.kev, listed.collect());
        self.kev_released = Some(catalogue.date_released.as_str().into());
        self.generation = generation;
        self.mark_exploited();
        let came = self.kev.keys().filter(|cve| !before.contains_key(*cve));
        let went = before.keys().filter(|cve| !self.kev.contains_key(*cve));
        let packages: BTreeSet<PackageKey> = came.chain(went).flat_map(|cve| self.packages_of(cve)).collect();
        packages.into_iter().collect()
    }

    /// The number the caller gave this state of the feeds.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// How many records are matched against.
    pub fn records(&self) -> usize {
        self.places.len()
    }

    /// How many vulnerabilities they come down to.
    pub fn vulnerabilities(&self) -> usize {
        self.vulnerabilities.len()
    }

    /// When the exploited list was released, as it says.
    pub fn kev_released(&self) -> Option<&str> {
        self.kev_released.as_deref()
    }

    /// The preferred id of the vulnerability that has this name (its id, an alias or a record id).
    pub fn vulnerability_id(&self, name: &str) -> Option<&str> {
        self.by_name.get(name).map(|at| &*self.vulnerabilities[*at as usize].id)
    }

    /// How bad the vulnerability of this name is, over all its records.
    pub fn rating_of(&self, name: &str) -> Option<Rating> {
        let vulnerability = &self.vulnerabilities[*self.by_name.get(name)? as usize];
        Some(vulnerability.rating.clone())
    }

    /// Whether the vulnerability of this name is known to be exploited.
    pub fn is_exploited(&self, name: &str) -> bool {
        self.kev.contains_key(name)
            || self.by_name.get(name).is_some_and(|at| self.vulnerabilities[*at as usize].kev)
    }

    /// The packages the vulnerability of this name affects, sorted.
    pub fn packages_of(&self, name: &str) -> Vec<PackageKey> {
        let Some(at) = self.by_name.get(name) else { return Vec::new() };
        let records = self.vulnerabilities[*at as usize].records.iter().filter_map(|at| self.record(*at));
        let packages: BTreeSet<&PackageKey> = records.flat_map(|record| &record.packages).collect();
        packages.into_iter().cloned().collect()
    }

    /// Whether any advisory speaks of this package.
    pub fn knows(&self, key: &PackageKey) -> bool {
        self.packages.get(key.ecosystem.as_str()).is_some_and(|names| names.contains_key(key.name.as_str()))
    }

    pub(crate) fn postings(&self, base: &str, name: &str) -> &[Posting] {
        let Some(names) = self.packages.get(base) else { return &[] };
        names.get(&*ecosystem::lookup_name(base, name)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn record(&self, at: u32) -> Option<&Record> {
        self.records.get(at as usize)?.as_ref()
    }

    pub(crate) fn affected(&self, posting: &Posting) -> Option<(&Record, &AffectedPackage)> {
        let record = self.record(posting.record)?;
        Some((record, record.affected.get(posting.affected as usize)?))
    }

    pub(crate) fn vulnerability_at(&self, record: u32) -> u32 {
        self.vulnerability_of[record as usize]
    }

    pub(crate) fn vulnerability(&self, at: u32) -> &Vulnerability {
        &self.vulnerabilities[at as usize]
    }

    fn put(&mut self, advisory: &Advisory) {
        self.take(&advisory.id);
        if advisory.withdrawn.is_some() {
            return;
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.records.push(None);
            u32::try_from(self.records.len() - 1).expect("four thousand million records do not fit in memory")
        });
        for (at, affected) in
            advisory.affected.iter().enumerate().filter(|(_, affected)| !affected.name.is_empty())
        {
            let (base, release) = ecosystem::split(&affected.ecosystem);
            let posting = Posting {
                record: place,
                affected: u32::try_from(at).expect("a record is smaller than four thousand million bytes"),
                release: release.map(|release| release.as_ref().into()),
            };
            let names = self.packages.entry(base.into()).or_default();
            names
                .entry(ecosystem::lookup_name(base, &affected.name).as_ref().into())
                .or_default()
                .push(posting);
        }
        self.places.insert(advisory.id.as_str().into(), place);
        self.records[place as usize] = Some(Record::compile(advisory));
    }

    /// Takes a record out; whether there was one.
    fn take(&mut self, id: &str) -> bool {
        let Some(place) = self.places.remove(id) else { return false };
        if let Some(record) = self.records[place as usize].take() {
            for key in &record.packages {
                self.forget(key, place);
            }
        }
        self.free.push(place);
        true
    }

    fn forget(&mut self, key: &PackageKey, place: u32) {
        let Some(names) = self.packages.get_mut(key.ecosystem.as_str()) else { return };
        let Some(postings) = names.get_mut(key.name.as_str()) else { return };
        postings.retain(|posting| posting.record != place);
        if postings.is_empty() {
            names.remove(key.name.as_str());
        }
    }

    fn regroup(&mut self) {
        let records = (0..)
            .zip(&self.records)
            .filter_map(|(at, record)| Some((at, record.as_ref()?.names().collect())));
        self.vulnerabilities = vulnerability::join(records);
        self.vulnerability_of = vec![0; self.records.len()];
        self.by_name.clear();
        for (at, vulnerability) in (0..).zip(&self.vulnerabilities) {
            for record in &vulnerability.records {
                self.vulnerability_of[*record as usize] = at;
            }
            self.by_name.extend(vulnerability.names.iter().map(|name| (name.clone(), at)));
        }
        for vulnerability in &mut self.vulnerabilities {
            let records = vulnerability.records.iter().filter_map(|at| self.records[*at as usize].as_ref());
            vulnerability.rating = records.map(Record::whole_rating).fold(Rating::UNKNOWN, Rating::stronger);
        }
        self.mark_exploited();
    }

    fn mark_exploited(&mut self) {
        for vulnerability in &mut self.vulnerabilities {
            vulnerability.kev = vulnerability.names.iter().any(|name| self.kev.contains_key(name));
        }
        for record in self.records.iter_mut().flatten() {
            let is_exploited = record.names().any(|name| self.kev.contains_key(name));
            record.kev = is_exploited;
        }
    }
}

impl Record {
    fn compile(advisory: &Advisory) -> Self {
        let mut aliases: Vec<Box<str>> = advisory
            .aliases
            .iter()
            .filter(|alias| !alias.is_empty())
            .map(|alias| alias.as_str().into())
            .collect();
        aliases.sort_unstable();
        aliases.dedup();
        let named = advisory.affected.iter().filter(|affected| !affected.name.is_empty());
        let packages: BTreeSet<PackageKey> =
            named.map(|affected| PackageKey::new(&affected.ecosystem, &affected.name)).collect();
        Self {
            id: advisory.id.as_str().into(),
            aliases: aliases.into(),
            summary: advisory.summary.as_deref().map(Into::into),
            rating: Rating::of(&advisory.severity, advisory.severity_word.as_deref()),
            kev: false,
            packages: packages.into_iter().collect(),
            affected: advisory.affected.iter().map(AffectedPackage::compile).collect(),
        }
    }

    /// The id, the aliases and the CVE inside the id, the id first.
    fn names(&self) -> impl Iterator<Item = &str> {
        let aliases = self.aliases.iter().map(AsRef::as_ref);
        std::iter::once(&*self.id).chain(aliases).chain(embedded_cve(&self.id))
    }

    fn whole_rating(&self) -> Rating {
        let of_packages = self.affected.iter().filter_map(|affected| affected.rating.as_deref().cloned());
        of_packages.fold(self.rating.clone(), Rating::stronger)
    }
}

impl Component {
    /// The packages whose advisories speak of this component, the source package's among them.
    pub fn keys(&self) -> Vec<PackageKey> {
        let names = crate::evaluate::lookups(self).into_iter().map(|lookup| lookup.name);
        names.map(|name| PackageKey::new(&self.ecosystem, name)).collect()
    }
}
