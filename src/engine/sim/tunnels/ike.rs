//! Tunnels: which stand, which are being set up, and what each concentrator's IKE daemon has to do.
//!
//! A site asks for a tunnel with a request that it sends again after 4 s, 7.2 s, .. until it is answered or it starts
//! over. A concentrator holds requests half open, up to its limit, and completes them one after the other at its
//! rate; a repeat of one that it holds changes nothing, and one that nobody waits for any more costs as much as
//! any other. Invariant: a site's attempt is in at most one concentrator's queue.

use std::collections::VecDeque;

use crate::model::{Concentrator, ConcentratorId, Model, SiteId};

/// What a handshake is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The site has no tunnel.
    Establish,
    /// It has one, and wants to move it.
    Move,
    /// Its keys are renewed.
    Rekey,
}

/// A site on its way to a tunnel.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// To which concentrator.
    pub to: ConcentratorId,
    /// What for.
    pub why: Reason,
    /// How often its request was sent.
    pub sent: u32,
    /// Names it among the site's attempts.
    pub number: u32,
}

/// A site's end.
#[derive(Clone, Debug)]
pub struct IkeInitiator {
    /// Where its tunnel ends, while it has one.
    pub concentrator: Option<ConcentratorId>,
    /// The concentrator whose state of the tunnel is lost though it may be up.
    pub peer_lost: bool,
    /// Where its tunnel belongs.
    pub home: ConcentratorId,
    /// The handshake that is under way.
    pub attempt: Option<Attempt>,
    /// Names the tunnel: what was scheduled for another is void.
    pub epoch: u32,
    /// Cuts of its access link in force.
    pub cuts: u8,
    /// Its firewall has stalled: that many times over.
    pub stalls: u8,
    /// Whether it can reach the headend.
    up: bool,
    /// How often it has lost its way.
    pub disconnects: u32,
    attempts: u32,
}

/// A concentrator's end.
#[derive(Clone, Debug)]
pub struct IkeResponder {
    /// Outages in force.
    pub outages: u8,
    /// Tunnels that end here.
    pub tunnels: u32,
    /// Handshakes completed, and requests turned away.
    pub completed: u64,
    /// Requests turned away.
    pub turned_away: u64,
    /// Half-open handshakes: whose, and which of its attempts; the first is being worked on.
    half_open: VecDeque<(SiteId, u32)>,
    /// Time for one handshake [s].
    handshake_time: f64,
    max_half_open: usize,
    max_tunnels: u32,
    /// Names its uptime: what was scheduled for another is void.
    pub epoch: u32,
}

/// Every tunnel.
#[derive(Clone, Debug)]
pub struct Tunnels {
    /// By site.
    pub initiators: Vec<IkeInitiator>,
    /// How many of them cannot reach the headend.
    pub cut_off: u32,
    /// By concentrator.
    pub responders: Vec<IkeResponder>,
    /// Firewalls that flap, a fault's after each other.
    pub firewalls: Vec<Firewall>,
}

/// A firewall that flaps.
#[derive(Clone, Copy, Debug)]
pub struct Firewall {
    /// Of which fault.
    pub fault: u32,
    /// Which of the fault's sites.
    pub place: u32,
    /// How often it has stalled and was mended.
    pub round: u32,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is held, and nothing was before it: work on it begins.
    Started,
    /// It is held, or was already.
    Held,
    /// It is lost, or turned away.
    Refused,
}

impl Tunnels {
    /// Numbers a firewall that flaps.
    ///
    /// # Panics
    /// With 2^32 firewalls.
    pub fn add_firewall(&mut self, fault: u32, place: u32) -> u32 {
        self.firewalls.push(Firewall { fault, place, round: 0 });
        u32::try_from(self.firewalls.len() - 1).expect("fewer than 2^32 firewalls flap")
    }

    /// Tunnels as they were placed; a concentrator takes no more than its limit.
    #[must_use]
    pub fn new(model: &Model, placed: &[Option<ConcentratorId>], home: &[ConcentratorId]) -> Self {
        let mut responders: Vec<IkeResponder> = model.concentrators.iter().map(IkeResponder::new).collect();
        let sites = placed.iter().zip(home).map(|(&concentrator, &home)| {
            if let Some(concentrator) = concentrator {
                responders[concentrator.index()].tunnels += 1;
            }
            IkeInitiator::new(concentrator, home)
        });
        let sites: Vec<IkeInitiator> = sites.collect();
        let cut_off = sites.iter().map(|site| u32::from(!site.up)).sum();
        Self { initiators: sites, cut_off, responders, firewalls: Vec::new() }
    }

    /// Whether a site can reach the headend. Most of the time all can, and none is looked at.
    #[must_use]
    pub fn reaches_headend(&self, site: SiteId) -> bool {
        self.cut_off == 0 || self.initiators[site.index()].up
    }

