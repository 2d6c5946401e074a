//! One dry look at a source: it is fetched and read as a reading would, and nothing is kept (spec 03 §3.2).

use crate::caller::Caller;
use crate::coverage::{plus_s, whole_ms};
use crate::error::Error;
use crate::fetch::{Fetched, Known, Location};
use crate::ingest::inspect;
use crate::ingest::window::{is_windowed, placed};
use crate::sources::{self as rules, Sources};
use crate::{handlers::Failure, watermarks};
use stella_contract::error::Code;
use stella_contract::ids::SourceId;
use stella_contract::scope::Scope;
use stella_contract::source::SourceTested;
use stella_contract::watermark::Window;

impl Sources {
    /// Fetches the source once and says what is there. A source that is held or switched off can be looked at, too.
    pub async fn test(&self, caller: &Caller, source_id: &SourceId) -> Result<SourceTested, Error> {
        caller.demand_write(Scope::OrchSubmit)?;
        let (now, tenant, id) = (self.engine.now(), caller.tenant.clone(), source_id.clone());
        let (row, mark) = self
            .engine
            .ledger()
            .read::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    let row = rules::found(tx, &tenant, &id).await?;
                    let mark = watermarks::load(tx, &tenant, id.as_str()).await?;
                    Ok((row, mark))
                })
            })
            .await?;
        let (source_type, settings) = (rules::source_type(&row)?, rules::settings(&row));
        let newest = || {
            let end = whole_ms(plus_s(now, -settings.allowed_lateness_s));
            Window { start: plus_s(end, -settings.fetch_window_s), end }
        };
        let place = match is_windowed(&row.location) {
            true => placed(&row.location, mark.coverage.next_live(&settings, now).unwrap_or_else(newest)),
            false => row.location.clone(),
        };
        let location = Location::parse(&place).map_err(|why| Error::invalid("location", why))?;
        let fetched = match self.engine.secret(row.auth_ref.as_deref()) {
            Ok(secret) => {
                self.engine.fetcher().fetch(&location, &Known::default(), secret.as_ref(), now).await
            }
            Err(error) => Err(error),
        };
        match fetched {
            Ok(Fetched::Content(content)) => {
                let tenant = caller.tenant.as_str().to_owned();
                let seen = tokio::task::spawn_blocking(move || inspect(source_type, &tenant, content));
                let mut seen = seen.await.map_err(Error::internal)?;
                if !seen.ok && !is_windowed(&row.location) {
                    seen.error_code = Some(Code::FeedInvalid.as_str().to_owned());
                    seen.error_message =
                        Some("Nothing that can be read is there. Check the source.".to_owned());
                }
                // A window may well be empty.
                seen.ok |= is_windowed(&row.location) && seen.refused == 0;
                Ok(seen)
            }
            Ok(Fetched::NotModified) => Ok(SourceTested { ok: true, ..SourceTested::default() }),
            Err(error) => {
                let failure = Failure::from(error);
                Ok(SourceTested {
                    error_code: Some(failure.code),
                    error_message: Some(failure.message),
                    ..SourceTested::default()
                })
            }
        }
    }
}
