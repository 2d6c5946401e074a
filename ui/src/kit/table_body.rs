//! What stands in a table: rows, what tells them apart, and the columns that draw them, as one. The table itself knows no
//! type of rows, so that it is compiled once and not for every list there is.

use super::column::{Column, Head};
use super::sheet::Sheet;
use std::any::Any;
use std::rc::Rc;
use yew::prelude::*;

/// Rows with their columns, of whatever type.
#[derive(Clone)]
pub struct TableBody(Rc<dyn Listed>);

trait Listed {
    fn len(&self) -> usize;
    fn key(&self, at: usize) -> Option<String>;
    fn columns(&self) -> usize;
    fn head(&self, column: usize) -> &Head;
    fn cell(&self, at: usize, column: usize) -> Html;
    fn has_rows_of(&self, other: &dyn Any) -> bool;
    fn is_same(&self, other: &dyn Any) -> bool;
    fn as_any(&self) -> &dyn Any;
}

struct Typed<T> {
    rows: Sheet<T>,
    row_key: fn(&T) -> String,
    columns: Rc<Vec<Column<T>>>,
}

impl<T: 'static> Listed for Typed<T> {
    fn len(&self) -> usize {
        self.rows.len()
    }
    fn key(&self, at: usize) -> Option<String> {
        self.rows.get(at).map(self.row_key)
    }
    fn columns(&self) -> usize {
        self.columns.len()
    }
    fn head(&self, column: usize) -> &Head {
        &self.columns[column].head
    }
    fn cell(&self, at: usize, column: usize) -> Html {
        self.rows.get(at).map(|row| (self.columns[column].cell)(row)).unwrap_or_default()
    }
    fn has_rows_of(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<Self>().is_some_and(|other| self.rows == other.rows)
    }
    fn is_same(&self, other: &dyn Any) -> bool {
        self.has_rows_of(other)
            && other.downcast_ref::<Self>().is_some_and(|other| Rc::ptr_eq(&self.columns, &other.columns))
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl TableBody {
    /// These rows, told apart by `row_key`. Columns are the same only when they are the same `Rc`: keep them in
    /// `use_memo`.
    pub fn new<T: 'static>(
        rows: impl Into<Sheet<T>>,
        row_key: fn(&T) -> String,
        columns: Rc<Vec<Column<T>>>,
    ) -> Self {
        Self(Rc::new(Typed { rows: rows.into(), row_key, columns }))
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What tells a row from the others.
    pub fn key(&self, at: usize) -> Option<String> {
        self.0.key(at)
    }

    /// The keys of all rows in order.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        (0..self.len()).filter_map(|at| self.key(at))
    }

    /// The columns that are shown in a table of this width: which one, and its head.
    pub fn shown(&self, width: u32) -> Vec<(usize, &Head)> {
        let all = (0..self.0.columns()).map(|column| (column, self.0.head(column)));
        all.filter(|(_, head)| head.is_shown(width)).collect()
    }

    /// One cell.
    pub fn cell(&self, at: usize, column: usize) -> Html {
        self.0.cell(at, column)
    }

    /// Whether the rows are the same, whatever their columns.
    pub fn has_rows_of(&self, other: &Self) -> bool {
        self.0.has_rows_of(other.0.as_any())
    }
}

impl PartialEq for TableBody {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(other.0.as_any())
    }
}

#[cfg(test)]
mod tests {
    use super::super::column::Width;
    use super::*;

    fn columns() -> Rc<Vec<Column<i32>>> {
        let wide = Column::new("b", "B", Width::Fixed(9), |_: &i32| Html::default()).drops_below(800);
        Rc::new(vec![Column::new("a", "A", Width::Fixed(9), |_: &i32| Html::default()), wide])
    }

    #[test]
    fn rows_are_found_by_place_and_columns_by_width() {
        let body = TableBody::new(vec![7, 8], i32::to_string, columns());
        assert_eq!(body.keys().collect::<Vec<_>>(), ["7", "8"]);
        assert_eq!(body.key(2), None);
        let shown = |width| body.shown(width).iter().map(|(at, head)| (*at, head.id)).collect::<Vec<_>>();
        assert_eq!(shown(700), [(0, "a")]);
        assert_eq!(shown(900), [(0, "a"), (1, "b")]);
    }

    #[test]
    fn a_body_is_the_same_when_rows_and_columns_are() {
        let (rows, columns) = (Sheet::from(vec![1]), columns());
        let body = TableBody::new(rows.clone(), i32::to_string, columns.clone());
        assert!(body == TableBody::new(rows.clone(), i32::to_string, columns.clone()));
        let other = TableBody::new(rows, i32::to_string, self::columns());
        assert!(body != other && body.has_rows_of(&other));
        assert!(!body.has_rows_of(&TableBody::new(vec![1], i32::to_string, columns)));
    }
}