    /// A site can reach the headend from now on, or cannot; says whether that is news.
    pub fn set_reachable(&mut self, site: SiteId, up: bool) -> bool {
        if std::mem::replace(&mut self.initiators[site.index()].up, up) == up {
            return false;
        }
        if up {
            self.cut_off -= 1;
        } else {
            self.cut_off += 1;
        }
        true
    }

    /// Begins an attempt and gives its number.
    pub fn begin_attempt(&mut self, site: SiteId, to: ConcentratorId, why: Reason) -> u32 {
        let end = &mut self.initiators[site.index()];
        end.attempts += 1;
        end.attempt = Some(Attempt { to, why, sent: 0, number: end.attempts });
        end.attempts
    }

    /// The attempt of this number, if it is still under way.
    pub fn attempt(&mut self, site: SiteId, number: u32) -> Option<&mut Attempt> {
        self.initiators[site.index()].attempt.as_mut().filter(|attempt| attempt.number == number)
    }

    /// The attempt goes to another concentrator, under another number.
    pub fn redirect(&mut self, site: SiteId, to: ConcentratorId) -> u32 {
        let end = &mut self.initiators[site.index()];
        end.attempts += 1;
        let number = end.attempts;
        if let Some(attempt) = &mut end.attempt {
            (attempt.to, attempt.number) = (to, number);
        }
        number
    }

    /// A request reaches a concentrator.
    pub fn receive_request(&mut self, to: ConcentratorId, site: SiteId, number: u32) -> Received {
        let renews = self.initiators[site.index()].concentrator == Some(to);
        let responder = &mut self.responders[to.index()];
        if responder.outages > 0 {
            return Received::Refused;
        }
        if responder.half_open.contains(&(site, number)) {
            return Received::Held;
        }
        if responder.half_open.len() >= responder.max_half_open
            || (responder.tunnels >= responder.max_tunnels && !renews)
        {
            responder.turned_away += 1;
            return Received::Refused;
        }
        responder.half_open.push_back((site, number));
        if responder.half_open.len() == 1 { Received::Started } else { Received::Held }
    }

    /// A site's tunnel ends; the concentrator forgets it unless it is down.
    pub fn detach(&mut self, site: SiteId) {
        let end = &mut self.initiators[site.index()];
        end.epoch += 1;
        let lost = end.concentrator.take().filter(|_| !std::mem::take(&mut end.peer_lost));
        if let Some(concentrator) = lost {
            self.responders[concentrator.index()].tunnels -= 1;
        }
    }

    /// A site has its tunnel at `unit` from now on.
    pub fn attach(&mut self, site: SiteId, concentrator: ConcentratorId) {
        self.detach(site);
        let end = &mut self.initiators[site.index()];
        (end.concentrator, end.attempt) = (Some(concentrator), None);
        self.responders[concentrator.index()].tunnels += 1;
    }

    /// Whether the site has a tunnel that works, and a way to it.
    #[must_use]
    pub fn is_usable(&self, site: SiteId) -> bool {
        let end = &self.initiators[site.index()];
        end.cuts == 0
            && end.stalls == 0
            && !end.peer_lost
            && end.concentrator.is_some_and(|concentrator| self.responders[concentrator.index()].up())
    }
}

impl IkeInitiator {
    fn new(concentrator: Option<ConcentratorId>, home: ConcentratorId) -> Self {
        let up = concentrator.is_some();
        Self {
            concentrator,
            peer_lost: false,
            home,
            attempt: None,
            epoch: 0,
            cuts: 0,
            stalls: 0,
            up,
            disconnects: 0,
            attempts: 0,
        }
    }
}

impl IkeResponder {
    fn new(concentrator: &Concentrator) -> Self {
        Self {
            outages: 0,
            tunnels: 0,
            completed: 0,
            turned_away: 0,
            half_open: VecDeque::new(),
            handshake_time: concentrator.handshakes.map_or(0.0, f64::recip),
            max_half_open: concentrator.half_open.map_or(usize::MAX, |most| most as usize),
            max_tunnels: concentrator.tunnels.unwrap_or(u32::MAX),
            epoch: 0,
        }
    }

    /// Whether it is up.
    #[must_use]
    pub fn up(&self) -> bool {
        self.outages == 0
    }

    /// Whether it takes one more tunnel.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.tunnels < self.max_tunnels
    }

    /// Time that one handshake takes [s].
    #[must_use]
    pub fn handshake_time(&self) -> f64 {
        self.handshake_time
    }

    /// Handshakes that are half open.
    #[must_use]
    pub fn half_open(&self) -> u32 {
        u32::try_from(self.half_open.len()).unwrap_or(u32::MAX)
    }

    /// The handshake that was worked on is complete; whether there is another.
    pub fn complete_handshake(&mut self) -> Option<((SiteId, u32), bool)> {
        let done = self.half_open.pop_front()?;
        self.completed += 1;
        Some((done, !self.half_open.is_empty()))
    }

    /// It goes down: what it held half open and the tunnels that it knew are gone.
    pub fn fail(&mut self) {
        self.half_open.clear();
        self.tunnels = 0;
        self.epoch += 1;
    }
}
