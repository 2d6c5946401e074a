//! Quotas and pressure: every limit of the tenant against its live use, and what changes it.

use super::acts::{LimitAct, LimitActDialog};
use super::add_form::AddQuotaDialog;
use super::blackout_form::BlackoutDialog;
use super::blackouts::blackouts;
use super::editor::QuotaEditor;
use super::export::ExportButton;
use super::hosts::{breakers, buckets, gauges, pools};
use super::quotas::QuotaTable;
use super::standing;
use super::throttles::throttles;
use crate::api::{Load, Problem};
use crate::clock::use_now;
use crate::kit::format::{count, counted};
use crate::kit::{Button, ButtonKind, Empty, Shape, Skeleton, window};
use crate::pages::listing::use_reload_key;
use crate::parts::{CliTwin, ProblemView, StaleBanner, mark};
use crate::router::{Link, use_router};
use crate::store::{Asked, Watch, use_query, use_session};
use stella_contract::page::{MAX_SIZE, PageQuery};
use stella_contract::pressure::{Pressure, PressureGauge, PressureLevel};
use stella_contract::quota::{Quota, QuotaFilter};
use stella_contract::route::Route;
use stella_contract::scope::Scope;
use stella_contract::throttle::ThrottleFilter;
use yew::prelude::*;

/// What is open over the page.
#[derive(Debug, Clone, PartialEq)]
enum Layer {
    Act(Box<LimitAct>),
    NewQuota,
    NewBlackout,
}

/// All that can be had at once: limits are few.
fn all() -> PageQuery {
    PageQuery { page_size: Some(MAX_SIZE), ..PageQuery::default() }
}

/// Quotas and pressure.
#[component]
pub fn QuotasPage() -> Html {
    let router = use_router();
    let session = use_session();
    let layer = use_state(|| None::<Layer>);
    let quotas = use_query("quotas", Watch::of(&["quota", "job"]).every(15), |api| async move {
        api.quotas(&QuotaFilter::default(), &all()).await.map(|page| page.items)
    });
    let pressure = use_query(
        "pressure",
        Watch::of(&["pressure", "bucket", "pool", "worker"]).every(15),
        |api| async move { api.pressure().await },
    );
    let held =
        use_query("throttles", Watch::of(&["throttle", "breaker", "blackout"]).every(15), |api| async move {
            let filter = ThrottleFilter { active: Some(true), kind: None };
            api.throttles(&filter, &all()).await.map(|page| page.items)
        });
    let guards = use_query("breakers", Watch::of(&["breaker"]).every(15), |api| async move {
        api.breakers().await.map(|page| page.items)
    });
    let times = use_query("blackouts", Watch::of(&["blackout"]).every(60), |api| async move {
        api.blackouts(&all()).await.map(|page| page.items)
    });
    let now = use_now();
    let refusal = session.refusal(Scope::OrchQuota).map(AttrValue::from);
    let act = {
        let layer = layer.clone();
        Callback::from(move |act: LimitAct| layer.set(Some(Layer::Act(Box::new(act)))))
    };
    let open = |which: Layer| {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(Some(which.clone())))
    };
    let close = {
        let layer = layer.clone();
        Callback::from(move |()| layer.set(None))
    };
    let choose = {
        let router = router.clone();
        Callback::from(move |job_type: String| {
            let query = router.location().query.with("quota", job_type);
            router.replace(&Route::Quotas, &query);
        })
    };
    let reload = {
        let each = [
            quotas.refetch.clone(),
            pressure.refetch.clone(),
            held.refetch.clone(),
            guards.refetch.clone(),
            times.refetch.clone(),
        ];
        Callback::from(move |()| each.iter().for_each(|one| one.emit(())))
    };
    use_reload_key(reload);
    let list: Vec<Quota> = quotas.load.value().cloned().unwrap_or_default();
    let chosen = chosen(&list, router.location().query.get("quota"));
    {
        let (choose, types, at) = (
            choose.clone(),
            job_types(&list),
            chosen.and_then(|one| list.iter().position(|quota| quota == one)),
        );
        crate::kit::use_keys(move |key| {
            let next = if key.ctrl { None } else { window::moved(at, types.len(), 10, &key.name) };
            if let Some(next) = next {
                choose.emit(types[next].clone());
            }
            next.is_some()
        });
    }
    let allowed = refusal.is_none().then_some(&act);
    let current = chosen.map(|quota| AttrValue::from(quota.job_type.clone()));
    let on_made = choose.clone();
    html! {
        <>
            <div class="page-head">
                <span class="crumb sm"><Link to={Route::JobEngine}>{ "JobEngine" }</Link>{ " ›" }</span>
                <h1>{ "Quotas and pressure" }</h1>
                <span class="f3 sm">{ match &refusal {
                    Some(why) => why.to_string(),
                    None => counted(list.len() as i64, "quota", "quotas"),
                } }</span>
                <span class="grow"></span>
                { pressure.load.value().map(level).unwrap_or_default() }
                <ExportButton />
                <CliTwin words={super::acts::words(&["orch", "quota", "list"])} button={true} />
                <Button small={true} kind={ButtonKind::Primary} on_click={open(Layer::NewQuota)} disabled={refusal.clone()} says_why={false}>{ "New quota…" }</Button>
            </div>
            { stale(&quotas) }
            <div class="body">
                <div class="split grow limits-split">
                    <div class="col">
                        <div class="sec flush" id="quotas">
                            { answered("Quotas", &quotas, 8, |list: &Vec<Quota>| if list.is_empty() { no_quotas() } else {
                                html! { <QuotaTable quotas={list.clone()} {current} on_choose={choose} /> }
                            }) }
                        </div>
                        { answered("Throttles", &held, 3, |all| throttles(all, allowed)) }
                        { answered("Host buckets", &pressure, 3, |pressure: &Pressure| buckets(&pressure.buckets, now, allowed)) }
                        { answered("Breakers", &guards, 3, |all| breakers(all, allowed)) }
                        { answered("Blackouts", &times, 3, |all| blackouts(all, now, html! {
                            <Button small={true} icon={Shape::Plus} on_click={open(Layer::NewBlackout)} disabled={refusal.clone()} says_why={false}>{ "Blackout…" }</Button>
                        }, allowed)) }
                    </div>
                    <aside class="col" aria-label="One quota, pools, pressure">
                        if let Some(quota) = chosen { <QuotaEditor key={quota.quota_id.to_string()} quota={quota.clone()} on_act={act.clone()} /> }
                        if let Some(pressure) = pressure.load.value() {
                            { pools(&pressure.pools, allowed) }
                            { gauges(pressure) }
                        }
                    </aside>
                </div>
            </div>
            { match (*layer).clone() {
                None => Html::default(),
                Some(Layer::Act(act)) => html! { <LimitActDialog act={*act} on_close={close} /> },
                Some(Layer::NewQuota) => html! { <AddQuotaDialog taken={job_types(&list)} {on_made} on_close={close} /> },
                Some(Layer::NewBlackout) => html! { <BlackoutDialog on_close={close} /> },
            } }
        </>
    }
}

