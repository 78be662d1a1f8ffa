//! IKE state: tunnels that are established, handshakes in progress, requests that wait at each concentrator.
//!
//! A site retransmits its request after 4 s, 7.2 s, .. until it is answered or the site starts over. A concentrator holds
//! handshakes half open, up to its limit, and completes them one after the other at its rate. A retransmission of a request
//! that it holds changes nothing; a request that is out of date costs as much as any other. Invariant: a site's attempt is in
//! at most one concentrator's queue.

use std::collections::{BTreeSet, VecDeque};

use crate::model::{Concentrator, ConcentratorId, Model, Ramp, SiteId};
use crate::units::{Duration, Time};

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

/// A handshake that a site has begun.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// To which concentrator.
    pub to: ConcentratorId,
    /// Its purpose.
    pub why: Reason,
    /// How often its request was sent.
    pub sent: u32,
    /// Number among the site's attempts.
    pub number: u32,
}

/// The initiator: a site's end of its tunnel.
#[derive(Clone, Debug)]
pub struct IkeInitiator {
    /// The concentrator at which its tunnel ends, while it has one.
    pub concentrator: Option<ConcentratorId>,
    /// The concentrator has lost the state of the tunnel, though it may be up again.
    pub peer_lost: bool,
    /// The concentrator to which its tunnel belongs.
    pub home: ConcentratorId,
    /// The handshake in progress.
    pub attempt: Option<Attempt>,
    /// Changes with the tunnel: what was scheduled for another is void.
    pub epoch: u32,
    /// Number of cuts of its access link in force.
    pub cuts: u8,
    /// Number of stalls of its firewall in force.
    pub stalls: u8,
    /// It has no tunnel because it has had no traffic for a while.
    pub is_dormant: bool,
    /// It was cut off when its tunnel was to move to its home.
    pub is_move_due: bool,
    /// When it last had traffic.
    pub last_used: Time,
    /// When its next keepalive is due; what was scheduled for another time is void.
    pub keepalive_at: Time,
    path: SitePath,
    /// Times that it was disconnected.
    pub disconnects: u32,
    attempts: u32,
}

/// Whether a site can reach the headend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SitePath {
    /// It can, at the latest when its tunnel has come up with its traffic.
    Up,
    /// It has just woken, and waits for its tunnel for the first time.
    Waking,
    /// It cannot.
    CutOff,
}

/// The responder: a concentrator's IKE daemon.
#[derive(Clone, Debug)]
pub struct IkeResponder {
    /// Number of outages in force.
    pub outages: u8,
    /// Tunnels that end here.
    pub tunnels: u32,
    /// Handshakes completed since the start.
    pub completed: u64,
    /// Requests turned away since the start.
    pub turned_away: u64,
    /// Half-open handshakes; the first is in service.
    half_open: VecDeque<HalfOpen>,
    /// The same, to be looked up.
    held: BTreeSet<(SiteId, u32)>,
    /// Handshakes a second; any number where there is none.
    rate: Option<f64>,
    ramp: Option<Ramp>,
    /// Since when it is up.
    pub up_since: Time,
    max_half_open: usize,
    half_open_timeout: Duration,
    /// Its answers to keepalives come too late.
    pub is_overloaded: bool,
    max_tunnels: u32,
    /// Changes when it goes down: what was scheduled before is void.
    pub epoch: u32,
}

/// A handshake half open: whose attempt, which, and since when.
#[derive(Clone, Copy, Debug)]
struct HalfOpen {
    site: SiteId,
    number: u32,
    since: Time,
}

/// All tunnels.
#[derive(Clone, Debug)]
pub struct Tunnels {
    /// By site.
    pub initiators: Vec<IkeInitiator>,
    /// Sites that cannot reach the headend.
    cut_off: u32,
    /// Those among them that have just woken.
    waking: u32,
    /// By concentrator.
    pub responders: Vec<IkeResponder>,
    /// Firewalls that flap, fault by fault.
    pub firewalls: Vec<Firewall>,
}

/// A firewall that flaps.
#[derive(Clone, Copy, Debug)]
pub struct Firewall {
    /// Of which fault.
    pub fault: u32,
    /// Which of the fault's sites.
    pub place: u32,
    /// Times that it has stalled and recovered.
    pub round: u32,
}

/// What a concentrator does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is held, and its service starts.
    Started,
    /// It is held, or was already held.
    Held,
    /// It is turned away, or the concentrator is down.
    Refused,
}

