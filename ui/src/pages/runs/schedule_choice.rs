//! The schedule whose runs are listed, chosen in the head of the page and kept in the address.

use crate::kit::Select;
use crate::kit::format::count;
use crate::router::{Query, use_router};
use crate::store::{Watch, use_query};
use stella_contract::page::{Page, PageQuery};
use stella_contract::schedule::{Schedule, ScheduleFilter};
use yew::prelude::*;

/// Schedules to choose from; more can be named in the filters.
const MOST: u32 = 200;

/// What a [`ScheduleChoice`] takes.
#[derive(Clone, PartialEq, Properties)]
pub(super) struct ScheduleChoiceProps {
    /// The address.
    pub query: Query,
}

/// The choice; nothing while there is no schedule to choose.
#[component]
pub(super) fn ScheduleChoice(props: &ScheduleChoiceProps) -> Html {
    let router = use_router();
    let asked = use_query("schedule choice", Watch::of(&["schedule"]), |api| async move {
        let page = PageQuery { page_size: Some(MOST), ..PageQuery::default() };
        api.schedules(&ScheduleFilter::default(), &page).await
    });
    let chosen = props.query.get("schedule").unwrap_or_default().to_owned();
    let options = asked.load.value().map_or_else(Vec::new, |page| options(page, &chosen));
    if options.len() < 2 {
        return Html::default();
    }
    let on_change = {
        let (router, query) = (router.clone(), props.query.clone());
        Callback::from(move |id: String| router.ask(&query.with("schedule", id)))
    };
    html! { <span class="schedule-choice"><Select label="Schedule" value={chosen} {options} {on_change} /></span> }
}

/// All of them, then each by its name; one of the address that is not among them keeps its id.
fn options(page: &Page<Schedule>, chosen: &str) -> Vec<(AttrValue, AttrValue)> {
    let known = page.total_estimate.unwrap_or(page.items.len() as u64);
    let all = (AttrValue::Static(""), format!("Schedule: all {}", count(known as i64)).into());
    let mut named: Vec<(AttrValue, AttrValue)> = page
        .items
        .iter()
        .map(|one| (one.schedule_id.to_string().into(), format!("Schedule: {}", one.name).into()))
        .collect();
    named.sort_by(|(_, one), (_, two)| one.as_str().cmp(two.as_str()));
    if !chosen.is_empty() && !named.iter().any(|(id, _)| id.as_str() == chosen) {
        named.push((chosen.to_owned().into(), format!("Schedule: {chosen}").into()));
    }
    std::iter::once(all).chain(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::runs::scheduled::tests::schedule;

    #[test]
    fn a_schedule_of_the_address_can_be_chosen_though_it_is_not_among_the_first() {
        let page = Page {
            items: vec![schedule("nightly", 1), schedule("hourly", 2)],
            next_page_token: None,
            total_estimate: Some(1_037),
        };
        let labels = |chosen: &str| -> Vec<String> {
            options(&page, chosen).into_iter().map(|(_, label)| label.to_string()).collect()
        };
        let all = ["Schedule: all 1,037", "Schedule: hourly", "Schedule: nightly"];
        assert_eq!(labels(""), all);
        assert_eq!(labels(page.items[0].schedule_id.as_str()), all);
        assert_eq!(labels("sch_gone").last().map(String::as_str), Some("Schedule: sch_gone"));
    }
}
