//! `stella token`: bearer tokens for servers. They are made where the ledger is; the secret is told once.

use crate::arguments::Everywhere;
use crate::door;
use crate::failure::Failure;
use crate::output::Output;
use clap::{Args, Subcommand};
use serde::Serialize;
use stella_contract::ids::TokenId;
use stella_contract::scope::Scope;
use stella_contract::time::Micros;
use stella_engine::Caller;
use stella_engine::sessions::NewToken;
use stella_sdk::Error;

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token.
    Create(Create),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What to call it; the history names it so.
    #[arg(long)]
    name: String,
    /// What it may do; may be given again, or with commas. All but `worker` when absent.
    #[arg(long = "scope", value_delimiter = ',')]
    scopes: Vec<Scope>,
    /// It may only look.
    #[arg(long)]
    read_only: bool,
    /// For how long it is good: 90s, 30m, 12h, 30d.
    #[arg(long, default_value = "30d", value_parser = duration_ms)]
    ttl: i64,
}

/// A token as it is told once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    token_id: TokenId,
    token: String,
    expires_at: Micros,
}

impl Token {
    pub(crate) async fn obey(&self, everywhere: &Everywhere, output: &Output) -> Result<(), Failure> {
        let Self::Create(create) = self;
        if everywhere.server.is_some() {
            let what = "Tokens are made where the ledger is; leave out --server (or STELLA_SERVER).";
            return Err(Failure::Usage(what.to_owned()));
        }
        let engine = door::open_ledger(everywhere).await?;
        let caller = Caller::local(everywhere.tenant.clone(), door::operator());
        let made = engine.sessions().create_token(&caller, create.wish()).await;
        engine.close().await;
        let made = made.map_err(|error| Failure::Sdk(Error::Problem(Box::new(error.problem("")))))?;
        let made = Made { token_id: made.token_id, token: made.secret, expires_at: made.expires_at };
        if !output.as_json() {
            eprintln!("{} is good until {}. Keep it: it is not told again.", made.token_id, made.expires_at);
        }
        output.each(&made, |made| made.token.clone())
    }
}

impl Create {
    fn wish(&self) -> NewToken {
        let every = Scope::ALL.iter().copied().filter(|scope| *scope != Scope::Worker);
        let scopes =
            if self.scopes.is_empty() { every.collect() } else { self.scopes.iter().copied().collect() };
        NewToken { name: self.name.clone(), scopes, read_only: self.read_only, ttl_ms: self.ttl }
    }
}

fn duration_ms(text: &str) -> Result<i64, String> {
    let expected = || "expected a number with s, m, h or d, as in 30d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(expected)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(expected()),
    };
    let count: u32 = number.parse().map_err(|_| expected())?;
    match i64::from(count) * seconds {
        0 => Err("expected more than nothing".to_owned()),
        total => Ok(total * 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_a_number_and_a_unit() {
        assert_eq!(duration_ms("90s"), Ok(90_000));
        assert_eq!(duration_ms("30d"), Ok(2_592_000_000));
        for wrong in ["", "d", "30", "0h", "-1h", "1w", "1.5h", "3é"] {
            assert!(duration_ms(wrong).is_err(), "{wrong}");
        }
    }
}
