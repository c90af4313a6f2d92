//! Sites (titik layanan) of an incident: evacuation sites, public kitchens, water, health and command posts.
//!
//! What it never does: say "nobody there" where nobody has counted, or let an exercise touch a real site.

mod command;
mod decide;
mod rejection;
mod state;

pub use crate::{
    event::SiteEvent,
    site::{
        command::{SiteCommand, incident_named},
        decide::decide,
        rejection::SiteRejection,
        state::{Need, SiteState, apply},
    },
};

#[cfg(test)]
mod tests;
