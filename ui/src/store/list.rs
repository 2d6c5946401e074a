//! Long lists: page after page as the reader scrolls; news replace rows in place, and wait while somebody is choosing.

use super::feed::use_feed_batches;
use super::queries::{comes_back, rest_ms};
use super::session::use_api;
use super::watch::Watch;
use crate::api::{Api, Problem};
use crate::clock::{self, use_every};
use crate::kit::{Pages, Sheet};
use futures::future::LocalBoxFuture;
use gloo_timers::callback::Timeout;
use std::any::Any;
use std::rc::Rc;
use stella_contract::page::{MAX_SIZE, Page, PageQuery};
use stella_contract::time::Micros;
use yew::prelude::*;

/// Rows per page while scrolling.
const PAGE: u32 = 200;
/// How long after a failure it is asked again by itself.
const AGAIN_MS: u32 = 5_000;

/// What is on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fetching {
    /// The first page.
    #[default]
    First,
    /// Nothing.
    Nothing,
    /// The next page.
    More,
    /// The rows that are loaded, anew.
    Again,
}

/// A list as far as it is loaded. `S` is the rows: a [`Sheet`] for who shows them, [`Pages`] of whatever type where it is
/// kept, so that keeping it is compiled once and not for every list there is.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<S> {
    /// The filter it belongs to.
    pub key: String,
    /// The rows.
    pub rows: S,
    /// Where to go on.
    pub next: Option<String>,
    /// How many match, loaded or not.
    pub total: Option<u64>,
    /// When the rows were true.
    pub as_of: Option<Micros>,
    /// Why there is nothing, or nothing newer.
    pub problem: Option<Problem>,
    /// What is on its way.
    pub fetching: Fetching,
    /// Changes that wait to be shown.
    pub news: usize,
    /// Whether rows that are wanted were not found yet, though there may be more further down.
    is_short: bool,
}

/// A list where it is kept.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    shown: Rows<Pages>,
    /// How many rows are wanted, when there are so many. A page of what is rare may be short and go on.
    wanted: usize,
    /// What was read anew so far, until it is as much as was shown.
    coming: Option<Pages>,
}

/// A page of whatever type.
struct Read {
    rows: Rc<dyn Any>,
    count: usize,
    next: Option<String>,
    total: Option<u64>,
}

impl Read {
    fn of<T: 'static>(page: Page<T>) -> Self {
        let count = page.items.len();
        Self { rows: Rc::new(page.items), count, next: page.next_page_token, total: page.total_estimate }
    }
}

impl Rows<Pages> {
    fn new(key: String) -> Self {
        Self {
            key,
            rows: Pages::default(),
            next: None,
            total: None,
            as_of: None,
            problem: None,
            fetching: Fetching::First,
            news: 0,
            is_short: false,
        }
    }

    fn of<T: 'static>(self) -> Rows<Sheet<T>> {
        Rows {
            key: self.key,
            rows: self.rows.of(),
            next: self.next,
            total: self.total,
            as_of: self.as_of,
            problem: self.problem,
            fetching: self.fetching,
            news: self.news,
            is_short: self.is_short,
        }
    }
}

/// What happens to a list.
enum KeptAction {
    /// Another filter.
    Open(String),
    /// Something was asked.
    Ask(Fetching),
    /// An answer came to what was asked for this filter.
    Answer(String, Fetching, Result<Read, Problem>, Micros),
    /// Changes wait.
    News(usize),
}

impl Reducible for Kept {
    type Action = KeptAction;

    fn reduce(self: Rc<Self>, action: KeptAction) -> Rc<Self> {
        let mut next = Self::clone(&self);
        match action {
            KeptAction::Open(key) => next = Self::new(key),
            KeptAction::Ask(what) => next.ask(what),
            KeptAction::News(count) => next.shown.news += count,
            // Of a filter that is no longer asked for.
            KeptAction::Answer(key, _, _, _) if key != self.shown.key => return self,
            KeptAction::Answer(_, _, Err(problem), _) => {
                next.shown.problem = Some(problem);
                next.shown.fetching = Fetching::Nothing;
                next.coming = None;
            }
            KeptAction::Answer(_, what, Ok(page), at) => next.take(what, page, at),
        }
        next.shown.is_short = next.is_short();
        Rc::new(next)
    }
}

