//! One operation of the API document, filled in by the inputs and answers of its handler.

use crate::examples;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a handler's signature says of its endpoint.
#[derive(Debug, Default)]
pub(crate) struct Operation {
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Value>,
    pub(crate) answers: Map<String, Value>,
    /// Every schema the operation needs, by name.
    pub(crate) schemas: BTreeMap<String, Value>,
    /// It answers with a single thing that has a version.
    pub(crate) is_versioned: bool,
}

impl Operation {
    /// The one parameter of the path; its name is put in from the path itself.
    pub(crate) fn id<T: ToSchema>(&mut self) {
        let schema = self.refer::<T>();
        self.parameters.push(json!({ "name": "", "in": "path", "required": true, "schema": schema }));
    }

    /// Every field of `Q` is a parameter of the query.
    pub(crate) fn asks<Q: ToSchema>(&mut self) {
        self.refer::<Q>();
        let shape = self.schemas.remove(&*Q::name()).unwrap_or_default();
        let required = shape["required"].as_array().cloned().unwrap_or_default();
        for (name, property) in shape["properties"].as_object().cloned().unwrap_or_default() {
            let mut schema = without_null(property);
            let description = schema.as_object_mut().and_then(|schema| {
                schema.remove("default");
                schema.remove("description")
            });
            go_to_the_end(&mut schema);
            let is_required = required.iter().any(|one| one == name.as_str());
            let mut parameter =
                json!({ "name": name, "in": "query", "required": is_required, "schema": schema });
            // An empty form field says nothing, and is taken so.
            if !is_required {
                parameter["allowEmptyValue"] = json!(true);
            }
            if let Some(description) = description {
                parameter["description"] = description;
            }
            if let Some(example) = examples::parameter(&name) {
                parameter["example"] = example;
            }
            self.parameters.push(parameter);
        }
    }

    pub(crate) fn takes<T: ToSchema>(&mut self, media_type: &str, required: bool) {
        let mut content = json!({ "schema": self.refer::<T>() });
        if let Some(example) = examples::body(&T::name()) {
            content["example"] = example;
        }
        self.body = Some(json!({ "required": required, "content": { media_type: content } }));
    }

    pub(crate) fn takes_any_json(&mut self) {
        let document = json!({ "schema": { "type": "object", "description": "The document as it is." } });
        self.body = Some(json!({
            "required": true,
            "content": {
                "application/json": document,
                "application/vnd.cyclonedx+json": document,
                "application/spdx+json": document,
            },
        }));
    }

    pub(crate) fn answers<T: ToSchema>(&mut self, status: u16) {
        let schema = self.refer::<T>();
        self.is_versioned = self.has_version(&T::name());
        self.answer(status, said_of(status), json!({ "application/json": { "schema": schema } }));
    }

    pub(crate) fn answers_page<T: ToSchema>(&mut self) {
        let items = self.refer::<T>();
        let name = format!("{}Page", T::name());
        let page = json!({
            "type": "object",
            "description": "One page of a list, in the documented order of the list.",
            "required": ["items"],
            "properties": {
                "items": { "type": "array", "items": items, "maxItems": 500 },
                "nextPageToken": {
                    "type": "string",
                    "description": "Hand back as `page_token` for the rows after these; absent on the last page.",
                },
                "totalEstimate": {
                    "type": "integer", "format": "int64", "minimum": 0,
                    "description": "How many rows match the filter, counted in the same snapshot as the rows; absent where there are too many to count for every page.",
                },
            },
        });
        self.schemas.insert(name.clone(), page);
        let content = json!({
            "application/json": {
                "schema": { "$ref": format!("#/components/schemas/{name}") },
                "examples": {
                    "morePagesFollow": { "summary": "More pages follow; `items` is shortened here", "value": {
                        "items": [], "nextPageToken": examples::PAGE_TOKEN, "totalEstimate": 1284 } },
                    "lastPage": { "summary": "The last page has no token", "value": { "items": [], "totalEstimate": 0 } },
                },
            },
        });
        self.answer(200, "One page of the list.", content);
    }

    /// A schema that the text of an answer names.
    pub(crate) fn needs<T: ToSchema>(&mut self) {
        self.refer::<T>();
    }

    /// Text of this media type.
    pub(crate) fn answers_text(&mut self, media_type: &str) {
        self.answer(200, "The text.", json!({ media_type: { "schema": { "type": "string" } } }));
    }

    /// A write that may expect a version.
    pub(crate) fn expects(&mut self) {
        self.parameters.push(json!({ "$ref": "#/components/parameters/IfMatch" }));
    }