impl Tunnels {
    /// Adds a firewall that flaps; gives its number.
    ///
    /// # Panics
    /// With 2^32 firewalls.
    pub fn add_firewall(&mut self, fault: u32, place: u32) -> u32 {
        self.firewalls.push(Firewall { fault, place, round: 0 });
        u32::try_from(self.firewalls.len() - 1).expect("fewer than 2^32 firewalls flap")
    }

    /// Tunnels as a balancer has placed them.
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
        let cut_off = sites.iter().map(|site| u32::from(site.path != SitePath::Up)).sum();
        Self { initiators: sites, cut_off, waking: 0, responders, firewalls: Vec::new() }
    }

    /// Tunnels of sites that have had no traffic yet: none.
    #[must_use]
    pub fn dormant(model: &Model, home: &[ConcentratorId]) -> Self {
        let site = |&home: &ConcentratorId| IkeInitiator {
            is_dormant: true,
            path: SitePath::Up,
            ..IkeInitiator::new(None, home)
        };
        let responders = model.concentrators.iter().map(IkeResponder::new).collect();
        let initiators = home.iter().map(site).collect();
        Self { initiators, cut_off: 0, waking: 0, responders, firewalls: Vec::new() }
    }

    /// Sites that are cut off; one that has just woken is not.
    #[must_use]
    pub fn cut_off(&self) -> u32 {
        self.cut_off - self.waking
    }

    /// A dormant site wakes: it cannot reach the headend until its tunnel is up.
    pub fn begin_waking(&mut self, site: SiteId) {
        self.set_reachable(site, false);
        let end = &mut self.initiators[site.index()];
        (end.is_dormant, end.path) = (false, SitePath::Waking);
        self.waking += 1;
    }

    /// A site that woke has its tunnel, or has to wait for it; says whether it was just waking.
    pub fn end_waking(&mut self, site: SiteId) -> bool {
        if !self.is_waking(site) {
            return false;
        }
        self.initiators[site.index()].path = SitePath::CutOff;
        self.waking -= 1;
        true
    }

    /// Whether a site has just woken.
    #[must_use]
    pub fn is_waking(&self, site: SiteId) -> bool {
        self.waking > 0 && self.initiators[site.index()].path == SitePath::Waking
    }

    /// Whether a site cannot reach the headend.
    #[must_use]
    pub fn is_cut_off(&self, site: SiteId) -> bool {
        self.cut_off > 0 && self.initiators[site.index()].path == SitePath::CutOff
    }

    /// Whether a site can reach the headend.
    #[must_use]
    pub fn reaches_headend(&self, site: SiteId) -> bool {
        self.cut_off == 0 || self.initiators[site.index()].path == SitePath::Up
    }

    /// Sets whether a site can reach the headend; gives whether that has changed.
    pub fn set_reachable(&mut self, site: SiteId, up: bool) -> bool {
        let path = &mut self.initiators[site.index()].path;
        if (*path == SitePath::Up) == up {
            return false;
        }
        *path = if up { SitePath::Up } else { SitePath::CutOff };
        if up {
            self.cut_off -= 1;
        } else {
            self.cut_off += 1;
        }
        true
    }

    /// Begins an attempt; gives its number.
    pub fn begin_attempt(&mut self, site: SiteId, to: ConcentratorId, why: Reason) -> u32 {
        let end = &mut self.initiators[site.index()];
        end.attempts += 1;
        end.attempt = Some(Attempt { to, why, sent: 0, number: end.attempts });
        end.attempts
    }

    /// The attempt of this number, if it is in progress.
    pub fn attempt(&mut self, site: SiteId, number: u32) -> Option<&mut Attempt> {
        self.initiators[site.index()].attempt.as_mut().filter(|attempt| attempt.number == number)
    }

    /// Redirects an attempt to another concentrator; gives its new number.
    pub fn redirect(&mut self, site: SiteId, to: ConcentratorId) -> u32 {
        let end = &mut self.initiators[site.index()];
        end.attempts += 1;
        let number = end.attempts;
        if let Some(attempt) = &mut end.attempt {
            (attempt.to, attempt.number) = (to, number);
        }
        number
    }

    /// A request arrives at a concentrator.
    pub fn receive_request(&mut self, now: Time, to: ConcentratorId, site: SiteId, number: u32) -> Received {
        let renews = self.initiators[site.index()].concentrator == Some(to);
        let responder = &mut self.responders[to.index()];
        if responder.outages > 0 {
            return Received::Refused;
        }
        responder.forget_waiting(now);
        if responder.held.contains(&(site, number)) {
            return Received::Held;
        }
        if responder.half_open.len() >= responder.max_half_open
            || (responder.tunnels >= responder.max_tunnels && !renews)
        {
            responder.turned_away += 1;
            return Received::Refused;
        }
        responder.held.insert((site, number));
        responder.half_open.push_back(HalfOpen { site, number, since: now });
        if responder.half_open.len() == 1 { Received::Started } else { Received::Held }
    }

    /// Detaches a site from its concentrator.
    pub fn detach(&mut self, site: SiteId) {
        let end = &mut self.initiators[site.index()];
        end.epoch += 1;
        let lost = end.concentrator.take().filter(|_| !std::mem::take(&mut end.peer_lost));
        if let Some(concentrator) = lost {
            self.responders[concentrator.index()].tunnels -= 1;
        }
    }

    /// Attaches a site to a concentrator.
    pub fn attach(&mut self, site: SiteId, concentrator: ConcentratorId) {
        self.detach(site);
        let end = &mut self.initiators[site.index()];
        (end.concentrator, end.attempt) = (Some(concentrator), None);
        self.responders[concentrator.index()].tunnels += 1;
    }

    /// Whether the site has a working tunnel and a path to it.
    #[must_use]
    pub fn is_usable(&self, site: SiteId) -> bool {
        let end = &self.initiators[site.index()];
        if end.cuts > 0 || end.stalls > 0 {
            return false;
        }
        // Traffic would bring its tunnel up.
        end.is_dormant
            || !end.peer_lost && end.concentrator.is_some_and(|concentrator| self.responders[concentrator.index()].up())
    }
}

