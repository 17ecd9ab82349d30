//! Everything of one kind that there ever was, by its number. A copy costs nothing, a change copies
//! a path of the tree that holds it, and what ended long ago need not be in memory: it is fetched
//! when somebody looks at it, and stays from then on.
//!
//! Whoever looks can't tell the difference. That rests on two things: what is fetched is the state that a
//! checkpoint wrote, and an entry is fetched into the cell that all copies of the team share before
//! it is changed in one of them. So a later checkpoint may overwrite what lies on the disk, and
//! an older copy still sees what it saw.

use crate::ids::Numbered;
use imbl::{OrdMap, OrdSet};
use std::fmt;
use std::ops::{Bound, Index};
use std::sync::{Arc, OnceLock};

/// Reads the entry of a number as the checkpoint wrote it. `None`: there is none, or it can't be
/// read; then it is asked again the next time.
pub type Fetch<V> = Arc<dyn Fn(u32) -> Option<V> + Send + Sync>;

/// Cells are made for so many numbers at once, when the first of them is looked at.
const CELLS: usize = 64;

type Cell<K, V> = OnceLock<(K, Arc<V>)>;

pub struct Kept<K, V> {
    /// Made, changed or replayed since the checkpoint.
    near: OrdMap<K, Arc<V>>,
    far: Option<Arc<Far<K, V>>>,
    /// How many there are, near and far.
    count: u32,
    /// What the next checkpoint has to write.
    changed: OrdSet<K>,
}

/// What the checkpoint holds: the numbers from 1 to `last`.
struct Far<K, V> {
    last: u32,
    fetch: Fetch<V>,
    cells: Vec<OnceLock<Box<[Cell<K, V>]>>>,
}

/// Both ends of what a checkpoint holds of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Extent {
    pub last: u32,
    pub count: u32,
}

impl<K: Numbered, V> Far<K, V> {
    fn get(&self, id: K) -> Option<&(K, Arc<V>)> {
        let number = id.number();
        if self.last < number {
            return None;
        }
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let row = self.cells.get(index / CELLS)?;
        let row = row.get_or_init(|| (0..CELLS).map(|_| OnceLock::new()).collect());
        let cell = row.get(index % CELLS)?;
        if cell.get().is_none() {
            let it = (self.fetch)(number)?;
            // Somebody else may have fetched it meanwhile; it is the same.
            let _ = cell.set((id, Arc::new(it)));
        }
        cell.get()
    }
}

impl<K: Numbered, V> Kept<K, V> {
    /// What a checkpoint holds.
    pub fn fetched(extent: Extent, fetch: Fetch<V>) -> Kept<K, V> {
        let rows = usize::try_from(extent.last).unwrap_or(usize::MAX).div_ceil(CELLS);
        let cells = (0..rows).map(|_| OnceLock::new()).collect();
        let far = Far { last: extent.last, fetch, cells };
        let far = Some(Arc::new(far));
        Kept { near: OrdMap::new(), far, count: extent.count, changed: OrdSet::new() }
    }

    pub fn extent(&self) -> Extent {
        Extent { last: self.last().map_or(0, Numbered::number), count: self.count }
    }

    pub fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn far_last(&self) -> u32 {
        self.far.as_ref().map_or(0, |it| it.last)
    }

    /// The highest id. Fetches nothing.
    pub fn last(&self) -> Option<K> {
        let near = self.near.get_max().map(|it| it.0);
        let far = Some(self.far_last()).filter(|it| 0 < *it).map(K::of);
        near.max(far)
    }

    pub fn get(&self, id: &K) -> Option<&Arc<V>> {
        self.entry(*id).map(|it| it.1)
    }

    pub fn contains_key(&self, id: &K) -> bool {
        self.get(id).is_some()
    }

    fn entry(&self, id: K) -> Option<(&K, &Arc<V>)> {
        if let Some(it) = self.near.get_key_value(&id) {
            return Some(it);
        }
        self.far.as_ref()?.get(id).map(|it| (&it.0, &it.1))
    }

