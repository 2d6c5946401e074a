//! Rows in pages: a list that grows page by page, without copying the rows it has.

use std::any::Any;
use std::marker::PhantomData;
use std::rc::Rc;
use yew::html::IntoPropValue;

/// Rows of one type that is not told, in pages: what is done with pages is compiled once and not for every type.
#[derive(Debug, Clone)]
pub struct Pages {
    pages: Vec<Rc<dyn Any>>,
    /// How many rows stand before each page, and in all.
    starts: Vec<usize>,
}

impl Pages {
    /// The rows and those of one more page, which has so many.
    pub fn with_page(&self, page: Rc<dyn Any>, count: usize) -> Self {
        let mut next = self.clone();
        next.starts.push(next.len() + count);
        next.pages.push(page);
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

    /// The same as rows of this type. Pages of another type show no rows.
    pub fn of<T>(self) -> Sheet<T> {
        Sheet { pages: self, of: PhantomData }
    }
}

/// Whether these are the same pages, not only equal rows: comparing a hundred thousand rows is not cheap.
impl PartialEq for Pages {
    fn eq(&self, other: &Self) -> bool {
        self.pages.len() == other.pages.len()
            && self.pages.iter().zip(&other.pages).all(|(one, two)| Rc::ptr_eq(one, two))
    }
}

impl Default for Pages {
    fn default() -> Self {
        Self { pages: Vec::new(), starts: vec![0] }
    }
}

/// Rows in order. Cheap to clone; adding a page copies no row.
#[derive(Debug)]
pub struct Sheet<T> {
    pages: Pages,
    of: PhantomData<T>,
}

impl<T: 'static> Sheet<T> {
    /// The rows and those of one more page.
    pub fn with_page(&self, page: Vec<T>) -> Self {
        let count = page.len();
        self.pages.with_page(Rc::new(page), count).of()
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// One row.
    pub fn get(&self, at: usize) -> Option<&T> {
        // The last page that starts at or before the row; empty pages start where the next one does.
        let page = self.pages.starts.partition_point(|start| *start <= at).checked_sub(1)?;
        rows(self.pages.pages.get(page)?).get(at - self.pages.starts[page])
    }

    /// Every row in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.pages.iter().flat_map(rows)
    }
}

fn rows<T: 'static>(page: &Rc<dyn Any>) -> &[T] {
    page.downcast_ref::<Vec<T>>().map_or(&[], Vec::as_slice)
}

impl<T> PartialEq for Sheet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.pages == other.pages
    }
}

impl<T> Default for Sheet<T> {
    fn default() -> Self {
        Pages::default().of()
    }
}

impl<T> Clone for Sheet<T> {
    fn clone(&self) -> Self {
        self.pages.clone().of()
    }
}

impl<T: 'static> From<Vec<T>> for Sheet<T> {
    fn from(rows: Vec<T>) -> Self {
        Self::default().with_page(rows)
    }
}

impl<T: 'static> From<Rc<Vec<T>>> for Sheet<T> {
    fn from(rows: Rc<Vec<T>>) -> Self {
        let count = rows.len();
        Pages::default().with_page(rows, count).of()
    }
}

impl<T: 'static> IntoPropValue<Sheet<T>> for Rc<Vec<T>> {
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

    #[test]
    fn pages_of_another_type_show_no_rows() {
        let pages = Pages::default().with_page(Rc::new(vec![1, 2]), 2);
        assert_eq!(pages.clone().of::<i32>().get(1), Some(&2));
        assert_eq!(pages.of::<String>().get(1), None);
    }
}
