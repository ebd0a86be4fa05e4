//! Acts: what somebody did who runs a program (decided, edited, paid, made a key, erased a person), by which key, when.
//! On the wire they are the audit log. They are written in the transaction of what was done, and only ever added.
//! What people at posters and the company's own system do are events; whether everything adds up is `audit`.

pub mod model;
pub mod note;
pub mod queries;
pub mod routes;
