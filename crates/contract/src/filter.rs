//! The one grammar of filters: in lists, addresses, saved views, change-sets and on the command line.
//!
//! A filter is words of `key:value`. Several values of one key, by commas or by repeating the key, mean or; several
//! keys mean and: `state:failed,timed_out type:ingest.* priority:>=75 age:>1h created:2026-11-20..2026-11-21`.

use crate::filter_value::{AgeRange, Pattern, PriorityRange, TimeRange};
use crate::ids::{JobId, RunId, SourceId, WorkerId};
use crate::job::{ErrorClass, JobFilter, JobState, WaitReason};
use crate::time::Micros;
use crate::words;
use std::fmt;
use std::str::FromStr;

words! {
    /// What a job can be filtered by.
    FilterKey {
        /// Where it stands.
        State = "state",
        /// What it does; `ingest.*` is all that begin so.
        Type = "type",
        /// Its priority or a range of them.
        Priority = "priority",
        /// How long ago it was submitted.
        Age = "age",
        /// When it was submitted.
        Created = "created",
        /// The run it belongs to.
        Run = "run",
        /// The source it reads.
        Source = "source",
        /// The worker that holds or last held it.
        Worker = "worker",
        /// The code of its last failure; `HTTP_*` is all that begin so.
        Error = "error",
        /// The category of its last failure.
        Category = "category",
        /// Why it waits.
        Wait = "wait",
        /// Its id.
        Job = "job",
    }
}

impl FilterKey {
    /// What may stand behind the key.
    pub fn expected(self) -> String {
        fn one_of(words: impl Iterator<Item = &'static str>) -> String {
            format!("one of {}", words.collect::<Vec<_>>().join(", "))
        }
        match self {
            Self::State => one_of(JobState::ALL.iter().map(|word| word.as_str())),
            Self::Wait => one_of(WaitReason::ALL.iter().map(|word| word.as_str())),
            Self::Category => one_of(ErrorClass::ALL.iter().map(|word| word.as_str())),
            Self::Type => "a job type, or its beginning and `*`, as in ingest.*".to_owned(),
            Self::Priority => "a priority from 0 to 100, as in 50, >=75, <25 or 25..75".to_owned(),
            Self::Age => "a time with its unit s, m, h, d or w, as in >1h, <24h or 1h..2d".to_owned(),
            Self::Created => {
                "a day or a time, as in 2026-11-20, >=2026-11-20 or 2026-11-20..2026-11-21".to_owned()
            }
            Self::Run => "a run, as in run:acme:20261121T140815Z:9c1f04ab".to_owned(),
            Self::Source => "a source, as in src_<uuid>".to_owned(),
            Self::Worker => "a worker, as in wrk_<uuid>".to_owned(),
            Self::Error => "an error code, or its beginning and `*`, as in HTTP_429 or HTTP_*".to_owned(),
            Self::Job => "a job, as in job_<uuid>".to_owned(),
        }
    }
    /// The words that may stand behind the key, where they are a closed set.
    pub fn choices(self) -> Vec<&'static str> {
        match self {
            Self::State => JobState::ALL.iter().map(|word| word.as_str()).collect(),
            Self::Wait => WaitReason::ALL.iter().map(|word| word.as_str()).collect(),
            Self::Category => ErrorClass::ALL.iter().map(|word| word.as_str()).collect(),
            Self::Type
            | Self::Priority
            | Self::Age
            | Self::Created
            | Self::Run
            | Self::Source
            | Self::Worker
            | Self::Error
            | Self::Job => Vec::new(),
        }
    }
}

/// One key with one value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the key of its name")]
pub enum Token {
    State(JobState),
    Type(Pattern),
    Priority(PriorityRange),
    Age(AgeRange),
    Created(TimeRange),
    Run(RunId),
    Source(SourceId),
    Worker(WorkerId),
    Error(Pattern),
    Category(ErrorClass),
    Wait(WaitReason),
    Job(JobId),
}

