//! A tournament: who in a set of sites is due first, where each can be given another key, or leave, at any time.
//!
//! Each match of two is won by the smaller key, and the winner plays on (Knuth, The Art of Computer Programming, vol. 3, section
//! 5.4.1). After a change the matches from that player's first to the final are played again: log2 n of them, always as many,
//! against opponents whose places are known beforehand. So nothing has to be guessed, and no match waits for memory.
//! Players stand in the order of their names: of equal keys the left one wins, which keeps runs repeatable.

use std::hint::select_unpredictable;

/// Players `0..capacity`, each with a key while it is in.
#[derive(Clone, Debug)]
pub struct Tournament {
    /// Match `i` is that of the winners of matches `2 i` and `2 i + 1`; the final is match 1. Their number is a power of two,
    /// and in the latter half of them players meet first. A player who is alone needs none.
    matches: Vec<Match>,
    /// Who wins the final.
    key: u64,
    name: u32,
    /// Who is in, in no meaningful order; and by name the place there.
    members: Vec<u32>,
    places: Vec<u32>,
}

/// Two players: the bits of their keys, which are in the order of keys that are not negative, and their names.
#[derive(Clone, Copy, Debug)]
struct Match {
    keys: [u64; 2],
    names: [u32; 2],
}

/// Above the bits of every key that is not negative: a player who is not in loses against all who are.
const OUT: u64 = 1 << 63;
/// The place of a player who is not in.
const NOWHERE: u32 = u32::MAX;

impl Tournament {
    /// Nobody is in; names are below `capacity`.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let nobody = Match { keys: [OUT; 2], names: [0; 2] };
        let matches = if capacity > 1 { capacity.next_power_of_two() } else { 0 };
        Self { matches: vec![nobody; matches], key: OUT, name: 0, members: Vec::new(), places: vec![NOWHERE; capacity] }
    }

    /// The smallest key, and whose it is.
    #[must_use]
    #[inline]
    pub fn first(&self) -> Option<(f64, u32)> {
        (self.key < OUT).then(|| (f64::from_bits(self.key), self.name))
    }

    /// Whether nobody is in.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// All who are in, in no meaningful order.
    pub fn members(&self) -> impl Iterator<Item = u32> {
        self.members.iter().copied()
    }

    /// Puts a player in, or gives it another key, which is not negative.
    #[inline]
    pub fn set(&mut self, name: u32, key: f64) {
        debug_assert!(key.is_sign_positive(), "{key}");
        if self.places[name as usize] == NOWHERE {
            self.enter(name);
        }
        self.play(name, key.to_bits());
    }

    #[inline(never)]
    #[allow(clippy::cast_possible_truncation)] // players are numbered in 32 bits
    fn enter(&mut self, name: u32) {
        self.places[name as usize] = self.members.len() as u32;
        self.members.push(name);
    }

    /// Takes a player out, if it is in.
    pub fn remove(&mut self, name: u32) {
        let place = std::mem::replace(&mut self.places[name as usize], NOWHERE);
        if place == NOWHERE {
            return;
        }
        self.members.swap_remove(place as usize);
        if let Some(&moved) = self.members.get(place as usize) {
            self.places[moved as usize] = place;
        }
        self.play(name, OUT);
    }

    /// Plays the matches from a player's first to the final.
    #[inline]
    fn play(&mut self, mut name: u32, mut key: u64) {
        let mut at = self.matches.len() + name as usize;
        while at > 1 {
            let (players, side) = (&mut self.matches[at / 2], at % 2);
            (players.keys[side], players.names[side]) = (key, name);
            let (other, other_name) = (players.keys[1 - side], players.names[1 - side]);
            let loses = other < key + side as u64;
            (key, name) = (select_unpredictable(loses, other, key), select_unpredictable(loses, other_name, name));
            at /= 2;
        }
        (self.key, self.name) = (key, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Against a plain map: any mix of insertions, re-keyings and removals leaves the same first player.
        #[test]
        fn it_agrees_with_a_plain_map(
            capacity in 1_u32..20,
            steps in prop::collection::vec((0_u32..20, 0_u32..30, prop::bool::ANY), 1..200),
        ) {
            let mut tournament = Tournament::new(capacity as usize);
            let mut plain: BTreeMap<u32, u32> = BTreeMap::new();
            for (name, key, leaves) in steps {
                let name = name % capacity;
                if leaves {
                    tournament.remove(name);
                    plain.remove(&name);
                } else {
                    tournament.set(name, f64::from(key));
                    plain.insert(name, key);
                }
                let least = plain.iter().map(|(&name, &key)| (key, name)).min();
                prop_assert_eq!(tournament.first(), least.map(|(key, name)| (f64::from(key), name)));
                prop_assert_eq!(tournament.is_empty(), plain.is_empty());
                let mut members: Vec<u32> = tournament.members().collect();
                members.sort_unstable();
                prop_assert!(members.iter().eq(plain.keys()));
            }
        }
    }
}