impl Kept {
    fn new(key: String) -> Self {
        Self { shown: Rows::new(key), wanted: PAGE as usize, coming: None }
    }

    fn is_short(&self) -> bool {
        let loaded = self.coming.as_ref().unwrap_or(&self.shown.rows).len();
        self.shown.next.is_some() && self.shown.problem.is_none() && loaded < self.wanted
    }

    /// What is read anew holds the news that came until now. Those that come while it is on its way wait for the next time.
    fn ask(&mut self, what: Fetching) {
        self.shown.fetching = what;
        let loaded = self.shown.rows.len();
        match what {
            Fetching::First | Fetching::Again => {
                self.shown.news = 0;
                self.wanted = loaded.clamp(PAGE as usize, MAX_SIZE as usize);
            }
            Fetching::More if !self.is_short() => self.wanted = loaded + PAGE as usize,
            Fetching::More | Fetching::Nothing => {}
        }
    }

    fn take(&mut self, what: Fetching, page: Read, at: Micros) {
        let shown = &mut self.shown;
        shown.problem = None;
        shown.fetching = Fetching::Nothing;
        shown.next = page.next;
        match (what, self.coming.take()) {
            (Fetching::More, Some(coming)) => {
                self.coming = Some(coming.with_page(page.rows, page.count));
            }
            (Fetching::More, None) => {
                shown.rows = shown.rows.with_page(page.rows, page.count);
                shown.total = page.total.or(shown.total);
            }
            (Fetching::Again, _) => {
                self.coming = Some(Pages::default().with_page(page.rows, page.count));
                shown.total = page.total;
                shown.as_of = Some(at);
            }
            (Fetching::First | Fetching::Nothing, _) => {
                shown.rows = Pages::default().with_page(page.rows, page.count);
                shown.total = page.total;
                shown.as_of = Some(at);
            }
        }
        // Rows stay as they are until as many were read anew.
        if !self.is_short()
            && let Some(coming) = self.coming.take()
        {
            self.shown.rows = coming;
        }
        if self.shown.next.is_none() {
            self.shown.total = self.shown.total.or(Some(self.shown.rows.len() as u64));
        }
    }
}

/// A list and what can be asked of it.
#[derive(Clone, PartialEq)]
pub struct List<T> {
    /// As far as it is loaded.
    pub state: Rows<Sheet<T>>,
    /// Loads the next page, when there is one.
    pub more: Callback<()>,
    /// Reads the list anew from its top.
    pub reload: Callback<()>,
}

impl<T: 'static> List<T> {
    /// Whether the first page is still awaited.
    pub fn is_waiting(&self) -> bool {
        let asks = self.state.fetching == Fetching::First && self.state.as_of.is_none();
        self.state.problem.is_none() && (asks || (self.state.rows.is_empty() && self.state.is_short))
    }
    /// Why nothing can be shown.
    pub fn failure(&self) -> Option<&Problem> {
        self.state.problem.as_ref().filter(|_| self.state.as_of.is_none())
    }
    /// Why what is shown is old.
    pub fn staleness(&self) -> Option<(&Problem, Micros)> {
        Some((self.state.problem.as_ref()?, self.state.as_of?))
    }
    /// Whether more rows are on their way.
    pub fn is_loading_more(&self) -> bool {
        self.state.fetching == Fetching::More
    }
}

/// Lists page by page. `key` names the filter; `held` keeps rows as they are while something is selected or the
/// pointer is over them.
///
/// ```text
/// let jobs = use_list(format!("jobs {query}"), Watch::of(&["job"]), held, move |api, page| {
///     let filter = filter.clone();
///     async move { api.jobs(&filter, &page).await }
/// });
/// ```
#[hook]
pub fn use_list<T, F, A>(key: impl Into<String>, watch: Watch, held: bool, fetch: F) -> List<T>
where
    T: Clone + PartialEq + 'static,
    F: Fn(Api, PageQuery) -> A + 'static,
    A: Future<Output = Result<Page<T>, Problem>> + 'static,
{
    let fetch = move |api, page| -> Coming {
        let answer = fetch(api, page);
        Box::pin(async move { answer.await.map(Read::of) })
    };
    let (state, more, reload) = use_pages(key.into(), watch, held, Rc::new(fetch));
    List { state: state.of(), more, reload }
}

/// A page on its way.
type Coming = LocalBoxFuture<'static, Result<Read, Problem>>;

