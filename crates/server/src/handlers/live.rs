//! What changes, as it changes: the long polls of the window and the streams of everybody else.

use crate::desk::Desk;
use crate::handlers::Answered;
use crate::reply::Answer;
use crate::sse::{Events, LastEventId};
use crate::sse_feed;
use crate::take::Asked;
use stella_contract::event::{FeedBatch, FeedEvent, FeedQuery};

pub(crate) async fn feed(desk: Desk, Asked(query): Asked<FeedQuery>) -> Answered<Answer<FeedBatch>> {
    Ok(Answer::of(desk.engine.feed().since(&desk.caller, query).await?))
}

pub(crate) async fn feed_stream(desk: Desk, LastEventId(last): LastEventId) -> Answered<Events<FeedEvent>> {
    sse_feed::follow(desk, last).await
}
