//! What a handler can ask of a request. Every kind of input is read here, refuses in the one envelope, and says of
//! itself what the API document must say, so that the two cannot drift apart.

use crate::describe::Operation;
use crate::refusal::Refusal;
use crate::socket::Upgradable;
use bytes::Bytes;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::str::FromStr;
use stella_contract::error::Code;
use stella_contract::page::{MAX_SIZE, PageQuery};
use utoipa::ToSchema;

/// A request after the door let it pass: its parts, its body read.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    /// The parameters of the path, decoded.
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The connection, where it may become a WebSocket.
    pub(crate) upgrade: Upgradable,
}

/// One input of a handler.
pub(crate) trait Taken: Sized + Send + 'static {
    /// Reads it, or says what is wrong and what is expected.
    fn take(asking: &Asking) -> Result<Self, Refusal>;
    /// Says what it is to the API document.
    fn describe(operation: &mut Operation);
}

/// Two inputs where one stands.
impl<A: Taken, B: Taken> Taken for (A, B) {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        Ok((A::take(asking)?, B::take(asking)?))
    }
    fn describe(operation: &mut Operation) {
        A::describe(operation);
        B::describe(operation);
    }
}

/// The version that a write expects the thing to have; nothing when any will do.
pub(crate) struct Matching {
    pub(crate) version: Option<i64>,
}

impl Taken for Matching {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        let Some(said) = asking.headers.get(header::IF_MATCH) else { return Ok(Self { version: None }) };
        // What cannot be read is no tag, and no reason to write without looking.
        let said = said.to_str().unwrap_or("?").trim();
        if said.is_empty() || said == "*" {
            return Ok(Self { version: None });
        }
        // An entity tag is the version and a digest of what was shown; only the version counts for a write.
        let inside = said.trim_start_matches("W/").strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        let version = inside.and_then(|tag| tag.split('-').next()?.parse().ok());
        version.map(|version| Self { version: Some(version) }).ok_or_else(|| {
            Refusal::new(
                Code::BadRequest,
                "`If-Match` must be the entity tag of the thing as it was read, or `*`. Read the thing again.",
            )
        })
    }
    fn describe(operation: &mut Operation) {
        operation.expects();
    }
}

/// The one parameter of the path, as the kind of id it must be.
pub(crate) struct Id<T>(pub(crate) T);

impl<T> Taken for Id<T>
where
    T: FromStr<Err: Display> + ToSchema + Send + 'static,
{
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        let text = asking.path.first().map_or("", |(_, value)| value.as_str());
        // What cannot be an id names nothing, and so is answered like any id that this tenant does not have.
        text.parse().map(Self).map_err(|error: T::Err| Refusal::new(Code::NotFound, format!("{error}.")))
    }
    fn describe(operation: &mut Operation) {
        operation.id::<T>();
    }
}

/// `sha256:<64 hex>`, the name of stored bytes.
#[derive(ToSchema)]
#[schema(value_type = String, example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
pub(crate) struct ArtifactDigest(pub(crate) String);

impl FromStr for ArtifactDigest {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hex = text.strip_prefix("sha256:").unwrap_or("");
        let is_hex = hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if hex.len() == 64 && is_hex {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("`{text}` is not a digest: expected `sha256:<64 hex>`"))
    }
}

/// The parameters of the query.
pub(crate) struct Asked<Q>(pub(crate) Q);

impl<Q: DeserializeOwned + ToSchema + Send + 'static> Taken for Asked<Q> {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        let pairs = pairs(&asking.query);
        refuse_unknown(&pairs, &fields_of::<Q>())?;
        read(&pairs).map(Self)
    }
    fn describe(operation: &mut Operation) {
        operation.asks::<Q>();
    }
}

/// The parameters of a list: its filter and the page that is wanted.
pub(crate) struct Listing<F> {
    pub(crate) filter: F,
    pub(crate) page: PageQuery,
}

/// The filter of a list that has none.
#[derive(Debug, Clone, Default, serde::Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Everything {}

impl<F: DeserializeOwned + ToSchema + Send + 'static> Taken for Listing<F> {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        let pairs = pairs(&asking.query);
        let (of_filter, of_page) = (fields_of::<F>(), fields_of::<PageQuery>());
        refuse_unknown(&pairs, &[of_filter.as_slice(), of_page.as_slice()].concat())?;
        let of = |names: &[&str]| -> Vec<(String, String)> {
            pairs.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect()
        };
        let page: PageQuery = read(&of(&of_page))?;
        if page.page_size.is_some_and(|size| !(1..=MAX_SIZE).contains(&size)) {
            let expected = format!("1 to {MAX_SIZE}");
            return Err(Refusal::new(Code::BadRequest, format!("`page_size` must be {expected}.")).field(
                "page_size",
                "INVALID",
                expected,
            ));
        }
        Ok(Self { filter: read(&of(&of_filter))?, page })
    }
    fn describe(operation: &mut Operation) {
        operation.asks::<F>();
        operation.asks::<PageQuery>();
    }
}

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned + ToSchema + Send + 'static> Taken for Json<T> {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        demand_json(&asking.headers)?;
        read_json(&asking.body).map(Self)
    }
    fn describe(operation: &mut Operation) {
        operation.takes::<T>("application/json", true);
    }
}