    /// A document as JSON or CSV.
    pub(crate) fn answers_documents(&mut self) {
        let content = json!({
            "application/json": { "schema": { "type": "object" } },
            "text/csv": { "schema": { "type": "string" } },
        });
        self.answer(200, "The document; its `ETag` is the SHA-256 of its bytes.", content);
    }

    pub(crate) fn answers_octets(&mut self) {
        let content =
            json!({ "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } });
        self.answer(200, "The bytes.", content);
    }

    /// Server-sent events; `T` is the JSON of each `data` line.
    pub(crate) fn answers_stream<T: ToSchema>(&mut self, description: &str, example: &str) {
        self.refer::<T>();
        let name = T::name();
        let text = format!("{description} Each `data` line is a `{name}`.");
        let content = json!({ "text/event-stream": { "schema": { "type": "string" }, "example": example } });
        self.answer(200, &text, content);
    }

    /// A stream that goes on where the client left it.
    pub(crate) fn resumes(&mut self) {
        self.parameters.push(json!({
            "name": "Last-Event-ID", "in": "header", "required": false,
            "schema": { "type": "integer", "format": "int64" },
            "description": "Go on after the event with this id.", "example": 41,
        }));
    }

    pub(crate) fn answer(&mut self, status: u16, description: &str, content: Value) {
        let mut answer = json!({
            "description": description,
            "headers": { "X-Stella-Api-Version": { "$ref": "#/components/headers/ApiVersion" } },
        });
        if content.as_object().is_some_and(|content| !content.is_empty()) {
            answer["content"] = content;
        }
        self.answers.insert(status.to_string(), answer);
    }

    /// Whether things of this schema say a number as their version, or hold a job, which does.
    fn has_version(&self, name: &str) -> bool {
        let properties = &self.schemas.get(name).unwrap_or(&Value::Null)["properties"];
        let is_number = |kind: &Value| {
            kind == "integer" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("integer")))
        };
        is_number(&properties["version"]["type"]) || properties["job"]["$ref"] == "#/components/schemas/Job"
    }

    /// A reference to the schema of `T`; it and all it needs are collected.
    fn refer<T: ToSchema>(&mut self) -> Value {
        let name = T::name().into_owned();
        let mut found = vec![(name.clone(), T::schema())];
        T::schemas(&mut found);
        for (name, schema) in found {
            let mut schema = serde_json::to_value(schema).expect("a schema is plain JSON");
            drop_null_defaults(&mut schema);
            if CLOSED.contains(&name.as_str()) {
                close(&mut schema);
            }
            let known = self.schemas.entry(name.clone()).or_insert_with(|| schema.clone());
            debug_assert_eq!(*known, schema, "two schemas are called `{name}`");
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

/// Tagged choices that refuse fields they do not know; the derive says so of plain objects only.
const CLOSED: [&str; 2] = ["RunScope", "Selection"];

fn close(schema: &mut Value) {
    for choice in schema["oneOf"].as_array_mut().into_iter().flatten() {
        // A choice that is its tag alone looks at nothing else.
        if choice["properties"].as_object().is_some_and(|properties| properties.len() > 1) {
            choice["additionalProperties"] = json!(false);
        }
    }
}

/// A field without a value is left out; saying that its default is null would contradict its type.
fn drop_null_defaults(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("default").is_some_and(Value::is_null) {
                fields.remove("default");
            }
            fields.values_mut().for_each(drop_null_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_null_defaults),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An unsigned number reaches further than the formats of signed ones say.
fn go_to_the_end(schema: &mut Value) {
    let last = match schema["format"].as_str() {
        Some("int32") => u64::from(u32::MAX),
        Some("int64") => u64::MAX,
        _ => return,
    };
    if let Some(fields) = schema.as_object_mut()
        && fields.get("minimum") == Some(&json!(0))
        && !fields.contains_key("maximum")
    {
        fields.remove("format");
        fields.insert("maximum".to_owned(), json!(last));
    }
}

/// A parameter is absent or has a value; it is never null.
fn without_null(mut property: Value) -> Value {
    if let Some(kinds) = property.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            property["type"] = only.clone();
        }
        return property;
    }
    let Some(choices) = property.get("oneOf").and_then(Value::as_array) else { return property };
    let real: Vec<Value> = choices.iter().filter(|choice| choice["type"] != "null").cloned().collect();
    let [only] = real.as_slice() else { return property };
    let mut only = only.clone();
    // The sentence about the field may stand beside the choices or inside the chosen one.
    if let (Some(description), None) = (property.get("description"), only.get("description")) {
        only["description"] = description.clone();
    }
    only
}

const fn said_of(status: u16) -> &'static str {
    match status {
        201 => "It was made; or, with `Idempotency-Replayed: true`, it had been made before.",
        202 => "It was taken; the effect comes later.",
        _ => "Fulfilled.",
    }
}
