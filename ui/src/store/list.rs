//! Long lists: page after page as the reader scrolls; news replace rows in place, and wait while somebody is choosing.

use super::feed::use_feed_batches;
use super::queries::{comes_back, rest_ms};
use super::session::use_api;
use super::watch::Watch;
use crate::api::{Api, Problem};
use crate::clock::{self, use_every};
use crate::kit::Sheet;
use gloo_timers::callback::Timeout;
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

/// A list as far as it is loaded.
#[derive(Debug, PartialEq)]
pub struct Rows<T> {
    /// The filter it belongs to.
    pub key: String,
    /// The rows.
    pub rows: Sheet<T>,
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
    /// How many rows are wanted, when there are so many. A page of what is rare may be short and go on.
    wanted: usize,
    /// What was read anew so far, until it is as much as was shown.
    coming: Option<Sheet<T>>,
}

impl<T> Rows<T> {
    fn new(key: String) -> Self {
        Self {
            key,
            rows: Sheet::default(),
            next: None,
            total: None,
            as_of: None,
            problem: None,
            fetching: Fetching::First,
            news: 0,
            wanted: PAGE as usize,
            coming: None,
        }
    }

    /// Whether rows that are wanted were not found yet, though there may be more further down.
    fn is_short(&self) -> bool {
        let loaded = self.coming.as_ref().unwrap_or(&self.rows).len();
        self.next.is_some() && self.problem.is_none() && loaded < self.wanted
    }
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Self {
            key: self.key.clone(),
            rows: self.rows.clone(),
            next: self.next.clone(),
            total: self.total,
            as_of: self.as_of,
            problem: self.problem.clone(),
            fetching: self.fetching,
            news: self.news,
            wanted: self.wanted,
            coming: self.coming.clone(),
        }
    }
}

/// What happens to a list.
pub enum RowsAction<T> {
    /// Another filter.
    Open(String),
    /// Something was asked.
    Ask(Fetching),
    /// An answer came to what was asked for this filter.
    Answer(String, Fetching, Result<Page<T>, Problem>, Micros),
    /// Changes wait.
    News(usize),
}

impl<T: Clone + 'static> Reducible for Rows<T> {
    type Action = RowsAction<T>;

    fn reduce(self: Rc<Self>, action: RowsAction<T>) -> Rc<Self> {
        let mut next = Self::clone(&self);
        match action {
            RowsAction::Open(key) => next = Self::new(key),
            RowsAction::Ask(what) => next.ask(what),
            RowsAction::News(count) => next.news += count,
            // Of a filter that is no longer asked for.
            RowsAction::Answer(key, _, _, _) if key != self.key => return self,
            RowsAction::Answer(_, _, Err(problem), _) => {
                next.problem = Some(problem);
                next.fetching = Fetching::Nothing;
                next.coming = None;
            }
            RowsAction::Answer(_, what, Ok(page), at) => next.take(what, page, at),
        }
        Rc::new(next)
    }
}

impl<T: Clone> Rows<T> {
    /// What is read anew holds the news that came until now. Those that come while it is on its way wait for the next time.
    fn ask(&mut self, what: Fetching) {
        self.fetching = what;
        match what {
            Fetching::First | Fetching::Again => {
                self.news = 0;
                self.wanted = self.rows.len().clamp(PAGE as usize, MAX_SIZE as usize);
            }
            Fetching::More if !self.is_short() => self.wanted = self.rows.len() + PAGE as usize,
            Fetching::More | Fetching::Nothing => {}
        }
    }

    fn take(&mut self, what: Fetching, page: Page<T>, at: Micros) {
        self.problem = None;
        self.fetching = Fetching::Nothing;
        self.next = page.next_page_token;
        match (what, self.coming.take()) {
            (Fetching::More, Some(coming)) => {
                self.coming = Some(coming.with_page(page.items));
            }
            (Fetching::More, None) => {
                self.rows = self.rows.with_page(page.items);
                self.total = page.total_estimate.or(self.total);
            }
            (Fetching::Again, _) => {
                self.coming = Some(page.items.into());
                self.total = page.total_estimate;
                self.as_of = Some(at);
            }
            (Fetching::First | Fetching::Nothing, _) => {
                self.rows = page.items.into();
                self.total = page.total_estimate;
                self.as_of = Some(at);
            }
        }
        // Rows stay as they are until as many were read anew.
        if !self.is_short() {
            self.rows = self.coming.take().unwrap_or_else(|| self.rows.clone());
        }
        if self.next.is_none() {
            self.total = self.total.or(Some(self.rows.len() as u64));
        }
    }
}