/// Asks for a page of whatever type.
type Fetch = Rc<dyn Fn(Api, PageQuery) -> Coming>;

/// Lists page by page, whatever is listed: the rows, what loads more of them, and what reads them anew.
#[hook]
fn use_pages(
    key: String,
    watch: Watch,
    held: bool,
    fetch: Fetch,
) -> (Rows<Pages>, Callback<()>, Callback<()>) {
    let api = use_api();
    let key = format!("{} {key}", api.tenant().map_or("-", |tenant| tenant.as_str()));
    let kept = use_reducer(|| Kept::new(String::new()));
    let timer = use_mut_ref(|| None::<Timeout>);
    let took = use_mut_ref(|| 0i64);
    let newest = use_mut_ref(|| fetch.clone());
    *newest.borrow_mut() = fetch;

    let ask = {
        let (api, key, dispatcher, newest, took) =
            (api.clone(), key.clone(), kept.dispatcher(), newest.clone(), took.clone());
        Callback::from(move |(what, page): (Fetching, PageQuery)| {
            dispatcher.dispatch(KeptAction::Ask(what));
            let asked = (newest.borrow())(api.clone(), page);
            let (key, dispatcher, took) = (key.clone(), dispatcher.clone(), took.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let began = clock::now();
                let answer = asked.await;
                let own = clock::now().ms_since(began);
                let before = if what == Fetching::More { *took.borrow() } else { 0 };
                *took.borrow_mut() = before + own;
                dispatcher.dispatch(KeptAction::Answer(key, what, answer, clock::now()));
            });
        })
    };
    let reload = ask.reform(|()| (Fetching::Again, first(PAGE)));
    let more = {
        let (kept, ask) = (kept.clone(), ask.clone());
        Callback::from(move |()| {
            if let (Some(token), Fetching::Nothing) = (&kept.shown.next, kept.shown.fetching) {
                let page = PageQuery { page_token: Some(token.clone()), page_size: Some(PAGE) };
                ask.emit((Fetching::More, page));
            }
        })
    };
    {
        let (dispatcher, ask) = (kept.dispatcher(), ask.clone());
        use_effect_with(key.clone(), move |key| {
            dispatcher.dispatch(KeptAction::Open(key.clone()));
            ask.emit((Fetching::First, first(PAGE)));
        });
    }
    {
        // A short page is read on by itself.
        let more = more.clone();
        let shown = &kept.shown;
        let goes_on = (shown.is_short && shown.fetching == Fetching::Nothing).then(|| shown.next.clone());
        use_effect_with((goes_on, key.clone()), move |(goes_on, _)| {
            if goes_on.is_some() {
                more.emit(());
            }
        });
    }
    {
        let (kept, ask) = (kept.clone(), ask.clone());
        use_every(watch.seconds(), move || {
            let shown = &kept.shown;
            let loaded = shown.rows.len();
            if shown.fetching == Fetching::Nothing && !shown.is_short && !held && fits_one_page(loaded) {
                ask.emit((Fetching::Again, first((loaded as u32).max(PAGE))));
            }
        });
    }
    {
        let dispatcher = kept.dispatcher();
        use_feed_batches(move |batch| {
            let news = watch.count(batch);
            if news > 0 {
                dispatcher.dispatch(KeptAction::News(news));
            }
        });
    }
    {
        // News are shown a moment after they came, unless somebody is choosing or has scrolled far.
        let shown = &kept.shown;
        let due = match &shown.problem {
            Some(problem) if comes_back(problem) => Some(AGAIN_MS),
            Some(_) => None,
            None => {
                (shown.news > 0 && !held && fits_one_page(shown.rows.len())).then(|| rest_ms(*took.borrow()))
            }
        };
        let due = due.filter(|_| shown.fetching == Fetching::Nothing && !shown.is_short);
        let loaded = shown.rows.len() as u32;
        use_effect_with((due, shown.as_of, key.clone()), move |(due, _, _)| {
            *timer.borrow_mut() = due
                .map(|wait| Timeout::new(wait, move || ask.emit((Fetching::Again, first(loaded.max(PAGE))))));
        });
    }
    let shown = if kept.shown.key == key { kept.shown.clone() } else { Rows::new(key) };
    (shown, more, reload)
}

fn first(size: u32) -> PageQuery {
    PageQuery { page_token: None, page_size: Some(size.min(MAX_SIZE)) }
}

