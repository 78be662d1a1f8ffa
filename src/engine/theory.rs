//! What queueing theory says on cases that it can solve; the engine is held against these.
//!
//! Loads are shares of the capacity, times are in units of the mean service time unless a name says otherwise.

use crate::elementary::{exp, ln, pow};

/// Mean response time of M/G/1 processor sharing: it depends on the sizes only through their mean
/// (Kleinrock, Queueing Systems vol. 2, equation 4.17; M/M/1 is the special case).
#[must_use]
pub fn ps_mean(load: f64) -> f64 {
    1.0 / (1.0 - load)
}

/// Probability that a response under M/M/1 processor sharing takes longer than `time`.
///
/// The tagged customer sees n others, geometric at arrival, and leaves at rate 1 / (n + 1); the backward
/// equations (Coffman, Muntz & Trotter 1970, equation 3) are solved by uniformisation (Jensen 1953).
#[must_use]
pub fn ps_tail(load: f64, time: f64) -> f64 {
    const OTHERS: usize = 600;
    let rate = 1.0 + load;
    // After each step of the uniformised chain: probability of still being there, by number of others.
    let mut there = vec![1.0; OTHERS];
    let mut total = 0.0;
    let mut weight = exp(-rate * time);
    // The Poisson weights of long times underflow from the left: start in logarithms.
    let mut log_weight = -rate * time;
    let steps = rate * time + 12.0 * (rate * time).sqrt() + 60.0;
    let mut step = 0.0;
    while step < steps {
        total += weight * stationary_mix(load, &there);
        let next: Vec<f64> = (0..OTHERS)
            .map(|others| {
                let n = float(others);
                let more = there[(others + 1).min(OTHERS - 1)];
                let fewer = if others > 0 { there[others - 1] } else { 0.0 };
                (load * more + n / (n + 1.0) * fewer) / rate
            })
            .collect();
        there = next;
        step += 1.0;
        log_weight += ln(rate * time / step);
        weight = exp(log_weight);
    }
    total
}

fn stationary_mix(load: f64, by_others: &[f64]) -> f64 {
    let mut probability = 1.0 - load;
    let mut sum = 0.0;
    for value in by_others {
        sum += probability * value;
        probability *= load;
    }
    sum
}

#[allow(clippy::cast_precision_loss)] // small counts
fn float(count: usize) -> f64 {
    count as f64
}

/// Mean response times of two classes under discriminatory processor sharing with exponential sizes of mean 1:
/// arrival rates `rates`, weights `weights` (Fayolle, Mitrani & Iasnogorodski 1980, equation 25: two linear
/// equations in the unknown means).
#[must_use]
pub fn dps_means(rates: [f64; 2], weights: [f64; 2]) -> [f64; 2] {
    // W_k (1 - sum_j rate_j g_j / (g_j + g_k)) - sum_j rate_j g_j / (g_j + g_k) W_j = 1
    let part = |j: usize, k: usize| rates[j] * weights[j] / (weights[j] + weights[k]);
    let own = |k: usize| 1.0 - part(0, k) - part(1, k);
    let (a, b) = (own(0) - part(0, 0), -part(1, 0));
    let (c, d) = (-part(0, 1), own(1) - part(1, 1));
    let det = a * d - b * c;
    [(d - b) / det, (a - c) / det]
}

/// Mean response times of two classes under strict pre-emptive priority with exponential sizes of mean 1, the
/// first class first (Kleinrock vol. 2, equation 3.39).
#[must_use]
pub fn priority_means(rates: [f64; 2]) -> [f64; 2] {
    let high = 1.0 / (1.0 - rates[0]);
    [high, high / (1.0 - rates[0] - rates[1])]
}

/// Probability that all of `lines` are taken at an offered traffic of `erlangs` (Erlang B; Kleinrock vol. 1,
/// equation 3.44, by its recursion).
#[must_use]
pub fn erlang_b(erlangs: f64, lines: u32) -> f64 {
    (1..=lines).fold(1.0, |blocked, line| erlangs * blocked / (f64::from(line) + erlangs * blocked))
}