/// A list and what can be asked of it.
#[derive(Clone, PartialEq)]
pub struct List<T: PartialEq> {
    /// As far as it is loaded.
    pub state: Rows<T>,
    /// Loads the next page, when there is one.
    pub more: Callback<()>,
    /// Reads the list anew from its top.
    pub reload: Callback<()>,
}

impl<T: PartialEq> List<T> {
    /// Whether the first page is still awaited.
    pub fn is_waiting(&self) -> bool {
        let asks = self.state.fetching == Fetching::First && self.state.as_of.is_none();
        self.state.problem.is_none() && (asks || (self.state.rows.is_empty() && self.state.is_short()))
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
    let api = use_api();
    let key = format!("{} {}", api.tenant().map_or("-", |tenant| tenant.as_str()), key.into());
    let state = use_reducer(|| Rows::<T>::new(String::new()));
    let timer = use_mut_ref(|| None::<Timeout>);
    let took = use_mut_ref(|| 0i64);
    let fetch: Rc<dyn Fn(Api, PageQuery) -> A> = Rc::new(fetch);
    let newest = use_mut_ref(|| fetch.clone());
    *newest.borrow_mut() = fetch;

    let ask = {
        let (api, key, dispatcher, newest, took) =
            (api.clone(), key.clone(), state.dispatcher(), newest.clone(), took.clone());
        Callback::from(move |(what, page): (Fetching, PageQuery)| {
            dispatcher.dispatch(RowsAction::Ask(what));
            let asked = (newest.borrow())(api.clone(), page);
            let (key, dispatcher, took) = (key.clone(), dispatcher.clone(), took.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let began = clock::now();
                let answer = asked.await;
                let own = clock::now().ms_since(began);
                let before = if what == Fetching::More { *took.borrow() } else { 0 };
                *took.borrow_mut() = before + own;
                dispatcher.dispatch(RowsAction::Answer(key, what, answer, clock::now()));
            });
        })
    };
    let reload = ask.reform(|()| (Fetching::Again, first(PAGE)));
    let more = {
        let (state, ask) = (state.clone(), ask.clone());
        Callback::from(move |()| {
            if let (Some(token), Fetching::Nothing) = (&state.next, state.fetching) {
                let page = PageQuery { page_token: Some(token.clone()), page_size: Some(PAGE) };
                ask.emit((Fetching::More, page));
            }
        })
    };
    {
        let (dispatcher, ask) = (state.dispatcher(), ask.clone());
        use_effect_with(key.clone(), move |key| {
            dispatcher.dispatch(RowsAction::Open(key.clone()));
            ask.emit((Fetching::First, first(PAGE)));
        });
    }
    {
        // A short page is read on by itself.
        let more = more.clone();
        let goes_on = (state.is_short() && state.fetching == Fetching::Nothing).then(|| state.next.clone());
        use_effect_with((goes_on, key.clone()), move |(goes_on, _)| {
            if goes_on.is_some() {
                more.emit(());
            }
        });
    }
    {
        let (state, ask) = (state.clone(), ask.clone());
        use_every(watch.seconds(), move || {
            let loaded = state.rows.len();
            if state.fetching == Fetching::Nothing && !state.is_short() && !held && fits_one_page(loaded) {
                ask.emit((Fetching::Again, first((loaded as u32).max(PAGE))));
            }
        });
    }
    {
        let dispatcher = state.dispatcher();
        use_feed_batches(move |batch| {
            let news = watch.count(batch);
            if news > 0 {
                dispatcher.dispatch(RowsAction::News(news));
            }
        });
    }
    {
        // News are shown a moment after they came, unless somebody is choosing or has scrolled far.
        let due = match &state.problem {
            Some(problem) if comes_back(problem) => Some(AGAIN_MS),
            Some(_) => None,
            None => {
                (state.news > 0 && !held && fits_one_page(state.rows.len())).then(|| rest_ms(*took.borrow()))
            }
        };
        let due = due.filter(|_| state.fetching == Fetching::Nothing && !state.is_short());
        let loaded = state.rows.len() as u32;
        use_effect_with((due, state.as_of, key.clone()), move |(due, _, _)| {
            *timer.borrow_mut() = due
                .map(|wait| Timeout::new(wait, move || ask.emit((Fetching::Again, first(loaded.max(PAGE))))));
        });
    }
    let shown = if state.key == key { Rows::clone(&state) } else { Rows::new(key) };
    List { state: shown, more, reload }
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

