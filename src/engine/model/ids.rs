//! Names of sites, classes, concentrators and pools: places in their lists.

use std::ops::{Index, IndexMut};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $repr:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        pub struct $name(pub $repr);

        impl $name {
            /// The place in the list that this names.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The name of the place `index`.
            #[must_use]
            #[allow(clippy::cast_possible_truncation)] // `check` bounds every list
            pub fn of(index: usize) -> Self {
                Self(index as $repr)
            }
        }

        impl<T> Index<$name> for [T] {
            type Output = T;
            fn index(&self, id: $name) -> &T {
                &self[id.index()]
            }
        }

        impl<T> IndexMut<$name> for [T] {
            fn index_mut(&mut self, id: $name) -> &mut T {
                &mut self[id.index()]
            }
        }

        impl<T> Index<$name> for Vec<T> {
            type Output = T;
            fn index(&self, id: $name) -> &T {
                &self[id.index()]
            }
        }

        impl<T> IndexMut<$name> for Vec<T> {
            fn index_mut(&mut self, id: $name) -> &mut T {
                &mut self[id.index()]
            }
        }
    };
}

id!(
    /// Which site.
    SiteId,
    u32
);

id!(
    /// Which class of traffic.
    ClassId,
    u8
);

id!(
    /// Which concentrator.
    ConcentratorId,
    u8
);

id!(
    /// Which pool of concentrators.
    PoolId,
    u8
);

/// A scenario has at most this many classes.
pub const MAX_CLASSES: usize = 16;
