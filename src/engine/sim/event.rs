//! Events of a run, in twelve bytes each.

use crate::model::{ClassId, ConcentratorId, SiteId};
use crate::sim::turn::TransactionId;

/// What is scheduled.
#[derive(Clone, Copy, Debug, Default)]
pub enum Event {
    /// Midnight: the day's demand begins.
    Day(u32),
    /// A workstation's next action.
    UserAction(ClassId, u32),
    /// The next arrival of an open class.
    Arrive(ClassId),
    /// The next job of the day.
    Job(ClassId),
    /// The next transaction of the replay.
    Replay,
    /// The next of a surge's arrivals.
    Surge(ClassId),
    /// A window of a transfer leaves its server; void if the attempt is another.
    SendWindow(TransactionId, u32),
    /// A deferred job starts; void if the attempt is another.
    StartDeferred(TransactionId, u32),
    /// A curfew of a class ends.
    CurfewEnds(ClassId, u32),
    /// Workstations of a class go off.
    PowerOff(ClassId),
    /// Workstations of a class come on.
    PowerOn(ClassId),
    /// The first deadline of a class may be over.
    Patience(ClassId),
    /// A call ends; void if the slot holds another.
    CallEnds(u32, u32),
    /// A dated change of the model.
    Change(u32),
    /// A fault begins, or ends.
    Fault(u32, bool),
    /// A firewall that flaps stalls.
    FirewallStalls(u32),
    /// It is up again.
    FirewallRecovered(u32),
    /// Dead-peer detection at a site; void if the site has been disconnected again since.
    DpdTimeout(SiteId, u32),
    /// A site sends a request for a tunnel, the first time or again.
    SendRequest(SiteId, u32),
    /// A concentrator has completed a handshake; void if it was down since.
    Handshake(ConcentratorId, u32),
    /// A site's tunnel is established.
    Established(SiteId, u32),
    /// A tunnel's keys are renewed.
    Rekey(SiteId, u32),
    /// A tunnel may have been idle for long enough; void if the site has another.
    TunnelIdle(SiteId, u32),
    /// A site sends a keepalive to a concentrator that answers late.
    Keepalive(SiteId),
    /// It has had no answer; void if the site has another tunnel.
    KeepaliveUnanswered(SiteId, u32),
    /// Tunnels fail back to their concentrator; void if it was down since.
    FailBack(ConcentratorId, u32),
    /// The sender of a stalled transfer tries again; void if the attempt is another.
    Resume(TransactionId, u32),
    /// The speech of calls is judged.
    JudgeCalls,
    /// A snapshot is taken.
    #[default]
    Snapshot,
}

const _: () = assert!(size_of::<Event>() == 12);
