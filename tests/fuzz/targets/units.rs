//! Any text as a quantity: what is taken is written so that it is taken again.
#![no_main]

use headend::scenario::field::{Count, Date, Flag, TextLine, Name, Number, Weekday};
use headend::units::{BitRate, Bytes, TimeOfDay, PacketRate, Share, Duration, Text};

/// Reads a text, and what is written of it.
fn again<T: Text + ToString>(text: &str) {
    if let Ok(value) = T::read(text) {
        let written = value.to_string();
        assert!(T::read(&written).is_ok(), "{text:?} is written {written:?}");
    }
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    again::<Duration>(text);
    again::<BitRate>(text);
    again::<PacketRate>(text);
    again::<Bytes>(text);
    again::<Share>(text);
    again::<TimeOfDay>(text);
    let _ = (Count::read(text), Number::read(text), Flag::read(text), Name::read(text));
    let _ = (TextLine::read(text), Weekday::read(text), Date::read(text));
});
