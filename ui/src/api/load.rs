//! How far an answer is. No page shows an empty table while it waits, and old rows stay when news cannot be had.

use super::problem::Problem;
use stella_contract::time::Micros;

/// An answer that is awaited, here, here but old, or refused.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Load<T> {
    /// Nothing was asked yet.
    #[default]
    Idle,
    /// Asked for the first time.
    Loading,
    /// Here, as of then.
    Ready(T, Micros),
    /// Here as of then, but asking again failed.
    Stale(T, Micros, Problem),
    /// The first asking failed.
    Failed(Problem),
}

impl<T> Load<T> {
    /// What there is to show, old or new.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Ready(value, _) | Self::Stale(value, _, _) => Some(value),
            Self::Idle | Self::Loading | Self::Failed(_) => None,
        }
    }

    /// When it was true.
    pub fn as_of(&self) -> Option<Micros> {
        match self {
            Self::Ready(_, at) | Self::Stale(_, at, _) => Some(*at),
            Self::Idle | Self::Loading | Self::Failed(_) => None,
        }
    }

    /// Why there is nothing, or nothing newer.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Stale(_, _, problem) | Self::Failed(problem) => Some(problem),
            Self::Idle | Self::Loading | Self::Ready(_, _) => None,
        }
    }

    /// Whether the first answer is still awaited.
    pub fn is_waiting(&self) -> bool {
        match self {
            Self::Idle | Self::Loading => true,
            Self::Ready(_, _) | Self::Stale(_, _, _) | Self::Failed(_) => false,
        }
    }

    /// What an answer makes of it: a refusal keeps the old value.
    pub fn answered(self, answer: Result<T, Problem>, at: Micros) -> Self {
        match (answer, self) {
            (Ok(value), _) => Self::Ready(value, at),
            (Err(problem), Self::Ready(value, then) | Self::Stale(value, then, _)) => {
                Self::Stale(value, then, problem)
            }
            (Err(problem), Self::Idle | Self::Loading | Self::Failed(_)) => Self::Failed(problem),
        }
    }

    /// The same with another value in it.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Load<U> {
        match self {
            Self::Idle => Load::Idle,
            Self::Loading => Load::Loading,
            Self::Ready(value, at) => Load::Ready(change(value), at),
            Self::Stale(value, at, problem) => Load::Stale(change(value), at, problem),
            Self::Failed(problem) => Load::Failed(problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_what_was_there_and_says_how_old_it_is() {
        let ready = Load::Ready(1, Micros(5));
        let stale = ready.answered(Err(Problem::Unreachable), Micros(9));
        assert_eq!(stale, Load::Stale(1, Micros(5), Problem::Unreachable));
        assert_eq!(stale.value(), Some(&1));
        assert_eq!(stale.answered(Ok(2), Micros(10)), Load::Ready(2, Micros(10)));
        assert_eq!(
            Load::<i32>::Loading.answered(Err(Problem::Unreachable), Micros(9)),
            Load::Failed(Problem::Unreachable)
        );
    }
}
