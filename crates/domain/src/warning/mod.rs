//! Warnings (peringatan dini): taken in from a feed or typed in by a person, replaced, taken back, expired.
//!
//! What it never does: raise an incident, or bring a cancelled warning back.

mod area;
mod command;
mod decide;
pub mod draft;
pub mod feed;
mod moment;
mod reach;
mod rejection;
mod state;
pub mod subscription;
pub mod template;

use posko_proto::{Id, warning::v1::Source};

use crate::context::derived;
pub use crate::{
    event::WarningEvent,
    warning::{
        area::{Said, felt, locate, locate_as_given, locate_epicenter},
        command::{
            BMKG_HOST, Ending, LONGEST_SECONDS, PARAMETER_NAME, PARAMETER_VALUE, PARAMETERS,
            RESOURCE_TEXT, RESOURCE_URI, RESOURCES, WarningCommand, check_carrier, check_content,
            words_of,
        },
        decide::{decide, verified},
        moment::spoken,
        reach::{Reach, RegencyReach, reach},
        rejection::WarningRejection,
        state::{CancelledBy, Replaced, WarningState, apply, ends_at, standing},
    },
};

/// Returns the stream of a warning: the first 16 bytes of
/// SHA-256(`posko/warning/v1\0` | the source's number as 4 bytes, big-endian | the publisher's identifier),
/// so that the same item of a feed is the same warning however often it is taken in.
pub fn stream_of(source: Source, identifier: &str) -> Id {
    derived(&[
        b"posko/warning/v1\0",
        &i32::from(source).to_be_bytes(),
        identifier.as_bytes(),
    ])
}

/// Returns the stream of a CAP alert, which its publisher's sender and identifier name, so that it is the same warning from
/// whichever feed or file it comes. BMKG's identifiers are unique by themselves, and its alerts keep the stream that they
/// have had from its own list.
pub fn stream_of_alert(sender: &str, identifier: &str) -> (Source, Id) {
    let source = source_of_alert(sender);
    let stream = if source == Source::BmkgNowcast {
        stream_of(source, identifier)
    } else {
        derived(&[
            b"posko/warning/cap/v1\0",
            &(sender.len() as u64).to_be_bytes(),
            sender.as_bytes(),
            identifier.as_bytes(),
        ])
    };
    (source, stream)
}

/// Says whether a host, in any case and without a port, is [`BMKG_HOST`] or lies below it.
pub fn is_bmkg(host: &str) -> bool {
    let host = host.to_lowercase();
    host.strip_suffix(BMKG_HOST)
        .is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

/// Returns the source of a CAP alert by its sender: BMKG's nowcast, or any other publisher.
fn source_of_alert(sender: &str) -> Source {
    let host = sender.rsplit(['@', '/']).next().unwrap_or_default();
    if is_bmkg(host) {
        Source::BmkgNowcast
    } else {
        Source::Cap
    }
}

#[cfg(test)]
mod tests;