/// A JSON body that may be left out where everything in it has a default.
pub(crate) struct JsonOrNothing<T>(pub(crate) T);

impl<T: DeserializeOwned + Default + ToSchema + Send + 'static> Taken for JsonOrNothing<T> {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        if asking.body.is_empty() {
            return Ok(Self(T::default()));
        }
        Json::take(asking).map(|Json(value)| Self(value))
    }
    fn describe(operation: &mut Operation) {
        operation.takes::<T>("application/json", false);
    }
}

/// A JSON document of a format that is not ours, byte for byte.
pub(crate) struct Document(pub(crate) Bytes);

impl Taken for Document {
    fn take(asking: &Asking) -> Result<Self, Refusal> {
        demand_json(&asking.headers)?;
        if asking.body.is_empty() {
            return Err(Refusal::new(Code::BadRequest, "The body is empty. Send the document as JSON."));
        }
        Ok(Self(asking.body.clone()))
    }
    fn describe(operation: &mut Operation) {
        operation.takes_any_json();
    }
}

/// The body is said to be JSON: `application/json` or any `…+json`.
fn demand_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = said.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
        return Ok(());
    }
    let named = if kind.is_empty() { "nothing".to_owned() } else { format!("`{kind}`") };
    Err(Refusal::new(
        Code::UnsupportedMediaType,
        format!("The body is said to be {named}. Send JSON with `Content-Type: application/json`."),
    ))
}

/// Malformed JSON is a bad request with its position; readable JSON of another shape is invalid with its field.
fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    // A list of the right length would be read as an object without its names.
    if first == Some(&b'[') {
        let what = "invalid type: sequence, expected an object";
        return Err(Refusal::new(Code::Invalid, format!("The body cannot be used: {what}."))
            .field(".", "INVALID", what));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => value,
        Err(error) if error.inner().to_string().contains("invalid type: floating point") => {
            return read_whole(body);
        }
        Err(error) => return Err(shaped(error.inner(), &error.path().to_string())),
    };
    reader.end().map_err(|error| shaped(&error, "."))?;
    Ok(value)
}

/// Once more with `3.0` for 3: JSON knows one kind of number, and some writers put the point after every one of them.
fn read_whole<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let mut value: serde_json::Value = serde_json::from_slice(body).map_err(|error| shaped(&error, "."))?;
    make_whole(&mut value);
    serde_path_to_error::deserialize(value).map_err(|error| shaped(error.inner(), &error.path().to_string()))
}

fn make_whole(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::Number(number) => {
            // Beyond 2^53 the point says nothing exact.
            let whole = number.as_f64().filter(|real| real.fract() == 0.0 && real.abs() < 9.0e15);
            if let Some(whole) = whole.and_then(|real| format!("{real:.0}").parse::<i64>().ok()) {
                *number = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_whole),
        Value::Object(fields) => fields.values_mut().for_each(make_whole),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn shaped(error: &serde_json::Error, field: &str) -> Refusal {
    use serde_json::error::Category;
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Data => {
            let what = without_position(error);
            let place = if field == "." { "the body".to_owned() } else { format!("`{field}`") };
            Refusal::new(Code::Invalid, format!("The body cannot be used: {what} at {place}."))
                .field(field, "INVALID", what)
        }
        Category::Syntax | Category::Eof | Category::Io => Refusal::new(
            Code::BadRequest,
            format!("The body is not JSON: {} at line {line}, column {column}.", without_position(error)),
        ),
    }
}

/// What the reader says, without the position it repeats at the end.
fn without_position(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    said.strip_suffix(&suffix).unwrap_or(&said).to_owned()
}

/// The pairs of a query; one without a value is as if it were not there, which is what an empty form field means.
fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// A misspelt filter must not silently list everything.
fn refuse_unknown(pairs: &[(String, String)], known: &[&str]) -> Result<(), Refusal> {
    let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) else {
        return Ok(());
    };
    let expected = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(Refusal::new(
        Code::BadRequest,
        format!("`{name}` is not a parameter of this path. It knows: {expected}."),
    )
    .field(name, "UNKNOWN_PARAMETER", format!("one of: {expected}")))
}

fn read<Q: DeserializeOwned>(pairs: &[(String, String)]) -> Result<Q, Refusal> {
    let mut writer = url::form_urlencoded::Serializer::new(String::new());
    let encoded = writer.extend_pairs(pairs).finish();
    let reader = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(encoded.as_bytes()));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let (field, what) = (error.path().to_string(), error.inner().to_string());
        let place = if field == "." { String::new() } else { format!(" `{field}`") };
        Refusal::new(Code::BadRequest, format!("The parameter{place} cannot be read: {what}."))
            .field(&field, "INVALID", what)
    })
}

