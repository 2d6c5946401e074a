//! Numbers as shades: a row per group, a cell per stretch of time. Each cell says its number.

use yew::prelude::*;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatGridRow {
    /// Tells it from the others.
    pub key: AttrValue,
    /// Its name, or a link.
    pub head: Html,
    /// Its numbers in order, each in words.
    pub cells: Vec<(u32, AttrValue)>,
}

/// What a [`HeatGrid`] takes.
#[derive(Debug, Clone, PartialEq, Properties)]
pub struct HeatGridProps {
    /// The main fact, for assistive technology.
    pub label: AttrValue,
    /// The rows in order.
    pub rows: Vec<HeatGridRow>,
}

/// Shades there are beside none.
const SHADES: u32 = 4;

/// The grid.
#[component]
pub fn HeatGrid(props: &HeatGridProps) -> Html {
    let most = props.rows.iter().flat_map(|row| &row.cells).map(|(number, _)| *number).max().unwrap_or(0);
    html! {
        <table class="heat-grid" aria-label={props.label.clone()}>
            <tbody>{ for props.rows.iter().map(|row| html! {
                <tr key={row.key.to_string()}>
                    <th scope="row">{ row.head.clone() }</th>
                    { for row.cells.iter().enumerate().map(|(at, (number, words))| html! {
                        <td key={at} class={shade(*number, most)} title={words.clone()}><span class="vh">{ number }</span></td>
                    }) }
                </tr>
            }) }</tbody>
        </table>
    }
}

/// The class of a shade: the larger the number beside the largest, the darker.
fn shade(number: u32, most: u32) -> Option<&'static str> {
    if number == 0 {
        return None;
    }
    let step = (u64::from(number) * u64::from(SHADES)).div_ceil(u64::from(most.max(1)));
    Some(match step {
        0 | 1 => "h1",
        2 => "h2",
        3 => "h3",
        _ => "h4",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_can_always_be_seen_and_the_largest_is_darkest() {
        assert_eq!(shade(0, 900), None);
        assert_eq!(shade(1, 900), Some("h1"));
        assert_eq!(shade(450, 900), Some("h2"));
        assert_eq!(shade(451, 900), Some("h3"));
        assert_eq!(shade(900, 900), Some("h4"));
        assert_eq!(shade(1, 1), Some("h4"));
    }
}
