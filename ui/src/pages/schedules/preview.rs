//! What is being typed, asked of the core once the typing rests.

use crate::api::Problem;
use crate::store::use_api;
use gloo_timers::callback::Timeout;
use stella_contract::schedule::{PreviewSchedule, SchedulePreview};
use yew::prelude::*;

/// How long the typing has to rest.
const REST_MS: u32 = 300;
/// Under which names the core speaks of the cron text.
const CRON_FIELDS: [&str; 6] =
    ["cron", "cron.minute", "cron.hour", "cron.dayOfMonth", "cron.month", "cron.dayOfWeek"];

/// The last answer, which may be to an older text while the next one is awaited.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Previewed {
    pub asked: PreviewSchedule,
    pub answer: Option<Result<SchedulePreview, Problem>>,
}

impl Previewed {
    /// What the text does, when this is the answer to it.
    pub(super) fn of(&self, asked: &PreviewSchedule) -> Option<&SchedulePreview> {
        self.answer.as_ref().filter(|_| self.asked == *asked)?.as_ref().ok()
    }
    /// What is wrong with the cron text.
    pub(super) fn cron_error(&self) -> Option<String> {
        let problem = self.problem()?;
        CRON_FIELDS.iter().find_map(|name| problem.of_field(name)).map(str::to_owned)
    }
    /// What is wrong with the zone.
    pub(super) fn zone_error(&self) -> Option<String> {
        self.problem()?.of_field("timezone").map(str::to_owned)
    }
    /// Why there is no answer.
    pub(super) fn problem(&self) -> Option<&Problem> {
        self.answer.as_ref()?.as_ref().err()
    }
}

/// Asks what this would do, whenever it has rested.
#[hook]
pub(super) fn use_preview(wish: PreviewSchedule) -> Previewed {
    let api = use_api();
    let shown = use_state(Previewed::default);
    let newest = use_mut_ref(PreviewSchedule::default);
    {
        let (shown, newest) = (shown.setter(), newest.clone());
        use_effect_with(wish, move |wish| {
            *newest.borrow_mut() = wish.clone();
            let asked = wish.clone();
            let timer = Timeout::new(REST_MS, move || {
                wasm_bindgen_futures::spawn_local(async move {
                    let answer = api.preview_schedule(&asked).await;
                    // Somebody typed on while the answer was on its way.
                    if *newest.borrow() == asked {
                        shown.set(Previewed { asked, answer: Some(answer) });
                    }
                });
            });
            move || drop(timer)
        });
    }
    (*shown).clone()
}
