//! `stella features`: what is switched off on this ledger.

use crate::cause::{Seen, Why};
use crate::door::Door;
use crate::failure::Failure;
use crate::output::Output;
use crate::paging::Paging;
use crate::table::{Table, or_dash};
use clap::{Args, Subcommand, ValueEnum};
use stella_contract::feature::{Feature, FeatureSwitch, SetFeature};

#[derive(Debug, Subcommand)]
pub(crate) enum Features {
    /// List what can be switched off, and how it stands.
    #[command(visible_alias = "ls")]
    List(Paging),
    /// Switch a part of the product on or off, for everybody on this ledger.
    Set(Set),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Its name: runs.dashboard.enabled, runs.sse.enabled, runs.retry.enabled, runs.evidenceBundles.
    #[arg(value_name = "FEATURE")]
    feature: Feature,
    /// How it shall stand.
    #[arg(value_name = "on|off")]
    to: To,
    #[command(flatten)]
    seen: Seen,
    #[command(flatten)]
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    On,
    Off,
}

impl Features {
    pub(crate) async fn obey(&self, door: &Door, output: &Output) -> Result<(), Failure> {
        let core = door.client.core();
        match self {
            Self::List(paging) => {
                let page = paging.read(async |page| core.features(&page).await).await?;
                output.page(&page, of_many)
            }
            Self::Set(set) => {
                let wish = SetFeature { enabled: set.to == To::On };
                let switch = core.set_feature(set.feature, &wish, &set.seen.write(&set.why)).await?;
                output.show(&switch, |switch| of_many(std::slice::from_ref(switch)))
            }
        }
    }
}

fn of_many(switches: &[FeatureSwitch]) -> Table {
    Table::new(&["FEATURE", "STANDS", "CHANGED", "BY", "WHAT IT IS"]).rows(switches, |switch| {
        [
            switch.feature.to_string(),
            if switch.enabled { "on".to_owned() } else { "off".to_owned() },
            or_dash(switch.changed_at.as_ref()),
            or_dash(switch.changed_by.as_ref()),
            switch.meaning.clone(),
        ]
    })
}
