//! The WebSocket opening handshake, [RFC 6455 section 4], for both roles.
//!
//! The core does no I/O and reads no clock. Bytes or parsed header fields go in; a decision and the response come out.
//!
//! | to | use |
//! |---|---|
//! | serve upgrades from an HTTP server of your own | [`Fields`] for its header map, then [`Upgrade::check`] and [`Policy::decide`] |
//! | the same over HTTP/2 or HTTP/3 (RFC 8441, RFC 9220) | [`PseudoHeaders`] and [`Upgrade::check_connect`], then [`Policy::decide`] |
//! | send what was decided | [`UpgradeResponse`]: as bytes, or status and fields |
//! | read a request or response head from bytes | [`HeadReader`], [`RequestHead`], [`ResponseHead`] |
//! | decide who may connect from a browser | [`Origin`], [`OriginPolicy`] (same-origin unless told otherwise) |
//! | refuse requests for other names than the server's | [`Hosts`] |
//! | refuse | [`Rejection`]: each one is exactly one HTTP answer |
//! | be the client | [`Uri`], [`Request`], [`Key`] |
#![cfg_attr(
    feature = "http",
    doc = "| use the types of the crate `http` | [`Fields`] for its header map, and conversions of [`Version`], [`Uri`], [`Request`], [`RequestHead`], [`ResponseHead`], [`UpgradeResponse`] and [`Rejection`] |"
)]
#![cfg_attr(feature = "blocking", doc = "| accept and connect over blocking sockets | [`blocking`] |")]
#![cfg_attr(feature = "tokio", doc = "| accept and connect over tokio | [`tokio`] |")]
//!
//! # What a peer can cost
//!
//! A head is read in time linear in its length, however it is cut into reads, and takes memory for what was received
//! and never more than [`Limits::bytes`]. Lists, extension offers and origins are parsed in one pass. No error or
//! answer of this crate repeats a text of the peer.
//!
//! # A server in front of a browser
//!
//! Browsers let any page open a WebSocket to any host, cookies included; the Origin header field is the server's one
//! means to tell its own pages from others (RFC 6455, section 10.2). [`OriginPolicy::SameOrigin`] is the default here. It
//! compares Origin with Host, and both come from the client: name the server's [`Hosts`], or a page of any name that
//! somebody points at its address passes for its own (DNS rebinding).
//!
//! [RFC 6455 section 4]: https://www.rfc-editor.org/rfc/rfc6455#section-4
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// No panic can be reached from the wire or from an argument.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod authority;
mod client;
mod cookies;
mod extended_connect;
mod extensions;
mod fields;
mod head;
mod hosts;
#[cfg(feature = "http")]
mod http_types;
mod invalid;
mod key;
mod list;
mod names;
mod origin;
mod policy;
mod reader;
mod rejection;
mod response;
mod scanner;
mod table;
mod target;
mod upgrade;
mod upgrade_response;
mod uri;
mod version;

// The drivers.
#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;
#[cfg(any(feature = "blocking", feature = "tokio"))]
mod driver;
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio;

pub use client::{Agreed, Refused, Request};
pub use cookies::cookies;
pub use extended_connect::PseudoHeaders;
pub use extensions::{Extension, ExtensionList, Extensions, Params};
pub use fields::Fields;
pub use head::{RequestHead, ResponseHead};
pub use hosts::Hosts;
pub use invalid::Invalid;
pub use key::{Key, accept_key, is_key};
pub use list::{Malformed, Tokens, is_token, tokens};
pub use origin::{Origin, OriginPolicy, OriginPredicate};
pub use policy::Policy;
pub use reader::{HeadError, HeadReader, Limits};
pub use rejection::Rejection;
pub use response::response;
pub use upgrade::{Upgrade, choose_protocol};
pub use upgrade_response::UpgradeResponse;
pub use uri::{Uri, UriError};
pub use version::Version;

#[cfg(any(feature = "blocking", feature = "tokio"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "blocking", feature = "tokio"))))]
pub use driver::error::Error;

#[cfg(all(doctest, feature = "blocking"))]
#[doc = include_str!("../README.md")]
struct Readme;
