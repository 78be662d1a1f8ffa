//! Elementary functions with the same bits on every platform.
//!
//! Those of the standard library are the C library's, and glibc, musl, macOS, Windows and WebAssembly differ in the last bit of up to a
//! tenth of the arguments. A path that takes another turn by one bit is another day.

pub use libm::{cbrt, exp, hypot, log as ln, log10, pow, sin};

/// Inverse of the standard normal distribution function, to about 1e-16 (Wichura 1988, algorithm AS 241, PPND16).
#[must_use]
pub fn normal_quantile(share: f64) -> f64 {
    const NEAR: f64 = 0.425;
    const MIDDLE: f64 = 5.0;
    let from_middle = share - 0.5;
    if from_middle.abs() <= NEAR {
        let square = NEAR * NEAR - from_middle * from_middle;
        return from_middle * ratio(&CENTRE, square);
    }
    let tail = (-ln(share.min(1.0 - share))).sqrt();
    let size = if tail <= MIDDLE { ratio(&SHOULDER, tail - 1.6) } else { ratio(&FAR, tail - MIDDLE) };
    size.copysign(from_middle)
}

/// Coefficients of a numerator and of a denominator, the constant first.
type Ratio = [[f64; 8]; 2];

fn ratio([above, below]: &Ratio, x: f64) -> f64 {
    let polynomial = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * x + term);
    polynomial(above) / polynomial(below)
}

const CENTRE: Ratio = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_855,
    ],
];
const SHOULDER: Ratio = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
const FAR: Ratio = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_887_9,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

/// The standard normal distribution function (Zelen & Severo 1964, in Abramowitz & Stegun, 26.2.17), to 1e-7.
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    const TERMS: [f64; 5] = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let polynomial = TERMS.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    let above = polynomial * exp(-x * x / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
    if x < 0.0 { above } else { 1.0 - above }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, Normal};

    /// Published with the algorithm: the quantiles of 0.25, 0.001 and 1e-20.
    #[test]
    fn normal_quantiles_are_those_of_the_paper() {
        for (share, quantile) in
            [(0.25, -0.674_489_750_196_081_7), (0.001, -3.090_232_306_167_813_5), (1e-20, -9.262_340_089_798_408)]
        {
            let found = normal_quantile(share);
            assert!((found / quantile - 1.0).abs() < 1e-15, "{share}: {found}");
        }
        assert!(normal_quantile(0.5).abs() < 1e-15);
    }

    #[test]
    fn normal_quantiles_invert_the_distribution() {
        let normal = Normal::standard();
        for step in 1..1_000 {
            let share = f64::from(step) / 1_000.0;
            assert!((normal.cdf(normal_quantile(share)) - share).abs() < 1e-9, "{share}");
        }
    }

    /// The distribution function undoes the quantile.
    #[test]
    fn a_normal_share_is_that_of_its_quantile() {
        for share in [1e-4, 0.01, 0.3, 0.5, 0.8, 0.975, 0.9999] {
            assert!((normal_cdf(normal_quantile(share)) - share).abs() < 1e-6, "{share}");
        }
    }
}
