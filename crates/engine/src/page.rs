//! Page tokens: where to go on, and for which filter.

use crate::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stella_contract::error::Code;
use stella_contract::page::{Page, PageQuery};

#[derive(Serialize, Deserialize)]
struct Token<K> {
    /// The first eight bytes of the filter's digest.
    f: String,
    /// The last row's key.
    k: K,
}

/// The key after which the wanted page starts; `None` for the first page.
pub fn after<F: Serialize, K: DeserializeOwned>(filter: &F, query: &PageQuery) -> Result<Option<K>, Error> {
    let Some(text) = &query.page_token else { return Ok(None) };
    let token: Option<Token<K>> =
        URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match token {
        Some(token) if token.f == digest(filter)? => Ok(Some(token.k)),
        _ => Err(Error::new(
            Code::PageTokenInvalid,
            "The page token is damaged or belongs to other filters. Start again from the first page.",
        )),
    }
}

/// A count of the ledger's, as a page says it.
pub fn total(counted: Option<i64>) -> Option<u64> {
    counted.and_then(|count| u64::try_from(count).ok())
}

/// The page made of up to one row more than asked for; that row only says that there is another page.
pub fn of<T, F: Serialize, K: Serialize>(
    filter: &F,
    query: &PageQuery,
    mut rows: Vec<T>,
    total: Option<u64>,
    key: impl Fn(&T) -> K,
) -> Result<Page<T>, Error> {
    let size = query.size() as usize;
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(key);
    going_on(filter, rows, total, next)
}

/// The page of these rows, and where the next one begins, when there is one.
pub fn going_on<T, F: Serialize, K: Serialize>(
    filter: &F,
    rows: Vec<T>,
    total: Option<u64>,
    next: Option<K>,
) -> Result<Page<T>, Error> {
    let next_page_token = match next {
        Some(next) => {
            let token = Token { f: digest(filter)?, k: next };
            Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).map_err(Error::internal)?))
        }
        None => None,
    };
    Ok(Page { items: rows, next_page_token, total_estimate: total })
}

/// The page of a list so short that all of it was read, by this key.
pub fn cut<T, F: Serialize, K: Ord + Serialize + DeserializeOwned>(
    filter: &F,
    query: &PageQuery,
    mut rows: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<Page<T>, Error> {
    let after: Option<K> = after(filter, query)?;
    let total = u64::try_from(rows.len()).ok();
    rows.sort_by_key(&key);
    rows.retain(|row| after.as_ref().is_none_or(|after| key(row) > *after));
    of(filter, query, rows, total, key)
}

fn digest<F: Serialize>(filter: &F) -> Result<String, Error> {
    let text = serde_json::to_vec(filter).map_err(Error::internal)?;
    Ok(hex::encode(&Sha256::digest(text)[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(token: Option<String>) -> PageQuery {
        PageQuery { page_token: token, page_size: Some(2) }
    }

    #[test]
    fn a_token_leads_to_the_rows_after_and_only_under_the_same_filter() {
        let page = of(&"state=failed", &query(None), vec![9, 8, 7], Some(5), |row| *row).unwrap();
        assert_eq!(page.items, [9, 8]);
        let next = query(page.next_page_token);
        assert_eq!(after::<_, i64>(&"state=failed", &next).unwrap(), Some(8));
        assert_eq!(after::<_, i64>(&"state=queued", &next).unwrap_err().code, Code::PageTokenInvalid);
        assert_eq!(
            after::<_, i64>(&"", &query(Some("%%".to_owned()))).unwrap_err().code,
            Code::PageTokenInvalid
        );
        let last = of(&"state=failed", &query(None), vec![7], Some(5), |row| *row).unwrap();
        assert_eq!(last.next_page_token, None);
    }

    #[test]
    fn a_short_list_is_cut_into_pages_that_hold_each_row_once() {
        let cut_at = |token| cut(&"all", &query(token), vec![5, 1, 4, 2, 3], |row: &i64| *row).unwrap();
        let (mut rows, mut page) = (Vec::new(), cut_at(None));
        while let Some(token) = page.next_page_token.take() {
            rows.extend(page.items);
            page = cut_at(Some(token));
        }
        rows.extend(page.items);
        assert_eq!((rows, page.total_estimate), (vec![1, 2, 3, 4, 5], Some(5)));
    }
}
