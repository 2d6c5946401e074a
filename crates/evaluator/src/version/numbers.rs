//! Plain numbers between dots or hyphens, the longer version last: CRAN and Hackage.

use super::natural::Natural;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NumbersVersion(Vec<Natural>);

impl NumbersVersion {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let place = |digits: &str| Natural::parse(digits).filter(|_| !digits.is_empty());
        text.split(['.', '-']).map(place).collect::<Option<Vec<_>>>().map(Self)
    }
}
