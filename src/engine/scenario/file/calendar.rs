//! `[calendar]`: how one day differs from another.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{At, Date, Field};
use crate::scenario::file::class::Weekdays;
use crate::units::Share;

/// How one day differs from another: all demand together. What a class has of its own weekdays comes on top.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CalendarFile {
    /// Standard deviation of a day's level, as a share of it: how much more or less of everything one Monday has than another, beyond
    /// what chance makes of single arrivals (default 0 %).
    pub spread: Field<Share>,
    /// Factors on all demand by weekday (default 1 each): each person does so many times as much.
    #[schemars(with = "Option<Weekdays>")]
    pub weekdays: Option<At<Weekdays>>,
    /// Dates that are holidays.
    pub holidays: Vec<Field<Date>>,
    /// Public holidays that are added to these.
    pub bank_holidays: Option<BankHolidays>,
    /// Share of people and demand that is there on a holiday (default 0 %).
    pub on_holidays: Field<Share>,
}

/// Public holidays of a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BankHolidays {
    /// Those of England and Wales by their rules: New Year, Good Friday, Easter Monday, early May, spring, summer, Christmas and Boxing
    /// Day, with their substitutes; single ones, such as a coronation's, go into `holidays`.
    EnglandAndWales,
}