/// The names a struct reads, aliases included: serde hands them to any reader that is asked for a struct.
fn fields_of<Q: DeserializeOwned>() -> Vec<&'static str> {
    struct Names<'a>(&'a mut Vec<&'static str>);

    impl<'de> serde::Deserializer<'de> for Names<'_> {
        type Error = serde::de::value::Error;
        fn deserialize_any<V: serde::de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("only the names are wanted"))
        }
        fn deserialize_struct<V: serde::de::Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            self.0.extend_from_slice(fields);
            self.deserialize_any(visitor)
        }
        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names = Vec::new();
    let read = Q::deserialize(Names(&mut names));
    debug_assert!(read.is_err(), "the reader of names never gives a value");
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use stella_contract::job::{JobFilter, JobState, SubmitJob};

    fn asking(query: &str, body: &'static str) -> Asking {
        let headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Asking {
            path: Vec::new(),
            query: query.to_owned(),
            headers,
            body: Bytes::from_static(body.as_bytes()),
            upgrade: Upgradable::default(),
        }
    }

    #[test]
    fn a_listing_reads_filter_and_page_and_both_spellings_of_the_page() {
        let listing =
            Listing::<JobFilter>::take(&asking("state=queued&limit=7&jobType=&page_token=abc", "")).ok();
        let listing = listing.expect("it can be read");
        assert_eq!(listing.filter.state, Some(JobState::Queued));
        assert_eq!(listing.filter.job_type, None);
        assert_eq!(listing.page.page_size, Some(7));
        assert_eq!(listing.page.page_token.as_deref(), Some("abc"));
    }

    #[test]
    fn a_misspelt_or_senseless_parameter_is_named() {
        for (query, field) in [
            ("sate=queued", "sate"),
            ("state=asleep", "state"),
            ("page_size=many", "page_size"),
            ("page_size=0", "page_size"),
            ("limit=501", "page_size"),
        ] {
            let refusal = Listing::<JobFilter>::take(&asking(query, "")).err().expect("it must be refused");
            assert_eq!(refusal.code, Code::BadRequest, "{query}");
            assert_eq!(refusal.details[0].field, field, "{query}");
        }
    }

    #[test]
    fn malformed_json_has_a_position_and_a_wrong_shape_has_a_field() {
        let refuse = |body| Json::<SubmitJob>::take(&asking("", body)).err().expect("it must be refused");
        let malformed = refuse("{\n \"jobType\": x}");
        assert_eq!(malformed.code, Code::BadRequest);
        assert!(malformed.message.contains("line 2, column 13"), "{}", malformed.message);
        let shaped = refuse(r#"{"jobType":"demo.wait","payload":{},"priority":"high"}"#);
        assert_eq!((shaped.code, shaped.details[0].field.as_str()), (Code::Invalid, "priority"));
        let unknown = refuse(r#"{"jobType":"demo.wait","payload":{},"colour":1}"#);
        assert_eq!(unknown.code, Code::Invalid);
        assert!(unknown.message.contains("colour"), "{}", unknown.message);
        assert_eq!(refuse(r#"{"jobType":"demo.wait","payload":{}} {}"#).code, Code::BadRequest);
        assert_eq!(refuse("").code, Code::BadRequest);
        let list = refuse(r#" ["demo.wait"]"#);
        assert_eq!((list.code, list.details[0].field.as_str()), (Code::Invalid, "."));
    }

    #[test]
    fn a_tag_that_cannot_be_read_is_refused_and_an_empty_one_says_nothing() {
        let taken = |tag: &[u8]| {
            let mut asking = asking("", "");
            asking.headers.insert(header::IF_MATCH, HeaderValue::from_bytes(tag).expect("it is a header"));
            Matching::take(&asking).map(|matching| matching.version).map_err(|refusal| refusal.code)
        };
        for (tag, version) in
            [(&b"\"7-9f86\""[..], Some(7)), (b"W/\"8\"", Some(8)), (b"*", None), (b"", None)]
        {
            assert_eq!(taken(tag), Ok(version), "{tag:?}");
        }
        for wrong in [&b"\xc2\x84"[..], b"7", b"\"x\""] {
            assert_eq!(taken(wrong), Err(Code::BadRequest), "{wrong:?}");
        }
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let read = |priority: &str| {
            let body = format!(r#"{{"jobType":"demo.wait","payload":{{"x":1.5}},"priority":{priority}}}"#);
            Json::<SubmitJob>::take(&asking("", body.leak()))
        };
        let Ok(Json(taken)) = read("7.0") else { panic!("it can be read") };
        assert_eq!((taken.priority, taken.payload["x"].as_f64()), (Some(7), Some(1.5)));
        let refusal = read("7.5").err().expect("half of one is none");
        assert_eq!((refusal.code, refusal.details[0].field.as_str()), (Code::Invalid, "priority"));
    }
}