/// The quota the address names, else the one nearest to its limit, else the first.
fn chosen<'a>(list: &'a [Quota], asked: Option<&str>) -> Option<&'a Quota> {
    let named = asked.and_then(|asked| {
        list.iter().find(|quota| quota.job_type == asked || quota.quota_id.as_str() == asked)
    });
    let worst = || list.iter().find(|quota| standing::quota(quota).2 == "at limit");
    named.or_else(worst).or(list.first())
}

fn job_types(list: &[Quota]) -> Vec<String> {
    list.iter().map(|quota| quota.job_type.clone()).collect()
}

fn level(pressure: &Pressure) -> Html {
    let (shape, tone, word) = standing::pressure(pressure.level);
    let depth = pressure
        .gauges
        .iter()
        .find(|reading| reading.gauge == PressureGauge::Queue)
        .and_then(|reading| reading.value);
    html! {
        <>
            <a class="plain" href="#pressure">{ mark(shape, tone, word, false, false) }</a>
            if let (Some(depth), false) = (depth, pressure.level == PressureLevel::Normal) {
                <span class="f3 sm opt">{ "depth " }<Link to={Route::Jobs} class="n">{ count(depth as i64) }</Link></span>
            }
        </>
    }
}

fn no_quotas() -> Html {
    html! {
        <Empty icon={Shape::Gauge} fact="No quota yet">
            { "Jobs are bounded by their workers only. A quota bounds one job type, or with * the tenant as a whole." }
        </Empty>
    }
}

/// Says how old the page is when nothing newer can be had.
fn stale<T: Clone>(asked: &Asked<T>) -> Html {
    match &asked.load {
        Load::Stale(_, as_of, problem) => html! {
            <StaleBanner as_of={*as_of} problem={problem.clone()} on_retry={asked.refetch.clone()} />
        },
        Load::Idle | Load::Loading | Load::Ready(_, _) | Load::Failed(_) => Html::default(),
    }
}

/// A section, or what stands in its place.
fn answered<T: Clone>(
    what: &'static str,
    asked: &Asked<T>,
    rows: usize,
    show: impl FnOnce(&T) -> Html,
) -> Html {
    let failed = |problem: &Problem| {
        html! { <div class="sec"><ProblemView {what} problem={problem.clone()} on_retry={asked.refetch.clone()} /></div> }
    };
    match &asked.load {
        Load::Idle | Load::Loading => html! { <div class="sec flush"><Skeleton {rows} /></div> },
        Load::Failed(problem) => failed(problem),
        Load::Ready(value, _) | Load::Stale(value, _, _) => show(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stella_contract::quota::{QuotaLimits, QuotaLive};
    use stella_contract::time::Micros;

    fn a_quota(job_type: &str, active: i64) -> Quota {
        Quota {
            quota_id: stella_contract::ids::QuotaId::from_uuid("01890000-0000-7000-8000-000000000000"),
            tenant: "acme".parse().unwrap(),
            job_type: job_type.into(),
            limits: QuotaLimits::default(),
            paused: false,
            pause_reason: None,
            pause_ticket: None,
            paused_until: None,
            revert_at: None,
            revert_to: None,
            updated_by: "o".into(),
            created_at: Micros(0),
            updated_at: Micros(0),
            version: 1,
            live: QuotaLive { active, tokens: 5.0, ..QuotaLive::default() },
        }
    }

    #[test]
    fn the_address_names_the_quota_and_else_the_one_at_its_limit_is_shown() {
        let list = [a_quota("a.b", 1), a_quota("c.d", 10)];
        assert_eq!(chosen(&list, Some("a.b")).unwrap().job_type, "a.b");
        assert_eq!(chosen(&list, Some("gone")).unwrap().job_type, "c.d");
        assert_eq!(chosen(&list[..1], None).unwrap().job_type, "a.b");
        assert!(chosen(&[], None).is_none());
    }
}