/// Whether all loaded rows can be read anew by one question.
fn fits_one_page(loaded: usize) -> bool {
    loaded <= MAX_SIZE as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(items: &[i32], next: Option<&str>) -> Result<Page<i32>, Problem> {
        Ok(Page { items: items.to_vec(), next_page_token: next.map(str::to_owned), total_estimate: Some(9) })
    }

    fn open() -> Rc<Kept> {
        Rc::new(Kept::new(String::new())).reduce(KeptAction::Open("a".into()))
    }

    fn answer(rows: Rc<Kept>, what: Fetching, page: Result<Page<i32>, Problem>) -> Rc<Kept> {
        let key = rows.shown.key.clone();
        rows.reduce(KeptAction::Answer(key, what, page.map(Read::of), Micros(7)))
    }

    fn shown(rows: &Kept) -> Vec<i32> {
        rows.shown.rows.clone().of::<i32>().iter().copied().collect()
    }

    #[test]
    fn pages_follow_each_other_and_a_fresh_read_replaces_them() {
        let rows = answer(open(), Fetching::First, page(&[1, 2], Some("t")));
        let rows = answer(rows, Fetching::More, page(&[3], None));
        assert_eq!(shown(&rows), [1, 2, 3]);
        assert_eq!(rows.shown.next, None);
        let rows = rows.reduce(KeptAction::News(4));
        assert_eq!(rows.shown.news, 4);
        let rows =
            answer(rows.reduce(KeptAction::Ask(Fetching::Again)), Fetching::Again, page(&[0, 1], None));
        assert_eq!((shown(&rows), rows.shown.news), (vec![0, 1], 0));
    }

    #[test]
    fn a_source_that_was_read_while_the_list_was_asked_for_does_not_stay_unknown() {
        let asked =
            answer(open(), Fetching::First, page(&[1], None)).reduce(KeptAction::Ask(Fetching::Again));
        let told = asked.reduce(KeptAction::News(1));
        let rows = answer(told, Fetching::Again, page(&[1], None));
        assert_eq!(rows.shown.news, 1, "the answer may be older than the news");
    }

    #[test]
    fn a_rare_filter_is_searched_on_before_it_is_said_that_nothing_matches() {
        let nothing_yet = Ok(Page { items: vec![], next_page_token: Some("t".into()), total_estimate: None });
        let rows = answer(open(), Fetching::First, nothing_yet);
        let list = |state: &Rc<Kept>| List {
            state: state.shown.clone().of::<i32>(),
            more: Callback::noop(),
            reload: Callback::noop(),
        };
        assert!(rows.is_short() && list(&rows).is_waiting());
        let last = Ok(Page { items: vec![1, 2], next_page_token: None, total_estimate: None });
        let rows = answer(rows.reduce(KeptAction::Ask(Fetching::More)), Fetching::More, last);
        assert_eq!((shown(&rows), rows.shown.total), (vec![1, 2], Some(2)), "all of them were found");
        assert!(!rows.is_short() && !list(&rows).is_waiting());
        // Read anew, the rows stay until as many were found again.
        let short = Ok(Page { items: vec![0], next_page_token: Some("t".into()), total_estimate: None });
        let rows = answer(rows.reduce(KeptAction::Ask(Fetching::Again)), Fetching::Again, short);
        assert_eq!(shown(&rows), [1, 2]);
        let last = Ok(Page { items: vec![1, 2], next_page_token: None, total_estimate: None });
        let rows = answer(rows.reduce(KeptAction::Ask(Fetching::More)), Fetching::More, last);
        assert_eq!(shown(&rows), [0, 1, 2]);
    }

    #[test]
    fn an_answer_to_a_filter_that_was_left_changes_nothing() {
        let rows = open();
        let late = KeptAction::Answer("b".into(), Fetching::First, page(&[1], None).map(Read::of), Micros(7));
        assert_eq!(rows.clone().reduce(late), rows);
    }

    #[test]
    fn a_failure_keeps_the_rows() {
        let rows = answer(open(), Fetching::First, page(&[1, 2], None));
        let rows = answer(rows, Fetching::Again, Err(Problem::Unreachable));
        assert_eq!(rows.shown.rows.len(), 2);
        assert_eq!(rows.shown.problem, Some(Problem::Unreachable));
        assert_eq!(rows.shown.as_of, Some(Micros(7)));
    }
}