    pub fn insert(&mut self, id: K, value: Arc<V>) {
        // Older copies go on seeing what was there.
        if !self.contains_key(&id) {
            self.count += 1;
        }
        self.near.insert(id, value);
        self.changed.insert(id);
    }

    /// To change it: it counts as changed.
    pub fn get_mut(&mut self, id: &K) -> Option<&mut Arc<V>> {
        if !self.near.contains_key(id) {
            let it = Arc::clone(&self.far.as_ref()?.get(*id)?.1);
            self.near.insert(*id, it);
        }
        self.changed.insert(*id);
        self.near.get_mut(id)
    }

    /// In the order of their numbers, fetched one by one as the iterator comes to them.
    pub fn iter(&self) -> Entries<'_, K, V> {
        self.between(1, u32::MAX)
    }

    /// Those with a lower number.
    pub fn before(&self, id: K) -> Entries<'_, K, V> {
        self.between(1, id.number().saturating_sub(1))
    }

    /// This one and those with a higher number.
    pub fn since(&self, id: K) -> Entries<'_, K, V> {
        self.between(id.number().max(1), u32::MAX)
    }

    /// Both ends included.
    fn between(&self, first: u32, last: u32) -> Entries<'_, K, V> {
        let border = self.far_last();
        let far = (first..=last.min(border)).filter_map(|it| self.entry(K::of(it)));
        if last < first.max(border + 1) {
            return Box::new(far);
        }
        let range = (Bound::Included(K::of(first.max(border + 1))), Bound::Included(K::of(last)));
        Box::new(far.chain(self.near.range(range)))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|it| it.0)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Arc<V>> {
        self.iter().map(|it| it.1)
    }

    /// All numbers. Fetches nothing.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = K> {
        let border = self.far_last();
        let near = (Bound::Excluded(K::of(border)), Bound::Unbounded);
        (1..=border).map(K::of).chain(self.near.range(near).map(|it| *it.0))
    }

    /// What changed since [`Kept::settle`].
    pub fn changed(&self) -> impl Iterator<Item = (K, &V)> {
        self.changed.iter().filter_map(|id| Some((*id, &**self.near.get(id)?)))
    }

    /// A checkpoint holds all of it.
    pub fn settle(&mut self) {
        self.changed = OrdSet::new();
    }
}

pub type Entries<'a, K, V> = Box<dyn DoubleEndedIterator<Item = (&'a K, &'a Arc<V>)> + 'a>;

impl<'a, K: Numbered, V> IntoIterator for &'a Kept<K, V> {
    type Item = (&'a K, &'a Arc<V>);
    type IntoIter = Entries<'a, K, V>;

    fn into_iter(self) -> Entries<'a, K, V> {
        self.iter()
    }
}

impl<K: Numbered, V> Default for Kept<K, V> {
    fn default() -> Kept<K, V> {
        Kept { near: OrdMap::new(), far: None, count: 0, changed: OrdSet::new() }
    }
}

impl<K, V> Clone for Kept<K, V> {
    fn clone(&self) -> Kept<K, V> {
        let Kept { near, far, count, changed } = self;
        let (near, far, changed) = (near.clone(), far.clone(), changed.clone());
        Kept { near, far, count: *count, changed }
    }
}

impl<K: Numbered, V: PartialEq> PartialEq for Kept<K, V> {
    fn eq(&self, other: &Kept<K, V>) -> bool {
        self.count == other.count && self.iter().eq(other.iter())
    }
}

impl<K: Numbered + fmt::Debug, V: fmt::Debug> fmt::Debug for Kept<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// For an id that another entry names.
impl<K: Numbered + fmt::Display, V> Index<&K> for Kept<K, V> {
    type Output = Arc<V>;

    fn index(&self, id: &K) -> &Arc<V> {
        match self.get(id) {
            Some(it) => it,
            None => panic!("there is no {id}"),
        }
    }
}

#[cfg(test)]
mod tests;
