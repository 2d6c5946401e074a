//! Who is asking, as which tenant.

use crate::api::{Api, Http, Load, Problem, Transport, shell::Shell};
use crate::clock;
use gloo_storage::{SessionStorage, Storage};
use gloo_timers::callback::Timeout;
use std::cell::RefCell;
use std::rc::Rc;
use stella_contract::feature::Feature;
use stella_contract::ids::Tenant;
use stella_contract::session::Session;
use yew::prelude::*;

const TOKEN_ENTRY: &str = "stella.token";
const TENANT_ENTRY: &str = "stella.tenant";
/// How long after a failure it is asked again by itself.
const AGAIN_MS: u32 = 5_000;

/// The session and what hangs on it.
#[derive(Clone, PartialEq)]
pub struct SessionStore {
    /// The caller as the core sees it.
    pub session: Load<Session>,
    /// The tenant that is shown.
    pub tenant: Option<Tenant>,
    /// Shows another tenant.
    pub choose: Callback<Tenant>,
    /// Asks again.
    pub retry: Callback<()>,
    api: Api,
}

impl SessionStore {
    /// The client, as the shown tenant.
    pub fn api(&self) -> &Api {
        &self.api
    }
    /// The same caller as another tenant, for what is shown beside.
    pub fn beside(&self, tenant: &Tenant) -> Self {
        Self { tenant: Some(tenant.clone()), api: self.api.as_tenant(Some(tenant.clone())), ..self.clone() }
    }
    /// Whether this part is switched off on the ledger.
    pub fn is_off(&self, feature: Feature) -> bool {
        self.session.value().is_some_and(|session| session.switched_off.contains(&feature))
    }
    /// Why what belongs to this part is not possible; `None` when it is.
    pub fn off(&self, feature: Feature) -> Option<String> {
        self.is_off(feature).then(|| format!("Switched off here ({feature})"))
    }
    /// Why a write under this scope is not possible; `None` when it is.
    pub fn refusal(&self, scope: stella_contract::scope::Scope) -> Option<String> {
        let session = self.session.value()?;
        if session.read_only {
            return Some("This connection is read-only".to_owned());
        }
        (!session.scopes.contains(&scope)).then(|| format!("Needs the scope {scope}"))
    }
}

/// Opens the session; used once, in the app.
#[hook]
pub fn use_session_store() -> SessionStore {
    let base = use_memo((), |()| Api::new(transport()));
    let session = use_state(|| Load::<Session>::Loading);
    let chosen = use_state(|| SessionStorage::get::<Tenant>(TENANT_ENTRY).ok());
    let asked = use_state_eq(|| 0u32);
    let nonce = *asked;
    {
        let (base, session, asked) = (base.clone(), session.clone(), asked.clone());
        use_effect_with(nonce, move |_| {
            wasm_bindgen_futures::spawn_local(async move {
                let answer = open(&base).await;
                match &answer {
                    Ok(found) => clock::follow(found.now),
                    Err(problem) if super::queries::comes_back(problem) => {
                        Timeout::new(AGAIN_MS, move || asked.set(*asked + 1)).forget();
                    }
                    Err(_) => {}
                }
                session.set((*session).clone().answered(answer, clock::now()));
            });
        });
    }
    let tenant = shown_tenant(session.value(), chosen.as_ref());
    let choose = {
        let chosen = chosen.clone();
        Callback::from(move |tenant: Tenant| {
            // A browser without storage forgets the choice with the page.
            let _ = SessionStorage::set(TENANT_ENTRY, &tenant);
            chosen.set(Some(tenant));
        })
    };
    let retry = Callback::from(move |()| asked.set(*asked + 1));
    let api = base.as_tenant(tenant.clone());
    SessionStore { session: (*session).clone(), tenant, choose, retry, api }
}

/// The tenant to show: the chosen one while the caller may see it, else the first.
fn shown_tenant(session: Option<&Session>, chosen: Option<&Tenant>) -> Option<Tenant> {
    let tenants = &session?.tenants;
    chosen.filter(|chosen| tenants.contains(chosen)).or(tenants.first()).cloned()
}

fn transport() -> Rc<dyn Transport> {
    if crate::api::shell::is_here() {
        return Rc::new(Shell);
    }
    let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
    Rc::new(Http::new(origin, TOKEN.with(Clone::clone)))
}

thread_local! {
    static TOKEN: Rc<RefCell<Option<String>>> =
        Rc::new(RefCell::new(SessionStorage::get(TOKEN_ENTRY).ok()));
    static ONE_TIME: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Exchanges the one-time token of the address, when there was one, then asks who is asking.
async fn open(api: &Api) -> Result<Session, Problem> {
    let one_time = ONE_TIME.with(|held| held.borrow_mut().take());
    if let Some(one_time) = one_time {
        match api.open_session(one_time.clone()).await {
            Ok(opened) => {
                // Kept for this tab only; a reload needs it.
                let _ = SessionStorage::set(TOKEN_ENTRY, &opened.token);
                TOKEN.with(|token| token.replace(Some(opened.token)));
            }
            Err(problem) if super::queries::comes_back(&problem) => {
                ONE_TIME.with(|held| held.replace(Some(one_time)));
                return Err(problem);
            }
            // An address that was opened a second time: this tab may still hold what the first time gave.
            Err(problem) if !TOKEN.with(|token| token.borrow().is_some()) => return Err(problem),
            Err(_) => {}
        }
    }
    api.session().await
}

/// Takes a one-time token out of the address before anything else looks at it, so that no link carries it on.
pub fn take_one_time_token() {
    let token = without_token();
    ONE_TIME.with(|held| *held.borrow_mut() = token);
}

fn without_token() -> Option<String> {
    let window = web_sys::window()?;
    let location = window.location();
    let query = crate::router::Query::parse(&location.search().ok()?);
    let token = query.get("token")?.to_owned();
    let (path, hash) = (location.pathname().ok()?, location.hash().unwrap_or_default());
    let address = format!("{path}{}{hash}", query.without("token"));
    window.history().ok()?.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&address)).ok()?;
    Some(token)
}

/// The session and what hangs on it.
#[hook]
pub fn use_session() -> SessionStore {
    use_context::<SessionStore>().expect("everything is mounted below the app's providers")
}

/// The client, as the shown tenant.
#[hook]
pub fn use_api() -> Api {
    use_session().api().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_that_may_no_longer_be_seen_gives_way_to_the_first() {
        let session: Session = serde_json::from_str(
            r#"{"subject":"op","scopes":["orch:read"],"tenants":["acme","northwind"],"readOnly":false,
                "version":"0.1.0","ledger":"sqlite","now":"2026-11-21T14:28:15.204Z"}"#,
        )
        .unwrap();
        let tenant = |name: &str| name.parse::<Tenant>().unwrap();
        assert_eq!(shown_tenant(Some(&session), Some(&tenant("northwind"))), Some(tenant("northwind")));
        assert_eq!(shown_tenant(Some(&session), Some(&tenant("gone"))), Some(tenant("acme")));
        assert_eq!(shown_tenant(None, None), None);
    }
}
