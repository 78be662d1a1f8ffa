//! Any bytes as a kept run: behind a checksum that does not fit, behind one that does, and without.
#![no_main]
use headend::study::record::RunRecord;
use headend::study::saved::{sealed, unsealed};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let header = |length: usize| format!("kept run\n{length}\n").into_bytes();
    let _ = unsealed(bytes, header);
    let file = sealed(&header(bytes.len()), bytes);
    assert_eq!(unsealed(&file, header), Some(bytes));
    let _ = postcard::from_bytes::<RunRecord>(bytes);
});
