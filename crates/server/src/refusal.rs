//! A refusal on its way out: what went wrong, before the outermost layer puts it into the envelope of the contract.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use stella_contract::error::{Code, FieldProblem, Problem};
use stella_engine::Error;

/// What a request is answered with when it is not fulfilled.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// The HTTP status; the code's own unless HTTP has a better word (405).
    pub(crate) status: StatusCode,
    pub(crate) code: Code,
    /// One or two sentences for people.
    pub(crate) message: String,
    pub(crate) details: Vec<FieldProblem>,
    pub(crate) retry_after_ms: Option<u64>,
    /// What only the log may say.
    pub(crate) private: Option<String>,
    /// The value of `Allow`, where the method was the fault; boxed, because it is rare and refusals are passed about.
    pub(crate) allow: Option<Box<HeaderValue>>,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            message: message.into(),
            details: Vec::new(),
            retry_after_ms: None,
            private: None,
            allow: None,
        }
    }

    /// The same with a finding about one field.
    pub(crate) fn field(mut self, field: &str, code: &str, message: impl Into<String>) -> Self {
        self.details.push(FieldProblem {
            field: field.to_owned(),
            code: code.to_owned(),
            message: message.into(),
        });
        self
    }

    /// The same with a context that only the log may say.
    pub(crate) fn because(mut self, private: impl Into<String>) -> Self {
        self.private = Some(private.into());
        self
    }

    pub(crate) fn no_such_path(path: &str) -> Self {
        Self::new(
            Code::NotFound,
            format!("There is nothing at `{path}`. /.well-known/openapi says where the list of paths is."),
        )
    }

    pub(crate) fn method_not_allowed(method: &str, path: &str, allow: Option<HeaderValue>) -> Self {
        let allowed = allow.as_ref().and_then(|value| value.to_str().ok()).unwrap_or("another method");
        let message = format!("`{path}` does not answer {method}. It answers {allowed}.");
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            allow: allow.map(Box::new),
            ..Self::new(Code::BadRequest, message)
        }
    }

    pub(crate) fn internal(private: impl Into<String>) -> Self {
        Self::new(
            Code::Internal,
            "A fault inside the product stopped the request. Repeat it; if it stays, look the trace id up in the log.",
        )
        .because(private)
    }

    /// The body of the envelope; `retryable` is the engine's word on the code.
    pub(crate) fn problem(&self, trace_id: &str) -> Problem {
        Problem {
            code: self.code,
            message: self.message.clone(),
            trace_id: trace_id.to_owned(),
            trace_id_alias: trace_id.to_owned(),
            details: self.details.clone(),
            retryable: self.is_retryable(),
            retry_after_ms: self.retry_after_ms,
        }
    }

    fn is_retryable(&self) -> bool {
        self.retry_after_ms.is_some() || Error::new(self.code, "").is_retryable()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let mut refusal = Self::new(error.code, error.public);
        refusal.details = error.fields;
        refusal.retry_after_ms = error.retry_after_ms;
        refusal.private = error.private;
        refusal
    }
}

/// The status and the headers; the outermost layer finds the refusal among the extensions and writes the body,
/// because only it knows the trace id.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(allow) = &self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::clone(allow));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"stella\""));
        }
        if let Some(wait) = self.retry_after_ms {
            // The header counts whole seconds; rounding down would invite a call that is refused again.
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.div_ceil(1_000)));
        }
        response.extensions_mut().insert(self);
        response
    }
}
