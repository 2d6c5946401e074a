//! Rows in pages: a list that grows page by page, without copying the rows it has.

use std::rc::Rc;
use yew::html::IntoPropValue;

/// Rows in order. Cheap to clone; adding a page copies no row.
#[derive(Debug)]
pub struct Sheet<T> {
    pages: Vec<Rc<Vec<T>>>,
    /// How many rows stand before each page, and in all.
    starts: Vec<usize>,
}

impl<T> Sheet<T> {
    /// The rows and those of one more page.
    pub fn with_page(&self, page: Vec<T>) -> Self {
        let mut next = self.clone();
        next.starts.push(next.len() + page.len());
        next.pages.push(Rc::new(page));
        next
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row.
    pub fn get(&self, at: usize) -> Option<&T> {
        // The last page that starts at or before the row; empty pages start where the next one does.
        let page = self.starts.partition_point(|start| *start <= at).checked_sub(1)?;
        self.pages.get(page)?.get(at - self.starts[page])
    }

    /// Every row in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flat_map(|page| page.iter())
    }
}

/// Whether these are the same pages, not only equal rows: comparing a hundred thousand rows is not cheap.
impl<T> PartialEq for Sheet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.pages.len() == other.pages.len()
            && self.pages.iter().zip(&other.pages).all(|(one, two)| Rc::ptr_eq(one, two))
    }
}

impl<T> Default for Sheet<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), starts: vec![0] }
    }
}

impl<T> Clone for Sheet<T> {
    fn clone(&self) -> Self {
        Self { pages: self.pages.clone(), starts: self.starts.clone() }
    }
}

impl<T> From<Vec<T>> for Sheet<T> {
    fn from(rows: Vec<T>) -> Self {
        Self::default().with_page(rows)
    }
}

impl<T> From<Rc<Vec<T>>> for Sheet<T> {
    fn from(rows: Rc<Vec<T>>) -> Self {
        Self { starts: vec![0, rows.len()], pages: vec![rows] }
    }
}

impl<T> IntoPropValue<Sheet<T>> for Rc<Vec<T>> {
    fn into_prop_value(self) -> Sheet<T> {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_across_pages_and_empty_pages() {
        let sheet = Sheet::from(vec![0, 1, 2]).with_page(vec![]).with_page(vec![3]).with_page(vec![4, 5]);
        assert_eq!(
            (0..7).map(|at| sheet.get(at).copied()).collect::<Vec<_>>(),
            [Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), None]
        );
        assert_eq!(sheet.len(), 6);
        assert_eq!(sheet.iter().count(), 6);
        assert_eq!(Sheet::<i32>::default().get(0), None);
    }

    #[test]
    fn a_clone_is_the_same_and_equal_rows_are_not() {
        let sheet = Sheet::from(vec![1]);
        assert_eq!(sheet, sheet.clone());
        assert_ne!(sheet, Sheet::from(vec![1]));
    }
}
