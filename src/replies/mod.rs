//! Replies: what a caller was answered under an idempotency key, for the dialects that promise the answer itself again.
//! (Our own operations answer a repeated key with the object as it is now; see `idempotency`.)
//!
//! `keep`: looks for the reply, and keeps a new one for a day. `empty`: what an erasure leaves of it.

pub mod empty;
pub mod keep;
pub mod model;
pub mod queries;
