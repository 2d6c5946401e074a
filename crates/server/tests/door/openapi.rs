use crate::app::App;
use std::collections::BTreeSet;
use stella_contract::api::ENDPOINTS;

#[test]
fn the_document_is_this_one() {
    insta::assert_snapshot!("orchestrator", stella_server::document());
}

#[test]
fn the_mounted_table_the_contract_and_the_document_name_the_same_endpoints() {
    let contract: BTreeSet<(String, String)> =
        ENDPOINTS.iter().map(|one| (one.method.as_str().to_owned(), one.path.to_owned())).collect();
    let mounted: BTreeSet<(String, String)> = stella_server::mounted()
        .into_iter()
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    assert_eq!(mounted, contract);
    let document: serde_json::Value = serde_json::from_str(&stella_server::document()).unwrap();
    let told = document["paths"].as_object().unwrap();
    let told: BTreeSet<(String, String)> = told
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    assert_eq!(told, contract);
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document: serde_json::Value = serde_json::from_str(&stella_server::document()).unwrap();
    let text = stella_server::document();
    let references: BTreeSet<&str> =
        text.split("\"$ref\": \"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(references.len() > 40, "{}", references.len());
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn discovery_leads_to_the_document_and_both_can_be_kept() {
    let app = App::bearer().await;
    let discovery = app.get("/.well-known/openapi").await;
    assert_eq!(discovery.header("cache-control"), "public, max-age=300");
    let told = discovery.json();
    assert_eq!(
        (told["spec"].as_str(), told["version"].as_str()),
        (Some("/openapi/orchestrator.json"), Some("v1"))
    );
    let document = app.get(told["spec"].as_str().unwrap()).await;
    assert_eq!(document.header("etag"), told["etag"].as_str().unwrap());
    assert_eq!(document.header("x-stella-api-version"), "v1");
    assert_eq!(document.json()["openapi"], "3.1.0");
    let again = [("if-none-match", told["etag"].as_str().unwrap())];
    let unchanged = app.ask("GET", "/openapi/orchestrator.json", &again, "").await;
    assert_eq!((unchanged.status.as_u16(), unchanged.body.len()), (304, 0));
    let other = app.ask("GET", "/openapi/orchestrator.json", &[("if-none-match", "\"other\"")], "").await;
    assert_eq!(other.status, 200);
}

#[test]
fn words_are_spelled_in_the_document_as_on_the_wire() {
    let document: serde_json::Value = serde_json::from_str(&stella_server::document()).unwrap();
    let words = |schema: &str| -> Vec<String> {
        let listed = document["components"]["schemas"][schema]["enum"].as_array().unwrap();
        listed.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let codes: Vec<String> = stella_contract::error::Code::ALL.iter().map(ToString::to_string).collect();
    let states: Vec<String> = stella_contract::job::JobState::ALL.iter().map(ToString::to_string).collect();
    assert_eq!((words("Code"), words("JobState")), (codes, states));
}
