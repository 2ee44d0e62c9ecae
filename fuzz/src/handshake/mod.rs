//! Targets for the opening handshake.

mod extensions;
mod http_request;
mod http_response;
mod origin;
mod reading;

pub use extensions::extensions;
pub use http_request::http_request;
pub use http_response::http_response;
pub use origin::origin;
