//! Words that reports use, and what they mean.

/// Each word with its meaning.
pub const WORDS: [(&str, &str); 16] = [
    (
        "headend, concentrator, hub",
        "The headend is what all sites reach through their tunnels. It consists of one or more VPN concentrators; `hub` is a usual name of one.",
    ),
    ("site", "A place with people, such as a practice or a branch, behind one access link and one tunnel."),
    ("class", "A kind of traffic: what people or machines ask for, how large it is, and when."),
    (
        "set-up, base, option",
        "What is simulated. The base is the headend as it is; each option changes something of it.",
    ),
    (
        "replication",
        "A simulated day, drawn at random. All set-ups are run on the same days, so that they differ by what they change alone.",
    ),
    (
        "95 % interval",
        "Would the study be made again with other days, the interval would hold the true mean in 95 of 100 studies. It says nothing of whether the assumptions are right.",
    ),
    (
        "statistically significant (*)",
        "A difference from the base that chance alone would bring about in less than 5 % of studies, after correction for comparing several options (Holm 1979).",
    ),
    (
        "latency, p95",
        "Time from asking until the whole answer is there. One in twenty takes longer than the 95th percentile (p95).",
    ),
    (
        "time over the limit",
        "Minutes of the day in which the p95 of the class that people watch (that of the first target on latency) is above its limit, five minutes at a time.",
    ),
    (
        "site affected",
        "In five minutes, a site at which more than one in twenty transactions of that class takes longer than the limit or is given up.",
    ),
    (
        "staff time lost",
        "What people wait longer than they would on an idle network, summed over all classes that people wait for, until the answer, or until they give up.",
    ),
    ("given up or refused", "Actions that people gave up, or calls that were not admitted."),
    (
        "time of poor speech",
        "Share of the time of calls whose speech the E-model (ITU-T G.107) rates below 70, from delay, loss and jitter of their packets: a mean opinion score below 3.6.",
    ),
    ("busiest 15 minutes", "Utilisation of the busiest concentrator in its busiest quarter of an hour."),
    ("jobs unfinished at the end", "Deferrable work, such as updates, that waits or is under way when the run ends."),
    (
        "flow, sampled and packet fidelity",
        "At flow fidelity transfers share links as TCP would on average: quick, and less certain where queues are full. At packet fidelity each packet is simulated; at sampled fidelity those that decide, and where many transfers contend one stands for several.",
    ),
];
