//! What changes, as it changes: the long polls of the window and the streams of everybody else.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::Answer;
use crate::socket::{self, Turned, Upgrade};
use crate::sse::{Events, LastEventId};
use crate::take::{Asked, Id};
use crate::{sse_cloud, sse_feed, sse_run};
use stella_contract::cloud_event::{EventsQuery, StreamFormat, StreamQuery};
use stella_contract::event::{FeedBatch, FeedEvent, FeedQuery, RunMessage, RunMessages, RunMessagesQuery};
use stella_contract::ids::RunId;

pub(crate) async fn feed(desk: Desk, Asked(query): Asked<FeedQuery>) -> Answered<Answer<FeedBatch>> {
    Ok(Answer::of(desk.engine.feed().since(&desk.caller, query).await?))
}

pub(crate) async fn feed_stream(
    desk: Desk,
    Asked(query): Asked<StreamQuery>,
    LastEventId(last): LastEventId,
) -> Answered<Events<FeedEvent>> {
    match query.format.unwrap_or(StreamFormat::Feed) {
        StreamFormat::Feed => sse_feed::follow(desk, last).await,
        StreamFormat::CloudEvents => sse_cloud::follow(desk, last).await,
    }
}

pub(crate) async fn events_socket(
    desk: Desk,
    Asked(query): Asked<EventsQuery>,
    upgrade: Upgrade,
) -> Answered<Turned> {
    socket::follow(desk, upgrade, query.after).await
}

pub(crate) async fn run_messages(
    desk: Desk,
    Id(id): Id<RunId>,
    Asked(query): Asked<RunMessagesQuery>,
) -> Answered<Answer<RunMessages>> {
    let wait_ms = query.max_wait_ms.unwrap_or(0);
    Ok(Answer::of(desk.engine.runs().messages(&desk.caller, &id, query.after, wait_ms).await?))
}

pub(crate) async fn run_stream(
    desk: Desk,
    Id(id): Id<RunId>,
    LastEventId(last): LastEventId,
) -> Answered<Events<RunMessage>> {
    sse_run::follow(desk, id, last).await
}
