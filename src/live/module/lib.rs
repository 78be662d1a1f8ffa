//! The module that a page runs: a desk, and requests and replies as bytes in its memory.
//!
//! A host asks for room (`room`), writes a request there, calls `answer`, and reads the reply at `reply_at`, as long as it says.

use std::cell::RefCell;

use headend::live::desk::Desk;

thread_local! {
    static DESK: RefCell<(Desk, Vec<u8>, String)> = RefCell::new((Desk::default(), Vec::new(), String::new()));
}

/// Where a request of so many bytes is to be written.
#[unsafe(no_mangle)]
pub extern "C" fn room(length: usize) -> *mut u8 {
    DESK.with_borrow_mut(|(_, request, _)| {
        request.clear();
        request.resize(length, 0);
        request.as_mut_ptr()
    })
}

/// Answers the request that was written; says how many bytes the reply has.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> usize {
    DESK.with_borrow_mut(|(desk, request, reply)| {
        *reply = desk.answer(&String::from_utf8_lossy(request));
        reply.len()
    })
}

/// Where the reply is.
#[unsafe(no_mangle)]
pub extern "C" fn reply_at() -> *const u8 {
    DESK.with_borrow(|(_, _, reply)| reply.as_ptr())
}
