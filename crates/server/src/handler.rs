//! Any async function of a place and up to two inputs is a handler; what it reads and answers is described by its
//! very signature.

use crate::describe::Operation;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::take::{Asking, Taken};
use axum::response::Response;
use futures::FutureExt;
use futures::future::BoxFuture;

/// A function that answers a request at `Place`: the desk of a known caller, or the hall that is open to anybody.
pub(crate) trait Handler<Place, Signature>: Send + Sync + 'static {
    fn handle(&self, place: Place, asking: Asking) -> BoxFuture<'static, Result<Response, Refusal>>;
    fn describe(operation: &mut Operation);
}

impl<F, Fut, Place, R> Handler<Place, ((), R)> for F
where
    F: Fn(Place) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Refusal>> + Send + 'static,
    R: Reply,
{
    fn handle(&self, place: Place, _: Asking) -> BoxFuture<'static, Result<Response, Refusal>> {
        let answer = self(place);
        async move { answer.await?.respond() }.boxed()
    }
    fn describe(operation: &mut Operation) {
        R::describe(operation);
    }
}

impl<F, Fut, Place, A, R> Handler<Place, ((A,), R)> for F
where
    F: Fn(Place, A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Refusal>> + Send + 'static,
    A: Taken,
    R: Reply,
{
    fn handle(&self, place: Place, asking: Asking) -> BoxFuture<'static, Result<Response, Refusal>> {
        let answer = A::take(&asking).map(|a| self(place, a));
        async move { answer?.await?.respond() }.boxed()
    }
    fn describe(operation: &mut Operation) {
        A::describe(operation);
        R::describe(operation);
    }
}

impl<F, Fut, Place, A, B, R> Handler<Place, ((A, B), R)> for F
where
    F: Fn(Place, A, B) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Refusal>> + Send + 'static,
    A: Taken,
    B: Taken,
    R: Reply,
{
    fn handle(&self, place: Place, asking: Asking) -> BoxFuture<'static, Result<Response, Refusal>> {
        let answer = A::take(&asking).and_then(|a| Ok(self(place, a, B::take(&asking)?)));
        async move { answer?.await?.respond() }.boxed()
    }
    fn describe(operation: &mut Operation) {
        A::describe(operation);
        B::describe(operation);
        R::describe(operation);
    }
}