impl IkeInitiator {
    fn new(concentrator: Option<ConcentratorId>, home: ConcentratorId) -> Self {
        let path = if concentrator.is_some() { SitePath::Up } else { SitePath::CutOff };
        Self {
            concentrator,
            peer_lost: false,
            home,
            attempt: None,
            epoch: 0,
            cuts: 0,
            stalls: 0,
            is_dormant: false,
            is_move_due: false,
            last_used: Time(0),
            keepalive_at: Time::NEVER,
            path,
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
            held: BTreeSet::new(),
            rate: concentrator.handshakes,
            ramp: concentrator.ramp,
            up_since: concentrator.opens,
            max_half_open: concentrator.half_open.map_or(usize::MAX, |most| most as usize),
            half_open_timeout: concentrator.half_open_timeout.unwrap_or(Duration(u64::MAX / 4)),
            is_overloaded: false,
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

    /// Time that a handshake takes that begins now [s].
    #[must_use]
    pub fn handshake_time(&self, now: Time) -> f64 {
        let Some(rate) = self.rate else { return 0.0 };
        self.ramp.map_or(rate.recip(), |ramp| ramp.handshake_time(rate, now.since(self.up_since).secs()))
    }

    /// Time until what arrives now is answered behind the handshakes that it holds, at the present rate [s].
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // far below 2^53
    pub fn wait(&self, now: Time) -> f64 {
        let behind_all = self.half_open.len() as f64 * self.handshake_time(now);
        // What has waited longer is forgotten, but for the one in service.
        behind_all.min(self.half_open_timeout.secs() + self.handshake_time(now))
    }

    /// Forgets handshakes that have waited too long; the one in service is not among them.
    fn forget_waiting(&mut self, now: Time) {
        let timeout = self.half_open_timeout;
        while let Some(&HalfOpen { site, number, .. }) =
            self.half_open.get(1).filter(|held| now.since(held.since) > timeout)
        {
            self.half_open.remove(1);
            self.held.remove(&(site, number));
        }
    }

    /// Handshakes that are half open.
    #[must_use]
    pub fn half_open(&self) -> u32 {
        u32::try_from(self.half_open.len()).unwrap_or(u32::MAX)
    }

    /// Completes the handshake in service: whose it was, and whether another waits.
    pub fn complete_handshake(&mut self, now: Time) -> Option<((SiteId, u32), bool)> {
        self.forget_waiting(now);
        let done = self.half_open.pop_front()?;
        self.completed += 1;
        self.held.remove(&(done.site, done.number));
        Some(((done.site, done.number), !self.half_open.is_empty()))
    }

    /// It goes down and loses its half-open handshakes and tunnels.
    pub fn fail(&mut self) {
        self.half_open.clear();
        self.held.clear();
        self.tunnels = 0;
        self.epoch += 1;
    }
}