    fn open() -> Rc<Rows<i32>> {
        Rc::new(Rows::new(String::new())).reduce(RowsAction::Open("a".into()))
    }

    fn answer(rows: Rc<Rows<i32>>, what: Fetching, page: Result<Page<i32>, Problem>) -> Rc<Rows<i32>> {
        let key = rows.key.clone();
        rows.reduce(RowsAction::Answer(key, what, page, Micros(7)))
    }

    fn shown(rows: &Rows<i32>) -> Vec<i32> {
        rows.rows.iter().copied().collect()
    }

    #[test]
    fn pages_follow_each_other_and_a_fresh_read_replaces_them() {
        let rows = answer(open(), Fetching::First, page(&[1, 2], Some("t")));
        let rows = answer(rows, Fetching::More, page(&[3], None));
        assert_eq!(shown(&rows), [1, 2, 3]);
        assert_eq!(rows.next, None);
        let rows = rows.reduce(RowsAction::News(4));
        assert_eq!(rows.news, 4);
        let rows =
            answer(rows.reduce(RowsAction::Ask(Fetching::Again)), Fetching::Again, page(&[0, 1], None));
        assert_eq!((shown(&rows), rows.news), (vec![0, 1], 0));
    }

    #[test]
    fn a_source_that_was_read_while_the_list_was_asked_for_does_not_stay_unknown() {
        let asked =
            answer(open(), Fetching::First, page(&[1], None)).reduce(RowsAction::Ask(Fetching::Again));
        let told = asked.reduce(RowsAction::News(1));
        let rows = answer(told, Fetching::Again, page(&[1], None));
        assert_eq!(rows.news, 1, "the answer may be older than the news");
    }

    #[test]
    fn a_rare_filter_is_searched_on_before_it_is_said_that_nothing_matches() {
        let nothing_yet = Ok(Page { items: vec![], next_page_token: Some("t".into()), total_estimate: None });
        let rows = answer(open(), Fetching::First, nothing_yet);
        let list = |state: &Rc<Rows<i32>>| List {
            state: Rows::clone(state),
            more: Callback::noop(),
            reload: Callback::noop(),
        };
        assert!(rows.is_short() && list(&rows).is_waiting());
        let last = Ok(Page { items: vec![1, 2], next_page_token: None, total_estimate: None });
        let rows = answer(rows.reduce(RowsAction::Ask(Fetching::More)), Fetching::More, last);
        assert_eq!((shown(&rows), rows.total), (vec![1, 2], Some(2)), "all of them were found");
        assert!(!rows.is_short() && !list(&rows).is_waiting());
        // Read anew, the rows stay until as many were found again.
        let short = Ok(Page { items: vec![0], next_page_token: Some("t".into()), total_estimate: None });
        let rows = answer(rows.reduce(RowsAction::Ask(Fetching::Again)), Fetching::Again, short);
        assert_eq!(shown(&rows), [1, 2]);
        let last = Ok(Page { items: vec![1, 2], next_page_token: None, total_estimate: None });
        let rows = answer(rows.reduce(RowsAction::Ask(Fetching::More)), Fetching::More, last);
        assert_eq!(shown(&rows), [0, 1, 2]);
    }

    #[test]
    fn an_answer_to_a_filter_that_was_left_changes_nothing() {
        let rows = open();
        let late = RowsAction::Answer("b".into(), Fetching::First, page(&[1], None), Micros(7));
        assert_eq!(rows.clone().reduce(late), rows);
    }

    #[test]
    fn a_failure_keeps_the_rows() {
        let rows = answer(open(), Fetching::First, page(&[1, 2], None));
        let rows = answer(rows, Fetching::Again, Err(Problem::Unreachable));
        assert_eq!(rows.rows.len(), 2);
        assert_eq!(rows.problem, Some(Problem::Unreachable));
        assert_eq!(rows.as_of, Some(Micros(7)));
    }
}
