//! A column of a table: its head, its width, how a cell is drawn, and from which width on it is shown.

use std::rc::Rc;
use yew::prelude::*;

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Width {
    /// So many pixels.
    Fixed(u32),
    /// A share of what is left, but never less than so many pixels.
    Share(u32, u32),
}

/// On which side its text stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Align {
    /// Text.
    #[default]
    Start,
    /// Numbers.
    End,
}

/// How the list is sorted by a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// What a column is, whatever its rows.
pub struct Head {
    /// Tells it from the others.
    pub id: &'static str,
    /// Its head.
    pub title: AttrValue,
    /// How wide.
    pub width: Width,
    /// On which side.
    pub align: Align,
    /// How the list is sorted by it.
    pub sort: Option<Sort>,
    /// Shown only while the table is wider than so many pixels.
    pub drops_below: u32,
}

impl Head {
    /// Whether it is shown in a table of this width.
    pub fn is_shown(&self, width: u32) -> bool {
        self.drops_below < width
    }
}

/// One column.
pub struct Column<T> {
    /// What it is.
    pub head: Head,
    /// Draws a cell.
    pub cell: Rc<dyn Fn(&T) -> Html>,
}

impl<T> Column<T> {
    /// A column of text.
    pub fn new(
        id: &'static str,
        title: impl Into<AttrValue>,
        width: Width,
        cell: impl Fn(&T) -> Html + 'static,
    ) -> Self {
        let head = Head { id, title: title.into(), width, align: Align::Start, sort: None, drops_below: 0 };
        Self { head, cell: Rc::new(cell) }
    }
    /// The same with its text at the right.
    pub fn at_end(mut self) -> Self {
        self.head.align = Align::End;
        self
    }
    /// The same, shown only while the table is wider than so many pixels.
    pub fn drops_below(mut self, width: u32) -> Self {
        self.head.drops_below = width;
        self
    }
    /// The same, with the list sorted by it.
    pub fn sorted(mut self, sort: Sort) -> Self {
        self.head.sort = Some(sort);
        self
    }
}

/// The grid template of the columns, with a leading one for checkboxes where rows can be selected.
pub fn template<'a>(columns: impl Iterator<Item = &'a Head>, selectable: bool) -> String {
    let check = selectable.then(|| "24px".to_owned());
    let widths = columns.map(|column| match column.width {
        Width::Fixed(pixels) => format!("{pixels}px"),
        Width::Share(share, least) => format!("minmax({least}px, {share}fr)"),
    });
    check.into_iter().chain(widths).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_a_grid_template() {
        let fixed = Column::<()>::new("a", "A", Width::Fixed(96), |()| Html::default());
        let share = Column::<()>::new("b", "B", Width::Share(2, 120), |()| Html::default()).at_end();
        assert_eq!(template([&fixed.head, &share.head].into_iter(), false), "96px minmax(120px, 2fr)");
        assert_eq!(template([&fixed.head].into_iter(), true), "24px 96px");
    }
}