impl Token {
    /// Its key.
    pub const fn key(&self) -> FilterKey {
        match self {
            Self::State(_) => FilterKey::State,
            Self::Type(_) => FilterKey::Type,
            Self::Priority(_) => FilterKey::Priority,
            Self::Age(_) => FilterKey::Age,
            Self::Created(_) => FilterKey::Created,
            Self::Run(_) => FilterKey::Run,
            Self::Source(_) => FilterKey::Source,
            Self::Worker(_) => FilterKey::Worker,
            Self::Error(_) => FilterKey::Error,
            Self::Category(_) => FilterKey::Category,
            Self::Wait(_) => FilterKey::Wait,
            Self::Job(_) => FilterKey::Job,
        }
    }
    /// What stands behind the key.
    pub fn value(&self) -> String {
        match self {
            Self::State(state) => state.to_string(),
            Self::Type(pattern) | Self::Error(pattern) => pattern.to_string(),
            Self::Priority(range) => range.to_string(),
            Self::Age(range) => range.to_string(),
            Self::Created(range) => range.to_string(),
            Self::Run(id) => id.to_string(),
            Self::Source(id) => id.to_string(),
            Self::Worker(id) => id.to_string(),
            Self::Category(class) => class.to_string(),
            Self::Wait(reason) => reason.to_string(),
            Self::Job(id) => id.to_string(),
        }
    }
    /// Reads what stands behind a key.
    pub fn read(key: FilterKey, value: &str) -> Option<Self> {
        Some(match key {
            FilterKey::State => Self::State(value.parse().ok()?),
            FilterKey::Type => Self::Type(Pattern::of_type(value)?),
            FilterKey::Priority => Self::Priority(PriorityRange::read(value)?),
            FilterKey::Age => Self::Age(AgeRange::read(value)?),
            FilterKey::Created => Self::Created(TimeRange::read(value)?),
            FilterKey::Run => Self::Run(value.parse().ok()?),
            FilterKey::Source => Self::Source(value.parse().ok()?),
            FilterKey::Worker => Self::Worker(value.parse().ok()?),
            FilterKey::Error => Self::Error(Pattern::of_code(value)?),
            FilterKey::Category => Self::Category(value.parse().ok()?),
            FilterKey::Wait => Self::Wait(value.parse().ok()?),
            FilterKey::Job => Self::Job(value.parse().ok()?),
        })
    }
}

/// A word that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` at {at}: expected {expected}")]
pub struct FilterError {
    /// The place of its first character, from 1.
    pub at: usize,
    /// What stands there.
    pub text: String,
    /// What could stand there.
    pub expected: String,
}

/// One word of a text: its tokens, or why it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The word as it stands there.
    pub text: String,
    /// What it means.
    pub tokens: Result<Vec<Token>, FilterError>,
}

/// The words of a text, each read by itself, so that a wrong one does not hide the others.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut word = String::new();
    let mut start = 1;
    for (at, letter) in (1..).zip(text.chars().chain([' '])) {
        if !letter.is_whitespace() {
            if word.is_empty() {
                start = at;
            }
            word.push(letter);
            continue;
        }
        if !word.is_empty() {
            let text = std::mem::take(&mut word);
            pieces.push(Piece { tokens: read_word(start, &text), text });
        }
    }
    pieces
}

fn read_word(at: usize, text: &str) -> Result<Vec<Token>, FilterError> {
    let wrong = |at: usize, text: &str, expected: String| FilterError { at, text: text.to_owned(), expected };
    let keys = || {
        let words: Vec<&str> = FilterKey::ALL.iter().map(|key| key.as_str()).collect();
        format!("a key and a value, as in state:failed; the keys are {}", words.join(", "))
    };
    let Some((name, values)) = text.split_once(':') else { return Err(wrong(at, text, keys())) };
    let Ok(key) = name.parse::<FilterKey>() else { return Err(wrong(at, text, keys())) };
    let mut place = at + name.chars().count() + 1;
    let mut tokens = Vec::new();
    for value in values.split(',') {
        match Token::read(key, value) {
            Some(token) => tokens.push(token),
            None => return Err(wrong(place, value, key.expected())),
        }
        place += value.chars().count() + 1;
    }
    Ok(tokens)
}

/// What is wanted of a list of jobs: every key must fit with one of its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    tokens: Vec<Token>,
}