/// Throughput of `users` people who think for an exponential time of mean `think`, then wait for one server whose
/// services are exponential with mean `service` (the machine repairman, M/M/1//N; Kleinrock vol. 1, section 3.8). It is
/// the same under processor sharing.
#[must_use]
pub fn repairman(users: u32, think: f64, service: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for waiting in 0..users {
        term *= f64::from(users - waiting) * service / think;
        sum += term;
    }
    (1.0 - 1.0 / sum) / service
}

/// Mean wait in an M/G/1 queue served first come first served, in units of the mean service time, at `load` and with
/// a service time of squared coefficient of variation `variation` (Pollaczek & Khinchine; Kleinrock vol. 1, eq. 5.72).
#[must_use]
pub fn fifo_wait(load: f64, variation: f64) -> f64 {
    load * (1.0 + variation) / (2.0 * (1.0 - load))
}

/// Probability that the wait in an M/D/1 queue served first come first served exceeds `t` service times at `load`
/// (Erlang 1909; Crommelin 1932, as in Tijms, A First Course in Stochastic Models, eq. 9.6.13).
#[must_use]
pub fn deterministic_tail(load: f64, t: f64) -> f64 {
    let mut below = 0.0;
    let mut k = 0.0;
    let mut factorial = 1.0;
    while k <= t {
        let x = load * (k - t);
        below += pow(x, k) / factorial * exp(-x);
        k += 1.0;
        factorial *= k;
    }
    1.0 - (1.0 - load) * below
}

/// Probability that the wait in an M/M/1 queue served first come first served exceeds `t` mean service times
/// (Kleinrock vol. 1, eq. 5.118).
#[must_use]
pub fn exponential_tail(load: f64, t: f64) -> f64 {
    load * exp(-(1.0 - load) * t)
}

/// Mean waits of two classes of which the first is served first, without interrupting a service; loads by class,
/// exponential services of the same mean, in units of it (Cobham 1954; Kleinrock vol. 2, eq. 3.31).
#[must_use]
pub fn cobham_waits(loads: [f64; 2]) -> [f64; 2] {
    let residual = loads[0] + loads[1];
    [residual / (1.0 - loads[0]), residual / ((1.0 - loads[0]) * (1.0 - loads[0] - loads[1]))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} against {b}");
    }

    #[test]
    fn discriminatory_sharing_has_its_published_means() {
        let [first, second] = dps_means([0.4, 0.4], [4.0, 1.0]);
        near(first, 3.0, 1e-9);
        near(second, 7.0, 1e-9);
        let [first, second] = dps_means([0.4, 0.4], [2.0, 1.0]);
        near(first, 3.8889, 5e-5);
        near(second, 6.1111, 5e-5);
        let [first, second] = dps_means([0.4, 0.4], [1.0, 1.0]);
        near(first, ps_mean(0.8), 1e-9);
        near(second, ps_mean(0.8), 1e-9);
    }

    #[test]
    fn priority_has_its_published_means() {
        let [high, low] = priority_means([0.4, 0.4]);
        near(high, 1.6667, 5e-5);
        near(low, 8.3333, 5e-5);
    }

    #[test]
    fn erlang_b_is_that_of_the_tables() {
        near(erlang_b(10.0, 10), 0.2146, 5e-5);
        near(erlang_b(5.0, 10), 0.0184, 5e-5);
    }

    /// The tail integrates to the mean, and its second moment to Coffman, Muntz & Trotter's variance.
    #[test]
    fn the_tail_of_processor_sharing_has_the_known_moments() {
        for load in [0.5, 0.8] {
            let step = 0.25;
            let (mut mean, mut second) = (0.0, 0.0);
            let mut time = step / 2.0;
            while time < 60.0 / (1.0 - load) {
                let tail = ps_tail(load, time);
                mean += tail * step;
                second += 2.0 * time * tail * step;
                time += step;
            }
            near(mean / ps_mean(load), 1.0, 0.005);
            let variance = (2.0 + load) / ((2.0 - load) * (1.0 - load).powi(2));
            near((second - mean * mean) / variance, 1.0, 0.02);
        }
    }
}
