//! A copy-on-write value.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value that clones share in memory until one of them is changed; the change copies the value first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// Whether both refer to one value in memory.
    pub fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: Clone> Shared<T> {
    /// The value, copied where other clones exist.
    pub fn into_inner(self) -> T {
        Arc::unwrap_or_clone(self.0)
    }
}

#[expect(clippy::into_iter_without_iter, reason = "the value itself has iter and iter_mut")]
impl<'a, T> IntoIterator for &'a Shared<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = <&'a T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.as_ref().into_iter()
    }
}

#[expect(clippy::into_iter_without_iter, reason = "the value itself has iter and iter_mut")]
impl<'a, T: Clone> IntoIterator for &'a mut Shared<T>
where
    &'a mut T: IntoIterator,
{
    type Item = <&'a mut T as IntoIterator>::Item;
    type IntoIter = <&'a mut T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        Arc::make_mut(&mut self.0).into_iter()
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_in_no_clone() {
        let first = Shared::from(vec![1, 2]);
        let mut second = first.clone();
        assert!(second.is_shared_with(&first));
        second.push(3);
        assert_eq!((first.len(), second.len()), (2, 3));
        assert!(!second.is_shared_with(&first));
    }
}