impl Filter {
    /// Puts the tokens of one key together, in the order in which the keys first appear.
    pub fn of(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut own: Vec<Token> = Vec::new();
        for token in tokens {
            if own.contains(&token) {
                continue;
            }
            let after = own.iter().rposition(|before| before.key() == token.key());
            own.insert(after.map_or(own.len(), |at| at + 1), token);
        }
        Self { tokens: own }
    }
    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }
    /// Its tokens, those of one key together.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }
    /// The keys with their tokens.
    pub fn groups(&self) -> impl Iterator<Item = (FilterKey, &[Token])> {
        self.tokens.chunk_by(|one, two| one.key() == two.key()).map(|group| (group[0].key(), group))
    }
    /// The same with these values of a key and no others.
    #[must_use]
    pub fn with(&self, key: FilterKey, tokens: impl IntoIterator<Item = Token>) -> Self {
        let at = self.tokens.iter().position(|token| token.key() == key).unwrap_or(self.tokens.len());
        let mut all: Vec<Token> = self.tokens.iter().filter(|token| token.key() != key).cloned().collect();
        let tail = all.split_off(at.min(all.len()));
        Self::of(all.into_iter().chain(tokens).chain(tail))
    }
    /// The same without a key.
    #[must_use]
    pub fn without(&self, key: FilterKey) -> Self {
        self.with(key, [])
    }
    /// What the ledger looks for, ages counted from `now`.
    pub fn at(&self, now: Micros) -> JobMatch {
        let mut found = JobMatch::default();
        let mut created = Vec::new();
        let mut aged = Vec::new();
        for token in self.tokens.iter().cloned() {
            match token {
                Token::State(state) => found.states.push(state),
                Token::Type(pattern) => found.types.push(pattern),
                Token::Priority(range) => found.priorities.push(range),
                Token::Age(range) => aged.push(range.before(now)),
                Token::Created(range) => created.push(range),
                Token::Run(id) => found.runs.push(id),
                Token::Source(id) => found.sources.push(id),
                Token::Worker(id) => found.workers.push(id),
                Token::Error(pattern) => found.errors.push(pattern),
                Token::Category(class) => found.categories.push(class),
                Token::Wait(reason) => found.waits.push(reason),
                Token::Job(id) => found.jobs.push(id),
            }
        }
        found.created = [created, aged].into_iter().filter(|spans| !spans.is_empty()).collect();
        found
    }
}

impl FromStr for Filter {
    type Err = FilterError;
    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut tokens = Vec::new();
        for piece in pieces(text) {
            tokens.extend(piece.tokens?);
        }
        Ok(Self::of(tokens))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (key, tokens)) in self.groups().enumerate() {
            let values: Vec<String> = tokens.iter().map(Token::value).collect();
            write!(f, "{}{key}:{}", if at == 0 { "" } else { " " }, values.join(","))?;
        }
        Ok(())
    }
}

/// What the ledger looks for. An empty list lets everything through; of a list that is not empty, one must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the key of its name")]
pub struct JobMatch {
    pub jobs: Vec<JobId>,
    pub states: Vec<JobState>,
    pub types: Vec<Pattern>,
    pub priorities: Vec<PriorityRange>,
    /// Each list is a restriction of its own: times of submission, and ages.
    pub created: Vec<Vec<TimeRange>>,
    pub runs: Vec<RunId>,
    pub sources: Vec<SourceId>,
    pub workers: Vec<WorkerId>,
    pub errors: Vec<Pattern>,
    pub categories: Vec<ErrorClass>,
    pub waits: Vec<WaitReason>,
}

impl JobFilter {
    /// The parameters and the text as one filter.
    pub fn tokens(&self) -> Result<Filter, FilterError> {
        let text: Filter = self.filter.as_deref().unwrap_or_default().parse()?;
        let own = [
            self.state.map(Token::State),
            self.job_type.clone().map(|text| Token::Type(Pattern::Exactly(text))),
            self.wait_reason.map(Token::Wait),
            self.run.clone().map(Token::Run),
            self.source.clone().map(Token::Source),
            self.worker.clone().map(Token::Worker),
        ];
        Ok(Filter::of(text.tokens.into_iter().chain(own.into_iter().flatten())))
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
